"""Deletion of 1, 10 and 50 % of the pre-training documents, up to the head, beside a retrain.

    python -m benchmarks.heads.deletion [--corpus r52] [--topics 50]

The task documents stay. "equal": the digests of base and head are those of a retrain on what
remains; the accuracy is then that of the retrain, and both are computed. Then tomotopy's LDA and
the same head fitted once more, which is what a deletion costs there.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.heads.accuracy import ALPHA, LEARNERS, peer
from benchmarks.heads.labelled import FILES, Task, load_task
from benchmarks.theory.output import print_table
from pyunlearn import LinearHeadClassifier
from pyunlearn.io import MODELS

SHARES = (None, 0.01, 0.1, 0.5)  # None: one document
HEADER = (
    "corpus", "head", "deleted", "base s", "head s", "newton s", "newton distance",
    "retrain s", "ratio", "equal", "acc. before", "after", "retrained",
)  # fmt: skip
LDA_HEADER = (
    "head", "LDA + head again s", "our base + head s", "ratio", "our head alone s", "ratio",
)  # fmt: skip
KINDS = [("squared", "linear"), ("logistic", "linear"), ("logistic", "proportions")]


def seconds(job) -> float:
    begin = time.perf_counter()
    job()
    return time.perf_counter() - begin


def deletion(
    task: Task, n_topics: int, share: float | None, loss: str, features: str, learner: str
) -> tuple:
    m = task.X.shape[0]
    count = 1 if share is None else int(share * m)
    gone = np.sort(np.random.default_rng(0).permutation(m)[:count])
    left = np.setdiff1d(np.arange(m), gone)

    def trained(X) -> LinearHeadClassifier:
        model = MODELS[learner](n_topics).fit(X)
        return LinearHeadClassifier(model, loss=loss, features=features, alpha=ALPHA).fit(
            task.X, task.y
        )

    head = trained(task.X)
    before = head.score(task.X_test, task.y_test)
    base = seconds(lambda: head.model_.forget(task.X[gone]))
    newton = float("nan")
    if loss == "logistic":
        newton = seconds(lambda: head.refresh(mode="newton"))
        distance = head.gradient_norm_ / ALPHA
    exact = seconds(head.refresh)
    begin = time.perf_counter()
    once = trained(task.X[left])
    retrain = time.perf_counter() - begin
    return (
        task.name, f"{loss}, {features}", count, base, exact, newton,
        distance if loss == "logistic" else float("nan"), retrain, retrain / (base + exact),
        "yes" if head.digest() == once.digest() else "NO", before,
        head.score(task.X_test, task.y_test), once.score(task.X_test, task.y_test),
    )  # fmt: skip


def beside_lda(task: Task, n_topics: int, rows: list[tuple]) -> list[tuple]:
    """LDA and a head fitted again, its way to delete, over our deletion of one document."""
    refit = peer(task, n_topics, "tomotopy LDA, 200")
    seconds = {"logistic": refit[4] + refit[5], "squared": refit[4] + refit[7]}
    found = []
    for row in rows:
        kind, count, base, head = row[1], row[2], row[3], row[4]
        if count == 1:
            again = seconds[kind.split(",")[0]]
            found.append((kind, again, base + head, again / (base + head), head, again / head))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", nargs="+", choices=list(FILES), default=list(FILES))
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--learner", choices=LEARNERS, default="factor")
    parser.add_argument("--quick", action="store_true", help="without LDA")
    options = parser.parse_args()
    for name in options.corpus:
        task = load_task(name)
        rows = [
            deletion(task, options.topics, share, loss, features, options.learner)
            for loss, features in KINDS
            for share in SHARES
        ]
        print_table(HEADER, rows)
        if not options.quick:
            print_table(LDA_HEADER, beside_lda(task, options.topics, rows))


if __name__ == "__main__":
    main()
