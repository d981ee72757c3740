"""`Scoring`: scores of documents, from what training left and the topics that it was trained on.

A document without a word that the base knows is scored by the task alone: by the log-odds (two
classes) or log-probabilities of the classes for logistic loss, by the mean target for squared loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn._canonical import Canonical
from pyunlearn._documents import Documents
from pyunlearn._linalg import product
from pyunlearn.heads._base_model import BaseInUse
from pyunlearn.heads._features import (
    mean_features,
    proportion_features,
    proportion_scale,
    topic_proportions,
    without_known_word,
)

__all__ = ["Scoring", "prior_scores"]

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scoring(Canonical):
    """All that scores of documents need."""

    base: BaseInUse
    weights: F64  # (p, outputs)
    transform: F64 | None  # (p, p), E = [1, topics] @ transform; None for proportions
    word_scores: F64 | None  # B = E W, (n, outputs); None for proportions
    known: NDArray[np.bool_]  # (n,), words that the base knows
    prior: F64  # (outputs,), scores of a document without a known word

    def scores(self, documents: Documents, num_threads: int, theta: F64 | None = None) -> F64:
        """Scores as trained, (m, outputs); `theta` are topic proportions where they are at hand."""
        if self.word_scores is not None:
            found = mean_features(documents, self.word_scores, num_threads)
        else:
            if theta is None:
                theta = topic_proportions(self.base.then, documents)
            features = proportion_features(self.base.then, theta)
            found = product(features, self.weights, num_threads)
        found[self.blank(documents)] = self.prior
        return found

    def blank(self, documents: Documents) -> NDArray[np.bool_]:
        """Documents without a word that the base knows, (m,)."""
        return without_known_word(documents, self.known)

    def topic_weights(self, weights: F64) -> F64:
        """Weights of the constant and of the topics as the features have them, from those of W."""
        if self.transform is not None:
            return np.asarray(self.transform @ weights)
        centre, scale = proportion_scale(self.base.then)
        plain = weights.copy()
        plain[1:] /= scale[:, None]
        plain[0] -= centre @ plain[1:]
        return plain


def prior_scores(loss: str, mean_target: F64) -> F64:
    """Scores (outputs,) that stand for the mean target of the task, shares of classes or numbers.

    They decide no digest, so the logarithm of the C library will do.
    """
    if loss == "squared" or not len(mean_target):
        return mean_target
    logs = np.log(mean_target)
    return logs[1:] - logs[0] if len(logs) == 2 else logs
