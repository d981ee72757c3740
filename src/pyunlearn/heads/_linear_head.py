"""`LinearHead`: what `LinearHeadClassifier` and `LinearHeadRegressor` share."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._canonical import canonical
from pyunlearn._columns import (
    COLUMNS,
    first_documents,
    refuse_other_columns,
    validated_documents,
)
from pyunlearn._commitment import is_commitment_to, new_commitment
from pyunlearn._cooccurrence.statistics import Change
from pyunlearn._digest import HEAD_FORMAT, content_digest
from pyunlearn._documents import Documents
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._exclusive import Exclusive, exclusive
from pyunlearn._linalg import product
from pyunlearn.certificates import HEAD_COMPARATORS, HeadCertificate, commitment_in
from pyunlearn.errors import FewerClassesWarning, InvalidParameterError
from pyunlearn.heads._base_model import ON_STALE, BaseInUse, check_base, is_learned
from pyunlearn.heads._features import known_words
from pyunlearn.heads._scoring import Scoring, prior_scores
from pyunlearn.heads._task_change import TaskChange
from pyunlearn.heads._task_documents import TaskDocuments
from pyunlearn.heads._task_statistics import TaskStatistics
from pyunlearn.heads._training import (
    MODES,
    HeadSettings,
    Task,
    TaskSummary,
    Trainer,
    Update,
    first_task,
)

__all__ = ["LinearHead"]

F64 = NDArray[np.float64]


class LinearHead(Exclusive, BaseEstimator):
    """A task on top of a topic model, that deletions from either side reach.

    Parameters and attributes are those of the two classes that users see. After `set_params`
    whatever only reads a head (`predict`, `score`, `digest`, ...) goes on with what was learned;
    whatever would train with other parameters (`partial_fit`, `refresh`, `forget`, `relabel`)
    raises InvalidParameterError until `fit` is called. `on_stale`, `n_jobs` and `residual_budget`
    are not learned, and apply at once.
    """

    model: BaseTopicModel
    features: str
    alpha: float
    on_stale: str
    n_jobs: int | None

    n_features_in_: int
    classes_: NDArray[Any]  # of a classifier
    task_: Task
    settings_: HeadSettings
    n_task_documents_: int
    prior_: F64
    weights_: F64
    gradient_norm_: float
    n_iter_: int
    mode_: str
    residual_spent_: float
    _base: BaseInUse
    _model_given: BaseTopicModel
    _scoring: Scoring
    _undo: Change | None = None  # of the word pairs of the task, not confirmed yet
    _secret: bytes | None = None  # of the last certificate, until the next change

    # ---- what the two classes say -----------------------------------------------------------

    def _settings(self) -> HeadSettings:
        """The settings after validation; raises InvalidParameterError."""
        raise NotImplementedError

    def _budget(self) -> float:
        """The gradient that Newton steps may leave; raises InvalidParameterError."""
        raise NotImplementedError

    def _targets(self, y: Any, n_documents: int, task: Task | None = None) -> NDArray[Any]:
        """Targets after validation, of the kind that `task` holds; raises InvalidInputError."""
        raise NotImplementedError

    def _shape_of(self, y: Any) -> Mapping[str, Any]:
        """Attributes that say how targets were given."""
        return {}

    # ---- training ---------------------------------------------------------------------------

    @exclusive
    def fit(self, X: Any, y: Any) -> Self:
        """Train on task documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts, with the columns of the base.
        y : array-like
            Labels (strings, integers or booleans), shape (m,), of a classifier; numbers, shape
            (m,) or (m, n_outputs), of a regressor.

        Returns
        -------
        self
            The fitted head.

        Raises
        ------
        InvalidInputError
            Bad counts or other columns than the base; y of another length, with NaN or of the wrong
            kind; one class only; numbers all too small for integer sums.
        InvalidParameterError
            A parameter outside its range.
        DocumentTooLongError, StatisticsOverflowError
            Squared loss: the task does not fit the integer sums.
        StaleModelError
            The base waits for its `refresh`. Nothing has been changed, after any of these errors.

        Warns
        -----
        ConvergenceWarning
            Logistic training stopped above `tol`.
        """
        settings = self._checked_settings()
        documents, columns = first_documents(self, X)
        targets = self._targets(y, documents.n_documents)
        model = self._base_for(documents, columns)
        task = first_task(settings, documents, targets, self.n_jobs)
        trainer = Trainer(model, settings, self.n_jobs)
        update = trainer.trained(task)
        self._take(task, trainer, update, COLUMNS, {**columns, **self._shape_of(y)})
        self._warn(update)
        return self

    @exclusive
    def partial_fit(self, X: Any, y: Any) -> Self:
        """Add task documents and train again.

        Parameters
        ----------
        X, y
            As for `fit`. New labels become classes.

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
        if not hasattr(self, "task_"):
            return self.fit(X, y)
        settings = self._unchanged_settings()
        documents, targets = self._checked(X, y)
        update = self._change(
            self.task_.plus(documents, targets),
            settings,
            lambda trainer, task: trainer.trained(task),
        )
        self._warn(update)
        return self

    # ---- deletion ---------------------------------------------------------------------------

    @exclusive
    def refresh(self, mode: str = "exact") -> HeadCertificate:
        """Bring the head up to date after its base has changed.

        Parameters
        ----------
        mode : {"exact", "newton"}, default="exact"
            "exact": the bits of a head trained on the present base. "newton": one Newton step on
            the objective over the present base (U_head, the paper's algorithm 2), with a bound on
            the distance to its optimum; a step that leaves more than `residual_budget` gives way to
            exact training. For squared loss both are the closed form.

        Returns
        -------
        HeadCertificate
            What was done and what is claimed; `confirms` checks it until the next change.

        Raises
        ------
        InvalidParameterError
            Another mode, or parameters that were changed after `fit`.
        InvalidInputError
            The base was fitted to other columns.
        StaleModelError
            The base waits for its own `refresh`. Nothing has been changed, after any of these
            errors.
        """
        settings = self._unchanged_settings()
        check.check_choice("mode", mode, MODES)
        trainer = Trainer(self.model_, settings, self.n_jobs)
        if mode == "exact":
            update = trainer.trained(self.task_)
        else:
            update = trainer.refreshed(self.task_, self.weights_, self._budget())
        self._take(self.task_, trainer, update)
        certificate = self._certificate("refresh", mode, 0, update)
        self._warn(update)
        return certificate

    @exclusive
    def forget(self, X: Any, y: Any, mode: str = "exact") -> HeadCertificate:
        """Remove task documents: afterwards the head is the one that was not trained on them.

        A base that changed in between is taken as it is now.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (k, n_words)
            Word counts of the documents, as they were given to `fit`.
        y : array-like, shape (k,) or (k, n_outputs)
            Their targets, as they were given to `fit`.
        mode : {"exact", "newton"}, default="exact"
            "exact": byte equality. "newton" (logistic): a Newton step that takes the documents'
            gradient out, with the bound of Guo et al. (2020); the bounds add up over requests, and
            exact training takes over when they exceed `residual_budget`.

        Returns
        -------
        HeadCertificate
            What was done and what is claimed; `confirms` checks it until the next change.

        Raises
        ------
        NotInModelError
            The documents are not in the task with these targets.
        InvalidInputError
            Bad counts or targets.
        StaleHeadError
            mode="newton" and the base has changed.
        InvalidParameterError, StaleModelError
            As for `refresh`. Nothing has been changed, after any of these errors.

        Warns
        -----
        FewerClassesWarning
            Fewer than two classes are left. Deletion is never refused for that.
        """
        settings = self._unchanged_settings()
        check.check_choice("mode", mode, MODES)
        if mode == "newton":
            self.refuse_stale()
        documents, targets = self._checked(X, y)

        def trained(trainer: Trainer, task: Task) -> Update:
            if mode == "exact":
                return trainer.trained(task)
            return self._newton_removal(trainer, task, documents, targets)

        update = self._change(self.task_.without(documents, targets), settings, trained)
        certificate = self._certificate("forget", mode, documents.n_documents, update)
        self._warn(update)
        return certificate

    @exclusive
    def relabel(self, X: Any, y_old: Any, y_new: Any) -> HeadCertificate:
        """Correct targets of task documents: remove with the old ones, add with the new ones.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (k, n_words)
            Word counts of the documents, as they were given to `fit`.
        y_old, y_new : array-like, shape (k,) or (k, n_outputs)
            Their targets as they were given to `fit`, and as they ought to be.

        Returns
        -------
        HeadCertificate
            What was done and what is claimed; `confirms` checks it until the next change.

        Raises
        ------
        NotInModelError, InvalidInputError, InvalidParameterError, StaleModelError
            As for `forget`.
        StatisticsOverflowError
            Squared loss: the new targets do not fit the integer sums. Nothing has been changed,
            after any of these errors.
        """
        settings = self._unchanged_settings()
        documents, old = self._checked(X, y_old)
        new = self._targets(y_new, documents.n_documents, self.task_)
        update = self._change(
            self.task_.relabelled(documents, old, new),
            settings,
            lambda trainer, task: trainer.trained(task),
        )
        certificate = self._certificate("relabel", "exact", 0, update)
        self._warn(update)
        return certificate

    @exclusive
    def confirms(self, certificate: HeadCertificate) -> bool:
        """Whether a certificate of this head is of the state that the head is in now.

        Parameters
        ----------
        certificate : HeadCertificate
            As `refresh`, `forget` or `relabel` gave it.

        Returns
        -------
        bool
            False after any later change of the head: the secret of the commitment is erased then.
            It is in no pickle or deep copy of the head.

        Raises
        ------
        InvalidInputError
            No certificate of a deletion.
        NotFittedError
            The head is not fitted.
        """
        check_is_fitted(self, "task_")
        return is_commitment_to(self.digest(), self._secret, commitment_in(certificate))

    def set_params(self, **params: Any) -> Self:
        """Set parameters; those of the base (``model__...``) only while it is not fitted.

        Parameters
        ----------
        **params
            Parameters by name.

        Returns
        -------
        self
            The head. What was learned stays until `fit` is called again.

        Raises
        ------
        InvalidParameterError
            A parameter of a base that is fitted, and shared.
        ValueError
            No such parameter.
        """
        nested = sorted(name for name in params if name.startswith("model__"))
        if nested and is_learned(params.get("model", self.model)):
            raise InvalidParameterError(
                f"{nested[0]}: the base is fitted already and shared; give {type(self).__name__} "
                "an unfitted one to search over its parameters"
            )
        super().set_params(**params)
        return self

    # ---- what was learned ---------------------------------------------------------------------

    @property
    def model_(self) -> BaseTopicModel:
        """The base in use."""
        return self._learned().base.model

    @property
    def coef_(self) -> F64:
        """Weights of the topics as the features have them, (n_outputs, n_topics).

        The features are p(topic | word) or p(word | topic) averaged over the tokens of a document,
        or its topic proportions.
        """
        scoring = self._learned()
        return np.ascontiguousarray(scoring.topic_weights(scoring.weights)[1:].T)

    @property
    def intercept_(self) -> F64:
        """Weight of the constant beside `coef_`, (n_outputs,)."""
        scoring = self._learned()
        return np.array(scoring.topic_weights(scoring.weights)[0])

    @property
    def word_scores_(self) -> F64:
        """B, (n_words, n_outputs); there is none for features="proportions"."""
        scores = self._learned().word_scores
        if scores is None:
            raise AttributeError("features='proportions' have no word_scores_")
        return scores

    @exclusive
    def is_fresh(self) -> bool:
        """Whether the base is, byte for byte, the one that the head was brought up to date with.

        Returns
        -------
        bool
            False after the base has changed, until `refresh`.

        Raises
        ------
        NotFittedError
            The head is not fitted.
        """
        check_is_fitted(self, "_base")
        return self._base.is_fresh()

    @exclusive
    def digest(self) -> str:
        """SHA-256 of the settings that decide the head, base, task and weights, hexadecimal.

        In mode "exact" a function of what base and task hold, whatever happened before; see
        docs/heads.md for what each kind of features and loss rests on.

        Returns
        -------
        str
            64 hexadecimal digits.

        Raises
        ------
        NotFittedError
            The head is not fitted.
        """
        check_is_fitted(self, "task_")
        settings = self.settings_
        classes = None if settings.task == "regression" else self.task_.classes.tolist()
        header = {
            "format": HEAD_FORMAT,
            **settings.as_dict(),
            "base": self._base.digest,
            "task_data": self.task_.digest(),
            "classes": classes,
        }
        return content_digest(header, {"weights": self.weights_})

    # ---- for the store, the index and releases --------------------------------------------------

    @exclusive
    def fit_task(self, task: Task) -> Self:
        """Train on a task that was counted before, over a fitted base; also with one class."""
        settings = self._checked_settings()
        trainer = Trainer(self.model, settings, self.n_jobs)
        update = trainer.trained(task)
        self._take(task, trainer, update)
        self._warn(update)
        return self

    @exclusive
    def restore(
        self, model: BaseTopicModel, update: Update, task: TaskSummary, base_digest: str = ""
    ) -> None:
        """Take over weights that were trained on a model: all that prediction needs."""
        trainer = Trainer(model, self._checked_settings(), self.n_jobs)
        self._replace(**self._learned_from(trainer, update, task, base_digest))

    @exclusive
    def refuse_stale(self) -> None:
        """Raise StaleHeadError when the base has changed since the head was trained."""
        self._base.refuse_stale("head")

    def raw_scores(self, documents: Documents, theta: F64 | None = None) -> F64:
        """Scores of checked documents, (m, outputs); `theta` where it is at hand."""
        return self._scoring.scores(documents, check.check_n_jobs(self.n_jobs), theta)

    def topic_weights(self, weights: F64) -> F64:
        """Weights of the constant and of the topics as the features have them, from those of W."""
        return self._scoring.topic_weights(weights)

    def word_features(self) -> tuple[F64, F64]:
        """E (n_words, topics + 1) of the present base, and T with E = [1, topics] T."""
        words = Trainer(self.model_, self.settings_, self.n_jobs).words
        if words is None:
            raise AttributeError("features='proportions' are not linear in the word counts")
        return words.rows, words.transform

    def word_scores_of(self, weights: F64) -> F64:
        """B = E W for some W."""
        return product(self.word_features()[0], weights, check.check_n_jobs(self.n_jobs))

    # ---- inside -------------------------------------------------------------------------------

    @exclusive
    def __getstate__(self) -> dict[str, Any]:
        """What pickle, joblib and copy keep."""
        state = canonical(vars(self))
        state.pop("_secret", None)
        if "task_" in state:
            # Another thread may change it before the pickle comes to it.
            state["task_"] = self.task_.frozen()
        return state

    @exclusive
    def __copy__(self) -> Self:
        """A head with the same task."""
        return self._twin()

    def _stands_on(self) -> Exclusive | None:
        base = vars(self).get("_base")
        if base is None or self.model is not self._model_given:
            return self.model if isinstance(self.model, Exclusive) else None
        model: Exclusive = base.model
        return model

    def _settle(self) -> None:
        """Take back a change of the task that no training followed."""
        if self._undo is not None:
            if isinstance(self.task_, TaskStatistics):
                self.task_.pairs.take_back(self._undo)
            self._replace("_undo")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags

    def __sklearn_clone__(self) -> Self:
        # A clone is a fresh head on the same base: what cross-validation of a head means.
        parameters = self.get_params(deep=False)
        model = parameters.pop("model")
        return type(self)(model if is_learned(model) else clone(model), **parameters)

    def _checked_settings(self) -> HeadSettings:
        check.check_n_jobs(self.n_jobs)
        check.check_choice("on_stale", self.on_stale, ON_STALE)
        self._budget()
        check_base(self.model)
        return self._settings()

    def _unchanged_settings(self) -> HeadSettings:
        check_is_fitted(self, "task_")
        settings = self._checked_settings()
        if settings.as_dict() != self.settings_.as_dict():
            raise InvalidParameterError("parameters were changed after fit; call fit again")
        if self.model is not self._model_given:
            raise InvalidParameterError(
                "`model` was set to another base after fit, on which this head was not trained; "
                "call fit again"
            )
        refuse_other_columns(self, self.model_)
        return settings

    def _base_for(self, documents: Documents, columns: Mapping[str, Any]) -> BaseTopicModel:
        model = self.model
        if not is_learned(model):
            model = clone(model)
            if model.vocabulary is None:
                model.vocabulary = columns.get("feature_names_in_")
            model.fit(documents.to_csr())
        refuse_other_columns(self, model, columns)
        return model

    def _checked(self, X: Any, y: Any) -> tuple[Documents, NDArray[Any]]:
        documents = validated_documents(self, X, reset=False)
        return documents, self._targets(y, documents.n_documents, self.task_)

    @exclusive
    def _asked(self, X: Any) -> tuple[Self, Documents]:
        """The head as it is now, ready to be asked, and checked documents to be scored."""
        check_is_fitted(self, "weights_")
        self._base.refuse_or_warn("head", self.on_stale, stacklevel=4)
        if self.n_task_documents_ == 0:
            raise NotFittedError("no task documents are left in the head; call fit")
        return self._twin(), validated_documents(self, X, reset=False)

    def _newton_removal(
        self, trainer: Trainer, task: Task, documents: Documents, targets: NDArray[Any]
    ) -> Update:
        removed = TaskDocuments(documents.n_words, task.n_outputs)
        removed.add(documents, targets)
        return trainer.without(task, removed, self.weights_, self.residual_spent_, self._budget())

    def _change(
        self,
        change: TaskChange[Any],
        settings: HeadSettings,
        trained: Callable[[Trainer, Task], Update],
    ) -> Update:
        """Change the task and take over what is trained on it; all of it, or nothing."""
        try:
            if change.pairs is not None:
                self._undo = change.pairs
                change.after.pairs.make(change.pairs)
            trainer = Trainer(self.model_, settings, self.n_jobs)
            update = trained(trainer, change.after)
            self._take(change.after, trainer, update)
        except BaseException:
            self._settle()
            raise
        return update

    def _take(
        self,
        task: Task,
        trainer: Trainer,
        update: Update,
        gone: tuple[str, ...] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Take over a task and what was trained on it, in one step."""
        learned = self._learned_from(trainer, update, TaskSummary.of(task), trainer.model.digest())
        self._replace("_undo", "_secret", *gone, task_=task, **{**(attributes or {}), **learned})

    def _learned_from(
        self, trainer: Trainer, update: Update, task: TaskSummary, base_digest: str
    ) -> dict[str, Any]:
        settings, base = trainer.settings, BaseInUse(trainer.model, base_digest)
        scoring = Scoring(
            base,
            update.weights,
            None if trainer.words is None else trainer.words.transform,
            trainer.word_scores(update.weights),
            known_words(trainer.model),
            prior_scores(settings.loss, task.mean_target),
        )
        return {
            "_scoring": scoring,
            "_base": base,
            "_model_given": self.model,
            "n_features_in_": trainer.model.n_features_in_,
            "settings_": settings,
            "n_task_documents_": task.n_documents,
            "prior_": task.mean_target,
            **({"classes_": task.classes} if settings.task == "classification" else {}),
            "weights_": update.weights,
            "gradient_norm_": update.solution.gradient_norm,
            "n_iter_": update.solution.steps,
            "mode_": update.mode,
            "residual_spent_": update.spent,
        }

    def _warn(self, update: Update) -> None:
        """Warnings of a request that has been done, at the line of its caller."""
        settings = self.settings_
        if settings.task == "classification" and len(self.classes_) < 2:
            warnings.warn(
                f"{self.n_task_documents_} task documents of {len(self.classes_)} classes remain",
                FewerClassesWarning,
                stacklevel=4,
            )
        logistic = settings.loss == "logistic" and update.mode == "exact"
        if logistic and self.gradient_norm_ > settings.tol:
            warnings.warn(
                f"the gradient has norm {self.gradient_norm_:.2g} after {self.n_iter_} steps "
                f"(tol={settings.tol}, max_iter={settings.max_iter}, alpha={settings.alpha}); "
                "raise max_iter, tol or alpha",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _learned(self) -> Scoring:
        # An AttributeError, so that hasattr() says False before fit.
        if "_scoring" not in vars(self):
            raise AttributeError("the head is not fitted")
        return self._scoring

    def _certificate(self, action: str, mode: str, removed: int, update: Update) -> HeadCertificate:
        commitment, self._secret = new_commitment(self.digest())
        return HeadCertificate(
            action=action,
            mode=update.mode,
            retrained=update.mode != mode and self.settings_.loss == "logistic",
            n_task_removed=removed,
            n_task_left=self.task_.n_documents,
            commitment=commitment,
            gradient_norm=_rounded_up(self.gradient_norm_),
            distance=_rounded_up(self.gradient_norm_ / self.settings_.alpha),
            residual_bound=_rounded_up(update.bound),
            residual_spent=_rounded_up(self.residual_spent_),
            residual_budget=self._budget(),
            parameters=self.settings_.as_dict(),
            comparator=HEAD_COMPARATORS[update.mode],
        )


def _rounded_up(bound: float) -> float:
    """The next power of two, so that a bound in a certificate tells little of what it is of."""
    mantissa, exponent = math.frexp(bound)
    if not mantissa or not math.isfinite(bound):
        return bound
    return math.ldexp(1.0, exponent - (mantissa == 0.5))
