"""How long does it take to bring a head up to date, and does it depend on the documents m?

One document leaves a base of m documents; the task, of a fixed size, stays.
"""

import numpy as np

from benchmarks import corpora
from benchmarks.clock import median_seconds
from pyunlearn import LinearHeadClassifier, TopicModel

N_WORDS, N_TOPICS = 1000, 20
SIZES = [10**3, 10**4, 10**5]
TASK_DOCUMENTS = 1000
LOSSES = ["squared", "logistic"]


def head_on(m, loss):
    model = TopicModel(n_topics=N_TOPICS)
    blocks = corpora.blocks(m, N_WORDS, N_TOPICS)
    first = next(blocks)
    model.fit(first)
    for block in blocks:
        model.partial_fit(block)
    task = first[:TASK_DOCUMENTS]
    y = np.asarray((task @ model.components_.T).argmax(axis=1))
    # One thread: the work is small, and others' work would show.
    return LinearHeadClassifier(model, loss=loss, features="linear", alpha=1e-3, n_jobs=1).fit(
        task, y
    ), first


class UnlearnHead:
    """Everything here is fixed but m: flat, once K is full."""

    params = (SIZES, LOSSES)
    param_names = ("m", "loss")
    timeout = 900
    number = 1

    def setup(self, m, loss):
        self.head, first = head_on(m, loss)
        self.head.model_.forget(first[[0]])

    def time_unlearn(self, m, loss):
        self.head.refresh()


class HeadFlatness:
    """Time at the most documents over that at 10,000; must stay within 1.15."""

    params = LOSSES
    param_names = ("loss",)
    unit = "ratio"
    timeout = 900

    def track_most_documents_over_10_000(self, loss):
        times = []
        for m in (SIZES[1], SIZES[-1]):
            head, first = head_on(m, loss)
            head.model_.forget(first[[0]])
            times.append(median_seconds(head.refresh, runs=5))
        return times[1] / times[0]
