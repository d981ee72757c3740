"""A run that has all extras skips no test for want of one."""

import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "test_missing.py": """
import pytest

def test():
    pytest.importorskip("no_such_module")
""",
    "test_missing_at_collection.py": """
import pytest

pytest.importorskip("no_such_module", reason="of an extra")

def test():
    pass
""",
    "test_present.py": """
import pytest

def test():
    assert pytest.importorskip("importlib.metadata").version("pytest") == pytest.__version__
""",
}


def outcome(folder, *options):
    """The last line of a run."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()[-1]


def test_a_missing_module_fails_only_where_all_extras_are_promised(tmp_path):
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    for name, program in PROGRAMS.items():
        (tmp_path / name).write_text(program)
    status, said = outcome(tmp_path)
    assert status == 0
    assert "1 passed, 2 skipped" in said
    status, said = outcome(tmp_path, "--all-extras", "--continue-on-collection-errors")
    assert status == 1
    assert "1 failed, 1 passed, 1 error" in said
