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
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._linalg import inverse_factor, product

__all__ = [
    "FEATURES",
    "LINEAR",
    "WordFeatures",
    "known_words",
    "mean_features",
    "proportion_features",
    "proportion_scale",
    "topic_proportions",
    "without_known_word",
]

LINEAR = ("word-topic", "linear")
FEATURES = (*LINEAR, "proportions")

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WordFeatures:
    """E, and how it came from the topics."""

    rows: F64  # (n, r + 1), E; the first column is constant 1
    transform: F64  # (r + 1, r + 1): E = [1, topics] @ transform

    @classmethod
    def of(cls, model: BaseTopicModel, kind: str, num_threads: int) -> WordFeatures:
        """E from p(topic | word) (``"word-topic"``) or from A (``"linear"``).

        A word that the base does not know gets the row of an average token, (1, 0, ..., 0).
        """
        topics = model.word_topic_ if kind == "word-topic" else model.components_.T
        columns = np.hstack([np.ones((len(topics), 1)), topics])
        share = model.word_frequencies_
        weighted = np.ascontiguousarray((share[:, None] * columns).T)
        transform = inverse_factor(product(weighted, columns, num_threads))
        rows = product(columns, transform, num_threads)
        unknown = share == 0
        rows[unknown, 0], rows[unknown, 1:] = 1.0, 0.0
        return cls(rows, transform)


def known_words(model: BaseTopicModel) -> NDArray[np.bool_]:
    """Words that the base learned something about, (n,)."""
    return np.asarray(model.word_frequencies_ > 0)


def without_known_word(documents: Documents, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Documents without a token of a known word, (m,): nothing speaks of what they are about."""
    blank = np.ones(documents.n_documents, np.bool_)
    blank[documents.entry_rows()[known[documents.columns]]] = False
    return blank


def mean_features(documents: Documents, rows: F64, num_threads: int) -> F64:
    """Mean row of each document's tokens, (m, p); 0 for a document without tokens."""
    if documents.n_words != len(rows):  # the kernel would read beyond the end
        raise ValueError(f"documents over {documents.n_words} words, features of {len(rows)}")
    means = np.zeros((documents.n_documents, rows.shape[1]))
    products.document_means(
        documents.start, documents.columns, documents.counts, rows, means, num_threads
    )
    return means


def topic_proportions(model: BaseTopicModel, documents: Documents) -> F64:
    """Topic proportions of documents by fold-in, (m, r); also for no documents or no topics."""
    if not documents.n_documents or not model.n_topics_:
        return np.zeros((documents.n_documents, model.n_topics_))
    return model.fold_in(documents)


def proportion_features(model: BaseTopicModel, theta: F64) -> F64:
    """A constant and (theta - pi) / sqrt(pi (1 - pi)), pi = p(topic) of the corpus, (m, r + 1)."""
    centre, scale = proportion_scale(model)
    return np.hstack([np.ones((len(theta), 1)), (theta - centre) / scale])


def proportion_scale(model: BaseTopicModel) -> tuple[F64, F64]:
    """Mean and standard deviation of the topic of one token, (r,) each."""
    share = model.topic_proportions_
    spread = np.sqrt(share * (1.0 - share))
    return share, np.where(spread > 0, spread, 1.0)
