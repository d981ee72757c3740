"""Where the keys of words stand among others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class KeyPlaces:
    """The place of each key in an array of different keys, in any order."""

    def __init__(self, keys: NDArray[np.int64]) -> None:
        self._order = np.argsort(keys).astype(np.int32)
        self._ascending = keys[self._order]

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """The place of each of some keys, -1 for one that is not there."""
        if not len(self._order):
            return np.full(len(keys), -1, np.int32)
        at = np.minimum(np.searchsorted(self._ascending, keys), len(self._order) - 1)
        return np.where(self._ascending[at] == keys, self._order[at], np.int32(-1))
