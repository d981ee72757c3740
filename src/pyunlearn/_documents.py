"""`Documents`: what word counts are after every check, and what a document weighs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn.errors import (
    DocumentTooLongError,
    InvalidInputError,
    NotANumberError,
    StatisticsOverflowError,
)

MASS_LIMIT = 2**62
COUNT_LIMIT = 2**31 - 1
PIECE = 2**20
WEIGHTINGS = ("document", "token")


@dataclass(frozen=True, eq=False)
class Documents:
    """Checked word counts of m documents: CSR, columns ascending, no zeros, no duplicates."""

    start: NDArray[np.int64]  # (m + 1,)
    columns: NDArray[np.int32]  # (nnz,)
    counts: NDArray[np.int32]  # (nnz,), > 0
    in_vocabulary: NDArray[np.int64]  # (m,), row sums
    n_words: int

    @property
    def n_documents(self) -> int:
        """Number of documents m."""
        return len(self.start) - 1

    def to_csr(self) -> sp.csr_array:
        """The counts as a CSR array over the same memory."""
        shape = (self.n_documents, self.n_words)
        return sp.csr_array((self.counts, self.columns, self.start), shape=shape)

    @classmethod
    def empty(cls, n_words: int) -> Documents:
        """No documents."""
        return cls(
            np.zeros(1, np.int64),
            np.zeros(0, np.int32),
            np.zeros(0, np.int32),
            np.zeros(0, np.int64),
            n_words,
        )

    def followed_by(self, other: Documents) -> Documents:
        """These documents and then the others, over the same words."""
        return Documents(
            np.concatenate([self.start, self.start[-1] + other.start[1:]]),
            np.concatenate([self.columns, other.columns]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.in_vocabulary, other.in_vocabulary]),
            self.n_words,
        )

    def chosen(self, rows: NDArray[np.integer]) -> Documents:
        """The documents of some rows, in their order."""
        return check_documents(self.to_csr()[rows]) if len(rows) else Documents.empty(self.n_words)

    def entry_rows(self) -> NDArray[np.int64]:
        """Document of each entry, (nnz,)."""
        return np.repeat(np.arange(self.n_documents, dtype=np.int64), np.diff(self.start))


def _check_dtype(dtype: np.dtype[Any]) -> None:
    if dtype.kind == "c":
        raise InvalidInputError("Complex data not supported: counts must be real numbers")
    if dtype.kind not in "biuf":
        raise NotANumberError(f"counts must be real numbers, got dtype {dtype}")


def _check_values(data: NDArray[Any], row_of: Callable[[int], int]) -> None:
    """Raise unless every stored value is a finite, non-negative integer that fits a count."""

    def refuse(bad: NDArray[np.bool_], problem: str) -> None:
        if bad.any():
            raise InvalidInputError(problem.format(row=row_of(int(np.argmax(bad)))))

    _check_dtype(data.dtype)
    if data.dtype.kind == "f":
        refuse(
            ~np.isfinite(data),
            "counts contain NaN or infinity (row {row}); every count must be a non-negative "
            "integer",
        )
    if data.dtype.kind in "if":
        # The first words are what scikit-learn's checks look for.
        refuse(data < 0, "Negative values in data passed to pyunlearn: row {row}")
    if data.dtype.kind == "f":
        refuse(
            data != np.floor(data),
            "row {row} has a fractional count; pass word counts, not frequencies or tf-idf",
        )
    refuse(data > COUNT_LIMIT, "row {row} has a count above " + str(COUNT_LIMIT))


def _csr_row_of(csr: sp.csr_array) -> Callable[[int], int]:
    return lambda position: int(np.searchsorted(csr.indptr, position, side="right")) - 1


def as_csr(X: Any) -> sp.csr_array:
    """Any 2-D matrix of real numbers as CSR; the values are not looked at, except in COO."""
    return _sparse_to_csr(X) if sp.issparse(X) else _dense_to_csr(X)


def _sparse_to_csr(X: Any) -> sp.csr_array:
    if X.ndim != 2:
        raise InvalidInputError(f"X must have 2 dimensions, got {X.ndim}")
    _check_dtype(X.dtype)
    X = _with_checked_coordinates(X)
    # COO to CSR sums duplicates: look for bad values before they can cancel out, and take the sums
    # in int64, since in the caller's dtype they could wrap around.
    if X.format == "coo":
        _check_values(X.data, lambda position: int(X.coords[0][position]))
        return sp.csr_array(X.astype(np.int64))
    return sp.csr_array(X)


def _with_checked_coordinates(X: Any) -> Any:
    """A view of X; SciPy's conversions and our kernels trust the coordinates that stand in it."""
    compressed = {"csr": sp.csr_array, "csc": sp.csc_array, "bsr": sp.bsr_array}
    try:
        if X.format == "coo":
            return sp.coo_array((X.data, X.coords), shape=X.shape)
        if X.format in compressed:
            view = compressed[X.format]((X.data, X.indices, X.indptr), shape=X.shape)
            view.check_format(full_check=True)
            return view
    except ValueError as error:
        raise InvalidInputError(f"X is not a valid sparse matrix: {error}") from None
    return X


