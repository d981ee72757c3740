"""Every number beside its aim, from one run: `python -m benchmarks.table [--quick]`.

What is measured is said in the modules that do it: deletion, stages, memory, scaling. `--quick`
takes fewer documents and fewer words, where the aims do not apply.
"""

import argparse
import sys

from benchmarks import corpora, memory
from benchmarks.deletion import deletion_rows, flatness_rows
from benchmarks.report import machine, print_rows
from benchmarks.scaling import scaling_rows
from benchmarks.stages import stage_rows
from pyunlearn.io import MODELS

TOPICS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a minute instead of ten")
    quick = parser.parse_args().quick
    documents, runs = (20, 1) if quick else (200, 5)
    X, _, _ = corpora.newsgroups(3000 if quick else None)
    print(machine())
    print(f"20 newsgroups: {X.shape[0]:,} documents, {X.shape[1]:,} words, {TOPICS} topics")
    print_rows(
        "Deleting one document, medians", deletion_rows(X, TOPICS, documents, runs, not quick)
    )
    print_rows(
        "Deleting one document from many over deleting it from few, medians",
        flatness_rows(X, TOPICS, documents),
    )
    print_rows("Kernels of a fit, medians", stage_rows(X, TOPICS, runs))
    if not quick and sys.platform == "linux":
        for corpus in memory.CORPORA:
            for learner in sorted(MODELS):
                print_rows("Memory of a fit", memory.memory_rows(corpus, TOPICS, learner))
    sizes = [10_000, 100_000] if quick else [100_000, 1_000_000]
    print_rows("Fit of synthetic documents, best of the runs", scaling_rows(sizes, min(runs, 3)))
    print(machine())


if __name__ == "__main__":
    main()
