"""What pyproject.toml declares is what a wheel has to hold."""

from pathlib import Path

import pytest

setuptools = pytest.importorskip("setuptools")
pyprojecttoml = pytest.importorskip("setuptools.config.pyprojecttoml")

ROOT = Path(__file__).parents[2]
SHIPPED = (".py", ".pyi", ".pxd", ".jsonl")


def packed():
    """The files of src that build_py copies into a wheel."""
    declared = setuptools.Distribution({"script_name": "setup.py"})
    pyprojecttoml.apply_configuration(declared, ROOT / "pyproject.toml")
    # Else the list would be completed from a manifest, which this would have to write.
    declared.include_package_data = False
    command = declared.get_command_obj("build_py")
    command.ensure_finalized()
    modules = {Path(path) for _, _, path in command.find_all_modules()}
    data = {Path(folder, name) for _, folder, _, names in command.data_files for name in names}
    return modules | data


def test_every_file_of_the_package_is_in_the_wheel(monkeypatch):
    monkeypatch.chdir(ROOT)
    expected = {
        path.relative_to(ROOT)
        for path in (ROOT / "src/pyunlearn").rglob("*")
        if path.suffix in SHIPPED or path.name == "py.typed"
    }
    assert packed() == expected
