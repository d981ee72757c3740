"""What a trained head is used for: scores, predictions, weights; and whether its base is fresh."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._columns import validated_documents
from pyunlearn._core import softmax
from pyunlearn._documents import Documents
from pyunlearn._linalg import product
from pyunlearn.errors import StaleHeadError, StaleHeadWarning
from pyunlearn.heads.base import OnBase
from pyunlearn.heads.features import (
    mean_features,
    proportion_features,
    proportion_scale,
)
from pyunlearn.heads.targets import check_labels, check_values
from pyunlearn.heads.training import HeadSettings, Task, Trainer

__all__ = ["ON_STALE", "FittedHead"]

ON_STALE = ("raise", "warn")

F64 = NDArray[np.float64]


def _has_probabilities(head: FittedHead) -> bool:
    if head.loss != "logistic":
        raise AttributeError("predict_proba needs loss='logistic'")
    return True


def _is_classifier(head: FittedHead) -> bool:
    if head.task != "classification":
        raise AttributeError("decision_function is for classification; see predict")
    return True


class FittedHead(OnBase, BaseEstimator):
    """The part of `LinearHead` that reads what training left."""

    loss: str
    task: str
    features: str
    on_stale: str
    n_jobs: int | None
    task_: Task
    n_task_documents_: int
    settings_: HeadSettings
    classes_: NDArray[Any]
    weights_: F64
    _one_output: bool
    _word_scores: F64 | None
    _transform: F64 | None

    @available_if(_is_classifier)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> F64:
        """Scores of documents: (m,) for two classes, else (m, classes).

        With linear features a document's scores are the mean of `word_scores_` over its tokens, and
        0 when it has none.

        Raises
        ------
        InvalidInputError
            Bad counts, or other columns than the base.
        StaleHeadError
            The base has changed, and on_stale="raise".
        """
        scores = self._scores(X)
        if len(self.classes_) != 2:
            return scores
        return scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each document (m,), or the predicted numbers.

        Errors as for `decision_function`.
        """
        check_is_fitted(self, "weights_")
        if self.settings_.task == "regression":
            values = self._scores(X)
            return values[:, 0] if self._one_output else values
        scores = self._scores(X)
        if scores.shape[1] == 1 and len(self.classes_) == 2:
            best = (scores[:, 0] > 0).astype(np.intp)
        else:
            best = np.argmax(scores, axis=1)
        return np.asarray(self.classes_[best])

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> F64:
        """p(class | document), (m, classes); errors as for `decision_function`."""
        scores = self._scores(X)
        if len(self.classes_) == 1:
            return np.ones((len(scores), 1))
        probability = np.empty_like(scores)
        softmax.probabilities(scores, probability, check.check_n_jobs(self.n_jobs))
        if len(self.classes_) == 2:
            return np.hstack([1.0 - probability, probability])
        return probability

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy, or R^2 for a regression.

        Raises
        ------
        InvalidInputError
            As for `predict`, and targets that do not fit X. A label that the head has not seen
            counts as an error of the head.
        """
        predicted = self.predict(X)
        if self.settings_.task == "regression":
            values = check_values(y, len(predicted), self.weights_.shape[1])
            return float(r2_score(values, predicted, sample_weight=sample_weight))
        labels = check_labels(y, len(predicted), self.classes_)
        return float(accuracy_score(labels, predicted, sample_weight=sample_weight))

    @property
    def coef_(self) -> F64:
        """Weights of the topics as the features have them, A^T x or theta, (outputs, topics)."""
        return np.ascontiguousarray(self._topic_weights()[1:].T)

    @property
    def intercept_(self) -> F64:
        """Weight of the constant beside `coef_`, (outputs,)."""
        weights = self._topic_weights()
        return np.array(weights[0])

    @property
    def word_scores_(self) -> F64:
        """B, (n_words, outputs); there is none for features="proportions"."""
        scores: F64 | None = vars(self).get("_word_scores")
        if scores is None:
            raise AttributeError("word_scores_ needs a fitted head with linear features")
        return scores

    def _scores(self, X: Any) -> F64:
        """Scores as trained, (m, outputs)."""
        check_is_fitted(self, "weights_")
        check.check_choice("on_stale", self.on_stale, ON_STALE)
        if not self.is_fresh():
            if self.on_stale == "raise":
                self.refuse_stale()
            warnings.warn(self._stale(""), StaleHeadWarning, stacklevel=3)
        if self.n_task_documents_ == 0:
            raise NotFittedError("no task documents are left in the head; call fit")
        return self.raw_scores(validated_documents(self, X, reset=False))

    def raw_scores(self, documents: Documents) -> F64:
        """Scores of checked documents as trained, (m, outputs)."""
        num_threads = check.check_n_jobs(self.n_jobs)
        if self._word_scores is not None:
            return mean_features(documents, self._word_scores, num_threads)
        return product(proportion_features(self._base_then, documents), self.weights_, num_threads)

    def refuse_stale(self) -> None:
        """Raise StaleHeadError when the base has changed since the head was trained."""
        if not self.is_fresh():
            raise StaleHeadError(self._stale(""))

    def _stale(self, more: str) -> str:
        refresh = "the base's refresh() and then " if self.model_.is_stale() else ""
        return (
            "the base of this head has changed since the head was trained; call "
            f"{refresh}head.unlearn() to bring it up to date{more}"
        )

    def topic_weights(self, weights: F64) -> F64:
        """Weights of the constant and of the topics as the features have them, from those of W."""
        if self._transform is not None:
            return np.asarray(self._transform @ weights)
        centre, scale = proportion_scale(self._base_then)
        plain = weights.copy()
        plain[1:] /= scale[:, None]
        plain[0] -= centre @ plain[1:]
        return plain

    def word_features(self) -> tuple[F64, F64]:
        """E (n_words, topics + 1) of the present base, and T with E = [1, A] T for its words."""
        words = Trainer(self.model_, self.settings_, self.n_jobs).words
        if words is None:
            raise AttributeError("features='proportions' are not linear in the word counts")
        return words.rows, words.transform

    def word_scores_of(self, weights: F64) -> F64:
        """B = E W for some W."""
        return product(self.word_features()[0], weights, check.check_n_jobs(self.n_jobs))

    def _topic_weights(self) -> F64:
        if "weights_" not in vars(self):
            raise AttributeError("the head is not fitted")
        return self.topic_weights(self.weights_)
