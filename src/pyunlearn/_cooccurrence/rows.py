"""Storage of the integer co-occurrence matrix: symmetric, sparse rows with room to grow."""

from __future__ import annotations

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
    num_threads: int,
) -> NDArray[np.int64]:
    """Row sums, (n,), of a square matrix that came from outside as CSR arrays.

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
    kernels.check_rows(start, end - start, indices, values, mass, status, num_threads)
    if status.any():
        row = int(np.argmax(status != 0))
        raise CorruptStateError(
            f"co-occurrence row {row} is not in canonical form, or its sum reaches 2**62"
        )
    return mass


class CooccurrenceRows:
    """Rows of K; row i holds `length[i]` entries from `start[i]` on, of `capacity[i]` at hand."""

    def __init__(self, n_words: int) -> None:
        self.n_words = n_words
        self.start = np.zeros(n_words, np.int64)
        self.length = np.zeros(n_words, np.int64)
        self.capacity = np.zeros(n_words, np.int64)
        self.indices = np.empty(0, np.int32)
        self.values = np.empty(0, np.int64)
        self.used = 0  # entries of the arrays that some row owns or has left behind

    @classmethod
    def from_arrays(
        cls,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        values: NDArray[np.int64],
    ) -> CooccurrenceRows:
        """Rows over canonical CSR arrays, which are taken over, not copied; see `check_rows`."""
        rows = cls(len(indptr) - 1)
        rows.start = indptr[:-1].astype(np.int64)
        rows.length = np.diff(indptr).astype(np.int64)
        rows.capacity = rows.length.copy()
        rows.indices, rows.values, rows.used = indices, values, len(indices)
        return rows

    def refuse_impossible(self, num_threads: int) -> None:
        """Raise CorruptStateError unless the rows can be a sum of pairs, each counted both ways.

        They are symmetric then, and their diagonal is even: h tokens of a word in one document
        make h (h - 1) pairs.
        """
        status, place = np.zeros(self.n_words, np.int32), np.empty(self.n_words, np.int64)
        kernels.check_pairs(*self.arrays, place, status, num_threads)
        if status.any():
            row = int(np.argmax(status != 0))
            raise CorruptStateError(
                f"the co-occurrence rows are not symmetric, or their diagonal is odd (row {row})"
            )

    @property
    def arrays(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """`start`, `length`, `indices`, `values`: the rows as every kernel takes them."""
        return self.start, self.length, self.indices, self.values

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

    def copy(self) -> CooccurrenceRows:
        """Independent rows with the same entries, without spare room."""
        return CooccurrenceRows.from_arrays(*self.to_arrays())

    def to_arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Fresh canonical CSR arrays (indptr, indices, values)."""
        indptr = np.concatenate(([0], np.cumsum(self.length)))
        indices = np.empty(indptr[-1], np.int32)
        values = np.empty(indptr[-1], np.int64)
        self._copy_rows(np.arange(self.n_words, dtype=np.int32), indptr[:-1], indices, values, 1)
        return indptr, indices, values

    def renumber(self, columns: NDArray[np.int32], n_words: int, num_threads: int) -> None:
        """Move column i to columns[i], ascending, of `n_words`; -1 for columns without entries."""
        kept = np.flatnonzero(columns >= 0)
        for name in ("start", "length", "capacity"):
            moved = np.zeros(n_words, np.int64)
            moved[columns[kept]] = getattr(self, name)[kept]
            setattr(self, name, moved)
        self.n_words = n_words
        self.indices = owned(self.indices)
        kernels.renumber_columns(self.start, self.length, self.indices, columns, num_threads)

    def row(self, word: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Views of one row: columns and values."""
        part = slice(self.start[word], self.start[word] + self.length[word])
        return self.indices[part], self.values[part]

    def first_uncovered(self, delta: Delta, num_threads: int) -> int | None:
        """A word whose row would turn negative if the delta were subtracted, or None."""
        status = np.zeros(len(delta.words), np.int32)
        kernels.check_subtraction(
            *self.arrays,
            delta.words,
            delta.start,
            delta.indices,
            delta.values,
            status,
            num_threads,
        )
        return int(delta.words[np.argmax(status != 0)]) if status.any() else None

    def subtract(self, delta: Delta, num_threads: int) -> None:
        """Subtract a delta that `first_uncovered` has passed."""
        self._own()
        kernels.subtract_rows(
            *self.arrays,
            delta.words,
            delta.start,
            delta.indices,
            delta.values,
            num_threads,
        )

    def add(self, delta: Delta, num_threads: int) -> None:
        """Add a delta: in place where the room suffices, else in free room, else in new arrays."""
        if len(self.indices) == 0 and len(delta.words) == self.n_words:
            taken = CooccurrenceRows.from_arrays(delta.start, delta.indices, delta.values)
            self.__dict__.update(taken.__dict__)
            return
        missing = np.zeros(len(delta.words), np.int64)
        kernels.count_missing(
            self.start,
            self.length,
            self.indices,
            delta.words,
            delta.start,
            delta.indices,
            missing,
            num_threads,
        )
        length = self.length[delta.words] + missing
        moved = length > self.capacity[delta.words]
        wanted = np.where(moved, length + length // 8, 0)
        if self.used + int(wanted.sum()) <= len(self.indices):
            self._merge_in_place(delta, length, moved, wanted, num_threads)
        else:
            self._merge_into_new(delta, length, num_threads)

    def _merge_in_place(
        self,
        delta: Delta,
        length: NDArray[np.int64],
        moved: NDArray[np.bool_],
        wanted: NDArray[np.int64],
        num_threads: int,
    ) -> None:
        self._own()
        words = delta.words
        left_start, left_length = self.start[words[moved]], self.length[words[moved]]
        target = np.where(moved, self.used + np.cumsum(wanted) - wanted, self.start[words])
        self._merge_rows(delta, target, length, self.indices, self.values, num_threads)
        kernels.wipe_rows(left_start, left_length, self.indices, self.values, num_threads)
        self.start[words] = target
        self.length[words] = length
        self.capacity[words] = np.where(moved, wanted, self.capacity[words])
        self.used += int(wanted.sum())

    def _merge_into_new(self, delta: Delta, length: NDArray[np.int64], num_threads: int) -> None:
        """Rebuild without gaps; room behind the last row (an eighth) serves later additions.

        The first addition leaves none: most corpora are added in one go.
        """
        new_length = self.length.copy()
        new_length[delta.words] = length
        start = np.cumsum(new_length) - new_length
        used = int(new_length.sum())
        size = used + (used // 8 if self.used else 0)
        # Zeros: memory that was given back may hold rows of before.
        indices, values = np.zeros(size, np.int32), np.zeros(size, np.int64)
        untouched = np.ones(self.n_words, np.bool_)
        untouched[delta.words] = False
        kept = np.flatnonzero(untouched).astype(np.int32)
        self._copy_rows(kept, start[kept], indices, values, num_threads)
        self._merge_rows(delta, start[delta.words], length, indices, values, num_threads)
        self.start, self.length, self.capacity = start, new_length, new_length.copy()
        self.indices, self.values, self.used = indices, values, used

    def _own(self) -> None:
        """Make sure that all can be written to."""
        self.start, self.length = owned(self.start), owned(self.length)
        self.capacity = owned(self.capacity)
        self.indices, self.values = owned(self.indices), owned(self.values)

    def _copy_rows(
        self,
        words: NDArray[np.int32],
        target: NDArray[np.int64],
        indices: NDArray[np.int32],
        values: NDArray[np.int64],
        num_threads: int,
    ) -> None:
        kernels.copy_rows(
            *self.arrays,
            words,
            target,
            indices,
            values,
            num_threads,
        )

    def _merge_rows(
        self,
        delta: Delta,
        target: NDArray[np.int64],
        length: NDArray[np.int64],
        indices: NDArray[np.int32],
        values: NDArray[np.int64],
        num_threads: int,
    ) -> None:
        kernels.merge_rows(
            *self.arrays,
            delta.words,
            delta.start,
            delta.indices,
            delta.values,
            target,
            length,
            indices,
            values,
            num_threads,
        )
