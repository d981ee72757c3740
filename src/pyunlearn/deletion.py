"""Deletion: subtract from the statistics, bring the topics up to date, certify."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._alignment import align_topics
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import Documents
from pyunlearn._learners.anchor import LearnerSettings, TopicParameters
from pyunlearn._learners.anchor_newton import newton_update
from pyunlearn._learners.anchor_update import UpdatePath, relearn
from pyunlearn.certificates import STATISTICS_COMPARATOR, STATISTICS_COVER, Certificate
from pyunlearn.errors import FewerTopicsWarning, InvalidParameterError
from pyunlearn.privacy import Budget, measure
from pyunlearn.topics import FittedTopics

__all__ = ["DeletableTopics"]

NEWTON_CLAIM = {
    "algorithm": "projected Newton step on updated statistics, anchors kept (U_base)",
    "comparator": "none by itself: claims are made by a release of the topics, with noise",
    "covers": "nothing by itself; the statistics equal those of the remaining documents",
}
MODES = ("exact", "newton")
REFRESHES = ("now", "later")


@dataclass(frozen=True, eq=False)
class Pending:
    """The state of before the deletions that the topics do not know of yet."""

    n_documents: int  # deleted since
    statistics: str
    model: str | None
    parameters: TopicParameters


@dataclass(frozen=True, eq=False)
class Update:
    """Topics of the changed statistics, before the model takes them over."""

    parameters: TopicParameters
    path: UpdatePath
    mode: str = "exact"
    budget: Budget | None = None


class DeletableTopics(FittedTopics):
    """The part of `AnchorTopicModel` that changes what was learned."""

    n_topics: int
    solver: str
    tol: float
    max_iter: int
    n_jobs: int | None
    budget_: Budget
    _pending: Pending | None = None

    def _settings(self) -> LearnerSettings:
        raise NotImplementedError

    def _checked(self, X: Any, *, reset: bool) -> Documents:
        raise NotImplementedError

    def unlearn(
        self,
        X_forget: Any,
        lengths: Any = None,
        mode: str = "exact",
        refresh: str = "now",
    ) -> Certificate:
        """Delete documents: afterwards the model is the one that never saw them.

        The documents are subtracted from the statistics and the topics are brought up to date
        from the statistics alone; no other document is read.

        Parameters
        ----------
        X_forget : array-like or sparse matrix, shape (k, n_words)
            Word counts of the documents, as they were trained on.
        lengths : array-like of int, shape (k,), optional
            As they were given to `fit`.
        mode : {"exact", "newton"}, default="exact"
            "exact": byte equality with a model trained on the remaining documents. "newton": the
            paper's algorithm 1, one Newton step a word with the anchors kept. Its claim is that of
            a release (see `release`); the documents count against the capacity declared there.
        refresh : {"now", "later"}, default="now"
            "later": only the statistics are brought up to date, so that several requests share one
            `refresh`. Until then every use of the topics raises StaleModelError.

        Returns
        -------
        Certificate
            With the digests before and after.

        Raises
        ------
        NotInModelError
            The documents are not contained in the statistics. The model is unchanged.
        InvalidInputError
            Bad counts. The model is unchanged.
        AnchorVanishedError, CapacityExceededError, FloorsError
            mode="newton" only: the step does not exist, or the declared capacity or constants do
            not hold after it. The model is unchanged.
        InvalidParameterError
            mode="newton" with refresh="later", or while the topics wait for `refresh`.

        Warns
        -----
        FewerTopicsWarning
            The remaining documents support fewer than `n_topics` topics. Deletion is never
            refused for that.
        """
        check_is_fitted(self, "parameters_")
        check.check_choice("mode", mode, MODES)
        check.check_choice("refresh", refresh, REFRESHES)
        if mode == "newton" and (refresh == "later" or self.is_stale()):
            raise InvalidParameterError(
                "mode='newton' steps from topics that are up to date; use refresh='now', and call "
                "refresh() first if documents were deleted with refresh='later'"
            )
        self._refuse_other_parameters(self._settings())
        documents = self._checked(X_forget, reset=False)
        stale, before = self.is_stale(), self._before()
        counted = replace(before, statistics=self.statistics_.digest())
        start = time.perf_counter()
        self.statistics_.remove(documents, lengths)
        seconds = {"subtract": time.perf_counter() - start}
        removed = documents.n_documents
        if refresh == "later":
            self._pending = replace(before, n_documents=before.n_documents + removed)
            path = UpdatePath(kind="later", seconds=seconds)
            claim = {"comparator": STATISTICS_COMPARATOR, "covers": STATISTICS_COVER}
            return self._certificate(counted, removed, path, model_after=None, **claim)
        try:
            update = self._newton(removed) if mode == "newton" else self._exact()
        except BaseException:
            self.statistics_.add(documents, lengths)
            if not stale:
                self.take_as_learned()
            raise
        update.path.seconds.update(seconds)
        return self._updated(counted, removed, update)

    def refresh(self) -> Certificate:
        """Learn the topics again from the statistics, as deletions with refresh="later" left them.

        Returns
        -------
        Certificate
            Of all deletions since the topics were last up to date, with the digests of then.

        Warns
        -----
        FewerTopicsWarning
            As for `unlearn`.
        """
        check_is_fitted(self, "parameters_")
        self._refuse_other_parameters(self._settings())
        before = self._before()
        return self._updated(before, before.n_documents, self._exact())

    def _before(self) -> Pending:
        """The state that the next refresh starts from, to be named in its certificate."""
        if self._pending is not None:
            return self._pending
        # Stale without a request of ours: somebody changed the statistics directly.
        model = None if self.is_stale() else self.digest()
        return Pending(0, self.statistics_.digest(), model, self.parameters_)

    def _exact(self) -> Update:
        return Update(
            *relearn(self.parameters_, self.statistics_, self._changed_words(), self.n_jobs)
        )

    def _newton(self, removed: int) -> Update:
        parameters = newton_update(self.parameters_, self.statistics_, self.n_jobs)
        path = UpdatePath(kind="newton", words_solved=len(parameters.words))
        budget: Budget | None = getattr(self, "budget_", None)
        if budget is not None:
            budget = budget.spend(removed, measure(self.statistics_, parameters, "newton"))
        return Update(parameters, path, "newton", budget)

    def _updated(self, before: Pending, removed: int, update: Update) -> Certificate:
        """Take over what was learned, and certify it. Nothing but a warning is raised here."""
        claim: dict[str, Any] = {}
        if update.mode == "newton":
            claim = {"mode": "newton", "epsilon": None, "delta": None, **NEWTON_CLAIM}
        if update.budget is not None:
            self.budget_ = update.budget
            claim.update(capacity_used=update.budget.used, capacity_left=update.budget.left)
        self._accept(self.statistics_, update.parameters)
        certificate = self._certificate(
            before,
            removed,
            update.path,
            model_after=self.digest(),
            topic_alignment=_alignment(before.parameters, update.parameters),
            **claim,
        )
        self.warn_if_fewer()
        return certificate

    def _certificate(
        self, before: Pending, removed: int, path: UpdatePath, **claim: Any
    ) -> Certificate:
        described = {"mode": "exact", "epsilon": 0.0, "delta": 0.0, **claim}
        return Certificate(
            n_documents_removed=removed,
            n_documents_left=self.statistics_.n_documents,
            statistics_before=before.statistics,
            statistics_after=self.statistics_.digest(),
            model_before=before.model,
            parameters=self._header(),
            path=dict(vars(path)),
            **described,
        )

    def _accept(self, statistics: CooccurrenceStatistics, parameters: TopicParameters) -> None:
        self.statistics_ = statistics
        self.parameters_ = parameters
        self.take_as_learned()
        self._pending = None
        stopped = int(np.sum(parameters.converged == 0))
        if stopped:
            warnings.warn(
                f"{stopped} of {len(parameters.words)} words did not reach the tolerance "
                f"(solver={self.solver!r}, max_iter={self.max_iter}, tol={self.tol})",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _refuse_other_parameters(self, settings: LearnerSettings) -> None:
        if settings != self.parameters_.settings:
            raise InvalidParameterError(
                "parameters were changed after fit; call fit_statistics(model.statistics_) to "
                "learn with the new ones first"
            )

    def warn_if_fewer(self) -> None:
        """Give a FewerTopicsWarning when there are fewer topics than asked for."""
        if self.n_topics_ < self.n_topics:
            warnings.warn(
                f"{self.statistics_.n_documents} documents remain; they support {self.n_topics_} "
                f"of {self.n_topics} topics",
                FewerTopicsWarning,
                stacklevel=3,
            )


def _alignment(before: TopicParameters, after: TopicParameters) -> dict[str, Any]:
    """`topic_alignment` of a certificate."""
    if after.settings.learner == "anchor" and np.array_equal(before.anchors, after.anchors):
        same = list(range(after.n_topics))
        return {"before": same, "after": same, "overlap": None}
    found = align_topics(before.word_distributions(), after.word_distributions())
    return {name: np.asarray(values).tolist() for name, values in vars(found).items()}
