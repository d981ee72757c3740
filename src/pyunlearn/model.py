"""`AnchorTopicModel`: the scikit-learn estimator, a thin face over statistics and learner."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._columns import validated_documents, vocabulary_kept_on_error
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import infer
from pyunlearn._documents import Documents
from pyunlearn._learners.anchor import (
    LearnerSettings,
    TopicParameters,
    anchor_threshold,
    learn,
    weighting_for,
)
from pyunlearn._learners.anchor_update import relearn
from pyunlearn._linalg import product
from pyunlearn.deletion import DeletableTopics
from pyunlearn.errors import InvalidParameterError, TooFewAnchorsError
from pyunlearn.privacy import Release, release

__all__ = ["AnchorTopicModel", "room_for_fold_in"]

TRANSFORMS = ("em", "linear")


class AnchorTopicModel(
    DeletableTopics, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
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
    background : float, default=0.375
        "refined": share of the co-occurrence of independent words that is taken off before topics
        are fitted. More makes topics of rarer words, with less overlap.
    n_updates : int, default=16
        "refined": updates of the factorisation.
    anchor_min_df : int, float or None, default=None
        Words in at least this many documents (int), or in this share of them (float), can become
        anchors; with "refined" they decide the topics. Rare words are noisy. None: 0.01 for
        "anchor"; for "refined" 0.6 sqrt(m) of m documents, from 10,000 documents on 0.6 %.
    min_df : int, default=1
        Words in fewer documents are left out of the model. They stay in the statistics, so a word
        can come back.
    solver : {"active-set", "eg"}, default="active-set"
        "anchor": how p(topic | word) is recovered, exactly or by exponentiated gradient (paper,
        algorithm 5). The bits of "eg" hold for one C library, because it needs exp.
    anchor_cleanup : bool, default=False
        "anchor": Arora's second loop, replace each anchor by the candidate farthest from the span
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
        background: float = 0.375,
        n_updates: int = 16,
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
        with vocabulary_kept_on_error(self):
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
            with vocabulary_kept_on_error(self):
                documents = self._checked(X, reset=True)
                statistics = self._new_statistics(documents.n_words).add(documents, lengths)
                parameters = learn(statistics, settings, self.n_jobs)
        else:
            documents = self._checked(X, reset=False)
            self._refuse_other_parameters(settings)
            stale = self.is_stale()
            statistics = self.statistics_.add(documents, lengths)
            try:
                parameters, _ = relearn(
                    self.parameters_, statistics, self._changed_words(), self.n_jobs
                )
            except BaseException:
                # Interrupted or out of memory: integers take the documents out again exactly.
                statistics.remove(documents, lengths)
                if not stale:
                    self.take_as_learned()
                raise
        self._accept(statistics, parameters)
        self.warn_if_fewer()
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

    # ---- release --------------------------------------------------------------------------

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
        check_is_fitted(self, "parameters_")
        self.refuse_stale()
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
        if method == "linear":
            return np.asarray(documents.to_csr() @ self.components_.T, dtype=np.float64)
        return self.fold_in(documents, tol, max_iter)

    def fold_in(
        self, documents: Documents, tol: float = 1e-6, max_iter: int = 500
    ) -> NDArray[np.float64]:
        """Topic proportions of documents that have been checked; see `transform`."""
        A = np.ascontiguousarray(self.components_.T)
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
            room_for_fold_in(documents, self.n_topics_, num_threads),
            theta,
            np.zeros(documents.n_documents, np.int32),
            num_threads,
        )
        theta /= product(theta, np.ones((self.n_topics_, 1)), num_threads)
        return theta

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

    # ---- inside ---------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = []
        return tags

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

    def _checked(self, X: Any, *, reset: bool) -> Documents:
        return validated_documents(self, X, reset=reset)

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


def room_for_fold_in(documents: Documents, n_topics: int, num_threads: int) -> NDArray[np.float64]:
    """Work space of `infer.proportions`: a document's rows of A are read many times."""
    longest = int(np.diff(documents.start).max(initial=0))
    return np.empty((num_threads, (longest + 2) * (-(-n_topics // 8) * 8)))
