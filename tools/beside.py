"""Time of a fit and of one deletion, of both learners, beside another version of the library.

    python tools/beside.py OTHER/.venv/bin/python [--documents 6000 --words 5000 --runs 5]

The other Python has that version installed. Both are run in turn, on the same counts; printed are
medians in seconds and their ratio (this over the other).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def seconds_of(act: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def measured(counts: str, n_topics: int) -> dict[str, float]:
    """Seconds by what was done, in this process."""
    import scipy.sparse as sp
    from walk import new_model  # beside this file; imports the library of this process

    X = sp.csr_array(sp.load_npz(counts))
    found = {}
    for learner in ("factor", "anchor"):
        new_model(learner, 2).fit(X[:300])  # load libraries, start threads
        model = new_model(learner, n_topics)
        found[f"{learner}: fit"] = seconds_of(lambda model=model: model.fit(X))
        forget = getattr(model, "forget", None) or model.unlearn
        model.digest()
        each = [
            seconds_of(lambda row=row, forget=forget: forget(X[[row]])) for row in range(0, 50, 5)
        ]
        found[f"{learner}: one deletion"] = statistics.median(each)
    return found


def main() -> None:
    """Run both in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", nargs="?", help="Python of the other version")
    parser.add_argument("--documents", type=int, default=6000)
    parser.add_argument("--words", type=int, default=5000)
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--counts", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.counts:
        print(json.dumps(measured(options.counts, options.topics)))
        return
    import scipy.sparse as sp

    from pyunlearn.datasets import make_separable

    X = make_separable(
        options.documents, options.words, options.topics, n_anchor=5, p=0.02, length=80
    ).X
    runs: dict[str, list[dict[str, float]]] = {"this": [], "other": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "counts.npz"
        sp.save_npz(path, sp.csr_matrix(X))
        command = [__file__, "--counts", str(path), "--topics", str(options.topics)]
        for _ in range(options.runs):
            for name, python in (("other", options.python), ("this", sys.executable)):
                done = subprocess.run(
                    [python, *command], capture_output=True, text=True, check=True
                )
                runs[name].append(json.loads(done.stdout))
    print(f"{options.documents} documents, {options.words} words, {options.topics} topics")
    print(f"{'':24}{'other':>10}{'this':>10}{'ratio':>8}")
    for what in runs["this"][0]:
        other, this = (
            statistics.median(one[what] for one in runs[name]) for name in ("other", "this")
        )
        print(f"{what:24}{other:10.4f}{this:10.4f}{this / other:8.2f}")


if __name__ == "__main__":
    main()
