"""Checks of parameters. Each function returns the plain Python value, or raises.

Plain is int, float, bool, str: equal settings have one form, in JSON and in a digest, whether they
came out of NumPy or not.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from pyunlearn._threads import forked, processors
from pyunlearn.errors import InvalidParameterError

__all__ = [
    "check_between",
    "check_bool",
    "check_choice",
    "check_integer",
    "check_min_df",
    "check_n_jobs",
    "check_positive",
]


def check_integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """An int in [low, high]; floats and bools are refused."""
    if not _is_integer(value):
        raise InvalidParameterError(
            f"{name} must be an integer, got {_shown(value)} of type {type(value).__name__}"
        )
    number = int(value)
    if number < low or (high is not None and number > high):
        bound = f"at least {low}" if high is None else f"from {low} to {high}"
        raise InvalidParameterError(f"{name} must be {bound}, got {_shown(number)}")
    return number


def check_positive(name: str, value: Any) -> float:
    """A finite float > 0."""
    number = _float(value)
    if number is None or not 0 < number < np.inf:
        raise InvalidParameterError(f"{name} must be a positive number, got {_shown(value)}")
    return number


def check_between(name: str, value: Any, low: float, high: float) -> float:
    """A float from `low` to `high`, both included."""
    number = _float(value)
    if number is None or not low <= number <= high:
        raise InvalidParameterError(
            f"{name} must be a number from {low} to {high}, got {_shown(value)}"
        )
    return number


def check_bool(name: str, value: Any) -> bool:
    """True or False, of Python or of NumPy."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidParameterError(f"{name} must be True or False, got {_shown(value)}")
    return bool(value)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """One of a few strings."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidParameterError(
            f"{name} must be {' or '.join(map(repr, choices))}, got {_shown(value)}"
        )
    return str(value)


def check_min_df(name: str, value: Any) -> int | float:
    """A number of documents (int >= 1), or a share of them (float in [0, 1])."""
    share = None if _is_integer(value) else _float(value)
    if share is None:
        return check_integer(name, value, 1)
    if not 0.0 <= share <= 1.0:
        raise InvalidParameterError(f"{name} as a share must be in [0, 1], got {_shown(value)}")
    return share


def check_n_jobs(n_jobs: Any) -> int:
    """Threads for the kernels: None or -1 all processors at hand, -2 all but one, and so on.

    One in a child made by fork, whatever is asked for.
    """
    number = -1 if n_jobs is None else check_integer("n_jobs", n_jobs, -(10**6), 10**4)
    if number == 0:
        raise InvalidParameterError("n_jobs must not be 0")
    if forked():
        return 1
    return number if number > 0 else max(1, processors() + 1 + number)


def _is_integer(value: Any) -> bool:
    # A boolean is an integer to Python.
    return isinstance(value, Integral) and not isinstance(value, bool)


def _float(value: Any) -> float | None:
    """The float of a real number; None for anything else, and for what no float can hold."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value) + 0.0  # -0.0 becomes 0.0: equal values, equal digests
    except OverflowError:
        return None


def _shown(value: Any) -> str:
    """A value as it may stand in a message: short, and integers of any size."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integers of thousands of digits
        return f"a number of {value.bit_length()} bits"
    return text if len(text) <= 100 else f"{text[:100]}..."
