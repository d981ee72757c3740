"""The main job beside its peers, on the machine at hand: `python -m benchmarks.main_job`.

Counting against SciPy's sparse product, a whole fit against `anchortopics` as it comes and with
one BLAS thread (its best setting). Every side gets a process of its own, so that nobody's threads,
caches or memory are in another's way. The first run in a process is shown apart: it pays for fresh
memory pages, which are slow on some virtual machines. Ratios are of the medians and of the least:
on a machine with other work the least are closer to the truth.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from tqdm import tqdm

from benchmarks.corpora import newsgroups
from benchmarks.report import machine
from pyunlearn import AnchorTopicModel, CooccurrenceStatistics

Job = Callable[[], object]
# Settings of the environment that would take OpenBLAS off the kernel it picks for this processor.
BLAS_OVERRIDES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS")


def count_with_pyunlearn(X: sp.csr_array, n_topics: int) -> Job:
    return lambda: CooccurrenceStatistics(X.shape[1]).add(X)


def count_with_scipy(X: sp.csr_array, n_topics: int) -> Job:
    documents = sp.csr_array(X, dtype=np.float64)
    lengths = documents.sum(axis=1)
    weights = sp.diags_array(1.0 / (lengths * (lengths - 1.0)))

    def job() -> object:
        product = sp.csr_array(documents.T @ weights @ documents)
        product.sort_indices()
        return product

    return job


def fit_pyunlearn(X: sp.csr_array, n_topics: int) -> Job:
    return lambda: AnchorTopicModel(n_topics=n_topics).fit(X)


def fit_anchortopics(X: sp.csr_array, n_topics: int) -> Job:
    from anchortopics import OTFR

    return lambda: OTFR(n_topics=n_topics).fit(X)


SIDES: dict[str, tuple[Callable[[sp.csr_array, int], Job], dict[str, str]]] = {
    "count: pyunlearn (int64)": (count_with_pyunlearn, {}),
    "count: SciPy X.T @ diag(w) @ X (float64)": (count_with_scipy, {}),
    "fit: pyunlearn": (fit_pyunlearn, {}),
    "fit: anchortopics 0.1.0": (fit_anchortopics, {}),
    "fit: anchortopics 0.1.0, one BLAS thread": (fit_anchortopics, {"OPENBLAS_NUM_THREADS": "1"}),
}
PAIRS = (
    ("count: SciPy X.T @ diag(w) @ X (float64)", "count: pyunlearn (int64)", 5),
    ("fit: anchortopics 0.1.0", "fit: pyunlearn", 10),
    ("fit: anchortopics 0.1.0, one BLAS thread", "fit: pyunlearn", 4),
)


def measure(side: str, counts: Path, n_topics: int, repeat: int) -> list[float]:
    """Seconds of each run; in the process of the side."""
    job = SIDES[side][0](sp.csr_array(sp.load_npz(counts)), n_topics)
    seconds = []
    for _ in range(repeat):
        begin = time.perf_counter()
        result = job()
        seconds.append(time.perf_counter() - begin)
        del result
    return seconds


def measure_apart(side: str, counts: Path, n_topics: int, repeat: int) -> list[float]:
    """The same in a fresh process with the side's environment."""
    environment = {name: v for name, v in os.environ.items() if name not in BLAS_OVERRIDES}
    command = [sys.executable, "-m", "benchmarks.main_job", "--side", side]
    options = ["--counts", str(counts), "--topics", str(n_topics), "--repeat", str(repeat)]
    finished = subprocess.run(
        [*command, *options],
        env={**environment, **SIDES[side][1]},
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    seconds: list[float] = json.loads(finished.stdout)
    return seconds


def compare(n_topics: int, repeat: int, max_words: int | None) -> None:
    """Measure every side and print the seconds and the ratios."""
    X, _, _ = newsgroups(max_words)
    print(machine())
    print(f"20 newsgroups: {X.shape[0]} documents, {X.shape[1]} words, {n_topics} topics")
    print(f"\n{'seconds':46}{'first':>9}{'median':>9}{'least':>9}")
    median, least = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.npz"
        sp.save_npz(counts, X, compressed=False)
        for side in tqdm(SIDES, unit="side", leave=False, disable=None):
            seconds = measure_apart(side, counts, n_topics, repeat)
            median[side], least[side] = statistics.median(seconds), min(seconds)
            tqdm.write(f"{side:46}{seconds[0]:9.3f}{median[side]:9.3f}{least[side]:9.3f}")
    print(f"\n{'pyunlearn is faster, times':46}{'aim':>9}{'median':>9}{'least':>9}")
    for slower, faster, aim in PAIRS:
        ratios = (kind[slower] / kind[faster] for kind in (median, least))
        print(f"{'than ' + slower:46}{aim:9}" + "".join(f"{ratio:9.1f}" for ratio in ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=5, help="runs of each side")
    parser.add_argument("--max-words", type=int, help="only the most frequent words")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--counts", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(measure(given.side, given.counts, given.topics, given.repeat)))
    else:
        compare(given.topics, given.repeat, given.max_words)


if __name__ == "__main__":
    main()