def _dense_to_csr(X: Any) -> sp.csr_array:
    array = np.asarray(X)
    if array.ndim != 2:
        raise InvalidInputError(
            f"X must have 2 dimensions (documents x words), got {array.ndim}. "
            "Reshape your data: one row a document"
        )
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            # The words in brackets are what scikit-learn's checks look for.
            raise NotANumberError(
                "counts must be real numbers; got an object array with other values "
                "(argument must be a string or a number)"
            ) from error
    _check_dtype(array.dtype)
    return sp.csr_array(array)


def check_documents(X: Any, n_words: int | None = None) -> Documents:
    """Word counts from a dense or sparse (m, n) matrix of any real dtype.

    Raises
    ------
    InvalidInputError
        Negative, fractional, NaN, infinite or overflowing counts; no documents; no words;
        another number of columns than `n_words`.
    """
    if isinstance(X, Documents):
        if n_words is not None and X.n_words != n_words:
            raise InvalidInputError(f"X has {X.n_words} columns, expected {n_words} words")
        return X
    csr = as_csr(X)
    if csr.shape[0] == 0:
        raise InvalidInputError(
            f"Found array with 0 sample(s) (shape={csr.shape}): X has no documents"
        )
    if csr.shape[1] == 0:
        raise InvalidInputError(
            f"Found array with 0 feature(s) (shape={csr.shape}) while a minimum of 1 is "
            "required: X has no words"
        )
    if n_words is not None and csr.shape[1] != n_words:
        raise InvalidInputError(f"X has {csr.shape[1]} columns, expected {n_words} words")
    if csr.shape[1] > COUNT_LIMIT:
        raise InvalidInputError(f"at most {COUNT_LIMIT} words are supported")
    _check_values(csr.data, _csr_row_of(csr))
    if not csr.has_canonical_format or not np.all(csr.data):
        csr = csr.astype(np.int64)  # a copy, wide enough for the sums of duplicates
        csr.sum_duplicates()
        csr.eliminate_zeros()
        _check_values(csr.data, _csr_row_of(csr))
    counts = csr.data.astype(np.int32, copy=False)
    start = csr.indptr.astype(np.int64, copy=False)
    return Documents(
        np.ascontiguousarray(start),
        np.ascontiguousarray(csr.indices.astype(np.int32, copy=False)),
        np.ascontiguousarray(counts),
        _row_sums(start, counts),
        int(csr.shape[1]),
    )


def _row_sums(start: NDArray[np.int64], counts: NDArray[np.int32]) -> NDArray[np.int64]:
    """Row by row in int64, without a copy of all counts in int64."""
    sums = np.zeros(len(start) - 1, np.int64)
    filled = start[1:] > start[:-1]
    for first, last in pieces(start):
        part = first + np.flatnonzero(filled[first:last])
        if len(part):
            piece = counts[start[first] : start[last]].astype(np.int64)
            sums[part] = np.add.reduceat(piece, start[part] - start[first])
    return sums


def pieces(start: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of documents with about PIECE entries each, to keep intermediate arrays small."""
    cuts = np.searchsorted(start, np.arange(PIECE, start[-1], PIECE)).tolist()
    return pairwise([0, *cuts, len(start) - 1])


def check_lengths(lengths: Any, documents: Documents) -> NDArray[np.int64]:
    """Tokens of each document, out-of-vocabulary ones included; default the row sums."""
    if lengths is None:
        return documents.in_vocabulary
    array = np.asarray(lengths)
    if array.shape != (documents.n_documents,):
        raise InvalidInputError(
            f"lengths has shape {array.shape}, expected ({documents.n_documents},)"
        )
    if array.dtype.kind not in "iuf" or not np.all(np.isfinite(array) & (array == np.floor(array))):
        raise InvalidInputError("lengths must be integers")
    if np.any(array > COUNT_LIMIT):
        raise InvalidInputError(f"lengths must be at most {COUNT_LIMIT}")
    array = array.astype(np.int64)
    short = array < documents.in_vocabulary
    if short.any():
        row = int(np.argmax(short))
        raise InvalidInputError(
            f"row {row} has length {array[row]}, fewer tokens than its counts sum to "
            f"({documents.in_vocabulary[row]})"
        )
    return array


def document_weights(
    lengths: NDArray[np.int64], scale_bits: int, weighting: str
) -> NDArray[np.int64]:
    """Integer weight of each document; 0 for fewer than 2 tokens.

    `"document"`: floor(2^s / (l (l - 1))); `"token"`: floor(2^s / (l - 1)).

    Raises
    ------
    DocumentTooLongError
        The weight would be 0.
    StatisticsOverflowError
        `"token"` and one document alone could reach the limit of a word's mass.
    """
    counted = lengths >= 2
    safe = np.where(counted, lengths, 2)
    divisor = safe * (safe - 1) if weighting == "document" else safe - 1
    too_long = divisor > 2**scale_bits
    if too_long.any():
        row = int(np.argmax(too_long))
        raise DocumentTooLongError(
            f"row {row} has {lengths[row]} tokens, too many for scale_bits={scale_bits}; "
            "use a larger scale_bits or split the document"
        )
    if weighting == "token" and int(safe.max(initial=2)) >= MASS_LIMIT >> scale_bits:
        row = int(np.argmax(safe))
        raise StatisticsOverflowError(
            f"row {row} has {lengths[row]} tokens, too many for weighting='token' with "
            f"scale_bits={scale_bits}; use a smaller scale_bits"
        )
    return np.where(counted, (1 << scale_bits) // divisor, 0)
