"""One random removal, and how close what it changed comes to the bounds of `sensitivity`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from pyunlearn import CooccurrenceStatistics
from pyunlearn._learners import learn
from pyunlearn._learners.anchor import AnchorSettings, AnchorTopics, recover
from pyunlearn._learners.anchor_newton import newton_update
from pyunlearn._learners.anchor_search import anchor_gram
from pyunlearn.datasets import make_separable
from pyunlearn.privacy._constants import measure
from pyunlearn.privacy._sensitivity import removal_bound, sensitivity_bound, worst_case

AIMS = ("random", "anchor", "anchor-only", "anchor-odd", "rare", "topic", "long")


@dataclass(frozen=True)
class Trial:
    aim: str
    recovery: str
    n_removed: int
    change: float  # |A_F - A_S|_F
    bound: float  # for this removal
    worst: float  # for any k documents
    largest: float  # the bound that holds for any two topic matrices
    correlation_change: float
    correlation_bound: float

    @property
    def informative(self) -> bool:
        """Whether the bound says more than that two topic matrices cannot differ by more."""
        return self.bound < self.largest

    @property
    def holds(self) -> bool:
        return (
            self.change <= self.bound <= self.worst * (1 + 1e-12)
            and self.correlation_change <= self.correlation_bound
        )


def relearn_with_anchors(topics: AnchorTopics, statistics) -> AnchorTopics:
    """The exact learner with the anchors of `topics`."""
    step = newton_update(topics, statistics, 1)
    word_topic, converged = np.zeros_like(step.word_topic), step.converged.copy()
    G = anchor_gram(step.gram, step.anchors)
    recover(step.settings, G, step.gram, step.words, False, word_topic, converged, 1)
    return replace(step, word_topic=word_topic, converged=converged, hashes=None)


def correlation(topics: AnchorTopics, statistics) -> np.ndarray:
    inverse = np.linalg.pinv(topics.word_distributions().T)
    return inverse @ statistics.to_csr().toarray() @ inverse.T / statistics.word_mass.sum()


def aimed_documents(rng, aim: str, X: sp.csr_array, topics: AnchorTopics, k: int) -> np.ndarray:
    """Documents to plant in the corpus and to remove again: (k, n) counts."""
    n = X.shape[1]
    anchor = int(rng.choice(topics.anchors))
    planted = np.zeros((k, n), np.int64)
    if aim == "anchor-only":
        planted[:, anchor] = rng.integers(2, 50)
    elif aim == "anchor-odd":
        planted[:, anchor] = 1
        planted[:, rng.integers(n)] += rng.integers(1, 50)
    elif aim == "rare":
        planted[:, rng.integers(n)] = rng.integers(2, 50)
        planted[:, rng.integers(n)] += 1
    elif aim == "topic":
        topic = topics.word_distributions().T[:, rng.integers(topics.n_topics)]
        planted += rng.multinomial(int(rng.integers(2, 60)), topic / topic.sum(), k)
    else:
        planted += rng.multinomial(2000, np.full(n, 1 / n), k)
    return planted


def run(seed: int) -> list[Trial]:
    """A corpus, a removal aimed at something, both recoveries; empty when an anchor vanished."""
    rng = np.random.default_rng(seed)
    aim = AIMS[seed % len(AIMS)]
    m, r = int(np.exp(rng.uniform(3.5, 7))), int(rng.integers(2, 5))
    n = int(rng.integers(4 * r, 40))
    corpus = make_separable(
        m,
        n,
        r,
        p=float(rng.uniform(0.05, 0.8)),
        imbalance=float(rng.uniform(1, 4)),
        concentration=float(np.exp(rng.uniform(-4, 1))),
        length=(2, int(rng.integers(3, 30))),
        seed=rng,
    )
    settings = AnchorSettings(n_topics=r, anchor_min_df=int(max(2, m // 50)))
    k = int(np.exp(rng.uniform(0, np.log(max(2, m // 20)))))
    counts = corpus.X
    topics = learn(CooccurrenceStatistics(n, n_jobs=1).add(counts), settings, 1)
    if aim == "random":
        removed = counts[rng.choice(m, k, replace=False)]
    elif aim == "anchor":
        share = counts[:, [int(rng.choice(topics.anchors))]].toarray().ravel() / counts.sum(axis=1)
        removed = counts[np.argsort(-share)[:k]]
    else:
        removed = sp.csr_array(aimed_documents(rng, aim, counts, topics, k))
        counts = sp.csr_array(sp.vstack([counts, removed]))
    before = CooccurrenceStatistics(n, n_jobs=1).add(counts)
    gone = CooccurrenceStatistics(n, n_jobs=1).add(removed)
    after = before.copy().remove(removed)
    topics = learn(before, settings, 1)
    if topics.n_topics < r or np.any(after.word_mass[topics.anchors] == 0):
        return []
    exact = relearn_with_anchors(topics, before), relearn_with_anchors(topics, after)
    newton = newton_update(topics, before, 1), newton_update(topics, after, 1)
    return [
        compare(aim, recovery, before, gone, after, pair)
        for recovery, pair in (("simplex", exact), ("newton", newton))
    ]


def compare(
    aim: str,
    recovery: str,
    before,
    gone,
    after,
    pair: tuple[AnchorTopics, AnchorTopics],
) -> Trial:
    k = gone.n_documents
    A = [topics.word_distributions().T for topics in pair]
    R = [correlation(*one) for one in zip(pair, (before, after), strict=True)]
    first, second = (measure(*one, recovery) for one in zip((before, after), pair, strict=True))
    both = replace(first, topics_min=min(first.topics_min, second.topics_min))
    worst = sensitivity_bound(before, pair[0], k, recovery=recovery)
    return Trial(
        aim,
        recovery,
        k,
        float(np.linalg.norm(A[1] - A[0])),
        removal_bound(before, pair[0], gone, recovery=recovery).topics,
        worst.topics,
        float(np.sqrt(2 * first.n_topics)),
        float(np.linalg.norm(R[1] - R[0])),
        worst_case(both, k).correlation,
    )
