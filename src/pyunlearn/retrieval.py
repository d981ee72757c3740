"""`TopicRetriever`: documents by topics shared with a query, and deletion from the index."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._canonical import canonical
from pyunlearn._columns import (
    COLUMNS,
    first_documents,
    refuse_other_columns,
    validated_documents,
)
from pyunlearn._digest import INDEX_FORMAT, content_digest
from pyunlearn._documents import Documents
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._exclusive import Exclusive, exclusive
from pyunlearn._ids import ids_for, rows_of
from pyunlearn._similarity import SIMILARITIES, similarities, top_of_rows
from pyunlearn.errors import DuplicateDocumentError, InvalidParameterError
from pyunlearn.heads._base_model import ON_STALE, BaseInUse, check_base, is_learned
from pyunlearn.heads._features import topic_proportions
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.heads._targets import narrowed

__all__ = ["TopicRetriever"]


F64 = NDArray[np.float64]
Found = tuple[NDArray[Any], F64]


class TopicRetriever(Exclusive, BaseEstimator):
    """An index of documents by their topic proportions.

    The index is a function of the base and of the documents with their ids: whatever was added and
    deleted before, its `digest` is that of an index built once of what remains.

    Parameters
    ----------
    model : TopicModel or AnchorTopicModel
        The base, fitted; shared with clones of the index.
    similarity : {"cosine", "jensen-shannon"}, default="cosine"
        Of topic proportions: their cosine, or 1 minus the Jensen-Shannon divergence in bits.
    on_stale : {"raise", "warn"}, default="raise"
        What happens when the index is used although its base has changed. "warn": queries are
        compared by the topics of before.

    Attributes
    ----------
    model_ : TopicModel or AnchorTopicModel
        The base in use.
    ids_ : ndarray of str or int64, shape (m,)
        Ids of the documents, ascending.
    proportions_ : ndarray of float64, shape (m, n_topics)
        Topic proportions of the documents, in the order of `ids_`.
    n_features_in_ : int
        Size of the vocabulary.

    Notes
    -----
    `similarity` and `on_stale` are not learned: `set_params` applies at once. A `model` that is set
    to another base is taken over by `fit`; until then questions and `forget` go on with the base of
    before, and `add` and `refresh` raise InvalidParameterError.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import TopicModel, TopicRetriever
    >>> X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    >>> index = TopicRetriever(TopicModel(n_topics=3).fit(X)).fit(X)
    >>> ids, scores = index.query(X[:2], 3)
    >>> ids.shape, bool(scores[0, 0] > 0.999)
    ((2, 3), True)
    """

    n_features_in_: int
    ids_: NDArray[Any]
    proportions_: F64
    _documents: Documents
    _base: BaseInUse

    def __init__(
        self, model: BaseTopicModel, *, similarity: str = "cosine", on_stale: str = "raise"
    ) -> None:
        self.model = model
        self.similarity = similarity
        self.on_stale = on_stale

    # ---- what the index holds -------------------------------------------------------------

    @exclusive
    def fit(self, X: Any, ids: Iterable[Any] | None = None) -> Self:
        """Index documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts, with the columns of the base.
        ids : iterable of str or of int, length m, optional
            Their ids, each once; default 0, 1, 2, ...

        Returns
        -------
        self
            The index.

        Raises
        ------
        InvalidInputError
            Bad counts, other columns than the base, or ids that do not fit.
        DuplicateDocumentError
            An id for the second time.
        InvalidParameterError
            A parameter outside its range.
        NotFittedError, StaleModelError
            The base is not fitted, or waits for its `refresh`. Nothing has been changed, after any
            of these errors.
        """
        self._check_parameters()
        if not is_learned(self.model):
            raise NotFittedError("the base is not fitted; an index needs topics to compare by")
        documents, columns = first_documents(self, X)
        refuse_other_columns(self, self.model, columns)
        m = documents.n_documents
        names = ids_for(range(m) if ids is None else ids, m)
        order = np.argsort(names)
        base = BaseInUse(self.model, self.model.digest())
        proportions = topic_proportions(self.model, documents)
        content = self._content(names[order], documents.chosen(order), proportions[order])
        self._replace(*COLUMNS, _base=base, **columns, **content)
        return self

    @exclusive
    def add(self, X: Any, ids: Iterable[Any]) -> Self:
        """Add documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (k, n_words)
            Integer word counts.
        ids : iterable of str or of int, length k
            Their ids, of the kind that the index has.

        Returns
        -------
        self
            The index.

        Raises
        ------
        InvalidInputError
            As for `fit`.
        DuplicateDocumentError
            An id that the index holds already, or that stands in the request twice.
        StaleHeadError
            The base has changed.
        InvalidParameterError
            As for `fit`, or `model` was set to another base. Nothing has been changed, after any
            of these errors.
        """
        self._refuse_other_base()
        self._base.refuse_stale("index")
        documents = validated_documents(self, X, reset=False)
        names = ids_for(ids, documents.n_documents, self.ids_)
        twice: NDArray[Any] = np.intersect1d(names, self.ids_) if len(self.ids_) else names[:0]
        if len(twice):
            raise DuplicateDocumentError(
                f"id {twice[0].item()!r} is in the index already; forget it first"
            )
        together = np.concatenate([self.ids_, names]) if len(self.ids_) else names
        order = np.argsort(together)
        proportions = np.vstack([self.proportions_, topic_proportions(self.model_, documents)])
        both = self._documents.followed_by(documents).chosen(order)
        self._replace(**self._content(together[order], both, proportions[order]))
        return self

    @exclusive
    def forget(self, ids: Iterable[Any]) -> Self:
        """Remove documents: afterwards the index is the one that never held them.

        Parameters
        ----------
        ids : iterable of str or of int
            Ids of the documents; one id alone will do.

        Returns
        -------
        self
            The index.

        Raises
        ------
        UnknownDocumentError
            Ids that the index does not hold.
        DuplicateDocumentError
            An id for the second time.
        InvalidInputError
            No ids, or ids of several kinds. Nothing has been changed, after any of these errors.
        """
        check_is_fitted(self, "ids_")
        left = np.setdiff1d(np.arange(len(self.ids_)), rows_of(ids, self.ids_))
        content = self.ids_[left], self._documents.chosen(left), self.proportions_[left]
        self._replace(**self._content(*content))
        return self

    @exclusive
    def refresh(self) -> Self:
        """Bring the index up to date after its base has changed.

        Returns
        -------
        self
            The index.

        Raises
        ------
        InvalidInputError
            The base was fitted to other columns: fit the index again.
        StaleModelError
            The base waits for its own `refresh`.
        InvalidParameterError
            As for `add`. Nothing has been changed, after any of these errors.
        """
        self._refuse_other_base()
        refuse_other_columns(self, self.model_)
        base = BaseInUse(self.model_, self.model_.digest())
        proportions = topic_proportions(self.model_, self._documents)
        self._replace(_base=base, proportions_=proportions)
        return self

    @exclusive
    def digest(self) -> str:
        """SHA-256 of base, ids, counts and proportions, hexadecimal.

        Returns
        -------
        str
            64 hexadecimal digits.

        Raises
        ------
        NotFittedError
            Nothing was indexed.
        """
        check_is_fitted(self, "ids_")
        header = {"format": INDEX_FORMAT, "base": self._base.digest, "ids": self.ids_.tolist()}
        arrays: dict[str, NDArray[Any]] = {
            "start": self._documents.start,
            "columns": self._documents.columns,
            "counts": self._documents.counts,
            "proportions": self.proportions_,
        }
        return content_digest(header, arrays)

    @exclusive
    def is_fresh(self) -> bool:
        """Whether the base is, byte for byte, the one that the index was brought up to date with.

        Returns
        -------
        bool
            False after the base has changed, until `refresh`.

        Raises
        ------
        NotFittedError
            Nothing was indexed.
        """
        check_is_fitted(self, "ids_")
        return self._base.is_fresh()

    @property
    def model_(self) -> BaseTopicModel:
        """The base in use."""
        if "_base" not in vars(self):
            raise AttributeError("the index is not fitted")
        return self._base.model

    # ---- questions ------------------------------------------------------------------------

    def query(self, X: Any, n: int = 10) -> Found:
        """The documents whose topics are most like those of each query.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (q, n_words)
            Word counts of the queries. One without words of the base has the topic proportions of
            the corpus.
        n : int, default=10
            Documents a query; fewer when the index holds fewer.

        Returns
        -------
        ids : ndarray of str or int64, shape (q, n)
            Best first; of equal ones the lowest id first.
        scores : ndarray of float64, shape (q, n)
            Their similarities.

        Raises
        ------
        InvalidInputError
            Bad counts, or other columns than the base.
        InvalidParameterError
            n, or a parameter outside its range.
        StaleHeadError
            The base has changed, and on_stale="raise".
        NotFittedError
            Nothing was indexed, or no document is left.
        """
        index, n = self._ready(n)
        documents = validated_documents(index, X, reset=False)
        proportions = topic_proportions(index._base.then, documents)
        return index._named(similarities(index.similarity, proportions, index.proportions_), n)

    def similar(self, ids: Iterable[Any], n: int = 10) -> Found:
        """The documents most like documents of the index, which are not among their own results.

        Parameters
        ----------
        ids : iterable of str or of int, length q
            Ids of documents of the index; one id alone will do.
        n : int, default=10
            Documents for each; fewer when the index holds fewer others.

        Returns
        -------
        ids : ndarray of str or int64, shape (q, n)
            Best first; of equal ones the lowest id first.
        scores : ndarray of float64, shape (q, n)
            Their similarities.

        Raises
        ------
        UnknownDocumentError
            Ids that the index does not hold.
        DuplicateDocumentError
            An id for the second time.
        InvalidInputError, InvalidParameterError, StaleHeadError, NotFittedError
            As for `query`.
        """
        index, n = self._ready(n)
        rows = rows_of(ids, index.ids_)
        scores = similarities(index.similarity, index.proportions_[rows], index.proportions_)
        scores[np.arange(len(rows)), rows] = -np.inf
        return index._named(scores, min(n, max(len(index.ids_) - 1, 0)))

    def rank(self, head: LinearHead, label: Any = None, n: int = 10) -> Found:
        """The documents that a head finds most relevant.

        Parameters
        ----------
        head : LinearHeadClassifier or LinearHeadRegressor
            On the same base, up to date.
        label : str, int, bool or float, optional
            The class that is relevant; default the last of two, or the number of a regression with
            one output.
        n : int, default=10
            Documents.

        Returns
        -------
        ids : ndarray of str or int64, shape (n,)
            Best first; of equal ones the lowest id first.
        scores : ndarray of float64, shape (n,)
            What the head gives them.

        Raises
        ------
        InvalidParameterError
            No head, a head on another base, or no such label.
        StaleHeadError
            Head or index are stale, also with on_stale="warn".
        NotFittedError
            Nothing was indexed, no document is left, or the head is not fitted.
        """
        # Scores of a head of now over topics of before would mean nothing.
        index, n = self._ready(n, on_stale="raise")
        if not isinstance(head, LinearHead):
            raise InvalidParameterError(
                f"head must be a LinearHeadClassifier or LinearHeadRegressor, got "
                f"{type(head).__name__}"
            )
        check_is_fitted(head, "weights_")
        if head.model_ is not index.model_:
            raise InvalidParameterError("the head stands on another base than the index")
        head.refuse_stale()
        head = copy.copy(head)
        scores = _relevance(head, head.raw_scores(index._documents, index.proportions_), label)
        ids, best = index._named(scores[None, :], n)
        return ids[0], best[0]

    # ---- inside ---------------------------------------------------------------------------

    @exclusive
    def __getstate__(self) -> dict[str, Any]:
        """What pickle, joblib and copy keep."""
        return canonical(vars(self))

    @exclusive
    def __copy__(self) -> Self:
        """An index of the same documents."""
        return self._twin()

    def _stands_on(self) -> Exclusive | None:
        model = self.model if "_base" not in vars(self) else self._base.model
        return model if isinstance(model, Exclusive) else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags

    def __sklearn_clone__(self) -> TopicRetriever:
        return type(self)(self.model, similarity=self.similarity, on_stale=self.on_stale)

    def _check_parameters(self) -> None:
        check.check_choice("similarity", self.similarity, SIMILARITIES)
        check.check_choice("on_stale", self.on_stale, ON_STALE)
        check_base(self.model)

    def _refuse_other_base(self) -> None:
        check_is_fitted(self, "ids_")
        self._check_parameters()
        if self.model is not self.model_:
            raise InvalidParameterError(
                "`model` was set to another base after fit, whose topics this index does not hold; "
                "call fit again"
            )

    def _content(self, ids: NDArray[Any], documents: Documents, proportions: F64) -> dict[str, Any]:
        return {
            "ids_": narrowed(ids),
            "_documents": documents,
            "proportions_": np.ascontiguousarray(proportions),
        }

    @exclusive
    def _ready(self, n: int, on_stale: str | None = None) -> tuple[Self, int]:
        """The index as it is now, ready to be asked, and the number of documents to find."""
        check_is_fitted(self, "ids_")
        self._check_parameters()
        n = check.check_integer("n", n, 1)
        self._base.refuse_or_warn("index", on_stale or self.on_stale, stacklevel=4)
        if not len(self.ids_):
            raise NotFittedError("no documents are left in the index; call fit or add")
        return self._twin(), min(n, len(self.ids_))

    def _named(self, scores: F64, n: int) -> Found:
        rows, best = top_of_rows(scores, n)
        return self.ids_[rows], best


def _relevance(head: LinearHead, scores: F64, label: Any) -> F64:
    """Scores (m,) of one class, or of the only output of a regression."""
    if head.settings_.task == "regression":
        if label is not None or scores.shape[1] != 1:
            raise InvalidParameterError("a regression ranks by its only output, without a label")
        return scores[:, 0]
    classes = head.classes_.tolist()
    if label is None and len(classes) == 2:
        label = classes[1]
    if not isinstance(label, str | bool | int | float | np.generic) or label not in classes:
        raise InvalidParameterError(f"label must be a class of the head, got {label!r}")
    if scores.shape[1] == 1 and len(classes) == 2:
        return scores[:, 0] if label == classes[1] else -scores[:, 0]
    return scores[:, classes.index(label)]
