"""The columns of an estimator: taken from the first documents, and asked of all later ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from pyunlearn._documents import Documents, check_documents
from pyunlearn._matrices import as_csr
from pyunlearn.errors import InvalidInputError, InvalidParameterError

# The attributes that say which columns an estimator has.
COLUMNS = ("n_features_in_", "feature_names_in_")


def first_documents(
    estimator: Any, X: Any, vocabulary: Sequence[str] | None = None
) -> tuple[Documents, dict[str, Any]]:
    """Checked documents, and the COLUMNS of an estimator that takes them over. It is unchanged."""
    twin = estimator._twin()
    documents = validated_documents(twin, X, reset=True, vocabulary=vocabulary)
    return documents, {name: vars(twin)[name] for name in COLUMNS if name in vars(twin)}


def validated_documents(
    estimator: Any, X: Any, *, reset: bool, vocabulary: Sequence[str] | None = None
) -> Documents:
    """Counts after scikit-learn's checks of names and columns, and ours of the values.

    `reset`: whether the estimator takes its columns from X, or X must have those of before. A
    `vocabulary` names the columns of counts that have no names.
    """
    if sp.issparse(X) or not hasattr(X, "columns"):
        X = as_csr(X)
    with _no_names_expected(vocabulary is not None and sp.issparse(X)):
        try:
            counts = validate_data(
                estimator,
                X,
                reset=reset,
                accept_sparse="csr",
                dtype=None,
                ensure_all_finite=False,
                accept_large_sparse=True,
            )
        except (TypeError, ValueError) as error:
            # What follows a bracket is the array itself.
            raise InvalidInputError(str(error).partition("\n[")[0]) from None
    documents = check_documents(counts)
    if reset:
        names = names_of_columns(vocabulary, documents.n_words)
        if names is not None:
            _refuse_other_names(getattr(estimator, "feature_names_in_", names), names)
            estimator.feature_names_in_ = names
    return documents


def names_of_columns(vocabulary: Any, n_words: int) -> NDArray[Any] | None:
    """A vocabulary as an array of strings, (n,); None without one.

    Raises
    ------
    InvalidParameterError
        Not a sequence of n different words. What has no order of its own (a set, the keys of a
        dictionary) or can be read once only (a generator) is no sequence.
    """
    if vocabulary is None:
        return None
    in_order = isinstance(vocabulary, Sequence) or hasattr(vocabulary, "__array__")
    if isinstance(vocabulary, str | bytes | bytearray | memoryview) or not in_order:
        raise InvalidParameterError(
            "vocabulary must be the words in the order of the columns, as a list or an array such "
            f"as vectorizer.get_feature_names_out(), got {type(vocabulary).__name__}"
        )
    words = list(vocabulary) if isinstance(vocabulary, Sequence) else _listed(vocabulary)
    if not all(isinstance(word, str) for word in words):
        raise InvalidParameterError("vocabulary must hold strings only")
    if len(words) != n_words:
        raise InvalidParameterError(
            f"vocabulary has {len(words)} words, but there are {n_words} columns"
        )
    if len(set(words)) < n_words:
        raise InvalidParameterError("vocabulary has a word twice")
    return np.array([str(word) for word in words], dtype=object)


def _listed(array: Any) -> list[Any]:
    """The entries of an array, a series or an index; rows of one that is not a plain sequence."""
    return list(np.atleast_1d(np.asarray(array, dtype=object)))


def known_names(estimator: Any) -> NDArray[Any] | None:
    """The words of a fitted estimator by column, (n,), or None.

    A `vocabulary` that was set after fit names columns that had no names.

    Raises
    ------
    InvalidParameterError
        It is no vocabulary of these columns, or differs from the names of fit.
    """
    known: NDArray[Any] | None = getattr(estimator, "feature_names_in_", None)
    names = names_of_columns(estimator.vocabulary, estimator.n_features_in_)
    if names is None or known is None:
        return names if known is None else known
    if not np.array_equal(names, known):
        raise InvalidParameterError(
            "vocabulary was changed after fit and is not that of the columns; set it back, or fit "
            "again"
        )
    return known


def _refuse_other_names(of_columns: NDArray[Any], vocabulary: NDArray[Any]) -> None:
    if not np.array_equal(of_columns, vocabulary):
        raise InvalidInputError("the columns of X have other names than `vocabulary`")


@contextmanager
def _no_names_expected(vocabulary_given: bool) -> Iterator[None]:
    """Counts without names are what a model with a vocabulary is given: no warning."""
    if not vocabulary_given:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        yield


def refuse_other_columns(
    estimator: Any, base: Any, columns: Mapping[str, Any] | None = None
) -> None:
    """Raise unless an estimator has, or is to have, the COLUMNS that its base has."""
    columns = vars(estimator) if columns is None else columns
    if columns["n_features_in_"] != base.n_features_in_:
        raise InvalidInputError(
            f"X has {columns['n_features_in_']} columns, the base {base.n_features_in_}; fit "
            f"{type(estimator).__name__} to documents with the columns of the base"
        )
    ours, theirs = columns.get("feature_names_in_"), getattr(base, "feature_names_in_", None)
    if ours is not None and theirs is not None and not np.array_equal(ours, theirs):
        raise InvalidInputError(
            "the columns of X have other names, or another order, than those of the base; fit "
            f"{type(estimator).__name__} to documents with the columns of the base"
        )
