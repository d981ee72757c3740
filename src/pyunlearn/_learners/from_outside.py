"""Checks of learned arrays that came from outside: kernels index and divide by them.

Each raises CorruptStateError with the name of the array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pyunlearn.errors import CorruptStateError

__all__ = [
    "check_amounts",
    "check_array",
    "check_distributions",
    "check_flags",
    "check_mass",
    "check_names",
    "check_near",
    "check_same",
    "check_words",
    "require",
]

# What sums of rounded numbers may differ by, far above rounding.
TOLERANCE = 1e-6


def require(holds: bool | np.bool_, name: str, problem: str) -> None:
    """Raise unless a condition holds."""
    if not holds:
        raise CorruptStateError(f"{name}: {problem}")


def check_names(arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...]) -> None:
    """These arrays, and no others."""
    missing, more = sorted(set(names) - set(arrays)), sorted(set(arrays) - set(names))
    require(not missing, "the topics", f"arrays are missing: {', '.join(missing)}")
    require(not more, "the topics", f"arrays that they do not have: {', '.join(more):.100}")


def check_array(name: str, array: NDArray[Any], dtype: DTypeLike, shape: tuple[int, ...]) -> None:
    """An array of this dtype and shape, as the kernels take it."""
    require(
        array.dtype == dtype and array.shape == shape and array.flags.c_contiguous,
        name,
        f"{array.dtype} of shape {array.shape}, expected {np.dtype(dtype)} of {shape}",
    )


def check_amounts(
    name: str, array: NDArray[np.float64], shape: tuple[int, ...], most: float = 1.0
) -> None:
    """Numbers from 0 to `most`."""
    check_array(name, array, np.float64, shape)
    low, high = array.min(initial=0.0), array.max(initial=0.0)  # NaN if there is one
    require(low >= 0 and high <= most * (1 + TOLERANCE), name, f"not all are from 0 to {most:g}")


def check_distributions(
    name: str, rows: NDArray[np.float64], shape: tuple[int, ...], filled: NDArray[np.bool_]
) -> None:
    """Rows of probabilities: they sum to 1 where `filled`, and are zeros elsewhere."""
    check_amounts(name, rows, shape)
    sums = rows.sum(axis=1)
    require(
        (np.abs(sums - filled) <= TOLERANCE).all() and not sums[~filled].any(),
        name,
        "rows do not sum to 1, or words that have no topics have some",
    )


def check_flags(name: str, array: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    """Bytes that are 0 or 1."""
    check_array(name, array, np.uint8, shape)
    require(array.max(initial=0) <= 1, name, "not all are 0 or 1")


def check_words(name: str, words: NDArray[np.int32], count: int, n_words: int) -> None:
    """So many different words."""
    check_array(name, words, np.int32, (count,))
    in_range = not len(words) or (words.min() >= 0 and words.max() < n_words)
    require(in_range and len(np.unique(words)) == count, name, "not so many different words")


def check_same(name: str, array: NDArray[Any], expected: NDArray[Any]) -> None:
    """What follows from the statistics."""
    require(
        array.dtype == expected.dtype and np.array_equal(array, expected),
        name,
        "not what follows from the statistics and the settings",
    )


def check_near(
    name: str, array: NDArray[np.float64], expected: NDArray[np.float64], size: float
) -> None:
    """Equal but for rounding in numbers of this size."""
    apart = np.abs(array - expected).max(initial=0.0)
    require(apart <= TOLERANCE * size, name, "does not fit the other arrays")


def check_mass(mass: NDArray[Any], n_words: int) -> None:
    """Masses of words: integers, none below 0."""
    check_array("mass", mass, np.int64, (n_words,))
    require(mass.min(initial=0) >= 0, "mass", "a word has less than none")
