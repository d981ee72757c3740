"""Fold-in: topic proportions of documents with the topics fixed, and what they predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyunlearn import _params as check
from pyunlearn._core import infer
from pyunlearn._documents import Documents, check_documents
from pyunlearn._learners.topics import F64, Topics
from pyunlearn._linalg import padded, product

if TYPE_CHECKING:
    import scipy.sparse as sp

__all__ = ["completion", "fold_in", "work_space"]

# What heads and indexes are built with, whatever `transform` of their base is told.
TOL, MAX_ITER = 1e-6, 500


def fold_in(
    topics: Topics,
    documents: Documents,
    n_jobs: int | None,
    tol: float = TOL,
    max_iter: int = MAX_ITER,
) -> F64:
    """Maximum-likelihood topic proportions by EM, (m, r'); rows sum to 1.

    EM stops when the l1 change of a document's proportions is at most `tol`. A document without a
    known word gets the corpus proportions.
    """
    A = np.ascontiguousarray(topics.word_distributions().T)
    num_threads = check.check_n_jobs(n_jobs)
    # The start is positive for every topic: EM never leaves a zero.
    theta = np.full((documents.n_documents, topics.n_topics), 1.0 / max(topics.n_topics, 1))
    known = np.asarray(A.any(axis=1))[documents.columns]
    with_known_word = np.zeros(documents.n_documents, np.bool_)
    with_known_word[documents.entry_rows()[known]] = True
    theta[~with_known_word] = topics.proportions()
    infer.proportions(
        documents.start,
        documents.columns,
        documents.counts,
        A,
        tol,
        max_iter,
        work_space(documents, topics.n_topics, num_threads),
        theta,
        np.zeros(documents.n_documents, np.int32),
        num_threads,
    )
    theta /= product(theta, np.ones((topics.n_topics, 1)), num_threads)
    return theta


def work_space(documents: Documents, n_topics: int, num_threads: int) -> F64:
    """Of `infer.proportions`: a document's rows of A are read many times."""
    longest = int(np.diff(documents.start).max(initial=0))
    return np.empty((num_threads, (longest + 2) * padded(n_topics)))


def completion(
    topics: Topics, documents: Documents, n_jobs: int | None, background: float
) -> tuple[float, int]:
    """Log-likelihood of hidden tokens, and their number (Wallach et al. 2009).

    Every second token of a document (tokens in the order of columns) is shown to the fold-in; the
    others are predicted, with probability

        (1 - background) sum_k p(k | document) p(word | k) + background p(word).

    Tokens of words that the model never saw are left out.
    """
    import scipy.sparse as sp

    shown, hidden = every_second_token(documents)
    theta = fold_in(topics, check_documents(shown), n_jobs)
    A, common = topics.word_distributions(), topics.word_frequencies()
    log_likelihood, predicted = 0.0, 0
    for first in range(0, documents.n_documents, 512):
        rows = slice(first, first + 512)
        block = sp.coo_array(hidden[rows])
        seen = common[block.col] > 0
        row, word, count = block.row[seen], block.col[seen], block.data[seen]
        mixture = (theta[rows] @ A)[row, word]
        probability = (1.0 - background) * mixture + background * common[word]
        with np.errstate(divide="ignore"):
            log_likelihood += float(count @ np.log(probability))
        predicted += int(count.sum())
    return log_likelihood, predicted


def every_second_token(documents: Documents) -> tuple[sp.csr_array, sp.csr_array]:
    """Counts of the tokens at even places of each document, and of those at odd places."""
    import scipy.sparse as sp

    counts = documents.counts.astype(np.int64)
    end = np.cumsum(counts)
    before = np.concatenate(([0], end))
    place = before[:-1] - np.repeat(before[documents.start[:-1]], np.diff(documents.start))
    even = (place + counts + 1) // 2 - (place + 1) // 2
    shape = (documents.n_documents, documents.n_words)
    halves = [
        sp.csr_array((part, documents.columns, documents.start), shape=shape).copy()
        for part in (even, counts - even)
    ]
    for half in halves:
        half.eliminate_zeros()
    return halves[0], halves[1]
