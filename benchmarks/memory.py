"""Peak memory of a fit beside the size of its statistics: `python -m benchmarks.memory`.

Every fit has a process of its own, and what that held before the fit is subtracted. Linux only.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from benchmarks import corpora
from benchmarks.report import Row, machine, print_rows
from pyunlearn import CooccurrenceStatistics
from pyunlearn.io import MODELS

CORPORA: dict[str, Callable[[], sp.csr_array]] = {
    "20 newsgroups": lambda: corpora.newsgroups()[0],
    "news articles, 50,000 words": lambda: corpora.news(50_000),
    "synthetic, 100,000 documents": lambda: corpora.stream(100_000, 5000, 20),
}


def status(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def peak_of(job: Callable[[], object]) -> tuple[object, int]:
    """The result of the job, and the most bytes that the process held beyond those before it."""
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts from here
    before = status("VmRSS")
    result = job()
    return result, status("VmHWM") - before


def fit_once(X: sp.csr_array, n_topics: int, learner: str) -> dict[str, int]:
    """Bytes of the statistics, of the arrays that fit keeps besides, of the peak, and estimated."""
    kind, rng = MODELS[learner], np.random.default_rng(0)
    kind(2).fit(rng.poisson(1.0, (40, 8)))  # load libraries, start threads
    model, peak = peak_of(lambda: kind(n_topics).fit(X))
    contexts = model.statistics_.contexts
    learned = [array for array in vars(model.topics_).values() if isinstance(array, np.ndarray)]
    return {
        "statistics": model.statistics_.nbytes,
        "topics": sum(array.nbytes for array in learned),
        "peak": peak,
        "estimate": CooccurrenceStatistics(X.shape[1], contexts=contexts).estimate_nbytes(X),
    }


def fit_apart(corpus: str, n_topics: int, learner: str) -> dict[str, int]:
    """`fit_once` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--corpus", corpus]
    finished = subprocess.run(
        [*command, "--topics", str(n_topics), "--learner", learner],
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    found: dict[str, int] = json.loads(finished.stdout)
    return found


def memory_rows(corpus: str, n_topics: int, learner: str) -> Iterator[Row]:
    found = fit_apart(corpus, n_topics, learner)
    ratio = found["peak"] / found["statistics"]
    yield Row(f"{corpus}, {learner}: peak over statistics", ratio, "times", 1.25)
    for name in ("statistics", "topics", "peak", "estimate"):
        yield Row(f"  {name}", found[name] / 2**20, "MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--learner", choices=sorted(MODELS), help="default: each")
    parser.add_argument("--corpus", choices=CORPORA, help="print one as JSON, from this process")
    given = parser.parse_args()
    if given.corpus:
        X = CORPORA[given.corpus]()
        print(json.dumps(fit_once(X, given.topics, given.learner or "factor")))
        return
    print(machine())
    for corpus in CORPORA:
        for learner in [given.learner] if given.learner else sorted(MODELS):
            title = f"{corpus}, {given.topics} topics, learner {learner}"
            print_rows(title, memory_rows(corpus, given.topics, learner))


if __name__ == "__main__":
    main()
