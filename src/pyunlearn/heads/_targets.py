"""Targets of a task: labels of classes, or numbers; checked once, and in one canonical form."""

from __future__ import annotations

import json
import math
import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import column_or_1d

from pyunlearn.errors import InvalidInputError

__all__ = [
    "check_labels",
    "check_values",
    "check_weights",
    "classes_of",
    "label_bytes",
    "narrowed",
    "one_hot",
    "refuse_too_small",
]

# Targets are counted in units of 2^-32: 2^-16 keeps four digits of the largest.
SMALLEST_TARGET = 2.0**-16
KINDS = {"U": "strings", "i": "integers", "b": "booleans", "f": "numbers"}


def check_labels(y: Any, n_documents: int, like: NDArray[Any] | None = None) -> NDArray[Any]:
    """Labels (m,) of one kind: str, int64, bool or whole float64; `like` has the kind asked for.

    Raises
    ------
    InvalidInputError
        No labels, of another length or kind, missing values, or values that are no classes.
    """
    if y is None:
        raise InvalidInputError("a head requires y to be passed, but the target y is None")
    try:
        # An array first: column_or_1d turns integers of pandas into floats. Objects, so that NumPy
        # does not make strings of all the labels of a list because one of them is a string.
        plain = None if hasattr(y, "dtype") or hasattr(y, "__array__") else object
        labels = column_or_1d(np.asarray(y, dtype=plain), warn=True)
        if np.ma.is_masked(y):
            raise ValueError("Input y contains masked, that is missing, labels")
        if labels.dtype == object:
            labels = _from_objects(labels)
        labels = _canonical(labels)
    except OverflowError:
        raise InvalidInputError("a label is larger than int64 can hold; use strings") from None
    except (ValueError, TypeError) as error:
        raise InvalidInputError(str(error)) from None
    if len(labels) != n_documents:
        raise InvalidInputError(
            f"y has {len(labels)} labels, X {n_documents} documents: Found input variables with "
            "inconsistent numbers of samples"
        )
    if like is not None and len(like) and like.dtype.kind != labels.dtype.kind:
        raise InvalidInputError(
            f"the labels are {KINDS[labels.dtype.kind]}, those of the head {KINDS[like.dtype.kind]}"
        )
    return labels


