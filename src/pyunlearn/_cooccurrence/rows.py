"""Storage of the integer co-occurrence matrix: sparse rows with room to grow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.counting import Delta
from pyunlearn._core import rows as kernels
from pyunlearn._owned import owned
from pyunlearn.errors import CorruptStateError


def check_rows(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.int64],
    n_columns: int,
    num_threads: int,
) -> NDArray[np.int64]:
    """Row sums, (n,), of a matrix with `n_columns` that came from outside as CSR arrays.

    Raises
    ------
    CorruptStateError
        The arrays are not of the dtypes above, do not fit together, or are not canonical: columns
        ascending and in range, values > 0, row sums below 2^62. The kernels trust in all of it.
    """
    of_their_kind = all(
        array.dtype == dtype
        and array.ndim == 1
        and array.flags.c_contiguous
        and array.flags.aligned
        for array, dtype in ((indptr, np.int64), (indices, np.int32), (values, np.int64))
    )
    if not of_their_kind or len(indptr) == 0:
        raise CorruptStateError("the co-occurrence rows have other types or dimensions")
    start, end = indptr[:-1], indptr[1:]
    # Compared before lengths are formed, which could wrap around.
    if indptr[0] != 0 or (start > end).any() or not len(indices) == len(values) == indptr[-1]:
        raise CorruptStateError("the co-occurrence rows do not fill their arrays")
    mass, status = np.zeros(len(start), np.int64), np.zeros(len(start), np.int32)
    kernels.check_rows(start, end - start, indices, values, n_columns, mass, status, num_threads)
    if status.any():
        row = int(np.argmax(status != 0))
        raise CorruptStateError(
            f"co-occurrence row {row} is not in canonical form, or its sum reaches 2**62"
        )
    return mass


def in_other_columns(
    values: NDArray[np.int64], columns: NDArray[np.int32], n_words: int
) -> NDArray[np.int64]:
    """What each word has, (n_words, ...), when word i moves to columns[i]; 0 for other words.

    Words with columns[i] = -1 are left out.
    """
    moved = np.zeros((n_words, *values.shape[1:]), np.int64)
    kept = columns >= 0
    moved[columns[kept]] = values[kept]
    return moved


# What additions and subtractions write to.
CHANGED = ("start", "length", "capacity", "indices", "values", "mass", "frequency", "totals")
RowArrays = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]


def in_place(place: NDArray[np.int32], words: NDArray[np.int32]) -> NDArray[np.int32]:
    """The place of each word, -1 for a word that is -1."""
    found = np.full(len(words), -1, np.int32)
    found[words >= 0] = place[words[words >= 0]]
    return found


class Block(NamedTuple):
    """Rows of some words as kernels take them."""

    arrays: RowArrays
    rows: NDArray[np.int32]  # of the arrays
    words: NDArray[np.int32]  # whose rows they are


class CooccurrenceRows:
    """K by rows, and all else that changes with it: masses, document frequencies, totals.

    K has a row for each word, and a column for the words `columns`; entries name the position of
    their column there. `place` is the position of each word, -1 for one without a column.

    Row i holds `length[i]` entries from `start[i]` on, of `capacity[i]` at hand. A change is one
    call of a kernel, or one assignment of arrays that were made beside: whatever interrupts it,
    all of it has been made or nothing. Each change has a number of its own, `version`.
    """

    def __init__(self, n_words: int, columns: NDArray[np.int32] | None = None) -> None:
        self.n_words = n_words
        self.columns = np.arange(n_words, dtype=np.int32) if columns is None else columns
        self.place = np.full(n_words, -1, np.int32)
        self.place[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        self.start = np.zeros(n_words, np.int64)
        self.length = np.zeros(n_words, np.int64)
        self.capacity = np.zeros(n_words, np.int64)
        self.indices = np.empty(0, np.int32)
        self.values = np.empty(0, np.int64)
        self.mass = np.zeros(n_words, np.int64)  # c_i
        self.frequency = np.zeros(n_words, np.int64)  # documents with each word
        self.totals = np.zeros(2, np.int64)  # documents, changes so far

    @classmethod
    def from_arrays(
        cls,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        values: NDArray[np.int64],
        columns: NDArray[np.int32],
    ) -> CooccurrenceRows:
        """Rows over canonical CSR arrays, which are taken over, not copied; see `check_rows`."""
        rows = cls(len(indptr) - 1, columns)
        rows.start = indptr[:-1].astype(np.int64)
        rows.length = np.diff(indptr).astype(np.int64)
        rows.capacity = rows.length.copy()
        rows.indices, rows.values = indices, values
        return rows

    def refuse_impossible(self, num_threads: int) -> None:
        """Raise CorruptStateError unless the rows can be a sum of pairs, each counted both ways.

        Those of words with a column are symmetric then, and their diagonal is even: h tokens of a
        word in one document make h (h - 1) pairs.
        """
        n = len(self.columns)
        status, position = np.zeros(n, np.int32), np.empty(n, np.int64)
        start, length = self.start[self.columns], self.length[self.columns]
        kernels.check_pairs(start, length, self.indices, self.values, position, status, num_threads)
        if status.any():
            row = int(self.columns[np.argmax(status != 0)])
            raise CorruptStateError(
                f"the co-occurrence rows are not symmetric, or their diagonal is odd (row {row})"
            )

    @property
    def arrays(self) -> RowArrays:
        """`start`, `length`, `indices`, `values`: the rows as every kernel takes them."""
        return self._held

    @property
    def _held(self) -> RowArrays:
        """The arrays as they are."""
        return self.start, self.length, self.indices, self.values

    def need(self, words: NDArray[np.integer]) -> None:
        """See that the rows of some words are in the arrays. Here all of them are."""

    def blocks(self, words: NDArray[np.int32]) -> Iterator[Block]:
        """The rows of some words, in parts and in any order; a part is for one step of its loop."""
        yield Block(self.arrays, words, words)

    @property
    def n_documents(self) -> int:
        """Number of documents."""
        return int(self.totals[0])

    @property
    def version(self) -> int:
        """The number of changes so far."""
        return int(self.totals[1])

    @property
    def used(self) -> int:
        """Entries of the arrays up to the end of the last row."""
        return int((self.start + self.capacity).max(initial=0))

    @property
    def nnz(self) -> int:
        """Number of non-zeros."""
        return int(self.length.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of the entries and of the room for more."""
        return int(self.indices.nbytes + self.values.nbytes)

    def most_nbytes(self, more: NDArray[np.int64], n_present: int) -> int:
        """Bytes at most when row i gets up to more[i] entries and `n_present` words occur."""
        entries = int(np.minimum(self.length + more, n_present).sum())
        entries += entries // 8 if self.used else 0
        return (self.indices.itemsize + self.values.itemsize) * max(entries, len(self.indices))

    @property
    def has_all_columns(self) -> bool:
        """Whether every word has a column."""
        return len(self.columns) == self.n_words

    def copy(self, columns: NDArray[np.int32] | None = None) -> CooccurrenceRows:
        """Independent rows with the same content, without spare room.

        `columns`: for a caller who renumbers the entries for others.
        """
        named = self.columns if columns is None else columns
        twin = CooccurrenceRows.from_arrays(*self.to_arrays(), named.copy())
        twin.mass, twin.frequency = self.mass.copy(), self.frequency.copy()
        twin.totals = self.totals.copy()
        return twin

    def to_arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Fresh canonical CSR arrays (indptr, indices, values), indices positions in `columns`."""
        words = np.arange(self.n_words, dtype=np.int32)
        self.need(words)
        indptr = np.concatenate(([0], np.cumsum(self.length)))
        indices = np.empty(indptr[-1], np.int32)
        values = np.empty(indptr[-1], np.int64)
        kernels.copy_rows(*self._held, words, indptr[:-1], indices, values, 1)
        return indptr, indices, values

    def with_columns(self, kept: NDArray[np.bool_], num_threads: int) -> CooccurrenceRows:
        """Independent rows with some of the columns, (c,)."""
        fewer = self.copy(self.columns[kept])
        number = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        fewer._renumber(number, num_threads)
        return fewer

    def renumbered(
        self, columns: NDArray[np.int32], n_words: int, more_columns: bool, num_threads: int
    ) -> CooccurrenceRows:
        """Rows with word i at columns[i], ascending, of `n_words`; words at -1 are left out.

        `more_columns`: whether words that are new get a column as well. Entries may be shared with
        these rows, which must not be used any more; those of rows that are left out stay until
        `wipe_rows`.
        """
        words = columns[self.columns]
        new = np.ones(n_words, np.bool_)
        new[columns[columns >= 0]] = False
        after = words[words >= 0]
        if more_columns:
            after = np.union1d(after, np.flatnonzero(new)).astype(np.int32)
        moved = self._empty(n_words, after)
        for name in ("start", "length", "capacity", "mass", "frequency"):
            setattr(moved, name, in_other_columns(getattr(self, name), columns, n_words))
        moved.totals = self.totals.copy()
        moved.indices, moved.values = self.indices, self.values
        number = in_place(moved.place, words)
        if not np.array_equal(number, np.arange(len(number))):
            moved.indices, moved.values = self.indices.copy(), self.values.copy()
            moved._renumber(number, num_threads)
        return moved

    def _empty(self, n_words: int, columns: NDArray[np.int32]) -> CooccurrenceRows:
        """Rows without entries, for `renumbered` to fill."""
        return CooccurrenceRows(n_words, columns)

    def _renumber(self, number: NDArray[np.int32], num_threads: int) -> None:
        """Column p becomes number[p], or is left out, in place: for rows that nobody else has."""
        kernels.renumber_columns(
            self.start, self.length, self.indices, self.values, number, num_threads
        )

    def wipe_rows(self, start: NDArray[np.int64], length: NDArray[np.int64]) -> None:
        """Overwrite entries that no row has any more."""
        self._own()
        for first, size in zip(start.tolist(), length.tolist(), strict=True):
            self.indices[first : first + size] = 0
            self.values[first : first + size] = 0

    def row(self, word: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The words of the columns that a row has entries in, and a view of its values."""
        self.need(np.array([word]))
        part = slice(self.start[word], self.start[word] + self.length[word])
        return self.columns[self.indices[part]], self.values[part]

    def first_uncovered(self, delta: Delta, num_threads: int) -> int | None:
        """A word whose row would turn negative if the delta were subtracted, or None."""
        self.need(delta.words)
        status = np.zeros(len(delta.words), np.int32)
        kernels.check_subtraction(
            *self._held,
            delta.words,
            delta.places,
            delta.start,
            delta.indices,
            delta.values,
            status,
            num_threads,
        )
        return int(delta.words[np.argmax(status != 0)]) if status.any() else None

    def subtract(self, delta: Delta, num_threads: int, version: int | None = None) -> None:
        """Subtract a delta that `first_uncovered` has passed; `version` is that of afterwards."""
        self.need(delta.words)
        self._own()
        kernels.subtract_delta(
            *self._held,
            self.mass,
            self.frequency,
            self.totals,
            delta.words,
            delta.places,
            delta.start,
            delta.indices,
            delta.values,
            delta.mass,
            delta.document_frequency,
            self._totals(-delta.n_documents, version),
            num_threads,
        )

    def add(self, delta: Delta, num_threads: int, version: int | None = None) -> None:
        """Add a delta: in place where the room suffices, else in free room, else in new arrays.

        `version` is that of afterwards.
        """
        self.need(delta.words)
        totals = self._totals(delta.n_documents, version)
        if len(self.indices) == 0 and len(delta.words) == self.n_words:
            taken = CooccurrenceRows.from_arrays(
                delta.start, delta.indices, delta.values, self.columns
            )
            self._become(taken, delta, totals)
            return
        missing = np.zeros(len(delta.words), np.int64)
        kernels.count_missing(
            self.start,
            self.length,
            self.indices,
            delta.words,
            delta.places,
            delta.start,
            delta.indices,
            missing,
            num_threads,
        )
        length = self.length[delta.words] + missing
        moved = length > self.capacity[delta.words]
        wanted = np.where(moved, length + length // 8, 0)
        if self.used + int(wanted.sum()) <= len(self.indices):
            self._merge_in_place(delta, length, wanted, totals, num_threads)
        else:
            self._become(self._merged(delta, length, num_threads), delta, totals)

    def _merge_in_place(
        self,
        delta: Delta,
        length: NDArray[np.int64],
        wanted: NDArray[np.int64],
        totals: NDArray[np.int64],
        num_threads: int,
    ) -> None:
        """Rows that want room move to the end of the arrays; the others stay."""
        self._own()
        words, moved = delta.words, wanted > 0
        kernels.add_delta(
            self.start,
            self.length,
            self.capacity,
            self.indices,
            self.values,
            self.mass,
            self.frequency,
            self.totals,
            words,
            delta.places,
            delta.start,
            delta.indices,
            delta.values,
            delta.mass,
            delta.document_frequency,
            np.where(moved, self.used + np.cumsum(wanted) - wanted, self.start[words]),
            length,
            np.where(moved, wanted, self.capacity[words]),
            totals,
            num_threads,
        )

    def _merged(
        self, delta: Delta, length: NDArray[np.int64], num_threads: int
    ) -> CooccurrenceRows:
        """New rows without gaps; room behind the last (an eighth) serves later additions.

        The first addition leaves none: most corpora are added in one go.
        """
        merged = CooccurrenceRows(self.n_words, self.columns)
        merged.length = self.length.copy()
        merged.length[delta.words] = length
        merged.capacity = merged.length.copy()
        merged.start = np.cumsum(merged.length) - merged.length
        used = int(merged.length.sum())
        size = used + (used // 8 if self.used else 0)
        # Zeros: memory that was given back may hold rows of before.
        merged.indices, merged.values = np.zeros(size, np.int32), np.zeros(size, np.int64)
        untouched = np.ones(self.n_words, np.bool_)
        untouched[delta.words] = False
        kept = np.flatnonzero(untouched).astype(np.int32)
        kernels.copy_rows(
            *self._held, kept, merged.start[kept], merged.indices, merged.values, num_threads
        )
        kernels.merge_rows(
            *self._held,
            delta.words,
            delta.places,
            delta.start,
            delta.indices,
            delta.values,
            merged.start[delta.words],
            length,
            merged.indices,
            merged.values,
            num_threads,
        )
        return merged

    def _become(self, merged: CooccurrenceRows, delta: Delta, totals: NDArray[np.int64]) -> None:
        """Take over rows to which a delta was added, with what changes with them."""
        merged.mass, merged.frequency = self.mass.copy(), self.frequency.copy()
        merged.mass[delta.words] += delta.mass
        merged.frequency[delta.words] += delta.document_frequency
        merged.totals = totals
        self.__dict__ = {**vars(self), **vars(merged)}

    def _totals(self, more_documents: int, version: int | None) -> NDArray[np.int64]:
        after = self.version + 1 if version is None else version
        return np.array([self.n_documents + more_documents, after], np.int64)

    def _own(self) -> None:
        """Make sure that all can be written to."""
        for name in CHANGED:
            setattr(self, name, owned(getattr(self, name)))
