"""Arrays that an object writes to in place, and that a file may lie behind."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["owned"]

Scalar = TypeVar("Scalar", bound=np.generic)


def owned(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """The array itself where it can be written to, else a copy that can.

    joblib gives workers large arrays as read-only maps of a file, as does `joblib.load` with
    ``mmap_mode="r"``: what is only read stays in the file.
    """
    return array if array.flags.writeable else np.array(array)
