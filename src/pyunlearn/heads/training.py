"""`train`: a head as a deterministic function of the base's topics and of the task."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._documents import Documents
from pyunlearn._linalg import norm, product
from pyunlearn.errors import InvalidParameterError
from pyunlearn.heads.features import (
    FEATURES,
    LINEAR,
    WordFeatures,
    mean_features,
    proportion_features,
)
from pyunlearn.heads.logistic import LogisticLoss, Solution, minimise, newton_step, removal_step
from pyunlearn.heads.squared import feature_sums, ridge, statistic_sums
from pyunlearn.heads.targets import one_hot
from pyunlearn.heads.task_documents import TaskDocuments
from pyunlearn.heads.task_statistics import TaskStatistics
from pyunlearn.model import AnchorTopicModel

__all__ = ["HeadSettings", "Task", "Trainer", "new_task"]

LOSSES = ("logistic", "squared")
TASKS = ("classification", "regression")

Task = TaskStatistics | TaskDocuments
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class HeadSettings:
    """What decides a head besides base and task; part of every digest of a head."""

    loss: str
    task: str
    features: str
    alpha: float
    tol: float
    max_iter: int

    @classmethod
    def checked(cls, **settings: Any) -> HeadSettings:
        """Settings after validation; raises InvalidParameterError."""
        loss = check.check_choice("loss", settings["loss"], LOSSES)
        task = check.check_choice("task", settings["task"], TASKS)
        if (loss, task) == ("logistic", "regression"):
            raise InvalidParameterError("task='regression' needs loss='squared'")
        return cls(
            loss,
            task,
            check.check_choice("features", settings["features"], FEATURES),
            check.check_positive("alpha", settings["alpha"]),
            check.check_positive("tol", settings["tol"]),
            check.check_integer("max_iter", settings["max_iter"], 1, 2**31 - 2),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for headers and digests."""
        return asdict(self)

    @property
    def keeps_documents(self) -> bool:
        """Whether training needs the task documents, not only sums over them."""
        return self.loss == "logistic" or self.features not in LINEAR


def new_task(settings: HeadSettings, n_words: int, n_outputs: int | None, n_jobs: Any) -> Task:
    """An empty task of the kind that the settings need."""
    if settings.keeps_documents:
        return TaskDocuments(n_words, n_outputs)
    return TaskStatistics(n_words, n_outputs, n_jobs=n_jobs)


class Trainer:
    """Base, settings and threads: what training has besides the task.

    Parameters
    ----------
    model : AnchorTopicModel
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

    def __init__(self, model: AnchorTopicModel, settings: HeadSettings, n_jobs: Any) -> None:
        model.refuse_stale()
        self.model, self.settings = model, settings
        self.num_threads = check.check_n_jobs(n_jobs)
        self.words = (
            WordFeatures.of(model.parameters_, settings.features, self.num_threads)
            if settings.features in LINEAR
            else None
        )

    @property
    def n_features(self) -> int:
        """P = topics + 1."""
        return self.model.n_topics_ + 1

    def features(self, documents: Documents) -> F64:
        """Phi, (m, p)."""
        if self.words is None:
            return proportion_features(self.model, documents)
        return mean_features(documents, self.words.rows, self.num_threads)

    def train(self, task: Task) -> Solution:
        """The head, from nothing but base and task."""
        if self.settings.loss == "squared":
            return self._ridge(task)
        assert isinstance(task, TaskDocuments)
        if len(task.classes) < 2:
            return Solution(np.zeros((self.n_features, len(task.classes))), 0.0, 0)
        return minimise(self.loss(task, task.classes), self.settings.tol, self.settings.max_iter)

    def step(self, task: Task, weights: F64) -> Solution | None:
        """One Newton step from `weights`; None when they are of another shape."""
        if self.settings.loss == "squared":
            return self._ridge(task)  # the step of a quadratic objective ends at its optimum
        assert isinstance(task, TaskDocuments)
        if not self._fits(task, weights):
            return None
        return newton_step(self.loss(task, task.classes), weights, self.settings.tol)

    def removal_step(
        self, task: TaskDocuments, removed: TaskDocuments, weights: F64
    ) -> tuple[Solution, float] | None:
        """Newton step for removed documents with the bound; None when shapes have changed."""
        if not self._fits(task, weights):
            return None
        return removal_step(
            self.loss(task, task.classes),
            self.loss(removed, task.classes),
            weights,
            self.settings.tol,
        )

    def loss(self, task: TaskDocuments, classes: NDArray[Any]) -> LogisticLoss:
        """The logistic loss of task documents, with these classes."""
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

    def _fits(self, task: TaskDocuments, weights: F64) -> bool:
        classes = len(task.classes)
        outputs = 1 if classes == 2 else classes
        return classes >= 2 and weights.shape == (self.n_features, outputs)

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
