"""`BaseTopicModel`: what the topic models share, a scikit-learn estimator over a learner."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._canonical import canonical
from pyunlearn._columns import (
    COLUMNS,
    first_documents,
    known_names,
    names_of_columns,
    validated_documents,
)
from pyunlearn._commitment import is_commitment_to, new_commitment
from pyunlearn._cooccurrence.arrays import statistics_arrays
from pyunlearn._cooccurrence.statistics import Change, CooccurrenceStatistics
from pyunlearn._digest import MODEL_FORMAT
from pyunlearn._documents import Documents
from pyunlearn._exclusive import Exclusive, exclusive
from pyunlearn._files import write_file
from pyunlearn._fold_in import completion, fold_in
from pyunlearn._learners import learn, learn_all, update
from pyunlearn._learners.topics import F64, Settings, Topics, topic_correlation
from pyunlearn._model import Model, new_statistics, parameters_of
from pyunlearn.certificates import (
    STATISTICS_COMPARATOR,
    STATISTICS_COVER,
    Certificate,
    commitment_in,
)
from pyunlearn.errors import (
    InvalidInputError,
    InvalidParameterError,
    StaleModelError,
)

__all__ = ["BaseTopicModel", "Learned"]

REFRESHES = ("now", "later")
TRANSFORMS = ("em", "linear")
# Weight of the corpus' word frequencies in `score`, without which one unexpected word is all.
SCORE_BACKGROUND = 0.1


@dataclass(frozen=True, eq=False)
class Learned:
    """Topics of the changed statistics, before the model takes them over.

    None while they wait: those of before are a function of what was deleted.
    """

    topics: Topics | None
    claim: Mapping[str, Any] = field(default_factory=dict)  # fields of the certificate
    attributes: Mapping[str, Any] = field(default_factory=dict)  # that change with the topics


class BaseTopicModel(Exclusive, TransformerMixin, BaseEstimator):
    """Topics as a function of integer statistics; see `TopicModel` and `AnchorTopicModel`."""

    _settings_type: ClassVar[type[Settings]]
    _modes: ClassVar[tuple[str, ...]] = ("exact",)
    # Attributes that a new fit and an exact deletion end: they speak of documents of before.
    _ended: ClassVar[tuple[str, ...]] = ()

    n_topics: int
    scale_bits: int | None
    weighting: str | None
    contexts: str | int | float | None
    vocabulary: Sequence[str] | None
    transform_method: str
    transform_tol: float
    transform_max_iter: int
    n_jobs: int | None

    n_features_in_: int
    statistics_: CooccurrenceStatistics
    topics_: Topics
    _learned_version: int  # of the statistics when the topics were learned
    _waiting: int = 0  # documents deleted since then
    _undo: Change | None = None  # of the statistics, not confirmed yet
    _secret: bytes | None = None  # of the last certificate, until the next change

    # ---- training -------------------------------------------------------------------------

    @exclusive
    def fit(self, X: Any, y: None = None, lengths: Any = None) -> Self:
        """Learn topics from documents.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame, shape (n_documents, n_words)
            Integer word counts.
        y : None
            Ignored.
        lengths : array-like of int, shape (n_documents,), optional
            Tokens of each document, out-of-vocabulary ones included; default the row sums of X.

        Returns
        -------
        self
            The fitted model.

        Raises
        ------
        InvalidInputError, DocumentTooLongError, StatisticsOverflowError
            Bad counts; see `CooccurrenceStatistics.add`.
        InvalidParameterError
            A parameter outside its range.
        TooFewAnchorsError
            The statistics support fewer than `n_topics` topics. The model is unchanged, after any
            of these errors.
        """
        settings = self._settings()
        documents, columns = first_documents(self, X, self.vocabulary)
        statistics = self.new_statistics(documents.n_words).add(documents, lengths)
        topics = learn_all(statistics, settings, self.n_jobs)
        self._take(statistics, Learned(topics), (*COLUMNS, *self._ended), columns)
        self._warn()
        return self

    @exclusive
    def partial_fit(
        self, X: Any, y: None = None, lengths: Any = None, refresh: str = "now"
    ) -> Self:
        """Add documents to the statistics and bring the topics up to date.

        Parameters
        ----------
        X, y, lengths
            As for `fit`.
        refresh : {"now", "later"}, default="now"
            "later": only the statistics are brought up to date, so that several additions and
            deletions share one `refresh`. Until then every use of the topics raises
            StaleModelError.

        Returns
        -------
        self
            The model.

        Raises
        ------
        InvalidInputError, DocumentTooLongError, StatisticsOverflowError, InvalidParameterError
            As for `fit`.
        StaleModelError
            refresh="now" while deletions wait: call `refresh`, which certifies them, or add with
            refresh="later". The model is unchanged, after any of these errors.

        Warns
        -----
        FewerTopicsWarning
            The documents support fewer than `n_topics` topics; more may follow.
        """
        settings = self._settings()
        check.check_choice("refresh", refresh, REFRESHES)
        if not hasattr(self, "statistics_"):
            self._first_documents(X, lengths, settings, refresh)
        else:
            self._more_documents(X, lengths, settings, refresh)
        if refresh == "now":
            self._warn()
        return self

    @exclusive
    def fit_statistics(self, statistics: CooccurrenceStatistics) -> Self:
        """Learn topics from statistics, which the model takes over (pass a copy to keep yours).

        Deletions of the model that wait for `refresh` are learned with it; no further certificate
        names them.

        Parameters
        ----------
        statistics : CooccurrenceStatistics
            Of the corpus.

        Returns
        -------
        self
            The fitted model.

        Raises
        ------
        InvalidParameterError, TooFewAnchorsError
            As for `fit`; also when `scale_bits`, `weighting` or `contexts` of the statistics
            differ. The model is unchanged then.
        """
        settings = self._settings()
        if not isinstance(statistics, CooccurrenceStatistics):
            raise InvalidInputError(
                f"fit_statistics takes CooccurrenceStatistics, got {type(statistics).__name__}"
            )
        self._refuse_other_statistics(statistics)
        names = names_of_columns(self.vocabulary, statistics.n_words)
        topics = learn_all(statistics, settings, self.n_jobs)
        columns: dict[str, Any] = {"n_features_in_": statistics.n_words}
        if names is not None:
            columns["feature_names_in_"] = names
        self._take(statistics, Learned(topics), (*COLUMNS, *self._ended), columns)
        self._warn()
        return self

    # ---- deletion -------------------------------------------------------------------------

    @exclusive
    def forget(
        self, X: Any, lengths: Any = None, mode: str = "exact", refresh: str = "now"
    ) -> Certificate:
        """Delete documents: afterwards the model is the one that never saw them.

        The documents are subtracted from the statistics and the topics are brought up to date
        from the statistics alone; no other document is read. Statistics hold sums, not documents:
        counts that are contained in them are taken out, whether or not a document with exactly
        these counts was added. `Store` knows documents by id.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (k, n_words)
            Word counts of the documents, as they were trained on.
        lengths : array-like of int, shape (k,), optional
            As they were given to `fit`.
        mode : {"exact", "newton"}, default="exact"
            "exact": byte equality with a model trained on the remaining documents. "newton", of
            `AnchorTopicModel` only: the paper's algorithm 1, one Newton step a word with the
            anchors kept. Its claim is that of a release (`pyunlearn.privacy.release`); the
            documents count against the capacity declared there.
        refresh : {"now", "later"}, default="now"
            "later": only the statistics are up to date, and the topics of before go, so that
            several requests share one `refresh`, which learns anew. Until then every use of the
            topics raises StaleModelError.

        Returns
        -------
        Certificate
            What was deleted and what is claimed; `confirms` checks it until the next change.

        Raises
        ------
        NotInModelError
            The documents are not contained in the statistics.
        InvalidInputError
            Bad counts.
        AnchorVanishedError, CapacityExceededError, FloorsError
            mode="newton" only: the step does not exist, or the declared capacity or constants do
            not hold after it.
        InvalidParameterError
            mode="newton" of another learner, with refresh="later", or while the topics wait for
            `refresh`; or parameters that were changed after `fit`. The model is unchanged, after
            any of these errors.

        Warns
        -----
        FewerTopicsWarning
            The remaining documents support fewer than `n_topics` topics. Deletion is never
            refused for that: where warnings are errors, the documents are gone when it is raised.
        """
        check_is_fitted(self, "statistics_")
        self._check_mode(mode, refresh)
        self._refuse_other_parameters(self._settings())
        documents = self._checked(X)
        removed, waited = documents.n_documents, self._waiting
        change = self.statistics_.removal(documents, lengths)

        def learned() -> Learned:
            if refresh == "later":
                return self._later(removed)
            return self._exact() if mode == "exact" else self._newton(removed)

        learned_now = self._change(change, learned, self._ended)
        if refresh == "later":
            return self._certificate(removed, learned_now)
        # Deletions that waited are learned and certified with these.
        certificate = self._certificate(waited + removed, learned_now)
        self._warn()
        return certificate

    @exclusive
    def refresh(self) -> Certificate:
        """Learn the topics again from the statistics, as requests with refresh="later" left them.

        Returns
        -------
        Certificate
            Of all deletions since the topics were last up to date.

        Raises
        ------
        InvalidParameterError
            Parameters that were changed after `fit`.

        Warns
        -----
        FewerTopicsWarning
            As for `forget`.
        """
        check_is_fitted(self, "statistics_")
        self._refuse_other_parameters(self._settings())
        waited, learned = self._waiting, self._exact()
        self._take(self.statistics_, learned)
        certificate = self._certificate(waited, learned)
        self._warn()
        return certificate

    @exclusive
    def confirms(self, certificate: Certificate) -> bool:
        """Whether a certificate of this model is of the state that the model is in now.

        Parameters
        ----------
        certificate : Certificate
            As `forget` or `refresh` gave it.

        Returns
        -------
        bool
            False after any later change: the secret of the commitment is erased then. It is in no
            pickle, deep copy or file of the model.

        Raises
        ------
        InvalidInputError
            No certificate of a deletion.
        NotFittedError
            The model was given no documents yet.
        """
        check_is_fitted(self, "statistics_")
        return is_commitment_to(self._state_digest(), self._secret, commitment_in(certificate))

    # ---- use ------------------------------------------------------------------------------

    def transform(self, X: Any) -> F64:
        """Topic proportions of documents, with the topics fixed; see `transform_method`.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.

        Returns
        -------
        ndarray of float64, shape (m, n_topics_)
            Proportions, or linear features.

        Raises
        ------
        NotFittedError
            Not fitted, or all topics are gone with the deleted documents.
        StaleModelError
            The topics wait for `refresh`.
        InvalidInputError
            Bad counts.
        InvalidParameterError
            A parameter of transform outside its range.
        """
        topics, documents = self._ready(X)
        parameters = self._transform_parameters()
        if parameters["method"] == "linear":
            components = topics.word_distributions()
            return np.asarray(documents.to_csr() @ components.T, dtype=np.float64)
        tol, max_iter = parameters["tol"], parameters["max_iter"]
        return fold_in(topics, documents, self.n_jobs, tol, max_iter)

    def inverse_transform(self, theta: Any) -> F64:
        """p(word | document) of documents with given topic proportions.

        Parameters
        ----------
        theta : array-like, shape (m, n_topics_)
            Topic proportions, as `transform` gives them.

        Returns
        -------
        ndarray of float64, shape (m, n_words)
            theta @ components_.

        Raises
        ------
        InvalidInputError
            Another number of topics, or values that are no finite numbers.
        """
        components = self._fitted().word_distributions()
        given = _real_array("theta", theta)
        if given.ndim != 2 or given.shape[1] != len(components):
            raise InvalidInputError(
                f"theta has shape {given.shape}, expected (m, {len(components)}): one column a "
                "topic"
            )
        if not np.isfinite(given).all():
            raise InvalidInputError("theta contains NaN or infinity")
        return np.asarray(given @ components)

    def score(self, X: Any, y: None = None) -> float:
        """Mean log-probability of held-out tokens by document completion; larger is better.

        Every second token of each document is shown to the fold-in, the others are predicted
        (Wallach et al. 2009; `pyunlearn.metrics.perplexity` has the formula).

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Counts of documents that were not trained on.
        y : None
            Ignored.

        Returns
        -------
        float
            -log(perplexity); nan without a token to predict.

        Raises
        ------
        NotFittedError, StaleModelError, InvalidInputError
            As for `transform`.
        """
        topics, documents = self._ready(X)
        log_likelihood, predicted = completion(topics, documents, self.n_jobs, SCORE_BACKGROUND)
        return log_likelihood / predicted if predicted else float("nan")

    def perplexity(self, X: Any) -> float:
        """exp(-`score`), smaller is better; arguments and errors as there."""
        return float(np.exp(-self.score(X)))

    def top_words(
        self, vocabulary: Any = None, n_words: int = 10, scores: bool = False
    ) -> list[list[Any]]:
        """The most probable words of each topic, best first.

        Parameters
        ----------
        vocabulary : sequence of str, length n_features_in_, optional
            Words by column; default `feature_names_in_`, else column numbers.
        n_words : int, default=10
            Words a topic.
        scores : bool, default=False
            Pairs of a word and p(word | topic) in place of words.

        Returns
        -------
        list of lists
            One a topic.

        Raises
        ------
        InvalidParameterError
            A vocabulary that does not name the columns.
        NotFittedError, StaleModelError
            Not fitted, or the topics wait for `refresh`.
        """
        topics = self._fitted()
        check.check_integer("n_words", n_words, 1)
        check.check_bool("scores", scores)
        names = self._names(vocabulary)
        return [
            [(names[word], share) if scores else names[word] for word, share in best]
            for best in topics.best_words(n_words)
        ]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns that `transform` gives: "topic0", "topic1", ...

        Parameters
        ----------
        input_features : sequence of str, optional
            Must be the names of the columns of `fit`, where those are known.

        Returns
        -------
        ndarray of object, shape (n_topics_,)
            Names.

        Raises
        ------
        InvalidInputError
            Other `input_features`.
        NotFittedError, StaleModelError
            Not fitted, or the topics wait for `refresh`.
        """
        n_topics = self._fitted().n_topics
        known = known_names(self)
        if input_features is not None:
            given = np.atleast_1d(np.asarray(input_features, dtype=object))
            if given.shape != (self.n_features_in_,):
                raise InvalidInputError(
                    f"input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(given)}"
                )
            if known is not None and not np.array_equal(given, known):
                raise InvalidInputError("input_features is not equal to feature_names_in_")
        return np.array([f"topic{number}" for number in range(n_topics)], dtype=object)

    @exclusive
    def digest(self) -> str:
        """SHA-256 of the settings that decide topics, the statistics and the topics, hexadecimal.

        Equal for every history of additions and deletions that ends with the same documents, and
        for any number of threads, SIMD width or C library.
        """
        return Model(self._fitted(), self.statistics_).digest()

    @exclusive
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write statistics and topics to one safetensors file (no pickle), atomically.

        Models with equal digests, parameters, names of columns and kept columns (see `contexts` of
        `CooccurrenceStatistics`: room of columns is no content) give equal files. Settings are
        those that the topics were learned with.

        Raises
        ------
        NotFittedError, StaleModelError
            Not fitted, or the topics wait for `refresh`.
        InvalidParameterError
            A parameter of transform outside its range, or another `vocabulary` than that of `fit`.
        OSError
            The file cannot be written; an older file stays as it was.
        """
        topics = self._fitted()
        names = known_names(self)
        header = {
            "format": MODEL_FORMAT,
            "learner": topics.settings.learner,
            "settings": topics.settings.as_dict(),
            "scale_bits": self.statistics_.scale_bits,
            "weighting": self.statistics_.weighting,
            "contexts": self.statistics_.contexts,
            "keeps_all_columns": self.statistics_.keeps_all_columns,
            "n_documents": self.statistics_.n_documents,
            "digest": self.digest(),
            "feature_names": None if names is None else [str(name) for name in names],
            "vocabulary_given": self.vocabulary is not None,
            "transform": self._transform_parameters(),
            **self._saved(),
        }
        learned = {f"learned.{name}": array for name, array in topics.arrays().items()}
        write_file(Path(path), header, {**statistics_arrays(self.statistics_), **learned})

    # ---- what was learned -----------------------------------------------------------------

    @property
    def n_topics_(self) -> int:
        """Topics found: n_topics, or fewer when the documents support fewer."""
        return self._learned().n_topics

    @property
    def word_topic_(self) -> F64:
        """p(topic | word), (n_words, n_topics_); zeros for words without mass."""
        return self._learned().word_topic

    @property
    def word_frequencies_(self) -> F64:
        """p(word) by word mass, (n_words,); 0 for words that are left out."""
        return self._learned().word_frequencies()

    @property
    def topic_proportions_(self) -> F64:
        """p(topic) = sum_i p(word i) p(topic | word i), (n_topics_,)."""
        return self._learned().proportions()

    @property
    def components_(self) -> F64:
        """p(word | topic) = p(word) p(topic | word) / p(topic), (n_topics_, n_words)."""
        return self._learned().word_distributions()

    @property
    @exclusive
    def topic_correlation_(self) -> F64:
        """R = A^+ Q (A^+)^T, symmetric, (n_topics_, n_topics_), computed when asked for.

        Q is K / sum(K) over the words of the model; A^+ is the pseudo-inverse of
        p(word | topic) (Arora et al. 2013).
        """
        return topic_correlation(self._learned(), self.statistics_)

    @exclusive
    def is_stale(self) -> bool:
        """Whether the statistics changed since the topics were learned: see `refresh`."""
        check_is_fitted(self, ("statistics_", "topics_"), all_or_any=any)
        statistics: CooccurrenceStatistics | None = self.__dict__.get("statistics_")
        if "topics_" not in self.__dict__:
            return True
        return statistics is not None and statistics.version != self._learned_version

    def refuse_stale(self) -> None:
        """Raise StaleModelError while the topics wait for `refresh`."""
        if self.is_stale():
            raise StaleModelError(
                "the statistics have changed since these topics were learned; call refresh() first"
            )

    def new_statistics(self, n_words: int) -> CooccurrenceStatistics:
        """Empty statistics as this model learns from."""
        return new_statistics(self._settings(), vars(self), n_words, self.n_jobs)

    def take_topics(self, topics: Topics) -> None:
        """Take over topics that were learned elsewhere. For `pyunlearn.io`."""
        self.topics_ = topics
        self.n_features_in_ = len(topics.mass)

    def take_as_learned(self) -> None:
        """Declare the topics to be those of the statistics as they are now. For `pyunlearn.io`."""
        self._learned_version = self.statistics_.version
        self.statistics_.forget_changes()

    def fold_in(self, documents: Documents) -> F64:
        """Topic proportions of checked documents, as heads and indexes use them."""
        return fold_in(self._learned(), documents, self.n_jobs)

    # ---- inside ---------------------------------------------------------------------------

    @exclusive
    def __getstate__(self) -> dict[str, Any]:
        """What pickle, joblib and copy keep; of the versions only whether the topics wait."""
        state = canonical(vars(self))
        state.pop("_secret", None)
        if "_learned_version" in state and "statistics_" in state:
            state["_learned_version"] = -1 if self.is_stale() else 0
        if "statistics_" in state:
            # Another thread may change them before the pickle comes to them.
            state["statistics_"] = self.statistics_.frozen()
        return state

    @exclusive
    def __copy__(self) -> Self:
        """A model over the same statistics and topics."""
        return self._twin()

    def _stands_on(self) -> Exclusive | None:
        statistics: CooccurrenceStatistics | None = vars(self).get("statistics_")
        return statistics

    def _settle(self) -> None:
        """Take back a change of the statistics that no topics followed."""
        if self._undo is not None:
            self.statistics_.take_back(self._undo)
            self._replace("_undo")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _settings(self) -> Settings:
        check.check_n_jobs(self.n_jobs)
        names = self._settings_type.names()
        return self._settings_type.checked(**{name: getattr(self, name) for name in names})

    def _checked(self, X: Any) -> Documents:
        return validated_documents(self, X, reset=False, vocabulary=self.vocabulary)

    @exclusive
    def _ready(self, X: Any) -> tuple[Topics, Documents]:
        """The topics, and checked documents to use them with."""
        topics = self._fitted()
        documents = self._checked(X)
        if topics.n_topics == 0:
            raise NotFittedError("the model has no topics left: fit it on documents first")
        return topics, documents

    def _names(self, vocabulary: Any) -> Any:
        if isinstance(vocabulary, Integral):
            raise InvalidParameterError(
                "vocabulary must be the words by column; the number of words a topic is n_words="
            )
        names = names_of_columns(vocabulary, self.n_features_in_)
        names = known_names(self) if names is None else names
        return range(self.n_features_in_) if names is None else names

    def _transform_parameters(self) -> dict[str, Any]:
        """Parameters of `transform` after validation, without the prefix of their names."""
        return {
            "method": check.check_choice("transform_method", self.transform_method, TRANSFORMS),
            "tol": check.check_positive("transform_tol", self.transform_tol),
            "max_iter": check.check_integer(
                "transform_max_iter", self.transform_max_iter, 1, 2**31 - 2
            ),
        }

    def _fitted(self) -> Topics:
        """The topics, for a method: NotFittedError before the first documents."""
        check_is_fitted(self, ("statistics_", "topics_"), all_or_any=any)
        return self._learned()

    @exclusive
    def _learned(self) -> Topics:
        # An AttributeError, so that hasattr() says False before fit.
        if "topics_" not in self.__dict__ and "statistics_" not in self.__dict__:
            raise AttributeError("the model is not fitted")
        self.refuse_stale()
        return self.topics_

    def _first_documents(self, X: Any, lengths: Any, settings: Settings, refresh: str) -> None:
        documents, columns = first_documents(self, X, self.vocabulary)
        statistics = self.new_statistics(documents.n_words).keep_all_columns()
        statistics.add(documents, lengths)
        topics = learn(statistics, settings, self.n_jobs) if refresh == "now" else None
        self._take(statistics, Learned(topics), COLUMNS, columns)

    def _more_documents(self, X: Any, lengths: Any, settings: Settings, refresh: str) -> None:
        documents = self._checked(X)
        self._refuse_other_parameters(settings)
        if refresh == "now" and self._waiting:
            raise StaleModelError(
                "deletions wait for refresh(), which certifies them; call it first, or add these "
                "documents with refresh='later'"
            )
        change = self.statistics_.addition(documents, lengths)
        if refresh == "now":
            self._change(change, self._exact)
        else:
            self._replace("_secret")
            self.statistics_.make(change)

    def _change(
        self, change: Change, learned: Callable[[], Learned], gone: tuple[str, ...] = ()
    ) -> Learned:
        """Change the statistics and take over what is learned of them; all of it, or nothing."""
        try:
            self._undo = change
            self.statistics_.make(change)
            result = learned()
            self._take(self.statistics_, result, gone)
        except BaseException:
            self._settle()
            raise
        return result

    def _check_mode(self, mode: str, refresh: str) -> None:
        if mode == "newton" and mode not in self._modes:
            raise InvalidParameterError(
                f"mode='newton' is of AnchorTopicModel, this is a {type(self).__name__}; use "
                "mode='exact'"
            )
        check.check_choice("mode", mode, self._modes)
        check.check_choice("refresh", refresh, REFRESHES)
        if mode == "newton" and (refresh == "later" or self.is_stale()):
            raise InvalidParameterError(
                "mode='newton' steps from topics that are up to date; use refresh='now', and call "
                "refresh() first if documents were deleted with refresh='later'"
            )

    def _state_digest(self) -> str:
        """The digest of the model, or of the statistics alone while the topics wait."""
        return self.statistics_.digest() if self.is_stale() else self.digest()

    def _exact(self) -> Learned:
        if "topics_" not in self.__dict__:
            return Learned(learn(self.statistics_, self._settings(), self.n_jobs))
        touched = self.statistics_.changed_since(self._learned_version)
        topics, _ = update(self.topics_, self.statistics_, touched, self.n_jobs)
        return Learned(topics)

    def _newton(self, removed: int) -> Learned:
        """mode="newton", for learners that have it."""
        raise NotImplementedError

    def _later(self, removed: int) -> Learned:
        """No topics: those of before go at once."""
        claim = {"comparator": STATISTICS_COMPARATOR, "covers": STATISTICS_COVER}
        return Learned(None, claim, {"_waiting": self._waiting + removed})

    def _saved(self) -> dict[str, Any]:
        """Further entries of the header of a saved model."""
        return {}

    def _take(
        self,
        statistics: CooccurrenceStatistics,
        learned: Learned,
        gone: tuple[str, ...] = (),
        columns: Mapping[str, Any] | None = None,
    ) -> None:
        """Take over what was learned, in one step, which confirms a change of the statistics."""
        changed = {"statistics_": statistics, **(columns or {}), **learned.attributes}
        if learned.topics is not None:
            changed |= {"topics_": learned.topics, "_learned_version": statistics.version}
        ended = ("topics_", "_learned_version", "_waiting", "_undo", "_secret")
        self._replace(*ended, *gone, **changed)
        statistics.forget_changes()

    def _certificate(self, removed: int, learned: Learned) -> Certificate:
        described = {"mode": "exact", "epsilon": 0.0, "delta": 0.0, **learned.claim}
        commitment, self._secret = new_commitment(self._state_digest())
        return Certificate(
            n_documents_removed=removed,
            n_documents_left=self.statistics_.n_documents,
            commitment=commitment,
            parameters=parameters_of(self._settings(), self.statistics_),
            **described,
        )

    def _warn(self) -> None:
        """Warnings of a request that has been done, at the line of its caller."""
        Model(self.topics_, self.statistics_).warn(stacklevel=4)

    def _refuse_other_parameters(self, settings: Settings) -> None:
        """Raise when parameters were set after fit that are not those of what was learned."""
        known_names(self)
        if "topics_" in self.__dict__ and not settings.same_topics_as(self.topics_.settings):
            raise InvalidParameterError(
                "parameters were changed after fit; call fit_statistics(model.statistics_) to "
                "learn with the new ones first"
            )
        self._refuse_other_statistics(self.statistics_)

    def _refuse_other_statistics(self, statistics: CooccurrenceStatistics) -> None:
        for name in ("scale_bits", "weighting", "contexts"):
            if getattr(self, name) not in (getattr(statistics, name), None):
                raise InvalidParameterError(
                    f"the statistics have {name}={getattr(statistics, name)!r}, the model "
                    f"{name}={getattr(self, name)!r}; give both the same"
                )


def _real_array(name: str, values: Any) -> F64:
    """An array of real numbers; InvalidInputError for complex ones, text, sparse matrices."""
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "biufO":
            raise TypeError
        return np.asarray(given, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(f"{name} must be a dense array of real numbers") from None
