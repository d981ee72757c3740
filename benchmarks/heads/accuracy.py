"""Accuracy of heads on our topics and on those of LDA, with the same head and number of topics.

    python -m benchmarks.heads.accuracy [--quick] [--corpus r52] [--topics 20 50]

LDA (tomotopy, scikit-learn) gives p(word | topic); its documents get topic proportions by the same
fold-in as ours, its features are standardised like ours, and the head is the same code.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.fold_in import fold_in
from benchmarks.heads.labelled import FILES, Task, load_task, sklearn_topics, tomotopy_topics
from benchmarks.theory.output import print_table
from pyunlearn import LinearHeadClassifier
from pyunlearn.heads._logistic_loss import LogisticLoss, minimise
from pyunlearn.heads._ridge import feature_sums, ridge
from pyunlearn.heads._targets import one_hot
from pyunlearn.io import MODELS

ALPHA = 1e-4
LEARNERS = ("factor", "anchor")
FEATURES = ("linear", "word-topic", "proportions")
PEERS = {"tomotopy LDA, 200": tomotopy_topics, "scikit-learn LDA": sklearn_topics}


def ours(task: Task, n_topics: int, learner: str) -> list[tuple]:
    begin = time.perf_counter()
    model = MODELS[learner](n_topics).fit(task.X)
    seconds = time.perf_counter() - begin
    rows = []
    for features in FEATURES:
        row = [task.name, n_topics, f"pyunlearn {learner}", features, seconds]
        for loss in ("logistic", "squared"):
            begin = time.perf_counter()
            head = LinearHeadClassifier(model, loss=loss, features=features, alpha=ALPHA)
            head.fit(task.X, task.y)
            row += [time.perf_counter() - begin, head.score(task.X_test, task.y_test)]
        rows.append(tuple(row))
    return rows


def peer(task: Task, n_topics: int, name: str) -> tuple:
    begin = time.perf_counter()
    topics = PEERS[name](task.X, n_topics)
    row = [task.name, n_topics, name, "proportions", time.perf_counter() - begin]
    train, test = fold_in(task.X, topics, 500), fold_in(task.X_test, topics, 500)
    share = train.mean(axis=0)
    features, features_test = (
        np.hstack([np.ones((len(x), 1)), (x - share) / np.sqrt(share * (1 - share))])
        for x in (train, test)
    )
    classes = np.unique(task.y)
    hot = one_hot(task.y, classes)
    for loss in ("logistic", "squared"):
        begin = time.perf_counter()
        if loss == "logistic":
            weights = minimise(LogisticLoss(features, hot, ALPHA, 2), 1e-6, 100).weights
        else:
            weights = ridge(*feature_sums(features, hot, 2), len(hot), ALPHA)
        predicted = classes[np.argmax(features_test @ weights, axis=1)]
        row += [time.perf_counter() - begin, float(np.mean(predicted == task.y_test))]
    return tuple(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the peers")
    parser.add_argument("--corpus", nargs="+", choices=list(FILES), default=list(FILES))
    parser.add_argument("--topics", nargs="+", type=int, default=[20, 50])
    options = parser.parse_args()
    header = ("corpus", "K", "topics", "features", "fit s", "logistic s", "acc.", "sq. s", "acc.")
    for name in options.corpus:
        task = load_task(name)
        for n_topics in options.topics:
            rows = [row for learner in LEARNERS for row in ours(task, n_topics, learner)]
            if not options.quick:
                rows += [peer(task, n_topics, one) for one in PEERS]
            print_table(header, rows)


if __name__ == "__main__":
    main()
