"""Which topic of one model is which of another: a pairing by overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from pyunlearn.errors import InvalidInputError

__all__ = ["Alignment", "align_topics", "check_scores", "distributions"]

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Alignment:
    """Which topic of one model is which of another."""

    before: NDArray[np.int64]  # (k,), topics of the first model
    after: NDArray[np.int64]  # (k,), their partners in the second
    overlap: F64  # (k,), sum_i min(p_i, q_i): 1 for equal distributions, 0 for disjoint ones


def align_topics(before: ArrayLike, after: ArrayLike) -> Alignment:
    """Pair the topics of two models so that the sum of overlaps is largest.

    Parameters
    ----------
    before, after : array-like, shapes (r, n) and (r', n)
        p(word | topic) of the two; rows are divided by their sums.

    Returns
    -------
    Alignment
        min(r, r') pairs, by topic of `before`.
    """
    one, other = (distributions(check_scores(topics)) for topics in (before, after))
    if one.shape[1] != other.shape[1]:
        raise InvalidInputError(
            f"topics over {one.shape[1]} and {other.shape[1]} words cannot be compared"
        )
    overlap = np.array([np.minimum(topic, other).sum(axis=1) for topic in one])
    overlap = overlap.reshape(len(one), len(other))
    left, right = linear_sum_assignment(-overlap)
    return Alignment(left, right, overlap[left, right])


def check_scores(topics: ArrayLike) -> F64:
    """A matrix of scores, one row a topic; InvalidInputError if it is none."""
    scores = np.asarray(topics, np.float64)
    if scores.ndim != 2 or not np.isfinite(scores).all() or (scores < 0).any():
        raise InvalidInputError(
            "topics must be a matrix of finite scores >= 0, one row a topic, got shape "
            f"{scores.shape}"
        )
    return scores


def distributions(scores: F64) -> F64:
    """Rows divided by their sums; rows of zeros stay."""
    total = scores.sum(axis=1, keepdims=True)
    return scores / np.where(total > 0, total, 1.0)
