"""JSON that came from outside, read to the letter."""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["read_json"]

# What we write is at most 4 deep. Every part of the standard library can go as deep as this.
DEEPEST = 32


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises
    ------
    ValueError
        No JSON; a key twice; NaN or infinity, also as a number too large; numbers of thousands of
        digits; more than DEEPEST levels.
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _refuse_deep(value, DEEPEST)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.20} is not a finite number")
    return number


def _refuse_deep(value: Any, levels: int) -> None:
    if levels == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _refuse_deep(part, levels - 1)
