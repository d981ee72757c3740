"""`TopicRetriever`: documents by topics shared with a query, and deletion from the index."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from pyunlearn import _params as check
from pyunlearn._columns import refuse_other_columns, validated_documents, vocabulary_kept_on_error
from pyunlearn._digest import content_digest
from pyunlearn._documents import Documents
from pyunlearn._similarity import SIMILARITIES, similarities, top_of_rows
from pyunlearn.errors import (
    DuplicateDocumentError,
    InvalidInputError,
    InvalidParameterError,
    StaleHeadError,
    StaleHeadWarning,
    UnknownDocumentError,
)
from pyunlearn.heads.base import OnBase, as_it_is
from pyunlearn.heads.head import LinearHead
from pyunlearn.heads.prediction import ON_STALE
from pyunlearn.heads.targets import narrowed
from pyunlearn.model import AnchorTopicModel

__all__ = ["TopicRetriever"]

FORMAT = "pyunlearn-index-1"

F64 = NDArray[np.float64]
Found = tuple[NDArray[Any], F64]


class TopicRetriever(OnBase, BaseEstimator):
    """An index of documents by their topic proportions.

    The index is a function of the base and of the documents with their ids: whatever was added and
    deleted before, its `digest` is that of an index built once of what remains.

    Parameters
    ----------
    model : AnchorTopicModel
        The base, fitted; shared with clones of the index.
    similarity : {"cosine", "jensen-shannon"}, default="cosine"
        Of topic proportions: their cosine, or 1 minus the Jensen-Shannon divergence in bits.
    on_stale : {"raise", "warn"}, default="raise"
        What happens when the index is used although its base has changed.

    Attributes
    ----------
    ids_ : ndarray
        Ids of the documents, ascending.
    proportions_ : ndarray of float64, shape (m, n_topics)
        Topic proportions of the documents, in the order of `ids_`.
    n_features_in_ : int
        Size of the vocabulary.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import AnchorTopicModel, TopicRetriever
    >>> X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    >>> index = TopicRetriever(AnchorTopicModel(n_topics=3).fit(X)).fit(X)
    >>> ids, scores = index.query(X[:2], 3)
    >>> ids.shape, bool(scores[0, 0] > 0.999)
    ((2, 3), True)
    """

    ids_: NDArray[Any]
    proportions_: F64
    _documents: Documents

    def __init__(
        self, model: AnchorTopicModel, *, similarity: str = "cosine", on_stale: str = "raise"
    ) -> None:
        self.model = model
        self.similarity = similarity
        self.on_stale = on_stale

    # ---- what the index holds -------------------------------------------------------------

    def fit(self, X: Any, y: None = None, ids: Iterable[Any] | None = None) -> Self:
        """Index documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts, with the columns of the base.
        y : None
            Ignored.
        ids : iterable of str or of int, length m, optional
            Their ids, each once; default 0, 1, 2, ...

        Raises
        ------
        InvalidInputError
            Bad counts, other columns than the base, or ids that do not fit.
        DuplicateDocumentError
            An id for the second time.
        NotFittedError
            The base is not fitted. Nothing has been changed, after any of these errors.
        """
        self._check_parameters()
        check_is_fitted(self.model, "parameters_")
        with vocabulary_kept_on_error(self):
            documents = validated_documents(self, X, reset=True)
            refuse_other_columns(self, self.model)
            names = _checked_ids(range(documents.n_documents) if ids is None else ids, documents)
            order = np.argsort(names)
            proportions = _proportions(self.model, documents)
        self.model_ = self.model
        self._take(names[order], documents.chosen(order), proportions[order])
        return self

    def add(self, X: Any, ids: Iterable[Any]) -> Self:
        """Add documents; arguments and errors as for `fit`, and ids that are in the index."""
        self._refuse_stale()
        documents = validated_documents(self, X, reset=False)
        names = _checked_ids(ids, documents, self.ids_)
        together = np.concatenate([self.ids_, names]) if len(self.ids_) else names
        if len(np.unique(together)) < len(together):
            twice = np.intersect1d(names, self.ids_)[0]
            raise DuplicateDocumentError(f"id {twice!r} is in the index already; forget it first")
        order = np.argsort(together)
        proportions = np.vstack([self.proportions_, _proportions(self.model_, documents)])
        self._take(
            together[order],
            self._documents.followed_by(documents).chosen(order),
            proportions[order],
        )
        return self

    def forget(self, ids: Iterable[Any]) -> Self:
        """Remove documents: afterwards the index is the one that never held them.

        Raises
        ------
        UnknownDocumentError
            Ids that the index does not hold.
        DuplicateDocumentError
            An id for the second time. Nothing has been changed, after either.
        """
        check_is_fitted(self, "ids_")
        rows = self._rows_of(ids)
        left = np.setdiff1d(np.arange(len(self.ids_)), rows)
        self._take(
            self.ids_[left], self._documents.chosen(left), self.proportions_[left], fresh=False
        )
        return self

    def unlearn(self) -> Self:
        """Bring the index up to date after its base has changed."""
        check_is_fitted(self, "ids_")
        refuse_other_columns(self, self.model_)
        self._take(self.ids_, self._documents, _proportions(self.model_, self._documents))
        return self

    def digest(self) -> str:
        """SHA-256 of base, ids, counts and proportions, hexadecimal."""
        check_is_fitted(self, "ids_")
        header = {"format": FORMAT, "base": self.base_digest_, "ids": self.ids_.tolist()}
        arrays: dict[str, NDArray[Any]] = {
            "start": self._documents.start,
            "columns": self._documents.columns,
            "counts": self._documents.counts,
            "proportions": self.proportions_,
        }
        return content_digest(header, arrays)

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
        ids, scores : ndarray, shape (q, n)
            Best first; of equal ones the lowest id first.

        Raises
        ------
        InvalidInputError
            Bad counts, or other columns than the base.
        StaleHeadError
            The base has changed, and on_stale="raise".
        """
        n = self._ready(n)
        documents = validated_documents(self, X, reset=False)
        return self._nearest(_proportions(self._base_then, documents), n)

    def similar(self, ids: Iterable[Any], n: int = 10) -> Found:
        """The documents most like documents of the index, which are not among their own results.

        Returns and errors as for `query`; UnknownDocumentError for ids that the index does not
        hold.
        """
        n = self._ready(n)
        rows = self._rows_of(ids)
        scores = similarities(self.similarity, self.proportions_[rows], self.proportions_)
        scores[np.arange(len(rows)), rows] = -np.inf
        return self._named(scores, min(n, max(len(self.ids_) - 1, 0)))

    def rank(self, head: LinearHead, label: Any = None, n: int = 10) -> Found:
        """The documents that a head finds most relevant.

        Parameters
        ----------
        head : LinearHead
            On the same base, up to date.
        label : optional
            The class that is relevant; default the last of two, or the number of a regression with
            one output.
        n : int, default=10
            Documents.

        Returns
        -------
        ids, scores : ndarray, shape (n,)
            Best first.

        Raises
        ------
        InvalidParameterError
            A head on another base, or no such label.
        StaleHeadError
            Head or index are stale.
        """
        n = self._ready(n)
        check_is_fitted(head, "task_")
        if head.model_ is not self.model_:
            raise InvalidParameterError("the head stands on another base than the index")
        if not head.is_fresh():
            raise StaleHeadError("the base of the head has changed; call head.unlearn() first")
        if head.settings_.features == "proportions":
            scores = self.proportions_ @ head.coef_.T + head.intercept_
        else:
            scores = head.raw_scores(self._documents)
        ids, best = self._named(_relevance(head, scores, label)[None, :], n)
        return ids[0], best[0]

    # ---- inside ---------------------------------------------------------------------------

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
        if not isinstance(self.model, AnchorTopicModel):
            raise InvalidParameterError(
                f"model must be an AnchorTopicModel, got {type(self.model).__name__}"
            )

    def _take(
        self,
        ids: NDArray[Any],
        documents: Documents,
        proportions: F64,
        fresh: bool = True,
    ) -> None:
        self.ids_ = narrowed(ids)
        self._documents = documents
        self.proportions_ = np.ascontiguousarray(proportions)
        if fresh:
            self._base_then = as_it_is(self.model_)
            self.base_digest_ = self.model_.digest()

    def _refuse_stale(self) -> None:
        if not self.is_fresh():
            raise StaleHeadError(_STALE)

    def _ready(self, n: int) -> int:
        self._check_parameters()
        check_is_fitted(self, "ids_")
        if not self.is_fresh():
            if self.on_stale == "raise":
                raise StaleHeadError(_STALE)
            warnings.warn(_STALE, StaleHeadWarning, stacklevel=3)
        if not len(self.ids_):
            raise NotFittedError("no documents are left in the index; call fit or add")
        return min(check.check_integer("n", n, 1), len(self.ids_))

    def _rows_of(self, ids: Iterable[Any]) -> NDArray[np.intp]:
        wanted = _id_array([ids] if isinstance(ids, str | int | np.integer) else ids)
        if len(np.unique(wanted)) < len(wanted):
            raise DuplicateDocumentError("an id stands in the request twice")
        if not len(wanted):
            raise InvalidInputError("there are no ids in the request")
        if len(self.ids_) and wanted.dtype.kind == self.ids_.dtype.kind:
            rows = np.minimum(np.searchsorted(self.ids_, wanted), len(self.ids_) - 1)
            unknown = wanted[self.ids_[rows] != wanted]
        else:
            rows, unknown = np.zeros(0, np.intp), wanted
        if len(unknown):
            raise UnknownDocumentError(
                f"not in the index: {unknown[0].item()!r} ({len(unknown)} of {len(wanted)} ids)"
            )
        return rows

    def _nearest(self, proportions: F64, n: int) -> Found:
        return self._named(similarities(self.similarity, proportions, self.proportions_), n)

    def _named(self, scores: F64, n: int) -> Found:
        rows, best = top_of_rows(scores, n)
        return self.ids_[rows], best


