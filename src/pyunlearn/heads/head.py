"""`LinearHead`: a task on top of a topic model, that deletions from either side reach."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._columns import refuse_other_columns, validated_documents, vocabulary_kept_on_error
from pyunlearn._digest import content_digest
from pyunlearn._documents import Documents
from pyunlearn.errors import (
    FewerClassesWarning,
    InvalidInputError,
    InvalidParameterError,
    StaleHeadError,
)
from pyunlearn.heads.base import as_it_is
from pyunlearn.heads.certificate import COMPARATORS, HeadCertificate
from pyunlearn.heads.logistic import Solution
from pyunlearn.heads.prediction import ON_STALE, FittedHead
from pyunlearn.heads.targets import check_labels, check_values, refuse_too_small
from pyunlearn.heads.task_documents import TaskDocuments
from pyunlearn.heads.training import HeadSettings, Task, Trainer, new_task
from pyunlearn.model import AnchorTopicModel
from pyunlearn.privacy import Capacity
from pyunlearn.privacy._head_capacity import head_capacity
from pyunlearn.privacy._head_release import HeadRelease, release_head

__all__ = ["LinearHead"]

FORMAT = "pyunlearn-head-1"
MODES = ("exact", "newton")

F64 = NDArray[np.float64]


class LinearHead(FittedHead):
    """Classification or regression on a topic model, exact under deletions from base and task.

    The head minimises ``1/N sum_t loss(W^T phi(x_t), y_t) + alpha/2 |W|^2``. It is a deterministic
    function of the base and of the task: after any additions, deletions and corrections on either
    side, its `digest` is that of a head trained once on what remains.

    Parameters
    ----------
    model : AnchorTopicModel
        The base. A fitted one is used as it is, and shared, also by clones of the head; an unfitted
        one is fitted to the task documents first.
    loss : {"logistic", "squared"}, default="logistic"
        Cross-entropy (two or more classes), or half the squared error to numbers or to one-hot
        classes. A squared head on linear features keeps integer sums over its task, no documents.
    alpha : float, default=1e-4
        Strength of the penalty, > 0.
    features : {"linear", "word-topic", "proportions"}, default="linear"
        "linear": A^T x, x the counts divided by their sum, with a constant, in coordinates in which
        |W|^2 is the mean square score of a token of the base's corpus; so alpha means the same for
        every corpus and number of topics. "word-topic": the same with p(topic | word) in place of
        A = p(word | topic). "proportions": topic proportions by fold-in, in units of the standard
        deviation of the topic of one token.
    task : {"classification", "regression"}, default="classification"
        Whether y has labels or numbers; "regression" needs loss="squared".
    tol : float, default=1e-10
        Norm of the gradient at which logistic training stops.
    max_iter : int, default=100
        Newton steps of logistic training at most.
    residual_budget : float, default=1e-3
        Largest gradient that mode="newton" may leave before it gives way to exact training; see
        `release`.
    on_stale : {"raise", "warn"}, default="raise"
        What happens when the head is used although its base has changed.
    n_jobs : int or None, default=None
        Threads; None uses all processors at hand. No bit of any result depends on it.

    Attributes
    ----------
    model_ : AnchorTopicModel
        The base in use.
    classes_ : ndarray
        Labels that the task has, ascending (classification).
    weights_ : ndarray, shape (n_topics + 1, n_outputs)
        W in the coordinates of the penalty, that of the constant first.
    word_scores_ : ndarray, shape (n_words, n_outputs)
        B = A W with the constant: the mean of B over a document's tokens is its score.
    gradient_norm_ : float
        |grad| of the objective at W; W is within gradient_norm_ / alpha of the optimum.
    mode_ : {"exact", "newton"}
        How W was reached last.
    task_ : TaskStatistics or TaskDocuments
        What the head keeps of its task.
    n_features_in_ : int
        Size of the vocabulary.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import AnchorTopicModel, LinearHead
    >>> X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    >>> model = AnchorTopicModel(n_topics=3).fit(X)
    >>> head = LinearHead(model).fit(X, X[:, 0] > X[:, 1])
    >>> deletion = model.unlearn(X[:5])
    >>> head.unlearn().head_after == head.digest()
    True
    """

    def __init__(
        self,
        model: AnchorTopicModel,
        *,
        loss: str = "logistic",
        alpha: float = 1e-4,
        features: str = "linear",
        task: str = "classification",
        tol: float = 1e-10,
        max_iter: int = 100,
        residual_budget: float = 1e-3,
        on_stale: str = "raise",
        n_jobs: int | None = None,
    ) -> None:
        self.model = model
        self.loss = loss
        self.alpha = alpha
        self.features = features
        self.task = task
        self.tol = tol
        self.max_iter = max_iter
        self.residual_budget = residual_budget
        self.on_stale = on_stale
        self.n_jobs = n_jobs

    # ---- training -------------------------------------------------------------------------

    def fit(self, X: Any, y: Any) -> Self:
        """Train on task documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts, with the columns of the base.
        y : array-like, shape (m,) or (m, n_outputs)
            Labels (strings, integers or booleans), or numbers for task="regression".

        Returns
        -------
        LinearHead
            Itself.

        Raises
        ------
        InvalidInputError
            Bad counts or other columns than the base; y of another length, with NaN or of the wrong
            kind; one class only; numbers all too small for integer sums (squared loss).
        InvalidParameterError
            A parameter outside its range.
        DocumentTooLongError, StatisticsOverflowError
            Squared loss: the task does not fit the integer sums. Nothing has been changed, after
            any of these errors.

        Warns
        -----
        ConvergenceWarning
            Logistic training stopped above `tol`.
        """
        settings = self._settings()
        with vocabulary_kept_on_error(self):
            documents = validated_documents(self, X, reset=True)
            targets = self._targets(settings, y, documents.n_documents)
            model = self._base(documents)
            outputs = targets.shape[1] if targets.ndim == 2 else None
            if outputs and not settings.keeps_documents:
                refuse_too_small(targets)
            task = new_task(settings, documents.n_words, outputs, self.n_jobs)
            task.add(documents, targets)
            if outputs is None and len(task.classes) < 2:
                raise InvalidInputError(
                    f"y has 1 class ({task.classes.tolist()[0]!r}); a classifier needs two or more"
                )
            trainer = Trainer(model, settings, self.n_jobs)
            solution = trainer.train(task)
        self.model_, self.task_ = model, task
        self._one_output = np.asarray(y).ndim == 1
        self._accept(trainer, solution, "exact")
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Add task documents and train again; arguments and errors as for `fit`.

        New labels become classes; `classes` is there for scikit-learn and ignored. One class alone
        gives a FewerClassesWarning instead of an error, since more documents may follow.
        """
        if not hasattr(self, "task_"):
            return self.fit(X, y)
        settings = self._unchanged_settings()
        documents, targets = self._checked(X, y)
        self.task_.add(documents, targets)
        try:
            trainer = Trainer(self.model_, settings, self.n_jobs)
            solution = trainer.train(self.task_)
        except BaseException:
            self.task_.remove(documents, targets)
            raise
        self._accept(trainer, solution, "exact")
        return self

    # ---- deletion -------------------------------------------------------------------------

    def unlearn(self, mode: str = "exact") -> HeadCertificate:
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
            With the digests before and after.
        """
        settings = self._unchanged_settings()
        check.check_choice("mode", mode, MODES)
        before = self._digests()
        trainer = Trainer(self.model_, settings, self.n_jobs)
        solution = None
        if mode == "newton" and settings.loss == "logistic":
            solution = trainer.step(self.task_, self.weights_)
            if solution is not None and solution.gradient_norm > self.residual_budget:
                solution = None
        used = "exact" if solution is None else "newton"
        self._accept(trainer, solution or trainer.train(self.task_), used)
        retrained = used != mode and settings.loss == "logistic"
        return self._certificate("unlearn", used, retrained, 0, 0.0, before)

    def forget(self, X: Any, y: Any, mode: str = "exact") -> HeadCertificate:
        """Remove task documents: afterwards the head is the one that was not trained on them.

        Parameters
        ----------
        X, y
            As they were given to `fit`.
        mode : {"exact", "newton"}, default="exact"
            "exact": byte equality. "newton" (logistic): a Newton step that takes the documents'
            gradient out, with the bound of Guo et al. (2020); the bounds add up over requests, and
            exact training takes over when they exceed `residual_budget`.

        Returns
        -------
        HeadCertificate
            With digests and bounds.

        Raises
        ------
        NotInModelError
            The documents are not in the task with these targets.
        InvalidInputError
            Bad counts or targets.
        StaleHeadError
            mode="newton" and the base has changed. Nothing has been changed, after any of these.

        Warns
        -----
        FewerClassesWarning
            Fewer than two classes are left. Deletion is never refused for that.
        """
        settings = self._unchanged_settings()
        check.check_choice("mode", mode, MODES)
        if mode == "newton" and not self.is_fresh():
            raise StaleHeadError(self._stale("; mode='newton' starts from an up-to-date head"))
        documents, targets = self._checked(X, y)
        before = self._digests()
        self.task_.remove(documents, targets)
        try:
            trainer = Trainer(self.model_, settings, self.n_jobs)
            solution, bound, spent = self._removal(trainer, documents, targets, mode)
            used = "exact" if solution is None else "newton"
            solution = solution or trainer.train(self.task_)
        except BaseException:
            self.task_.put_back(documents, targets)
            raise
        self._accept(trainer, solution, used, spent)
        retrained = used != mode and settings.loss == "logistic"
        return self._certificate("forget", used, retrained, documents.n_documents, bound, before)

    def relabel(self, X: Any, y_old: Any, y_new: Any) -> HeadCertificate:
        """Correct targets of task documents: remove with the old ones, add with the new ones.

        Errors as for `forget`; nothing has been changed then.
        """
        settings = self._unchanged_settings()
        documents, old = self._checked(X, y_old)
        new = self._targets(settings, y_new, documents.n_documents, self.task_)
        before = self._digests()
        self.task_.remove(documents, old)
        try:
            self.task_.add(documents, new)
            try:
                trainer = Trainer(self.model_, settings, self.n_jobs)
                solution = trainer.train(self.task_)
            except BaseException:
                self.task_.remove(documents, new)
                raise
        except BaseException:
            self.task_.put_back(documents, old)
            raise
        self._accept(trainer, solution, "exact")
        return self._certificate("relabel", "exact", False, 0, 0.0, before)

    def digest(self) -> str:
        """SHA-256 of settings, base, task and weights, hexadecimal.

        In mode "exact" a function of what base and task hold, whatever happened before; see
        docs/heads.md for what each kind of features and loss rests on.
        """
        check_is_fitted(self, "task_")
        header = {
            "format": FORMAT,
            **self.settings_.as_dict(),
            "base": self.base_digest_,
            "task_data": self.task_.digest(),
            "classes": self.classes_.tolist() if hasattr(self, "classes_") else None,
        }
        return content_digest(header, {"weights": self.weights_})

    def release(
        self,
        epsilon: float,
        delta: float,
        *,
        kind: str = "composed",
        base: Any = None,
        seed: int | None = None,
    ) -> HeadRelease:
        """A copy that may be published after deletions; see `release_head`."""
        return release_head(self, epsilon, delta, kind=kind, base=base, seed=seed)

    def deletion_capacity(self, epsilon: float, delta: float, **options: Any) -> Capacity:
        """Documents that a noised release could cover without exact updates; `head_capacity`."""
        return head_capacity(self, epsilon, delta, **options)

    def set_params(self, **params: Any) -> Self:
        """Set parameters; those of the base (``model__...``) only while it is not fitted."""
        nested = sorted(name for name in params if name.startswith("model__"))
        if nested and hasattr(params.get("model", self.model), "parameters_"):
            raise InvalidParameterError(
                f"{nested[0]}: the base is fitted already and shared; give LinearHead an unfitted "
                "AnchorTopicModel to search over its parameters"
            )
        super().set_params(**params)
        return self

    # ---- inside ---------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.target_tags.required = True
        if self.task == "regression":
            tags.estimator_type = "regressor"
            tags.regressor_tags = RegressorTags()
            tags.target_tags.multi_output = True
        else:
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags()
        return tags

    def __sklearn_clone__(self) -> LinearHead:
        # A clone is a fresh head on the same base: what cross-validation of a head means.
        parameters = self.get_params(deep=False)
        model = parameters.pop("model")
        return type(self)(model if hasattr(model, "parameters_") else clone(model), **parameters)

    def _settings(self) -> HeadSettings:
        check.check_n_jobs(self.n_jobs)
        check.check_choice("on_stale", self.on_stale, ON_STALE)
        check.check_positive("residual_budget", self.residual_budget)
        if not isinstance(self.model, AnchorTopicModel):
            raise InvalidParameterError(
                f"model must be an AnchorTopicModel, got {type(self.model).__name__}"
            )
        return HeadSettings.checked(
            loss=self.loss,
            task=self.task,
            features=self.features,
            alpha=self.alpha,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _unchanged_settings(self) -> HeadSettings:
        check_is_fitted(self, "task_")
        settings = self._settings()
        if settings != self.settings_:
            raise InvalidParameterError("parameters were changed after fit; call fit again")
        if self.model is not self._model_given:
            raise InvalidParameterError(
                "`model` was set to another base after fit, on which this head was not trained; "
                "call fit again"
            )
        refuse_other_columns(self, self.model_)
        return settings

    def _base(self, documents: Documents) -> AnchorTopicModel:
        if not hasattr(self.model, "parameters_"):
            return clone(self.model).fit(documents.to_csr())  # type: ignore[no-any-return]
        refuse_other_columns(self, self.model)
        return self.model

    def _targets(
        self, settings: HeadSettings, y: Any, n_documents: int, task: Task | None = None
    ) -> NDArray[Any]:
        if settings.task == "regression":
            return check_values(y, n_documents, task.n_outputs if task else None)
        return check_labels(y, n_documents, task.classes if task else None)

    def _checked(self, X: Any, y: Any) -> tuple[Documents, NDArray[Any]]:
        documents = validated_documents(self, X, reset=False)
        return documents, self._targets(self.settings_, y, documents.n_documents, self.task_)

    def _removal(
        self, trainer: Trainer, documents: Documents, targets: NDArray[Any], mode: str
    ) -> tuple[Solution | None, float, float]:
        """Newton solution or None, bound of this step, gradient bound in all."""
        if mode == "exact" or not isinstance(self.task_, TaskDocuments):
            return None, 0.0, 0.0
        if trainer.settings.loss == "squared":
            return None, 0.0, 0.0
        removed = TaskDocuments(documents.n_words)
        removed.add(documents, targets)
        found = trainer.removal_step(self.task_, removed, self.weights_)
        if found is None:
            return None, 0.0, 0.0
        solution, bound = found
        left = self.task_.n_documents
        spent = self.residual_spent_ * (left + documents.n_documents) / left + bound
        return (solution if spent <= self.residual_budget else None), bound, spent

    def restore(
        self,
        trainer: Trainer,
        solution: Solution,
        classes: NDArray[Any],
        n_task_documents: int,
        mode: str = "exact",
        spent: float | None = None,
    ) -> None:
        """Take over weights that were trained on the trainer's base: all that prediction needs."""
        self.model_, self._model_given = trainer.model, self.model
        self.n_features_in_ = trainer.model.n_features_in_
        self.settings_ = trainer.settings
        self.weights_ = solution.weights
        self.n_task_documents_ = n_task_documents
        self._word_scores = trainer.word_scores(solution.weights)
        self._transform = None if trainer.words is None else trainer.words.transform
        self.gradient_norm_ = solution.gradient_norm
        self.n_iter_ = solution.steps
        self.mode_ = mode
        self.residual_spent_ = spent if mode == "newton" and spent else solution.gradient_norm
        self._base_then = as_it_is(self.model_)
        self.__dict__.pop("classes_", None)  # of another task, before
        if trainer.settings.task == "classification":
            self.classes_ = classes

    def _accept(
        self, trainer: Trainer, solution: Solution, mode: str, spent: float | None = None
    ) -> None:
        settings, task = trainer.settings, self.task_
        classes = task.classes if settings.task == "classification" else np.zeros(0)
        self.restore(trainer, solution, classes, task.n_documents, mode, spent)
        self.base_digest_ = self.model_.digest()
        if settings.task == "classification":
            self._warn_if_fewer()
        if (settings.loss, mode) == ("logistic", "exact") and self.gradient_norm_ > settings.tol:
            warnings.warn(
                f"the gradient has norm {solution.gradient_norm:.2g} after {solution.steps} steps "
                f"(tol={settings.tol}, max_iter={settings.max_iter}, alpha={settings.alpha}); "
                "raise max_iter, tol or alpha",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _warn_if_fewer(self) -> None:
        if len(self.classes_) < 2:
            warnings.warn(
                f"{self.task_.n_documents} task documents of {len(self.classes_)} classes remain",
                FewerClassesWarning,
                stacklevel=4,
            )

    def _digests(self) -> tuple[str, str, str]:
        return self.base_digest_, self.task_.digest(), self.digest()

    def _certificate(
        self,
        action: str,
        mode: str,
        retrained: bool,
        removed: int,
        bound: float,
        before: tuple[str, str, str],
    ) -> HeadCertificate:
        after = self._digests()
        return HeadCertificate(
            action=action,
            mode=mode,
            retrained=retrained,
            n_task_removed=removed,
            n_task_left=self.task_.n_documents,
            base_before=before[0],
            base_after=after[0],
            task_before=before[1],
            task_after=after[1],
            head_before=before[2],
            head_after=after[2],
            gradient_norm=self.gradient_norm_,
            distance=self.gradient_norm_ / self.settings_.alpha,
            residual_bound=bound,
            residual_spent=self.residual_spent_,
            residual_budget=float(self.residual_budget),
            parameters=self.settings_.as_dict(),
            comparator=COMPARATORS[mode],
            path={"newton_steps": self.n_iter_},
        )
