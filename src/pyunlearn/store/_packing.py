"""A row of the co-occurrence matrix as few bytes: gaps and values, each as wide as needed.

Layout, little-endian: one byte width of a gap, one byte width of a value, int32 number of entries,
all gaps, all values. Gaps are between successive columns, the first from the diagonal. Equal rows
have equal bytes.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<BBi")


def pack(word: int, columns: NDArray[np.int32], values: NDArray[np.int64]) -> bytes:
    """The entries of row `word`: ascending columns >= word, values > 0."""
    gaps = columns.astype(np.int64)
    gaps[1:] -= columns[:-1]
    gaps[0] -= word
    gap_width, value_width = _width(gaps), _width(values)
    return b"".join(
        (
            HEADER.pack(gap_width, value_width, len(columns)),
            _narrow(gaps, gap_width),
            _narrow(values, value_width),
        )
    )


def unpack(word: int, data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns and values of row `word`; ValueError when the bytes are no row."""
    if len(data) < HEADER.size:
        raise ValueError("a row is cut short")
    gap_width, value_width, size = HEADER.unpack_from(data)
    middle = HEADER.size + size * gap_width
    if gap_width > 4 or value_width > 8 or size < 0 or len(data) != middle + size * value_width:
        raise ValueError("a row has another length than it says")
    gaps = _wide(data, HEADER.size, size, gap_width)
    if size == 0 or not gaps[1:].all():
        raise ValueError("a row is empty or has a column twice")
    return np.cumsum(gaps) + word, _wide(data, middle, size, value_width)


def _width(values: NDArray[np.int64]) -> int:
    return (int(values.max(initial=0)).bit_length() + 7) // 8


def _narrow(values: NDArray[np.int64], width: int) -> bytes:
    octets = values.astype("<i8", copy=False).view(np.uint8).reshape(-1, 8)
    return octets[:, :width].tobytes()


def _wide(data: bytes, offset: int, size: int, width: int) -> NDArray[np.int64]:
    octets = np.zeros((size, 8), np.uint8)
    octets[:, :width] = np.frombuffer(data, np.uint8, size * width, offset).reshape(size, width)
    return octets.view("<i8").reshape(size).astype(np.int64, copy=False)
