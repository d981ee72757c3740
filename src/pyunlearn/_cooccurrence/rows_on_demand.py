"""Rows of K that stand elsewhere, and are read when they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.rows import Block, CooccurrenceRows, RowArrays, in_place
from pyunlearn._core import rows as kernels

__all__ = ["RowSource", "RowsOnDemand"]


# A pass over one row in so many, or more, is one over many rows.
KEPT_FROM = 4


class RowSource(Protocol):
    """Where rows stand: by the words and columns that there were when it was opened."""

    def read(self, words: NDArray[np.integer]) -> Iterator[Block]:
        """The rows of some words, in parts and in any order; each part in arrays of its own."""


class RowsOnDemand(CooccurrenceRows):
    """Rows of which those that are changed or asked for one by one are in memory.

    A pass over many rows (`blocks`) reads the others in parts and lets go of them; when there is
    another, after a further change, all of them stay in memory.
    """

    def __init__(self, n_words: int, columns: NDArray[np.int32], source: RowSource) -> None:
        super().__init__(n_words, columns)
        self._source = source
        self._here, self._passes = np.zeros(n_words, np.bool_), 0
        self._stored_word = np.arange(n_words, dtype=np.int32)  # of each word at the source
        self._number = np.arange(len(columns), dtype=np.int32)  # of each column at the source

    @property
    def arrays(self) -> RowArrays:
        """All rows, which are in memory afterwards."""
        self.need(np.arange(self.n_words))
        return self._held

    def need(self, words: NDArray[np.integer]) -> None:
        """See that the rows of some words are in the arrays."""
        missing = np.unique(words[~self._here[words]])
        if not len(missing):
            return
        start, length = self.start.copy(), self.length.copy()
        parts, used = [(self.indices, self.values)], len(self.indices)
        for block in self._read(missing):
            first, size, indices, values = block.arrays
            start[block.words], length[block.words] = used + first[block.rows], size[block.rows]
            parts.append((indices, values))
            used += len(indices)
        here = self._here.copy()
        here[missing] = True
        capacity = np.where(self._here, self.capacity, length)
        indices, values = (np.concatenate(column) for column in zip(*parts, strict=True))
        # One assignment: whatever interrupts this, the rows are as before or as after.
        self.__dict__ = {
            **vars(self),
            "start": start,
            "length": length,
            "capacity": capacity,
            "indices": indices,
            "values": values,
            "_here": here,
        }

    def blocks(self, words: NDArray[np.int32]) -> Iterator[Block]:
        """The rows of some words, in parts and in any order; a part is for one step of its loop."""
        missing = words[~self._here[words]]
        many = KEPT_FROM * len(missing) >= self.n_words
        if many and self._passes:
            self.need(missing)
        self._passes += many and len(missing) > 0
        here = words[self._here[words]]
        if len(here):
            yield Block(self._held, here, here)
        yield from self._read(words[~self._here[words]])

    def _read(self, words: NDArray[np.integer]) -> Iterator[Block]:
        if not len(words):
            return
        word_of = np.full(int(self._stored_word.max(initial=-1)) + 1, -1, np.int32)
        known = self._stored_word >= 0
        word_of[self._stored_word[known]] = np.flatnonzero(known)
        in_order = np.array_equal(self._number, np.arange(len(self._number)))
        for block in self._source.read(self._stored_word[words]):
            start, length, indices, values = block.arrays
            if not in_order:
                kernels.renumber_columns(start, length, indices, values, self._number, 1)
            yield Block((start, length, indices, values), block.rows, word_of[block.words])

    def _empty(self, n_words: int, columns: NDArray[np.int32]) -> CooccurrenceRows:
        return RowsOnDemand(n_words, columns, self._source)

    def renumbered(
        self, columns: NDArray[np.int32], n_words: int, more_columns: bool, num_threads: int
    ) -> CooccurrenceRows:
        """As of other rows; words that are new have no row at the source."""
        moved = super().renumbered(columns, n_words, more_columns, num_threads)
        assert isinstance(moved, RowsOnDemand)
        kept = columns >= 0
        moved._passes = self._passes
        moved._here = np.ones(n_words, np.bool_)
        moved._here[columns[kept]] = self._here[kept]
        moved._stored_word = np.full(n_words, -1, np.int32)
        moved._stored_word[columns[kept]] = self._stored_word[kept]
        number = in_place(moved.place, columns[self.columns])
        moved._number = in_place(number, self._number)
        return moved
