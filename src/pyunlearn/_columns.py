"""The columns of an estimator: taken from the first documents, and asked of all later ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import validate_data

from pyunlearn._documents import Documents, check_documents
from pyunlearn._matrices import as_csr
from pyunlearn.errors import InvalidInputError


def validated_documents(estimator: Any, X: Any, *, reset: bool) -> Documents:
    """Counts after scikit-learn's checks of names and columns, and ours of the values.

    `reset`: whether the estimator takes its columns from X, or X must have those of before.
    """
    if sp.issparse(X) or not hasattr(X, "columns"):
        X = as_csr(X)
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
    except ValueError as error:
        # What follows a bracket is the array itself.
        raise InvalidInputError(str(error).partition("\n[")[0]) from None
    return check_documents(counts)


def refuse_other_columns(estimator: Any, base: Any) -> None:
    """Raise unless an estimator was fitted to the columns that its base has."""
    if estimator.n_features_in_ != base.n_features_in_:
        raise InvalidInputError(
            f"X has {estimator.n_features_in_} columns, the base {base.n_features_in_}; fit "
            f"{type(estimator).__name__} to documents with the columns of the base"
        )
    ours, theirs = (getattr(one, "feature_names_in_", None) for one in (estimator, base))
    if ours is not None and theirs is not None and not np.array_equal(ours, theirs):
        raise InvalidInputError(
            "the columns of X have other names, or another order, than those of the base; fit "
            f"{type(estimator).__name__} to documents with the columns of the base"
        )


@contextmanager
def vocabulary_kept_on_error(estimator: Any) -> Iterator[None]:
    """A refused fit leaves the estimator as it was, the names of its columns included."""
    names = ("n_features_in_", "feature_names_in_")
    before = {name: vars(estimator)[name] for name in names if name in vars(estimator)}
    try:
        yield
    except BaseException:
        for name in names:
            vars(estimator).pop(name, None)
        vars(estimator).update(before)
        raise
