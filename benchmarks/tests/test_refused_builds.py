"""What would change the bits of models, or lacks room for sizes, is refused when it is compiled."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ROOT / "src/pyunlearn/_core/_portable.pxd"
COMPILER = shutil.which("gcc") or shutil.which("clang")

pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs gcc or clang")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One kernel as C."""
    pytest.importorskip("Cython")
    folder = tmp_path_factory.mktemp("kernel")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("*.so", "*.pyd"))
    command = [sys.executable, "-m", "cython", "-3", "-I", "src", "src/_core/softmax.pyx"]
    subprocess.run([*command, "-o", "kernel.c"], cwd=folder, check=True)
    return folder / "kernel.c"


@pytest.fixture(scope="module")
def checks(tmp_path_factory):
    """The checks alone: they need no header of Python, and none of the C library."""
    path = tmp_path_factory.mktemp("checks") / "checks.c"
    path.write_text(CHECKS.read_text(encoding="utf-8").split('"""')[1])
    return path


def compiled(path, *flags):
    command = [COMPILER, "-fsyntax-only", "-O3", "-ffp-contract=off", *flags]
    include = f"-I{sysconfig.get_paths()['include']}"
    return subprocess.run(
        [*command, include, str(path)], capture_output=True, text=True, check=False
    )


def test_the_flags_of_the_build_compile(kernel, checks):
    for path in (kernel, checks):
        done = compiled(path, "-fno-math-errno", "-march=native")
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast"])
def test_a_kernel_is_not_compiled_with_fast_mathematics(kernel, flag):
    done = compiled(kernel, flag)
    assert done.returncode != 0
    assert "take -ffast-math" in done.stderr


REFUSED = {
    "fast": (["-ffast-math"], "take -ffast-math"),
    "finite": (["-ffinite-math-only"], "parts of -ffast-math"),
    "unsafe": (["-funsafe-math-optimizations"], "parts of -ffast-math"),
    "reciprocal": (["-freciprocal-math"], "parts of -ffast-math"),
    "x87": (["-mfpmath=387"], "computed wider than stored"),
    "32 bits": (["-m32", "-ffreestanding", "-msse2", "-mfpmath=sse"], "sizes need 64 bits"),
}
# clang says only the first two.
ONLY_GCC = {"unsafe", "reciprocal", "x87"}


@pytest.mark.parametrize("kind", REFUSED)
def test_each_flag_that_changes_bits_is_refused_with_what_to_do(checks, kind):
    flags, message = REFUSED[kind]
    version = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True)
    if kind in ONLY_GCC and "clang" in version.stdout:
        pytest.skip("clang does not say so")
    if kind in ("x87", "32 bits") and "x86_64" not in sysconfig.get_platform():
        pytest.skip("not on this processor")
    done = compiled(checks, *flags)
    assert done.returncode != 0
    assert message in done.stderr


def test_setup_refuses_a_python_of_32_bits(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.maxsize = 2**31 - 1\n")
    done = subprocess.run(
        [sys.executable, "setup.py", "--version"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "64-bit Python" in done.stderr


def settings_with(**environment):
    """What decides the code that is built."""
    code = "import runpy; names = runpy.run_path('setup.py', run_name='read')\n"
    code += "print(names['describe'](names['extensions']()))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYUNLEARN_OPENMP": "0", **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_debug_build_has_other_settings():
    plain, debug = settings_with(PYUNLEARN_DEBUG="0"), settings_with(PYUNLEARN_DEBUG="1")
    assert plain != debug
    assert '"boundscheck": true' in debug
    assert '"boundscheck": false' in plain
