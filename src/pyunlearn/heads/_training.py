"""`Trainer`: a head as a deterministic function of the base's topics and of the task."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._canonical import Canonical
from pyunlearn._documents import Documents
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._linalg import norm, product
from pyunlearn.errors import InvalidInputError
from pyunlearn.heads._features import (
    FEATURES,
    LINEAR,
    WordFeatures,
    mean_features,
    proportion_features,
    topic_proportions,
)
from pyunlearn.heads._logistic_loss import (
    LogisticLoss,
    Solution,
    minimise,
    newton_step,
    removal_step,
)
from pyunlearn.heads._ridge import feature_sums, ridge, statistic_sums
from pyunlearn.heads._targets import one_hot, refuse_too_small
from pyunlearn.heads._task_documents import TaskDocuments
from pyunlearn.heads._task_statistics import TaskStatistics

__all__ = [
    "LOSSES",
    "MODES",
    "TASKS",
    "HeadSettings",
    "Task",
    "TaskSummary",
    "Trainer",
    "Update",
    "first_task",
    "new_task",
]

LOSSES = ("logistic", "squared")
TASKS = ("classification", "regression")
MODES = ("exact", "newton")
TOL, MAX_ITER = 1e-10, 100

Task = TaskStatistics | TaskDocuments
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class HeadSettings(Canonical):
    """What a head may be told besides base and task."""

    task: str
    loss: str
    features: str
    alpha: float
    tol: float = TOL  # of logistic training, like max_iter
    max_iter: int = MAX_ITER

    @classmethod
    def checked(
        cls,
        task: str,
        loss: Any,
        features: Any,
        alpha: Any,
        tol: Any = TOL,
        max_iter: Any = MAX_ITER,
    ) -> HeadSettings:
        """Settings after validation; raises InvalidParameterError."""
        return cls(
            task,
            check.check_choice("loss", loss, LOSSES),
            check.check_choice("features", features, FEATURES),
            check.check_positive("alpha", alpha),
            check.check_positive("tol", tol),
            check.check_integer("max_iter", max_iter, 1, 2**31 - 2),
        )

    def as_dict(self) -> dict[str, Any]:
        """The settings that decide the head, plain values: part of its digest."""
        steps = () if self.loss == "logistic" else ("tol", "max_iter")
        return {name: value for name, value in asdict(self).items() if name not in steps}

    @property
    def keeps_documents(self) -> bool:
        """Whether training needs the task documents, not only sums over them."""
        return self.loss == "logistic" or self.features not in LINEAR


@dataclass(frozen=True, eq=False)
class Update:
    """New weights, how they were reached, and what Newton steps may have left."""

    solution: Solution
    mode: str  # "exact" or "newton"
    bound: float  # on the gradient that this step left; 0 for exact training
    spent: float  # on the gradient in all, since exact training

    @property
    def weights(self) -> F64:
        """W, (p, outputs)."""
        return self.solution.weights


@dataclass(frozen=True, eq=False)
class TaskSummary:
    """What prediction needs to know of a task."""

    n_documents: int
    classes: NDArray[Any]  # ascending; none for numbers
    mean_target: F64  # (outputs,), shares of the classes or mean numbers

    @classmethod
    def of(cls, task: Task) -> TaskSummary:
        """Of a task as it is now."""
        return cls(task.n_documents, task.classes, task.mean_target())


def new_task(settings: HeadSettings, n_words: int, n_outputs: int | None, n_jobs: Any) -> Task:
    """An empty task of the kind that the settings need."""
    if settings.keeps_documents:
        return TaskDocuments(n_words, n_outputs)
    return TaskStatistics(n_words, n_outputs, n_jobs=n_jobs)


def first_task(
    settings: HeadSettings, documents: Documents, targets: NDArray[Any], n_jobs: Any
) -> Task:
    """The task of a first `fit`; InvalidInputError for one that there is nothing to learn from."""
    outputs = targets.shape[1] if targets.ndim == 2 else None
    if outputs and not settings.keeps_documents:
        refuse_too_small(targets)
    task = new_task(settings, documents.n_words, outputs, n_jobs)
    task.add(documents, targets)
    if outputs is None and len(task.classes) < 2:
        raise InvalidInputError(
            f"y has 1 class ({task.classes.tolist()[0]!r}); a classifier needs two or more"
        )
    return task


class Trainer:
    """Base, settings and threads: what training has besides the task.

    Parameters
    ----------
    model : TopicModel or AnchorTopicModel
        The base, fitted.
    settings : HeadSettings
        What to train.
    n_jobs : int or None
        Threads; no bit of the result depends on it.

    Raises
    ------
    StaleModelError
        The base waits for `refresh`.

    Attributes
    ----------
    words : WordFeatures or None
        E of linear features.
    """

    def __init__(self, model: BaseTopicModel, settings: HeadSettings, n_jobs: Any) -> None:
        model.refuse_stale()
        self.model, self.settings = model, settings
        self.num_threads = check.check_n_jobs(n_jobs)
        self.words = (
            WordFeatures.of(model, settings.features, self.num_threads)
            if settings.features in LINEAR
            else None
        )

    # ---- updates --------------------------------------------------------------------------

    def trained(self, task: Task) -> Update:
        """The head, from nothing but base and task."""
        return self._exact(self._solve(task))

    def refreshed(self, task: Task, weights: F64, budget: float) -> Update:
        """One Newton step from `weights` (U_head, the paper's algorithm 2).

        Exact training where there is no such step: for squared loss, whose step ends at the
        optimum, for weights of another shape, and when it leaves a gradient above the budget.
        """
        if not self._can_step(task, weights):
            return self.trained(task)
        solution = newton_step(self.loss(task), weights, self.settings.tol)
        if solution.gradient_norm > budget:
            return self.trained(task)
        return Update(solution, "newton", 0.0, solution.gradient_norm)

    def without(
        self,
        task: Task,
        removed: TaskDocuments,
        weights: F64,
        spent: float,
        budget: float,
    ) -> Update:
        """One Newton step that takes out documents which `task` does not hold any more.

        `spent` is what steps before may have left of the gradient. Exact training takes over
        as in `refreshed`, and when the sum of the bounds exceeds the budget.
        """
        if not self._can_step(task, weights):
            return self.trained(task)
        solution, bound = removal_step(
            self.loss(task), self.loss(removed, task.classes), weights, self.settings.tol
        )
        # The mean over fewer documents of what was left before is larger.
        spent *= (task.n_documents + removed.n_documents) / task.n_documents
        if spent + bound > budget:
            exact = self.trained(task)
            return Update(exact.solution, "exact", bound, exact.spent)
        return Update(solution, "newton", bound, spent + bound)

    # ---- parts ----------------------------------------------------------------------------

    def features(self, documents: Documents) -> F64:
        """Phi, (m, p)."""
        if self.words is None:
            theta = topic_proportions(self.model, documents)
            return proportion_features(self.model, theta)
        return mean_features(documents, self.words.rows, self.num_threads)

    def loss(self, task: Task, classes: NDArray[Any] | None = None) -> LogisticLoss:
        """The logistic loss of task documents; `classes` default to those of the task."""
        assert isinstance(task, TaskDocuments)
        classes = task.classes if classes is None else classes
        hot = one_hot(task.targets, classes)
        return LogisticLoss(
            self.features(task.documents),
            np.ascontiguousarray(hot[:, 1:] if len(classes) == 2 else hot),
            self.settings.alpha,
            self.num_threads,
        )

    def word_scores(self, weights: F64) -> F64 | None:
        """B = E W, (n, outputs); None for features that are not linear."""
        if self.words is None:
            return None
        return product(self.words.rows, weights, self.num_threads)

    def _solve(self, task: Task) -> Solution:
        if self.settings.loss == "squared":
            return self._ridge(task)
        if len(task.classes) < 2:
            weights = np.zeros((self.model.n_topics_ + 1, len(task.classes)))
            return Solution(weights, 0.0, 0)
        return minimise(self.loss(task), self.settings.tol, self.settings.max_iter)

    def _exact(self, solution: Solution) -> Update:
        return Update(solution, "exact", 0.0, solution.gradient_norm)

    def _can_step(self, task: Task, weights: F64) -> bool:
        """Whether a Newton step leads from weights to those of a logistic task."""
        classes = len(task.classes)
        outputs = 1 if classes == 2 else classes
        return (
            self.settings.loss == "logistic"
            and classes >= 2
            and weights.shape == (self.model.n_topics_ + 1, outputs)
        )

    def _ridge(self, task: Task) -> Solution:
        if isinstance(task, TaskStatistics):
            assert self.words is not None
            M, R = statistic_sums(task, self.words.rows, self.num_threads)
        else:
            targets = task.targets if task.n_outputs else one_hot(task.targets, task.classes)
            M, R = feature_sums(self.features(task.documents), targets, self.num_threads)
        N = max(task.n_documents, 1)
        weights = ridge(M, R, N, self.settings.alpha)
        left = (product(M, weights, 1) - R) / N + self.settings.alpha * weights
        return Solution(weights, norm(left), 1)
