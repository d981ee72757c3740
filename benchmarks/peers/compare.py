"""Fit and deletion beside other libraries: `python -m benchmarks.peers.compare [--quick] [--eg]`.

One run on one matrix and one machine; every side in a process of its own, with the setting that
suits it best. `anchor-topic` needs old versions (NumPy < 1.24, so Python 3.11) and gets an
environment of its own in `.cache/`, made when it is missing. A side that cannot run is named with
the reason.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks import corpora
from benchmarks.main_job import BLAS_OVERRIDES
from benchmarks.report import cores, machine
from pyunlearn import AnchorTopicModel

HERE = Path(__file__).parent
OLD = corpora.CACHE / "anchor-topic"
OLD_PACKAGES = ["anchor-topic==0.1.2", "numpy==1.23.5", "scipy<1.16", "numba"]


@dataclass(frozen=True)
class Side:
    """A library as it is measured: the name it has in side.py, and its setting."""

    title: str
    name: str
    environment: Mapping[str, str]
    old: bool = False


SIDES = (
    Side("pyunlearn", "pyunlearn", {}),
    Side("anchortopics 0.1.0, one BLAS thread", "anchortopics", {"OPENBLAS_NUM_THREADS": "1"}),
    Side("anchor-topic 0.1.2", "anchor_topic", {}, old=True),
    Side("tomotopy LDA, 200 iterations, 2 workers", "tomotopy", {}),
    Side("scikit-learn LDA, online, 10 passes", "sklearn_lda", {"OPENBLAS_NUM_THREADS": "1"}),
    Side("gensim LdaMulticore, 5 passes", "gensim", {"OPENBLAS_NUM_THREADS": "1"}),
    Side("topica 0.62 AnchorLDA", "topica_anchor", {}),
    Side("topica 0.62 NMF, 2 threads", "topica_nmf", {}),
    Side("topica 0.62 LDA, 200 iterations, 2 threads", "topica_lda", {}),
)


class NotMeasuredError(Exception):
    """A side could not run; says why."""


def old_python() -> str:
    """The Python of the environment for anchor-topic, made when it is missing."""
    python = OLD / "bin" / "python"
    if not (OLD / "ready").exists():
        if sys.version_info >= (3, 12):
            raise NotMeasuredError("needs NumPy < 1.24, which needs Python 3.11")
        subprocess.run([sys.executable, "-m", "venv", str(OLD)], check=True)
        install = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
        if subprocess.run([*install, *OLD_PACKAGES], stdout=sys.stderr, check=False).returncode:
            raise NotMeasuredError("could not be installed")
        (OLD / "ready").touch()
    return str(python)


def run(script: str, arguments: list[str], environment: Mapping[str, str], old: bool) -> Any:
    """What a script of this folder prints, from a process of its own."""
    python = old_python() if old else sys.executable
    inherited = {name: v for name, v in os.environ.items() if name not in BLAS_OVERRIDES}
    finished = subprocess.run(
        [python, str(HERE / script), *arguments],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        said = finished.stderr.strip().splitlines() or [f"status {finished.returncode}"]
        raise NotMeasuredError(said[-1])
    return json.loads(finished.stdout)


def measure(X: sp.csr_array, n_topics: int, runs: int) -> Iterator[tuple[Side, Any]]:
    """Each side with its times, or the reason why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.npz"
        sp.save_npz(counts, sp.csr_matrix(X), compressed=False)
        for side in SIDES:
            arguments = [side.name, str(counts), str(n_topics), str(runs)]
            try:
                yield side, run("side.py", arguments, side.environment, side.old)
            except NotMeasuredError as reason:
                yield side, str(reason)


def compare_fits(X: sp.csr_array, n_topics: int, runs: int) -> None:
    print(f"\n{'':42}{'seconds':>18}{'':>9}{'times ours':>27}")
    print(f"{'':42}{'fit':>9}{'delete':>9}{'MB':>9}{'fit':>9}{'delete':>9}{'MB':>9}")
    found: dict[str, dict[str, float]] = {}
    for side, measured in measure(X, n_topics, runs):
        if isinstance(measured, str):
            print(f"{side.title:42} not measured: {measured}", flush=True)
            continue
        found[side.title] = summary(measured)
        print(line(side.title, found[side.title], found["pyunlearn"]), flush=True)
    print("\n" + "\n".join(losses(found)))


