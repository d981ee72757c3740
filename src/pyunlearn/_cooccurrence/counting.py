"""Counting: the co-occurrence of a batch of documents, as a delta to add or to subtract."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pyunlearn._core import counts as counting
from pyunlearn._documents import PIECE, Documents, pieces

# Entries of the documents that are sorted by word at a time, and the most blocks of them.
BLOCK_ENTRIES = 2**22
MOST_BLOCKS = 16

_Columns = NDArray[np.int32]
_Sorted = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]


@dataclass(frozen=True, eq=False)
class Delta:
    """Rows of an integer matrix over `words` (ascending), with masses and document counts.

    Its columns are those of `places` in the statistics; among words that are columns as well, it is
    symmetric.
    """

    words: NDArray[np.int32]  # (u,)
    places: NDArray[np.int32]  # (c,), ascending
    start: NDArray[np.int64]  # (u + 1,)
    indices: NDArray[np.int32]  # (nnz,), positions in places
    values: NDArray[np.int64]  # (nnz,), > 0
    mass: NDArray[np.int64]  # (u,)
    document_frequency: NDArray[np.int64]  # (u,)
    n_documents: int


class MassOverflowError(ArithmeticError):
    """Internal: the mass of one word (its number is the argument) left the range of int64."""


def count_documents(
    documents: Documents,
    lengths: NDArray[np.int64],
    weights: NDArray[np.int64],
    place: NDArray[np.int32] | None,
    num_threads: int,
) -> Delta:
    """K = sum_d w_d (h_d h_d^T - diag(h_d)) of a batch, over the words that occur in it.

    `place`: the column of each word, (n_words,), -1 for none, ascending; None: all words have one.
    """
    words, columns = _own_numbering(documents)
    n = len(words)
    contexts = _Contexts.of(documents, columns, words if place is None else place[words])
    n_contexts = len(contexts.places)
    by_word = _ByWord(documents.start, columns, n, num_threads)
    upper, mass = np.zeros((2, n), np.int64)
    status = np.zeros(n, np.int32)
    lower_by_thread = np.zeros((num_threads, n_contexts), np.int32)
    mark = np.zeros((num_threads, n_contexts), np.uint8)
    for part in by_word.parts:
        sizes, masses, refused = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int32)
        counting.count_pattern(
            *contexts.arrays,
            documents.counts,
            weights,
            lengths,
            *by_word.of(part),
            mark,
            lower_by_thread,
            sizes,
            masses,
            refused,
            num_threads,
        )
        upper[part], mass[part], status[part] = sizes[part], masses[part], refused[part]
    if status.any():
        raise MassOverflowError(int(words[np.argmax(status != 0)]))
    lower = np.zeros(n, np.int64)
    lower[contexts.words] = lower_by_thread.sum(axis=0, dtype=np.int64)
    start = np.concatenate(([0], np.cumsum(lower + upper)))
    indices = np.empty(start[-1], np.int32)
    values = np.empty(start[-1], np.int64)
    upper_start = start[:-1] + lower
    accumulator = np.zeros((num_threads, n_contexts), np.int64)
    for part in by_word.parts:
        sizes = np.zeros(n, np.int64)
        sizes[part] = upper[part]
        counting.count_upper(
            *contexts.arrays,
            documents.counts,
            weights,
            *by_word.of(part),
            upper_start,
            sizes,
            accumulator,
            indices,
            values,
            num_threads,
        )
    counting.mirror(
        start[contexts.words],
        upper_start[contexts.words],
        start[contexts.words + 1],
        np.zeros(n_contexts, np.int64),
        indices,
        values,
        num_threads,
    )
    return Delta(
        words,
        contexts.places,
        start,
        indices,
        values,
        mass,
        by_word.frequency,
        documents.n_documents,
    )


@dataclass(frozen=True, eq=False)
class _Contexts:
    """The words of a batch that have a column, and the entries of documents at those."""

    words: NDArray[np.intp]  # (c,), by the batch's own numbers
    places: NDArray[np.int32]  # (c,), their columns
    start: NDArray[np.int64]  # (m + 1,)
    columns: NDArray[np.int32]  # (entries,), positions in words
    counts: NDArray[np.int32]  # (entries,)
    own: NDArray[np.int32]  # (u,), the position of each word of the batch in `words`, or -1

    @classmethod
    def of(
        cls, documents: Documents, columns: NDArray[np.int32], place: NDArray[np.int32]
    ) -> _Contexts:
        """Of documents by own numbers; `place`: the column of each own number, or -1."""
        words = np.flatnonzero(place >= 0)
        if len(words) == len(place):
            own = np.arange(len(place), dtype=np.int32)
            return cls(words, place, documents.start, columns, documents.counts, own)
        own = np.full(len(place), -1, np.int32)
        own[words] = np.arange(len(words), dtype=np.int32)
        numbers = own[columns]
        counted = numbers >= 0
        start = np.concatenate(([0], np.cumsum(counted)))[documents.start]
        return cls(words, place[words], start, numbers[counted], documents.counts[counted], own)

    @property
    def arrays(self) -> tuple[NDArray[np.int64], _Columns, _Columns, _Columns]:
        """What the kernels take first."""
        return self.start, self.columns, self.counts, self.own


class _ByWord:
    """The entries of the documents by word, for some words at a time.

    All at once would take 12 bytes an entry, more than K when the documents are many and short.
    """

    def __init__(
        self,
        document_start: NDArray[np.int64],
        columns: NDArray[np.int32],
        n_words: int,
        num_threads: int,
    ) -> None:
        self.document_start, self.columns, self.num_threads = document_start, columns, num_threads
        self.frequency = np.zeros(n_words, np.int64)
        for first in range(0, len(columns), PIECE):
            self.frequency += np.bincount(columns[first : first + PIECE], minlength=n_words)
        self.start = np.concatenate(([0], np.cumsum(self.frequency)))
        block = self.start[1:] // max(BLOCK_ENTRIES, len(columns) // MOST_BLOCKS)
        edges = (np.flatnonzero(np.diff(block)) + 1).tolist()
        self.parts = [slice(*edge) for edge in pairwise([0, *edges, n_words])]
        self.only = self._sorted(self.parts[0]) if len(self.parts) == 1 else None

    def of(self, part: slice) -> _Sorted:
        """(word_start, entry_of_word, document_of_word); words outside of it have no entries."""
        return self.only or self._sorted(part)

    def _sorted(self, part: slice) -> _Sorted:
        start = np.clip(self.start, self.start[part.start], self.start[part.stop])
        start -= start[0]
        entries, documents = np.empty(start[-1], np.int64), np.empty(start[-1], np.int32)
        shares = np.searchsorted(start, np.linspace(0, start[-1], self.num_threads + 1)[1:-1])
        edges = np.clip(np.array([0, *shares, len(start)]), part.start, part.stop)
        counting.sort_by_word(
            self.document_start,
            self.columns,
            edges,
            start[:-1].copy(),
            entries,
            documents,
            self.num_threads,
        )
        return start, entries, documents


def neighbours_at_most(documents: Documents, n_columns: int) -> NDArray[np.int64]:
    """The most entries of each word's row of K: those of its documents, or all columns."""
    total = np.zeros(documents.n_words)
    start = documents.start
    for first, last in pieces(start):
        sizes = np.diff(start[first : last + 1])
        columns = documents.columns[start[first] : start[last]]
        total += np.bincount(columns, np.repeat(sizes, sizes), documents.n_words)
    return np.minimum(total, n_columns).astype(np.int64)


def frequencies(documents: Documents) -> NDArray[np.int64]:
    """Documents with each word, (n_words,)."""
    found = np.zeros(documents.n_words, np.int64)
    for first in range(0, len(documents.columns), PIECE):
        piece = documents.columns[first : first + PIECE]
        found += np.bincount(piece, minlength=documents.n_words)
    return found


def _own_numbering(documents: Documents) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number the words of a small batch 0..u-1, so that its cost does not depend on n."""
    if 4 * len(documents.columns) >= documents.n_words:
        return np.arange(documents.n_words, dtype=np.int32), documents.columns
    words, columns = np.unique(documents.columns, return_inverse=True)
    return words, columns.astype(np.int32)