def _from_objects(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels of one kind as an array of that kind."""
    listed = labels.tolist()
    if any(_is_missing(one) for one in listed):
        raise ValueError("Input y contains NaN, None or another missing label")
    kinds = {_kind(one) for one in listed}
    if len(kinds) > 1 or None in kinds:
        names = sorted({type(one).__name__ for one in listed})
        raise ValueError(
            f"labels must be all strings, all integers or all booleans, got {', '.join(names)}"
        )
    if kinds == {int}:
        return np.array(listed, np.int64)
    if kinds == {str} and any(one.endswith("\0") for one in listed):  # NumPy would cut it off
        raise ValueError("a label must not end in a NUL character")
    return np.array(listed)


def _is_missing(label: Any) -> bool:
    is_nan = isinstance(label, float | np.floating) and label != label
    return label is None or is_nan or type(label).__name__ in ("NAType", "NaTType")


def _kind(label: Any) -> type | None:
    # A boolean is an integer to Python, so it is asked for first.
    for kind, types in (
        (str, str),
        (bool, bool | np.bool_),
        (int, int | np.integer),
        (float, float | np.floating),
    ):
        if isinstance(label, types):
            return kind
    return None


def _canonical(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels as str, int64, bool or whole float64: equal labels, equal bytes."""
    kind = labels.dtype.kind
    if kind not in "Uiubf":
        raise ValueError(f"labels of dtype {labels.dtype} are not supported")
    if kind == "u" and labels.max(initial=0) > np.iinfo(np.int64).max:
        raise ValueError("a label is larger than int64 can hold; use strings")
    if kind in "iu":
        return labels.astype(np.int64)
    if kind == "f":
        if not np.isfinite(labels).all():
            raise ValueError("Input y contains NaN or infinity")
        if not np.array_equal(labels, np.floor(labels)):
            # The first words are what scikit-learn's checks look for.
            raise ValueError(
                "Unknown label type: continuous. Fractions are no classes; for numbers there is "
                "LinearHeadRegressor"
            )
        return labels.astype(np.float64) + 0.0  # -0.0 becomes 0.0
    return labels


def check_values(y: Any, n_documents: int, n_outputs: int | None = None) -> NDArray[np.float64]:
    """Numbers (m, outputs), finite.

    Raises
    ------
    InvalidInputError
        No numbers, of another length or number of outputs, NaN or infinite.
    """
    if y is None:
        raise InvalidInputError("a head requires y to be passed, but the target y is None")
    try:
        values = _real_numbers(y)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(
            "targets of a regression must be numbers, without missing values"
        ) from None
    if np.ma.is_masked(y):
        raise InvalidInputError("Input y contains masked, that is missing, values")
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0:
        raise InvalidInputError(f"y must have shape (m,) or (m, outputs), got {np.shape(y)}")
    if len(values) != n_documents:
        raise InvalidInputError(
            f"y has {len(values)} targets, X {n_documents} documents: Found input variables with "
            "inconsistent numbers of samples"
        )
    if n_outputs is not None and values.shape[1] != n_outputs:
        raise InvalidInputError(f"y has {values.shape[1]} outputs, the head {n_outputs}")
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise InvalidInputError(f"Input y contains NaN or infinity (row {int(np.argmax(bad))})")
    return values + 0.0  # -0.0 becomes 0.0: equal numbers, equal bytes


def _real_numbers(given: Any) -> NDArray[np.float64]:
    """Real numbers of any type; TypeError, ValueError or OverflowError for everything else."""
    found = np.asarray(given)
    listed = found.flat if found.dtype == object else ()
    if found.dtype.kind not in "iufbO" or not all(isinstance(one, numbers.Real) for one in listed):
        raise TypeError
    return np.asarray(found, dtype=np.float64)


def check_weights(weights: Any, n_documents: int) -> NDArray[np.float64] | None:
    """Weights (m,) of the documents in a score; None for none. What scikit-learn refuses differs.

    Raises
    ------
    InvalidInputError
        No numbers, of another shape, missing, NaN or infinite, or with a sum that is no divisor.
    """
    if weights is None:
        return None
    try:
        values = _real_numbers(weights)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError("sample_weight must be numbers, without missing values") from None
    if np.ma.is_masked(weights):
        raise InvalidInputError("sample_weight contains masked, that is missing, values")
    if values.shape != (n_documents,):
        raise InvalidInputError(
            f"sample_weight must have shape ({n_documents},), one weight a document, "
            f"got {values.shape}"
        )
    bad = ~np.isfinite(values)
    if bad.any():
        raise InvalidInputError(
            f"sample_weight contains NaN or infinity (row {int(np.argmax(bad))})"
        )
    with np.errstate(over="ignore"):
        total = float(values.sum())
    if total == 0.0 or math.isinf(total):
        raise InvalidInputError(
            f"the sum of sample_weight is {total}; nothing can be divided by it"
        )
    return values


def refuse_too_small(values: NDArray[np.float64]) -> None:
    """InvalidInputError for targets that integer sums, in units of 2^-32, would round away."""
    largest_value = float(np.abs(values).max(initial=0.0))
    if 0.0 < largest_value < SMALLEST_TARGET:
        raise InvalidInputError(
            f"the largest target is {largest_value:.2g}, too small for the integer sums of "
            "loss='squared'; multiply the targets by a constant, or use features='proportions'"
        )


def classes_of(labels: NDArray[Any]) -> NDArray[Any]:
    """The distinct labels, ascending; strings no wider than needed, whatever came before."""
    return narrowed(np.unique(labels))


def narrowed(labels: NDArray[Any]) -> NDArray[Any]:
    """The same labels; strings no wider than needed, since the width tells of longer ones."""
    if labels.dtype.kind != "U":
        return labels
    return labels.astype(f"U{max(int(np.strings.str_len(labels).max(initial=0)), 1)}")


def one_hot(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.float64]:
    """1 where the document has the class, (m, classes)."""
    return np.asarray(labels[:, None] == classes[None, :], np.float64)


def label_bytes(labels: NDArray[Any]) -> list[bytes]:
    """Each target as bytes: labels as JSON, numbers as little-endian float64."""
    if labels.ndim == 2:
        return [row.tobytes() for row in labels.astype("<f8")]
    return [json.dumps(one).encode() for one in labels.tolist()]


def largest(values: NDArray[np.float64]) -> float:
    """Largest sum of magnitudes over the documents, by output."""
    if np.abs(values).max(initial=0) > 1e300:  # their sum may not be a number
        return math.inf
    return max((math.fsum(column) for column in np.abs(values).T), default=0.0)
