"""Build the kernels for several instruction sets; compare digests of the same models and heads.

    python tools/compare_builds.py            every build this machine can run
    python tools/compare_builds.py --list     their names
    python tools/compare_builds.py sse2 avx2  some of them

Exit status 0 when all digests are equal. Needs the source tree, a C compiler and Cython.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AVX512 = ("avx512f", "avx512bw", "avx512dq", "avx512vl")


@dataclass(frozen=True)
class Build:
    """Compiler flags, what the processor must have for them, and whether to use OpenMP.

    With flags every function is compiled for them alone; without, as it is shipped: some for
    several instruction sets, of which the processor at hand decides.
    """

    name: str
    flags: tuple[str, ...]
    needs: tuple[str, ...] = ()
    openmp: bool = True

    @property
    def environment(self) -> dict[str, str]:
        """Variables that setup.py reads."""
        own = [*self.flags, "-DPYUNLEARN_NO_CLONES"] if self.flags else []
        flags = " ".join([os.environ.get("CFLAGS", ""), *own]).strip()
        return {**os.environ, "CFLAGS": flags, "PYUNLEARN_OPENMP": "auto" if self.openmp else "0"}


PLAIN = ("-march=x86-64",)
# As shipped, then narrow to wide. FMA is in wherever the processor has it: contraction would show.
BUILDS = (
    Build("shipped", ()),
    Build("sse2", PLAIN),
    Build("sse2-one-thread", PLAIN, openmp=False),
    Build("avx2", ("-mavx2", "-mfma"), ("avx2", "fma")),
    Build(
        "avx512",
        (*(f"-m{name}" for name in AVX512), "-mfma", "-mprefer-vector-width=512"),
        (*AVX512, "fma"),
    ),
)

MODELS = [
    (weighting, learner, *options)
    for weighting in ("document", "token")
    for learner, *options in (("anchor",), ("anchor", "clean-up"), ("factor",))
]


def processor_features() -> set[str]:
    """What /proc/cpuinfo names; empty where there is none or the processor is of another kind."""
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        return set()
    lines = cpuinfo.read_text().splitlines()
    return {word for line in lines if line.startswith("flags") for word in line.split()}


def possible_builds() -> list[Build]:
    """The builds that run here."""
    features = processor_features()
    return [build for build in BUILDS if features.issuperset({"sse2", *build.needs})]


def build_package(build: Build, sources: Path, target: Path) -> Path:
    """The package in a folder of its own, with kernels compiled for one build."""
    command = [sys.executable, "setup.py", "-q", "build_ext", "--parallel=2"]
    command += [f"--build-lib={target}", f"--build-temp={target}-objects"]
    done = subprocess.run(
        command, cwd=sources, env=build.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{build.name} does not build:\n{done.stdout}\n{done.stderr}")
    shutil.copytree(sources / "src" / "pyunlearn", target / "pyunlearn", dirs_exist_ok=True)
    return target


def copy_sources(target: Path) -> Path:
    """What setup.py needs, without anything compiled: the work tree is left as it is."""
    compiled = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", target / "src", ignore=compiled)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, target)
    return target


def digests_of(folder: Path) -> dict[str, dict[str, str]]:
    """Digests that a fresh Python finds with the package in `folder`."""
    done = subprocess.run(
        [sys.executable, __file__, "--digests"],
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_WAIT_POLICY": "passive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{folder.name} does not run:\n{done.stderr}")
    answer = json.loads(done.stdout)
    if not Path(answer["package"]).is_relative_to(folder):
        raise SystemExit(f"another pyunlearn was imported in place of the one in {folder}")
    return dict(answer["models"])


def compare(builds: list[Build]) -> dict[str, dict[str, str]]:
    """For every model its digests by build and number of threads; they should be one."""
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        sources = copy_sources(Path(scratch))
        for build in builds:
            folder = build_package(build, sources, sources / build.name)
            for model, digests in digests_of(folder).items():
                for threads, digest in digests.items():
                    found.setdefault(model, {})[f"{build.name}, {threads} threads"] = digest
    return found


def fixed_models() -> dict[str, dict[str, str]]:
    """Digests of models of one synthetic corpus, by model and number of threads."""
    # Imported here: this runs in a Python that finds one particular build.
    import numpy as np

    import pyunlearn
    from pyunlearn._digest import content_digest

    random = np.random.RandomState(0)  # its stream is frozen for all versions of NumPy
    counts = random.randint(1, 5, (400, 300)) * (random.randint(0, 12, (400, 300)) == 0)
    digests: dict[str, dict[str, str]] = {}
    for weighting, learner, *options in MODELS:
        chosen = {"anchor_cleanup": True, "min_df": 30} if options else {}
        for n_jobs in (1, 2, 3, 7):
            new, words = {
                "anchor": (pyunlearn.AnchorTopicModel, {"anchor_min_df": 5}),
                "factor": (pyunlearn.TopicModel, {"core_min_df": 5}),
            }[learner]
            model = new(12, weighting=weighting, n_jobs=n_jobs, **words, **chosen).fit(counts)
            model.forget(counts[::9])
            learned = {
                name: value
                for name, value in vars(model.topics_).items()
                if isinstance(value, np.ndarray)
            }
            learned["theta"] = model.transform(counts[:20])
            by_threads = digests.setdefault(" ".join([weighting, learner, *options]), {})
            by_threads[str(n_jobs)] = model.digest() + content_digest({}, learned)
            for loss in ("logistic", "squared"):
                head = pyunlearn.LinearHeadClassifier(model, loss=loss, alpha=1e-3, n_jobs=n_jobs)
                head.fit(counts[:200], np.arange(200) % 3)
                by_threads[str(n_jobs)] += head.digest()
    return digests


def main() -> int:
    """Build, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    possible = {build.name: build for build in possible_builds()}
    parser.add_argument("builds", nargs="*", help=f"of {', '.join(possible)}; default all")
    parser.add_argument("--list", action="store_true", help="names of the builds, and no more")
    parser.add_argument("--digests", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.digests:
        import pyunlearn

        print(json.dumps({"package": pyunlearn.__file__, "models": fixed_models()}))
        return 0
    if arguments.list:
        print("\n".join(possible))
        return 0
    unknown = sorted(set(arguments.builds) - set(possible))
    if unknown:
        parser.error(f"not for this machine: {', '.join(unknown)}")
    found = compare([possible[name] for name in arguments.builds or possible])
    for model, digests in found.items():
        print(f"{model}: {len(digests)} digests, {len(set(digests.values()))} different")
        if len(set(digests.values())) > 1:
            print("\n".join(f"    {digest[:16]} {name}" for name, digest in digests.items()))
    return 0 if all(len(set(digests.values())) == 1 for digests in found.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
