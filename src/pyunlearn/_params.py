"""Checks of parameters. Each function returns the plain Python value, or raises."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from pyunlearn._core import parallel
from pyunlearn.errors import InvalidParameterError


def check_integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """An int in [low, high]; floats and bools are refused."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise InvalidParameterError(
            f"{name} must be an integer, got {value!r} of type {type(value).__name__}"
        )
    number = int(value)
    if number < low or (high is not None and number > high):
        bound = f"at least {low}" if high is None else f"from {low} to {high}"
        raise InvalidParameterError(f"{name} must be {bound}, got {number}")
    return number


def check_bool(name: str, value: Any) -> bool:
    """A bool."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidParameterError(f"{name} must be a bool, got {value!r}")
    return bool(value)


def check_positive(name: str, value: Any) -> float:
    """A finite float > 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < np.inf:
        raise InvalidParameterError(f"{name} must be a positive number, got {value!r}")
    return float(value)


def check_between(name: str, value: Any, low: float, high: float) -> float:
    """A float from `low` to `high`, both included."""
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) <= high:
        raise InvalidParameterError(f"{name} must be a number from {low} to {high}, got {value!r}")
    return float(value)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """One of a few strings."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidParameterError(f"{name} must be one of {choices}, got {value!r}")
    return value


def check_min_df(name: str, value: Any) -> int | float:
    """A number of documents (int >= 1), or a share of them (float in [0, 1])."""
    if isinstance(value, Real) and not isinstance(value, Integral):
        if not 0.0 <= float(value) <= 1.0:
            raise InvalidParameterError(f"{name} as a share must be in [0, 1], got {value!r}")
        return float(value)
    return check_integer(name, value, 1)


def check_n_jobs(n_jobs: Any) -> int:
    """Threads for the kernels: None or -1 all processors at hand, -2 all but one, and so on."""
    if n_jobs is None:
        return int(parallel.effective_num_threads())
    number = check_integer("n_jobs", n_jobs, -(10**6), 10**4)
    if number == 0:
        raise InvalidParameterError("n_jobs must not be 0")
    if number < 0:
        return max(1, int(parallel.effective_num_threads()) + 1 + number)
    return number
