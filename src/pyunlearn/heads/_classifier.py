"""`LinearHeadClassifier`: labels on top of a topic model."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if

from pyunlearn import _params as check
from pyunlearn._core import softmax
from pyunlearn._estimator import BaseTopicModel
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.heads._targets import check_labels, check_weights
from pyunlearn.heads._training import MAX_ITER, TOL, HeadSettings, Task

__all__ = ["LinearHeadClassifier"]

F64 = NDArray[np.float64]


def _has_probabilities(head: LinearHeadClassifier) -> bool:
    # Of what was learned, once there is something.
    loss = head.settings_.loss if hasattr(head, "settings_") else head.loss
    if loss != "logistic":
        raise AttributeError("predict_proba needs loss='logistic'")
    return True


class LinearHeadClassifier(ClassifierMixin, LinearHead):
    """Classification on a topic model, exact under deletions from base and task.

    The head minimises ``1/N sum_t loss(W^T phi(x_t), y_t) + alpha/2 |W|^2``. It is a deterministic
    function of the base and of the task: after any additions, deletions and corrections on either
    side, its `digest` is that of a head trained once on what remains.

    Parameters
    ----------
    model : TopicModel or AnchorTopicModel
        The base. A fitted one is used as it is, and shared, also by clones of the head; an unfitted
        one is fitted to the task documents first.
    loss : {"logistic", "squared"}, default="logistic"
        Cross-entropy, or half the squared error to one-hot classes. A squared head on linear
        features keeps integer sums over its task, no documents.
    features : {"word-topic", "linear", "proportions"}, default="word-topic"
        "word-topic": C^T x, x the counts divided by their sum, C = p(topic | word), with a
        constant, in coordinates in which |W|^2 is the mean square score of a token of the base's
        corpus; so alpha means the same for every corpus and number of topics. "linear": the same
        with A = p(word | topic) in place of C. "proportions": topic proportions by fold-in, in
        units of the standard deviation of the topic of one token.
    alpha : float, default=1e-4
        Strength of the penalty, > 0.
    tol : float, default=1e-10
        Norm of the gradient at which logistic training stops.
    max_iter : int, default=100
        Newton steps of logistic training at most.
    residual_budget : float, default=1e-3
        Largest gradient that mode="newton" may leave before it gives way to exact training; see
        `pyunlearn.privacy.release_head`.
    on_stale : {"raise", "warn"}, default="raise"
        What happens when the head is used although its base has changed. "warn": it scores with
        the topics that it was trained on.
    n_jobs : int or None, default=None
        Threads; None uses all processors at hand. No bit of any result depends on it.

    Attributes
    ----------
    model_ : TopicModel or AnchorTopicModel
        The base in use.
    classes_ : ndarray, shape (n_classes,)
        Labels that the task has, ascending.
    prior_ : ndarray of float64, shape (n_classes,)
        Their shares in the task. A document without a word that the base knows is scored by them
        alone.
    weights_ : ndarray of float64, shape (n_topics + 1, n_outputs)
        W in the coordinates of the penalty, that of the constant first. One output for two classes
        with logistic loss, else one a class.
    word_scores_ : ndarray of float64, shape (n_words, n_outputs)
        B = E W: the mean of B over a document's tokens is its score.
    coef_, intercept_ : ndarray of float64, shape (n_outputs, n_topics) and (n_outputs,)
        Weights on the plain features.
    gradient_norm_ : float
        |grad| of the objective at W; W is within gradient_norm_ / alpha of the optimum.
    n_iter_ : int
        Newton steps of the last training.
    mode_ : {"exact", "newton"}
        How W was reached last.
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
    InvalidParameterError until `fit` is called. `on_stale`, `n_jobs` and `residual_budget` are not
    learned, and apply at once.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import TopicModel, LinearHeadClassifier
    >>> X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    >>> model = TopicModel(n_topics=3).fit(X)
    >>> head = LinearHeadClassifier(model).fit(X, X[:, 0] > X[:, 1])
    >>> deletion = model.forget(X[:5])
    >>> head.confirms(head.refresh())
    True
    """

    def __init__(
        self,
        model: BaseTopicModel,
        *,
        loss: str = "logistic",
        features: str = "word-topic",
        alpha: float = 1e-4,
        tol: float = TOL,
        max_iter: int = MAX_ITER,
        residual_budget: float = 1e-3,
        on_stale: str = "raise",
        n_jobs: int | None = None,
    ) -> None:
        self.model = model
        self.loss = loss
        self.features = features
        self.alpha = alpha
        self.tol = tol
        self.max_iter = max_iter
        self.residual_budget = residual_budget
        self.on_stale = on_stale
        self.n_jobs = n_jobs

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Add task documents and train again.

        Parameters
        ----------
        X, y
            As for `fit`. New labels become classes.
        classes : None
            Ignored; scikit-learn passes it.

        Returns
        -------
        self
            The head.

        Raises
        ------
        InvalidInputError, DocumentTooLongError, StatisticsOverflowError, StaleModelError
            As for `fit`.
        InvalidParameterError
            Parameters that were changed after `fit`. Nothing has been changed, after any of these
            errors.

        Warns
        -----
        FewerClassesWarning, ConvergenceWarning
            All task documents have one label (more may follow), or as for `fit`.
        """
        return super().partial_fit(X, y)

    def decision_function(self, X: Any) -> F64:
        """Scores of documents.

        With linear features a document's scores are the mean of `word_scores_` over its tokens.
        A document without a word that the base knows gets the log-odds (two classes) or
        log-probabilities of `prior_`; for squared loss `prior_` itself.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.

        Returns
        -------
        ndarray of float64, shape (m,) for two classes, else (m, n_classes)
            Of two classes the score of the second; for squared loss its lead before the first.

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
        scores = head.raw_scores(documents)
        if len(head.classes_) != 2:
            return scores
        return scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def predict(self, X: Any) -> NDArray[Any]:
        """The class with the highest score; of equal ones the first.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.

        Returns
        -------
        ndarray, shape (m,)
            Labels. Documents without a word that the base knows get the class that most task
            documents have.

        Raises
        ------
        InvalidInputError, StaleHeadError, NotFittedError
            As for `decision_function`.
        """
        head, documents = self._asked(X)
        scores = head.raw_scores(documents)
        if scores.shape[1] == 1 and len(head.classes_) == 2:
            best = (scores[:, 0] > 0).astype(np.intp)
        else:
            best = np.argmax(scores, axis=1)
        return np.asarray(head.classes_[best])

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> F64:
        """p(class | document), for logistic loss.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.

        Returns
        -------
        ndarray of float64, shape (m, n_classes)
            Rows sum to 1. Documents without a word that the base knows get `prior_`.

        Raises
        ------
        InvalidInputError, StaleHeadError, NotFittedError
            As for `decision_function`.
        """
        head, documents = self._asked(X)
        scores = head.raw_scores(documents)
        if len(head.classes_) == 1:
            return np.ones((len(scores), 1))
        probability = np.empty_like(scores)
        softmax.probabilities(scores, probability, check.check_n_jobs(self.n_jobs))
        if len(head.classes_) == 2:
            probability = np.hstack([1.0 - probability, probability])
        # The shares themselves, not what rounding makes of their logarithms.
        probability[head._scoring.blank(documents)] = head.prior_
        return probability

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.
        y : array-like, shape (m,)
            Labels. One that the head has not seen counts as an error of the head.
        sample_weight : array-like of float, shape (m,), optional
            Weights of the documents.

        Returns
        -------
        float
            Share of the documents, by weight, whose label is predicted.

        Raises
        ------
        InvalidInputError
            As for `predict`; labels or weights that do not fit X.
        StaleHeadError, NotFittedError
            As for `predict`.
        """
        predicted = self.predict(X)
        labels = check_labels(y, len(predicted), self.classes_)
        weights = check_weights(sample_weight, len(predicted))
        return float(accuracy_score(labels, predicted, sample_weight=weights))

    def _settings(self) -> HeadSettings:
        return HeadSettings.checked(
            "classification", self.loss, self.features, self.alpha, self.tol, self.max_iter
        )

    def _budget(self) -> float:
        return check.check_positive("residual_budget", self.residual_budget)

    def _targets(self, y: Any, n_documents: int, task: Task | None = None) -> NDArray[Any]:
        return check_labels(y, n_documents, None if task is None else task.classes)
