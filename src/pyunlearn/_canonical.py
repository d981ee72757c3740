"""The one form in which pickle, joblib and copy keep an object, however it came about.

A pickle names an object that it has met before by its place. So equal objects have equal pickles
only if equal strings and types of arrays are one object in both, and attributes have one order.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Canonical", "canonical"]


def canonical(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by name, in the order of the names."""
    return {sys.intern(name): _plain(value) for name, value in sorted(attributes.items())}


def _plain(value: Any) -> Any:
    if type(value) is str:
        return sys.intern(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return value.view(np.dtype(value.dtype.str))
    return value


class Canonical:
    """An object whose attributes are kept so."""

    def __getstate__(self) -> dict[str, Any]:
        """What pickle, joblib and copy keep."""
        return canonical(vars(self))
