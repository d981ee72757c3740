"""`AnchorTopicModel`: the scikit-learn estimator, a thin face over statistics and learner."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted, validate_data

from pyunlearn import _validation as check
from pyunlearn._core import infer
from pyunlearn.certificate import Certificate, content_digest
from pyunlearn.errors import (
    FewerTopicsWarning,
    InvalidInputError,
    InvalidParameterError,
    TooFewAnchorsError,
)
from pyunlearn.learner import (
    LearnerSettings,
    TopicParameters,
    anchor_threshold,
    learn,
    weighting_for,
)
from pyunlearn.newton import newton_update
from pyunlearn.privacy import Budget, Release, measure, release
from pyunlearn.statistics import CooccurrenceStatistics
from pyunlearn.unlearning import UpdatePath, relearn

__all__ = ["AnchorTopicModel"]

FORMAT = "pyunlearn-model-1"
NEWTON_CLAIM = {
    "algorithm": "projected Newton step on updated statistics, anchors kept (U_base)",
    "comparator": "none by itself: claims are made by a release of the topics, with noise",
    "covers": "nothing by itself; the statistics equal those of the remaining documents",
}
MODES = ("exact", "newton")
TRANSFORMS = ("em", "linear")


class AnchorTopicModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Anchor-word topic model that documents can be deleted from, exactly.

    Topics are learned from integer co-occurrence statistics of the documents (Arora et al. 2012,
    2013) and are a deterministic function of them: after `unlearn`, statistics and topics equal,
    byte for byte, those of a model that never saw the deleted documents (see `digest`).

    Parameters
    ----------
    n_topics : int, default=20
        Number of topics r.
    learner : {"refined", "anchor"}, default="refined"
        "refined": topics by non-negative factorisation of the statistics, about as good as those
        of LDA (docs/quality.md). "anchor": anchor words and recovery, the algorithm of the papers;
        mode="newton" and `release` need it. Deletion is exact for both.
    background : float, default=0.25
        "refined": share of the co-occurrence of independent words that is taken off before topics
        are fitted. More makes topics of rarer words, with less overlap.
    n_updates : int, default=20
        "refined": updates of the factorisation.
    anchor_min_df : int, float or None, default=None
        Words in at least this many documents (int), or in this share of them (float), can become
        anchors; with "refined" they decide the topics. Rare words are noisy. None: 0.01 for
        "anchor", 0.6 sqrt(m) of m documents for "refined".
    min_df : int, default=1
        Words in fewer documents are left out of the model. They stay in the statistics, so a word
        can come back.
    solver : {"active-set", "eg"}, default="active-set"
        How p(topic | word) is recovered: exactly, or by exponentiated gradient (the paper's
        algorithm 5). The bits of "eg" hold for one C library, because it needs exp.
    anchor_cleanup : bool, default=False
        Arora's second loop over the anchors: replace each by the candidate farthest from the span
        of the others.
    tol : float, default=1e-6
        Duality gap at which "eg" stops.
    max_iter : int, default=2000
        Steps after which "eg" gives up on a word, with a ConvergenceWarning.
    scale_bits : int, default=40
        See `CooccurrenceStatistics`.
    weighting : {"document", "token"} or None, default=None
        See `CooccurrenceStatistics`. None: "document" for "anchor", "token" for "refined"; in
        `fit_statistics`, that of the statistics.
    n_jobs : int or None, default=None
        Threads; None uses all processors at hand. No bit of any result depends on it.

    Attributes
    ----------
    statistics_ : CooccurrenceStatistics
        The live statistics.
    parameters_ : TopicParameters
        All that was learned, as arrays.
    anchors_ : ndarray of int32, shape (n_topics_,)
        Anchor words, as columns, in the order of selection; with "refined" one representative word
        a topic, in the order of topics.
    word_topic_ : ndarray, shape (n_words, n_topics_)
        p(topic | word); zeros for words without mass. With "refined" of the part of a word's mass
        that topics explain; the rest is background.
    n_topics_ : int
        Topics found: n_topics, or fewer after a deletion that leaves too few anchor words.
    n_features_in_ : int
        Size of the vocabulary.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import AnchorTopicModel
    >>> X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    >>> model = AnchorTopicModel(n_topics=3).fit(X)
    >>> certificate = model.unlearn(X[:5])
    >>> model.digest() == AnchorTopicModel(n_topics=3).fit(X[5:]).digest()
    True
    """

    def __init__(
        self,
        n_topics: int = 20,
        *,
        learner: str = "refined",
        anchor_min_df: int | float | None = None,
        min_df: int = 1,
        solver: str = "active-set",
        anchor_cleanup: bool = False,
        tol: float = 1e-6,
        max_iter: int = 2000,
        background: float = 0.25,
        n_updates: int = 20,
        scale_bits: int = 40,
        weighting: str | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_topics = n_topics
        self.learner = learner
        self.anchor_min_df = anchor_min_df
        self.min_df = min_df
        self.solver = solver
        self.anchor_cleanup = anchor_cleanup
        self.tol = tol
        self.max_iter = max_iter
        self.background = background
        self.n_updates = n_updates
        self.scale_bits = scale_bits
        self.weighting = weighting
        self.n_jobs = n_jobs

    # ---- training -------------------------------------------------------------------------

    def fit(self, X: Any, y: None = None, lengths: Any = None) -> Self:
        """Learn topics from documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_documents, n_words)
            Integer word counts.
        y : None
            Ignored.
        lengths : array-like of int, shape (n_documents,), optional
            Tokens of each document, out-of-vocabulary ones included; default the row sums of X.

        Returns
        -------
        AnchorTopicModel
            Itself.

        Raises
        ------
        InvalidInputError, DocumentTooLongError, StatisticsOverflowError
            Bad counts; see `CooccurrenceStatistics.add`.
        InvalidParameterError
            A parameter outside its range.
        TooFewAnchorsError
            Fewer than `n_topics` words can be anchors.
        """
        settings = self._settings()
        with self._vocabulary_kept_on_error():
            documents = self._checked(X, reset=True)
            statistics = self._new_statistics(documents.n_words).add(documents, lengths)
            parameters = self._learn_all(statistics, settings)
        self._accept(statistics, parameters)
        self.__dict__.pop("budget_", None)
        return self

    def partial_fit(self, X: Any, y: None = None, lengths: Any = None) -> Self:
        """Add documents to the statistics and bring the topics up to date.

        Arguments and errors as for `fit`; too few anchor words give a FewerTopicsWarning instead
        of an error, since more documents may follow.
        """
        settings = self._settings()
        first = not hasattr(self, "statistics_")
        if first:
            with self._vocabulary_kept_on_error():
                documents = self._checked(X, reset=True)
                statistics = self._new_statistics(documents.n_words).add(documents, lengths)
                parameters = learn(statistics, settings, self.n_jobs)
        else:
            documents = self._checked(X, reset=False)
            self._refuse_other_parameters(settings)
            statistics = self.statistics_.add(documents, lengths)
            try:
                parameters, _ = relearn(
                    self.parameters_, statistics, self._changed_words(), self.n_jobs
                )
            except BaseException:
                # Interrupted or out of memory: integers take the documents out again exactly.
                statistics.remove(documents, lengths)
                raise
        self._accept(statistics, parameters)
        self._warn_if_fewer()
        return self

    def fit_statistics(self, stats: CooccurrenceStatistics) -> Self:
        """Learn topics from statistics, which the model takes over (pass a copy to keep yours).

        Raises
        ------
        InvalidParameterError, TooFewAnchorsError
            As for `fit`; also when `scale_bits` or `weighting` of the statistics differ.
        """
        settings = self._settings()
        for name in ("scale_bits", "weighting"):
            if getattr(self, name) not in (getattr(stats, name), None):
                raise InvalidParameterError(
                    f"the statistics have {name}={getattr(stats, name)!r}, the model "
                    f"{name}={getattr(self, name)!r}; give both the same"
                )
        parameters = self._learn_all(stats, settings)
        self.n_features_in_ = stats.n_words
        if hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self._accept(stats, parameters)
        self.__dict__.pop("budget_", None)
        return self

    # ---- deletion -------------------------------------------------------------------------

    def unlearn(self, X_forget: Any, lengths: Any = None, mode: str = "exact") -> Certificate:
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

        Warns
        -----
        FewerTopicsWarning
            The remaining documents support fewer than `n_topics` topics. Deletion is never
            refused for that.
        """
        check_is_fitted(self, "parameters_")
        check.check_choice("mode", mode, MODES)
        self._refuse_other_parameters(self._settings())
        documents = self._checked(X_forget, reset=False)
        before = (self.statistics_.digest(), self.digest())
        start = time.perf_counter()
        self.statistics_.remove(documents, lengths)
        subtracted = time.perf_counter()
        budget: Budget | None = getattr(self, "budget_", None) if mode == "newton" else None
        try:
            if mode == "newton":
                parameters = newton_update(self.parameters_, self.statistics_, self.n_jobs)
                path = UpdatePath(kind="newton", words_solved=len(parameters.words))
                if budget is not None:
                    measured = measure(self.statistics_, parameters, "newton")
                    budget = budget.spend(documents.n_documents, measured)
            else:
                parameters, path = relearn(
                    self.parameters_, self.statistics_, self._changed_words(), self.n_jobs
                )
        except BaseException:
            self.statistics_.add(documents, lengths)
            raise
        if budget is not None:
            self.budget_ = budget
        path.seconds["subtract"] = subtracted - start
        self._accept(self.statistics_, parameters)
        certificate = Certificate(
            mode=mode,
            epsilon=0.0 if mode == "exact" else None,
            delta=0.0 if mode == "exact" else None,
            n_documents_removed=documents.n_documents,
            n_documents_left=self.statistics_.n_documents,
            statistics_before=before[0],
            statistics_after=self.statistics_.digest(),
            model_before=before[1],
            model_after=self.digest(),
            parameters=self._header(),
            capacity_used=budget.used if budget else None,
            capacity_left=budget.left if budget else None,
            path=dict(vars(path)),
            **(NEWTON_CLAIM if mode == "newton" else {}),
        )
        self._warn_if_fewer()
        return certificate

    def release(
        self,
        epsilon: float,
        delta: float,
        *,
        capacity: int,
        mechanism: str = "analytic",
        mode: str | None = None,
        sensitivity: float | None = None,
        correlation: bool = True,
        seed: int | None = None,
    ) -> Release:
        """A noised copy of the topics that hides which documents were removed.

        The first release declares a budget: the claim, the capacity, and constants of the model
        rounded to powers of two. It is kept as `budget_`, saved with the model, and later releases
        and deletions with mode="newton" are counted against it. See docs/guarantees.md for what is
        claimed; at common sizes the noise is larger than the topics (see `deletion_capacity`).

        Parameters
        ----------
        epsilon, delta : float
            The claim, for A and R together: epsilon > 0, 0 < delta < 1.
        capacity : int
            Documents that the release covers, from 1 to all.
        mechanism : {"analytic", "classical"}
            Formula of the noise; the classical one holds for epsilon < 1.
        mode : {"exact", "newton"}, optional
            Whose topics: those of the learner, or after one Newton step. Default: that of the
            budget, else how the model was last updated.
        sensitivity : float, optional
            A bound of your own on |A_F - A_S|_F (Frobenius), with correlation=False; the
            certificate says that it is the caller's. Default: the proved bound.
        correlation : bool, default=True
            Whether R is released as well; without it A needs 1 / sqrt(2) of the noise.
        seed : int, optional
            For tests: noise that repeats, and a release that is not certified. Default: noise from
            the operating system's generator, through the extra [privacy].

        Returns
        -------
        Release
            `components_`, shape (n_topics_, n_words), `topic_correlation_`, shape (n_topics_,
            n_topics_) or None, both float64 and by ascending anchor column, and `certificate`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Not fitted.
        InvalidParameterError
            A parameter out of range or other than in the budget, or a model that the bound does
            not speak of.
        FloorsError
            The budget's constants do not hold any more, or removing so many documents could take
            an anchor word away.
        AnchorVanishedError
            mode="newton", and the Newton step does not exist.
        MissingExtraError
            The extra [privacy] is not installed. Model and budget are unchanged, after any of
            these errors.

        Warns
        -----
        NoisyReleaseWarning
            The noise is larger than any two topic matrices can differ by.
        """
        made = release(
            self,
            epsilon,
            delta,
            capacity=capacity,
            mechanism=mechanism,
            mode=mode,
            correlation=correlation,
            sensitivity=sensitivity,
            budget=getattr(self, "budget_", None),
            seed=seed,
        )
        self.budget_ = made.budget
        return made

    # ---- use ------------------------------------------------------------------------------

    def transform(
        self, X: Any, *, method: str = "em", tol: float = 1e-6, max_iter: int = 500
    ) -> NDArray[np.float64]:
        """Topic proportions of documents, with the topics fixed.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.
        method : {"em", "linear"}, default="em"
            "em": maximum likelihood by EM fold-in, rows sum to 1; a document without a known word
            gets the corpus proportions. "linear": A^T x, the paper's linear features of the counts.
        tol : float, default=1e-6
            EM stops when the l1 change of a document's proportions is at most this.
        max_iter : int, default=500
            EM steps at most.

        Returns
        -------
        ndarray of float64, shape (m, n_topics_)
            Proportions, or linear features.

        Raises
        ------
        NotFittedError
            Not fitted, or all topics are gone with the deleted documents.
        InvalidInputError
            Bad counts.
        """
        check_is_fitted(self, "parameters_")
        check.check_choice("method", method, TRANSFORMS)
        check.check_positive("tol", tol)
        check.check_integer("max_iter", max_iter, 1, 2**31 - 2)
        documents = self._checked(X, reset=False)
        if self.n_topics_ == 0:
            raise NotFittedError("the model has no topics left: fit it on documents first")
        A = np.ascontiguousarray(self.components_.T)
        if method == "linear":
            return np.asarray(documents.to_csr() @ A, dtype=np.float64)
        num_threads = check.check_n_jobs(self.n_jobs)
        # The start is positive for every topic: EM never leaves a zero.
        theta = np.full((documents.n_documents, self.n_topics_), 1.0 / self.n_topics_)
        known = np.asarray(A.any(axis=1))[documents.columns]
        with_known_word = np.zeros(documents.n_documents, np.bool_)
        with_known_word[documents.entry_rows()[known]] = True
        theta[~with_known_word] = self.topic_proportions_
        infer.proportions(
            documents.start,
            documents.columns,
            documents.counts,
            A,
            tol,
            max_iter,
            np.empty((num_threads, self.n_topics_)),
            theta,
            np.zeros(documents.n_documents, np.int32),
            num_threads,
        )
        theta /= theta.sum(axis=1, keepdims=True)
        return theta

    def top_words(self, vocabulary: Any = None, n_words: int = 10) -> list[list[Any]]:
        """The most probable words of each topic, best first.

        Parameters
        ----------
        vocabulary : sequence of str, length n_features_in_, optional
            Words by column; default the feature names of `fit`, else column numbers.
        n_words : int, default=10
            Words a topic.

        Returns
        -------
        list of lists
            One a topic.

        Raises
        ------
        InvalidInputError
            A vocabulary of another length.
        """
        check_is_fitted(self, "parameters_")
        check.check_integer("n_words", n_words, 1)
        if vocabulary is None:
            vocabulary = getattr(self, "feature_names_in_", range(self.n_features_in_))
        if len(vocabulary) != self.n_features_in_:
            raise InvalidInputError(
                f"vocabulary has {len(vocabulary)} words, the model {self.n_features_in_}"
            )
        best = np.argsort(-self.components_, axis=1, kind="stable")[:, :n_words]
        return [
            [vocabulary[int(i)] for i in row if self.components_[topic, i] > 0]
            for topic, row in enumerate(best)
        ]

    def digest(self) -> str:
        """SHA-256 of parameters, statistics and topics, hexadecimal.

        Equal for every history of additions and deletions that ends with the same documents, and
        for any number of threads, SIMD width or (solver "active-set") C library.
        """
        check_is_fitted(self, "parameters_")
        learned, num_threads = self.parameters_, check.check_n_jobs(self.statistics_.n_jobs)
        hashes = np.frombuffer(learned.word_topic_hashes(num_threads), np.uint8)
        return content_digest(
            {**self._header(), "format": FORMAT, "statistics": self.statistics_.digest()},
            {"anchors": learned.anchors, "word_topic_hashes": hashes, "topical": learned.topical},
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write statistics and topics to one safetensors file (no pickle), atomically.

        Raises
        ------
        OSError
            The file cannot be written; an older file stays as it was.
        """
        from pyunlearn.io import save_model

        check_is_fitted(self, "parameters_")
        save_model(self, path)

    # ---- learned attributes ---------------------------------------------------------------

    @property
    def n_topics_(self) -> int:
        """Topics found."""
        return self._learned().n_topics

    @property
    def _n_features_out(self) -> int:
        return self.n_topics_

    @property
    def anchors_(self) -> NDArray[np.int32]:
        """Anchor words as columns, in the order of selection, (n_topics_,)."""
        return self._learned().anchors

    @property
    def word_topic_(self) -> NDArray[np.float64]:
        """p(topic | word), (n_words, n_topics_)."""
        return self._learned().word_topic

    @property
    def word_frequencies_(self) -> NDArray[np.float64]:
        """p(word) by word mass, (n_words,); 0 for words that are left out."""
        mass = self._learned().mass.astype(np.float64)
        total = float(mass.sum())
        return mass / total if total > 0 else mass

    @property
    def topic_proportions_(self) -> NDArray[np.float64]:
        """p(topic) = sum_i p(word i) p(topic | word i), (n_topics_,)."""
        return np.asarray(self._joint().sum(axis=0))

    @property
    def components_(self) -> NDArray[np.float64]:
        """p(word | topic) = p(word) p(topic | word) / p(topic), (n_topics_, n_words)."""
        joint = self._joint()
        share = joint.sum(axis=0)
        return (joint / np.where(share > 0, share, 1.0)).T

    @property
    def topic_correlation_(self) -> NDArray[np.float64]:
        """R = A^+ Q (A^+)^T, symmetric, (n_topics_, n_topics_), computed when asked for.

        Q is K / sum(K) over the words of the model; A^+ is the pseudo-inverse of
        p(word | topic) (Arora et al. 2013).
        """
        learned = self._learned()
        kept = learned.words
        inverse = np.linalg.pinv(self.components_.T[kept])
        K = self.statistics_.to_csr()[kept][:, kept]
        half = np.vstack([(K[a : a + 512] @ inverse.T) for a in range(0, len(kept), 512)] or [[]])
        R = inverse @ half / max(float(learned.mass.sum()), 1.0)
        return np.asarray((R + R.T) / 2.0)

    def _joint(self) -> NDArray[np.float64]:
        """p(word, topic), (n_words, n_topics_)."""
        learned = self._learned()
        if not len(learned.topical):
            return self.word_frequencies_[:, None] * learned.word_topic
        total = float(learned.topical.sum())
        return (learned.topical / (total if total > 0 else 1.0))[:, None] * learned.word_topic

    # ---- inside ---------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _learned(self) -> TopicParameters:
        # An AttributeError, so that hasattr() says False before fit.
        if "parameters_" not in self.__dict__:
            raise AttributeError("the model is not fitted")
        learned: TopicParameters = self.__dict__["parameters_"]
        return learned

    def _settings(self) -> LearnerSettings:
        check.check_n_jobs(self.n_jobs)
        return LearnerSettings.checked(
            n_topics=self.n_topics,
            anchor_min_df=self.anchor_min_df,
            min_df=self.min_df,
            solver=self.solver,
            anchor_cleanup=self.anchor_cleanup,
            tol=self.tol,
            max_iter=self.max_iter,
            learner=self.learner,
            background=self.background,
            n_updates=self.n_updates,
        )

    def _new_statistics(self, n_words: int) -> CooccurrenceStatistics:
        weighting = weighting_for(self.learner, self.weighting)
        return CooccurrenceStatistics(n_words, self.scale_bits, weighting, n_jobs=self.n_jobs)

    def _checked(self, X: Any, *, reset: bool) -> check.Documents:
        """Counts after scikit-learn's checks of names and columns, and ours of the values."""
        if sp.issparse(X) or not hasattr(X, "columns"):
            X = check.as_csr(X)
        try:
            counts = validate_data(
                self,
                X,
                reset=reset,
                accept_sparse="csr",
                dtype=None,
                ensure_all_finite=False,
                accept_large_sparse=True,
            )
        except ValueError as error:
            raise InvalidInputError(str(error)) from None
        return check.check_documents(counts)

    @contextmanager
    def _vocabulary_kept_on_error(self) -> Iterator[None]:
        """A refused fit leaves the model as it was, the names of its columns included."""
        names = ("n_features_in_", "feature_names_in_")
        before = {name: self.__dict__[name] for name in names if name in self.__dict__}
        try:
            yield
        except BaseException:
            for name in names:
                self.__dict__.pop(name, None)
            self.__dict__.update(before)
            raise

    def _learn_all(
        self, statistics: CooccurrenceStatistics, settings: LearnerSettings
    ) -> TopicParameters:
        parameters = learn(statistics, settings, self.n_jobs)
        if parameters.n_topics < settings.n_topics:
            refined = settings.learner == "refined"
            role = "decide the topics" if refined else "can be anchors"
            found = "topics were found" if refined else "of them are linearly independent"
            threshold = anchor_threshold(settings, statistics.n_documents)
            raise TooFewAnchorsError(
                f"n_topics={settings.n_topics}, but {len(parameters.candidates)} words {role} "
                f"(in >= {threshold} documents, by anchor_min_df={settings.anchor_min_df}) and "
                f"{parameters.n_topics} {found}; n_samples = {statistics.n_documents}, "
                f"n_features = {statistics.n_words}. Lower n_topics or anchor_min_df, or add "
                "documents"
            )
        return parameters

    def _accept(self, statistics: CooccurrenceStatistics, parameters: TopicParameters) -> None:
        self.statistics_ = statistics
        self.parameters_ = parameters
        self._learned_version = statistics.version
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

    def _changed_words(self) -> NDArray[np.int32]:
        """Words whose statistics changed since the topics were learned, by whatever call."""
        return self.statistics_.changed_since(getattr(self, "_learned_version", 0))

    def _warn_if_fewer(self) -> None:
        if self.n_topics_ < self.n_topics:
            warnings.warn(
                f"{self.statistics_.n_documents} documents remain; they support {self.n_topics_} "
                f"of {self.n_topics} topics",
                FewerTopicsWarning,
                stacklevel=3,
            )

    def _header(self) -> dict[str, Any]:
        return {
            **self.parameters_.settings.as_dict(),
            "scale_bits": self.statistics_.scale_bits,
            "weighting": self.statistics_.weighting,
        }
