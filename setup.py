"""Build the compiled kernels; everything else is declared in pyproject.toml."""

import json
import os
import sys
import tempfile
from pathlib import Path

from Cython import __version__ as cython_version
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools._distutils.ccompiler import new_compiler
from setuptools._distutils.errors import CompileError, LinkError
from setuptools._distutils.sysconfig import customize_compiler

KERNELS = (
    "parallel",
    "words",
    "counts",
    "rows",
    "packing",
    "anchors",
    "gram",
    "simplex",
    "exponentiated",
    "newton",
    "factorise",
    "infer",
    "products",
    "softmax",
)
# What every kernel needs for memoryviews, compiled once: half the size and half the build time.
SHARED = "pyunlearn._core._cyutility"
BUILD_DIR = Path("build/cython")
SETTINGS = BUILD_DIR / "settings.json"
# PYUNLEARN_DEBUG=1: an index out of bounds is an IndexError, an integer overflow ends the process.
# (Cython's overflowcheck raises without the GIL in C functions: the compiler does it better.)
DEBUG = os.environ.get("PYUNLEARN_DEBUG", "0") == "1"
DIRECTIVES = {
    "language_level": "3",
    "boundscheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": DEBUG,
    "freethreading_compatible": True,
}
# Python's own -fwrapv would make every overflow a defined one.
TRAPS = [
    "-fno-wrapv",
    "-fsanitize=signed-integer-overflow,bounds",
    "-fsanitize-undefined-trap-on-error",
]
PROBE = "#include <omp.h>\nint probe(void) { return omp_get_max_threads(); }\n"


def base_flags() -> list[str]:
    """Flags that keep the bits equal on every machine: no contraction to FMA."""
    if sys.platform == "win32":
        return ["/Od" if DEBUG else "/O2", "/fp:precise"]
    if DEBUG:
        return ["-O1", "-g", "-ffp-contract=off", "-fno-math-errno", *TRAPS]
    flags = ["-O3", "-ffp-contract=off", "-fno-math-errno"]
    # Python's own flags ask for debug information, three quarters of the size of the modules.
    asked = "-g" in os.environ.get("CFLAGS", "").split()
    return flags if asked else [*flags, "-g0"]


def openmp_candidates() -> list[tuple[list[str], list[str]]]:
    """(compile, link) flags to try, by platform."""
    if sys.platform == "win32":
        return [(["/openmp"], [])]
    if sys.platform == "darwin":
        named = os.environ.get("LIBOMP_PREFIX")
        brewed = ["/opt/homebrew/opt/libomp", "/usr/local/opt/libomp"]
        return [
            (
                ["-Xpreprocessor", "-fopenmp", f"-I{prefix}/include"],
                [f"-L{prefix}/lib", "-lomp", f"-Wl,-rpath,{prefix}/lib"],
            )
            for prefix in ([named] if named else brewed)
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
                compiler.link_shared_object(
                    objects, str(Path(folder) / "probe"), extra_postargs=link_flags
                )
            except (CompileError, LinkError):
                continue
        return compile_flags, link_flags
    print("pyunlearn: no OpenMP found; the kernels will run on one thread", file=sys.stderr)
    return [], []


def extensions() -> list[Extension]:
    """One extension a kernel file, and the module they share."""
    compile_flags, link_flags = find_openmp()
    sources = {f"pyunlearn._core.{name}": f"src/_core/{name}.pyx" for name in KERNELS}
    sources[SHARED] = "src/_core/_cyutility.c"  # generated, in BUILD_DIR
    return [
        Extension(
            name,
            [source],
            extra_compile_args=base_flags() + compile_flags,
            extra_link_args=link_flags,
        )
        for name, source in sources.items()
    ]


def describe(modules: list[Extension]) -> str:
    """All that decides the generated and compiled code besides the sources."""
    return json.dumps(
        {
            "cython": cython_version,
            "directives": DIRECTIVES,
            "flags": [[m.name, m.extra_compile_args, m.extra_link_args] for m in modules],
            "environment": {name: os.environ.get(name) for name in ("CC", "CFLAGS", "LDFLAGS")},
        },
        indent=1,
    )


def build() -> list[Extension]:
    """Generate C; all anew, and compiled anew, after a change of settings, which nobody tracks."""
    modules = extensions()
    settings = describe(modules)
    changed = not SETTINGS.exists() or SETTINGS.read_text() != settings
    generated: list[Extension] = cythonize(
        modules,
        include_path=["src"],
        build_dir=str(BUILD_DIR),
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED,
        force=changed,
    )
    if changed:
        BUILD_DIR.mkdir(parents=True, exist_ok=True)
        SETTINGS.write_text(settings)
    for module in generated:
        module.depends.append(str(SETTINGS))
    return generated


if __name__ == "__main__":
    if sys.maxsize < 2**32:
        sys.exit("pyunlearn needs a 64-bit Python: sizes and offsets do not fit into 32 bits")
    setup(ext_modules=build())
