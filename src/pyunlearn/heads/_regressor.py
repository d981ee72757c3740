"""`LinearHeadRegressor`: numbers on top of a topic model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from pyunlearn._estimator import BaseTopicModel
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.heads._targets import check_values, check_weights
from pyunlearn.heads._training import HeadSettings, Task

__all__ = ["LinearHeadRegressor"]

F64 = NDArray[np.float64]


class LinearHeadRegressor(RegressorMixin, LinearHead):
    """Regression on a topic model, exact under deletions from base and task.

    The head minimises ``1/N sum_t 1/2 |W^T phi(x_t) - y_t|^2 + alpha/2 |W|^2``, in closed form. It
    is a deterministic function of the base and of the task: after any additions, deletions and
    corrections on either side, its `digest` is that of a head trained once on what remains. On
    linear features it keeps integer sums over its task, no documents. The constant is penalised
    like the rest: subtract a typical value from the targets first.

    Parameters
    ----------
    model : TopicModel or AnchorTopicModel
        The base. A fitted one is used as it is, and shared, also by clones of the head; an unfitted
        one is fitted to the task documents first.
    features : {"word-topic", "linear", "proportions"}, default="word-topic"
        As for `LinearHeadClassifier`.
    alpha : float, default=1e-4
        Strength of the penalty, > 0.
    on_stale : {"raise", "warn"}, default="raise"
        What happens when the head is used although its base has changed. "warn": it scores with
        the topics that it was trained on.
    n_jobs : int or None, default=None
        Threads; None uses all processors at hand. No bit of any result depends on it.

    Attributes
    ----------
    model_ : TopicModel or AnchorTopicModel
        The base in use.
    prior_ : ndarray of float64, shape (n_outputs,)
        Mean target of the task, in units of 2^-32 where the task is kept as integer sums. What is
        predicted for a document without a word that the base knows.
    weights_ : ndarray of float64, shape (n_topics + 1, n_outputs)
        W in the coordinates of the penalty, that of the constant first.
    word_scores_ : ndarray of float64, shape (n_words, n_outputs)
        B = E W: the mean of B over a document's tokens is its prediction.
    coef_, intercept_ : ndarray of float64, shape (n_outputs, n_topics) and (n_outputs,)
        Weights on the plain features.
    gradient_norm_ : float
        |grad| of the objective at W, by rounding alone.
    task_ : TaskStatistics or TaskDocuments
        What the head keeps of its task.
    n_task_documents_ : int
        Documents in the task.
    n_features_in_ : int
        Size of the vocabulary.

    Notes
    -----
    After `set_params`, whatever only reads the head (`predict`, `score`, `digest`, ...) goes on
    with what was learned; `partial_fit`, `refresh`, `forget` and `relabel` raise
    InvalidParameterError until `fit` is called. `on_stale` and `n_jobs` are not learned, and apply
    at once.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import TopicModel, LinearHeadRegressor
    >>> X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    >>> head = LinearHeadRegressor(TopicModel(n_topics=3).fit(X)).fit(X, X[:, 0])
    >>> head.forget(X[:5], X[:5, 0]).n_task_left
    35
    """

    _one_output: bool = True  # whether y had shape (m,)

    def __init__(
        self,
        model: BaseTopicModel,
        *,
        features: str = "word-topic",
        alpha: float = 1e-4,
        on_stale: str = "raise",
        n_jobs: int | None = None,
    ) -> None:
        self.model = model
        self.features = features
        self.alpha = alpha
        self.on_stale = on_stale
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> Self:
        """Train on task documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts, with the columns of the base.
        y : array-like, shape (m,) or (m, n_outputs)
            Numbers.

        Returns
        -------
        self
            The fitted head.

        Raises
        ------
        InvalidInputError
            Bad counts or other columns than the base; y of another length, with NaN or no numbers,
            or all too small for integer sums.
        InvalidParameterError
            A parameter outside its range.
        DocumentTooLongError, StatisticsOverflowError
            Linear features: the task does not fit the integer sums.
        StaleModelError
            The base waits for its `refresh`. Nothing has been changed, after any of these errors.
        """
        return super().fit(X, y)

    def predict(self, X: Any) -> F64:
        """The numbers of documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.

        Returns
        -------
        ndarray of float64, shape (m,) or (m, n_outputs), as y had it
            Documents without a word that the base knows get `prior_`.

        Raises
        ------
        InvalidInputError
            Bad counts, or other columns than the base.
        StaleHeadError
            The base has changed, and on_stale="raise".
        NotFittedError
            The head is not fitted, or no task document is left.
        """
        head, documents = self._asked(X)
        values = head.raw_scores(documents)
        one = head._one_output and values.shape[1] == 1
        return values[:, 0] if one else values

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R^2, the mean over the outputs.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.
        y : array-like, shape (m,) or (m, n_outputs)
            Numbers.
        sample_weight : array-like of float, shape (m,), optional
            Weights of the documents.

        Returns
        -------
        float
            1 for a perfect prediction, 0 for that of the mean.

        Raises
        ------
        InvalidInputError
            As for `predict`; numbers or weights that do not fit X.
        StaleHeadError, NotFittedError
            As for `predict`.
        """
        predicted = self.predict(X)
        values = check_values(y, len(predicted), self.weights_.shape[1])
        weights = check_weights(sample_weight, len(predicted))
        return float(r2_score(values, predicted, sample_weight=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _shape_of(self, y: Any) -> Mapping[str, Any]:
        return {"_one_output": np.asarray(y).ndim == 1}

    def _settings(self) -> HeadSettings:
        return HeadSettings.checked("regression", "squared", self.features, self.alpha)

    def _budget(self) -> float:
        return 0.0  # there are no steps that leave anything

    def _targets(self, y: Any, n_documents: int, task: Task | None = None) -> NDArray[Any]:
        return check_values(y, n_documents, None if task is None else task.n_outputs)
