"""Features of documents: a linear map of their words, or topic proportions; functions of the base.

A linear map is a matrix E with one row a word; a document's features are the mean of the rows of
its tokens. The columns of E are a constant and the topics, A or p(topic | word), made orthonormal
over the tokens of the base's corpus:

    E^T diag(p) E = I,   p_i = p(word i)

so a head W with word scores B = E W has |W|^2 = sum_i p_i B_i^2: the penalty is the mean square
score of a token, whatever the corpus, the number of topics and their scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn._core import products
from pyunlearn._documents import Documents
from pyunlearn._learners.anchor import TopicParameters
from pyunlearn._linalg import inverse_factor, product
from pyunlearn.model import AnchorTopicModel

__all__ = [
    "FEATURES",
    "LINEAR",
    "WordFeatures",
    "mean_features",
    "proportion_features",
    "proportion_scale",
]

LINEAR = ("linear", "word-topic")
FEATURES = (*LINEAR, "proportions")

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WordFeatures:
    """E, and how it came from the topics."""

    rows: F64  # (n, r + 1), E; the first column is constant 1
    transform: F64  # (r + 1, r + 1): E = [1, topics] @ transform

    @classmethod
    def of(cls, learned: TopicParameters, kind: str, num_threads: int) -> WordFeatures:
        """E from A (``"linear"``) or p(topic | word) (``"word-topic"``).

        A word that the base does not hold gets the row of an average token, (1, 0, ..., 0).
        """
        n, r = learned.word_topic.shape
        known = learned.mass > 0
        share = learned.mass.astype(np.float64) / max(learned.total_mass, 1.0)
        topics = np.empty((n, r + 1))
        topics[:, 0] = 1.0
        topics[:, 1:] = learned.word_topic
        if kind == "linear":
            # A_ik = p(word i, topic k) / p(topic k), over the mass that topics explain.
            explained = learned.topical if len(learned.topical) else learned.mass.astype(np.float64)
            joint = np.ascontiguousarray(explained[:, None] * learned.word_topic)
            proportion = product(np.ones((1, n)), joint, num_threads)[0]
            topics[:, 1:] = joint / np.where(proportion > 0, proportion, 1.0)
        weighted = np.ascontiguousarray((share[:, None] * topics).T)
        transform = inverse_factor(product(weighted, topics, num_threads))
        rows = product(topics, transform, num_threads)
        rows[~known, 0], rows[~known, 1:] = 1.0, 0.0
        return cls(rows, transform)


def mean_features(documents: Documents, rows: F64, num_threads: int) -> F64:
    """Mean row of each document's tokens, (m, p); 0 for a document without tokens."""
    if documents.n_words != len(rows):  # the kernel would read beyond the end
        raise ValueError(f"documents over {documents.n_words} words, features of {len(rows)}")
    means = np.zeros((documents.n_documents, rows.shape[1]))
    products.document_means(
        documents.start, documents.columns, documents.counts, rows, means, num_threads
    )
    return means


def proportion_features(model: AnchorTopicModel, documents: Documents) -> F64:
    """A constant and (theta - pi) / sqrt(pi (1 - pi)), pi = p(topic) of the corpus, (m, r + 1)."""
    features = np.ones((documents.n_documents, model.n_topics_ + 1))
    if model.n_topics_ and documents.n_documents:
        centre, scale = proportion_scale(model)
        features[:, 1:] = (model.fold_in(documents) - centre) / scale
    return features


def proportion_scale(model: AnchorTopicModel) -> tuple[F64, F64]:
    """Mean and standard deviation of the topic of one token, (r,) each."""
    share = model.topic_proportions_
    spread = np.sqrt(share * (1.0 - share))
    return share, np.where(spread > 0, spread, 1.0)