def summary(measured: Mapping[str, Any]) -> dict[str, float]:
    return {
        "fit": statistics.median(measured["fit"]),
        "delete": statistics.median(measured["delete"]),
        "memory": measured["peak"] / 1e6,
    }


def line(title: str, found: Mapping[str, float], ours: Mapping[str, float]) -> str:
    own = f"{found['fit']:9.2f}{found['delete']:9.3f}{found['memory']:9.0f}"
    ratios = {name: found[name] / ours[name] if ours[name] else 0.0 for name in ours}
    times = f"{ratios['fit']:9.1f}{ratios['delete']:9.0f}{ratios['memory']:9.2f}"
    return f"{title:42}{own}" + (times if title != "pyunlearn" else "")


def losses(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Where a peer is ahead of pyunlearn, in what was measured here."""
    ours = found["pyunlearn"]
    lost = [
        f"  {title}: {what} {value / ours[what]:.2f} of ours"
        for title, measured in found.items()
        for what, value in measured.items()
        if value < ours[what]
    ]
    return ["pyunlearn loses to", *lost] if lost else ["pyunlearn loses nowhere here"]


def compare_eg(X: sp.csr_array, n_topics: int) -> None:
    """Recovery of all words from the same G and b, to a duality gap of 1e-6."""
    model = AnchorTopicModel(n_topics=n_topics).fit(X)
    print(f"\nExponentiated gradient, {len(model.topics_.words):,} words, to a gap of 1e-6")
    print(f"{'':46}{'seconds':>9}{'reached':>10}{'largest gap':>13}{'times ours':>12}")
    ours: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.npz"
        np.savez(path, **problem(model))
        for title, name, threads, old in (
            ("pyunlearn eg, 1 thread", "pyunlearn", 1, False),
            ("anchor-topic 0.1.2 as it comes, 1 thread", "as_it_comes", 1, True),
            ("anchor-topic 0.1.2 from G and b, 1 thread", "from_gram", 1, True),
            (f"pyunlearn eg, {cores()} threads", "pyunlearn", cores(), False),
            (f"anchor-topic 0.1.2 from G and b, {cores()} threads", "from_gram", cores(), True),
            (f"pyunlearn active set, {cores()} threads", "active_set", cores(), False),
        ):
            one = {"OPENBLAS_NUM_THREADS": "1"}
            try:
                found = run("eg.py", [name, str(path), str(threads)], one, old)
            except NotMeasuredError as reason:
                print(f"{title:46} not measured: {reason}", flush=True)
                continue
            ours.setdefault(threads, found["seconds"])
            print(
                f"{title:46}{found['seconds']:9.2f}{found['reached']:10,}"
                f"{found['largest_gap']:13.1e}{found['seconds'] / ours[threads]:12.1f}",
                flush=True,
            )


def problem(model: AnchorTopicModel) -> dict[str, np.ndarray]:
    """G and b of every word, and the rows that they are made of."""
    learned, words = model.topics_, model.topics_.words
    K = model.statistics_.to_csr().astype(np.float64)
    return {
        "G": learned.anchor_gram,
        "B": np.ascontiguousarray(learned.gram[words]),
        "anchor_rows": K[learned.anchors].toarray() / learned.mass[learned.anchors][:, None],
        "indptr": K[words].indptr,
        "indices": K[words].indices,
        "values": K[words].data,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,000 documents, 2,000 words")
    parser.add_argument("--eg", action="store_true", help="only exponentiated gradient")
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3, help="of fits that take less than 20 s")
    parser.add_argument("--max-words", type=int, help="only the most frequent words")
    given = parser.parse_args()
    X, _, _ = corpora.newsgroups(2000 if given.quick else given.max_words)
    if given.quick:
        X = X[:2000]
    print(machine())
    print(f"20 newsgroups: {X.shape[0]:,} documents, {X.shape[1]:,} words, {given.topics} topics")
    if not given.eg:
        print("Deleting one document is, for all but pyunlearn, a fit without it. MB: peak of the")
        print("fit above what the process held before, without worker processes.")
        compare_fits(X, given.topics, given.runs)
    compare_eg(X, given.topics)


if __name__ == "__main__":
    main()
