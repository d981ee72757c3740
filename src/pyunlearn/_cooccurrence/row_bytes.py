"""Rows of K as bytes, for digests and files: equal rows have equal bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._core import packing

__all__ = ["RowBytes"]

# Entries that are packed at a time.
PACKED_AT_ONCE = 2**20
MOST_ROWS = 4096


@dataclass(frozen=True, eq=False)
class RowBytes:
    """The bytes of rows, with some of their columns, in a numbering of these."""

    rows: CooccurrenceRows
    number: NDArray[np.int32]  # (c,), of each column, ascending; -1 for columns left out
    own: NDArray[np.int32]  # (n,), the number from which a row is packed
    num_threads: int

    @classmethod
    def at_columns(
        cls, rows: CooccurrenceRows, words: NDArray[np.int32], num_threads: int
    ) -> RowBytes:
        """At the columns of some words, ascending, numbered from 0; of these from the diagonal on.

        K is symmetric there, so this says it all.
        """
        number = np.full(len(rows.columns), -1, np.int32)
        number[rows.place[words]] = np.arange(len(words), dtype=np.int32)
        own = np.zeros(rows.n_words, np.int32)
        own[words] = np.arange(len(words), dtype=np.int32)
        return cls(rows, number, own, num_threads)

    @classmethod
    def whole(cls, rows: CooccurrenceRows, number: NDArray[np.int32], num_threads: int) -> RowBytes:
        """Whole rows, with another number for each column."""
        return cls(rows, number, np.zeros(rows.n_words, np.int32), num_threads)

    def of(self, words: NDArray[np.integer]) -> Iterator[memoryview]:
        """The bytes of each row."""
        at = 0
        while at < len(words):
            ahead = np.cumsum(self.rows.length[words[at : at + MOST_ROWS]])
            count = max(int(np.searchsorted(ahead, PACKED_AT_ONCE)), 1)
            yield from self._packed(words[at : at + count].astype(np.int32))
            at += count

    def _packed(self, words: NDArray[np.int32]) -> Iterator[memoryview]:
        rows = self.rows
        rows.need(words)
        at_most = packing.ENTRY_BYTES * rows.length[words]
        room = at_most + (packing.HEADER_BYTES + packing.SPARE_BYTES)
        target = np.concatenate(([0], np.cumsum(room)))
        packed, sizes = np.empty(target[-1], np.uint8), np.zeros(len(words), np.int64)
        packing.pack_rows(
            *rows._held,
            words,
            self.number,
            self.own[words],
            target[:-1],
            packed,
            sizes,
            self.num_threads,
        )
        whole = packed.data
        for first, size in zip(target[:-1].tolist(), sizes.tolist(), strict=True):
            yield whole[first : first + size]
