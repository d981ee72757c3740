"""Deletion capacity of a head: the explicit bound, and the paper's rate with the head's q.

The bound of docs/epsilon-delta.md is on features A^T x. Ours are [1, A^T x] T with T from the base;
with T as it was when the capacity was declared, rows of E move by at most |T|_2 times those of A,
so the head of `deletion_capacity` is asked for an error that much smaller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn.errors import InvalidParameterError
from pyunlearn.privacy._capacity import Capacity, deletion_capacity
from pyunlearn.privacy._constants import measure

if TYPE_CHECKING:
    from pyunlearn.heads._linear_head import LinearHead

__all__ = ["head_capacity", "smallest_topic_used"]


def smallest_topic_used(head: LinearHead, threshold: float = 0.05) -> float:
    """q: the smallest p(topic) among the topics that the head uses.

    A topic is used when its part in the spread of word scores, |coef_k| times the standard
    deviation of A_ik over tokens, is at least `threshold` of the largest.
    """
    check_is_fitted(head, "task_")
    check.check_positive("threshold", threshold)
    check.check_between("threshold", threshold, 0.0, 1.0)
    head.refuse_stale()
    if head.settings_.features != "linear" or head.model_.n_topics_ == 0:
        raise InvalidParameterError("q needs features='linear' and a base with topics")
    A, share = head.model_.components_, head.model_.word_frequencies_
    spread = np.sqrt(np.maximum(A**2 @ share - (A @ share) ** 2, 0.0))
    part = np.abs(head.coef_).max(axis=0, initial=0.0) * spread
    used = part >= threshold * part.max(initial=0.0)
    return float(head.model_.topic_proportions_[used].min())


def head_capacity(
    head: LinearHead,
    epsilon: float,
    delta: float,
    *,
    alpha: float = 0.01,
    beta: float = 0.1,
    threshold: float = 0.05,
) -> Capacity:
    """How many documents a noised release of the weights could cover without exact updates.

    Parameters
    ----------
    head : LinearHead
        Logistic, on linear features, up to date.
    epsilon, delta : float
        The claim.
    alpha, beta : float
        Error of the weights, not exceeded with probability 1 - beta.
    threshold : float
        See `smallest_topic_used`.

    Returns
    -------
    Capacity
        From the explicit bound; `rate` is the paper's m q / (r sqrt(n r)), q not below 1/r.

    Raises
    ------
    InvalidParameterError
        Another kind of head, or a base that the bound does not speak of (see `measure`).
    StaleHeadError
        The base has changed since the head was brought up to date.
    """
    if head.settings_.loss != "logistic":
        raise InvalidParameterError("the bound speaks of loss='logistic'")
    check.check_positive("alpha", alpha)
    q = smallest_topic_used(head, threshold)
    words, transform = head.word_features()
    model = head.model_
    scale = float(np.linalg.norm(transform, 2))
    return deletion_capacity(
        measure(model.statistics_, model.topics_),
        epsilon,
        delta,
        alpha=alpha / scale,
        beta=beta,
        target="head",
        regularization=head.settings_.alpha,
        row_norm=float(np.linalg.norm(words, axis=1).max()),
        n_outputs=head.weights_.shape[1],
        softmax=head.weights_.shape[1] > 1,
        head_share=max(q, 1.0 / model.n_topics_),
    )