_STALE = (
    "the base of this index has changed since the index was built; call unlearn() on the index to "
    "bring it up to date"
)


def _proportions(model: AnchorTopicModel, documents: Documents) -> F64:
    if not documents.n_documents or not model.n_topics_:
        return np.zeros((documents.n_documents, model.n_topics_))
    return model.fold_in(documents)


def _relevance(head: LinearHead, scores: F64, label: Any) -> F64:
    if head.settings_.task == "regression":
        if label is not None or scores.shape[1] != 1:
            raise InvalidParameterError("a regression ranks by its only output, without a label")
        return scores[:, 0]
    classes = head.classes_.tolist()
    if label is None and len(classes) == 2:
        label = classes[1]
    if label not in classes:
        raise InvalidParameterError(f"label must be a class of the head, got {label!r}")
    if scores.shape[1] == 1 and len(classes) == 2:
        return scores[:, 0] if label == classes[1] else -scores[:, 0]
    return scores[:, classes.index(label)]


def _id_array(ids: Iterable[Any]) -> NDArray[Any]:
    try:
        listed = list(ids)
    except TypeError:
        raise InvalidInputError(f"ids must be a list of ids, got {type(ids).__name__}") from None
    kinds = {
        str
        if isinstance(one, str)
        else int
        if isinstance(one, int | np.integer) and not isinstance(one, bool)
        else None
        for one in listed
    }
    if len(kinds) > 1 or None in kinds:
        raise InvalidInputError("ids must be all strings or all integers")
    try:
        return np.array(listed) if kinds == {str} else np.array(listed, np.int64)
    except OverflowError:
        raise InvalidInputError("an id is larger than int64 can hold; use strings") from None


def _checked_ids(
    ids: Iterable[Any], documents: Documents, like: NDArray[Any] | None = None
) -> NDArray[Any]:
    names = _id_array(ids)
    if len(names) != documents.n_documents:
        raise InvalidInputError(f"{len(names)} ids for {documents.n_documents} documents")
    if like is not None and len(like) and like.dtype.kind != names.dtype.kind:
        raise InvalidInputError("ids must be all strings or all integers, as those in the index")
    found, counts = np.unique(names, return_counts=True)
    if len(found) < len(names):
        twice = found[np.argmax(counts > 1)].item()
        raise DuplicateDocumentError(f"id {twice!r} stands in the request twice")
    return names
