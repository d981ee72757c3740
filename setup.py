"""Build the compiled kernels; everything else is declared in pyproject.toml."""

import os
import sys
import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools._distutils.ccompiler import new_compiler
from setuptools._distutils.errors import CompileError, LinkError
from setuptools._distutils.sysconfig import customize_compiler

KERNELS = ("parallel", "counts", "rows", "anchors", "simplex", "infer")
DIRECTIVES = {
    "language_level": "3",
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "freethreading_compatible": True,
}
PROBE = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"


def base_flags() -> list[str]:
    """Flags that keep the bits equal on every machine: no contraction to FMA."""
    if sys.platform == "win32":
        return ["/O2", "/fp:precise"]
    return ["-O3", "-ffp-contract=off", "-fno-math-errno"]


def openmp_candidates() -> list[tuple[list[str], list[str]]]:
    """(compile, link) flags to try, by platform."""
    if sys.platform == "win32":
        return [(["/openmp"], [])]
    if sys.platform == "darwin":
        prefix = os.environ.get("LIBOMP_PREFIX", "/opt/homebrew/opt/libomp")
        return [
            (
                ["-Xpreprocessor", "-fopenmp", f"-I{prefix}/include"],
                [f"-L{prefix}/lib", "-lomp", f"-Wl,-rpath,{prefix}/lib"],
            )
        ]
    return [(["-fopenmp"], ["-fopenmp"])]


def find_openmp() -> tuple[list[str], list[str]]:
    """Compile and link a small program; without success build without OpenMP."""
    if os.environ.get("PYUNLEARN_OPENMP", "auto") == "0":
        return [], []
    for compile_flags, link_flags in openmp_candidates():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "probe.c"
            source.write_text(PROBE)
            compiler = new_compiler()
            customize_compiler(compiler)
            try:
                objects = compiler.compile(
                    [str(source)], output_dir=folder, extra_postargs=compile_flags
                )
                compiler.link_executable(
                    objects, str(Path(folder) / "probe"), extra_postargs=link_flags
                )
            except (CompileError, LinkError):
                continue
        return compile_flags, link_flags
    print("pyunlearn: no OpenMP found; the kernels will run on one thread", file=sys.stderr)
    return [], []


def extensions() -> list[Extension]:
    """One extension a kernel file."""
    compile_flags, link_flags = find_openmp()
    return [
        Extension(
            f"pyunlearn._core.{name}",
            [f"src/_core/{name}.pyx"],
            extra_compile_args=base_flags() + compile_flags,
            extra_link_args=link_flags,
        )
        for name in KERNELS
    ]


setup(
    ext_modules=cythonize(
        extensions(),
        include_path=["src"],
        build_dir="build/cython",
        compiler_directives=DIRECTIVES,
        force=bool(os.environ.get("PYUNLEARN_FORCE_CYTHON")),
    )
)
