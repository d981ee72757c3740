"""`Documents`: what word counts are after every check, and what a document weighs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._canonical import Canonical
from pyunlearn._matrices import COUNT_LIMIT, as_csr, check_values, csr_row_of, plain_array
from pyunlearn.errors import DocumentTooLongError, InvalidInputError, StatisticsOverflowError

if TYPE_CHECKING:
    import scipy.sparse as sp

__all__ = [
    "COUNT_LIMIT",
    "MASS_LIMIT",
    "PIECE",
    "USUAL_SCALE_BITS",
    "WEIGHTINGS",
    "Documents",
    "check_documents",
    "check_lengths",
    "document_weights",
    "longest_document",
    "most_of_a_document",
    "pieces",
]

MASS_LIMIT = 2**62
PIECE = 2**20
WEIGHTINGS = ("document", "token")
# Of models: a document may have 1,048,576 tokens, and the sums are no larger than they need be.
USUAL_SCALE_BITS = {"document": 40, "token": 20}


@dataclass(frozen=True, eq=False)
class Documents(Canonical):
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
        import scipy.sparse as sp

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
        return (
            check_documents(self.to_csr()[rows], self.n_words)
            if len(rows)
            else Documents.empty(self.n_words)
        )

    def entry_rows(self) -> NDArray[np.int64]:
        """Document of each entry, (nnz,)."""
        return np.repeat(np.arange(self.n_documents, dtype=np.int64), np.diff(self.start))

    def first_row_with(self, column: int) -> int:
        """The first document that has a word, which some document must have."""
        return int(self.entry_rows()[np.argmax(self.columns == column)])


def check_documents(X: Any, n_words: int | None = None) -> Documents:
    """Word counts from a dense or sparse (m, n) matrix of any real dtype.

    Raises
    ------
    InvalidInputError
        Negative, fractional, NaN, infinite or overflowing counts; no documents; no words, unless
        `n_words` is 0;
        another number of columns than `n_words`; ragged rows or masked entries; a sparse matrix
        whose fields do not fit together.
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
    if csr.shape[1] == 0 and n_words != 0:
        raise InvalidInputError(
            f"Found array with 0 feature(s) (shape={csr.shape}) while a minimum of 1 is "
            "required: X has no words"
        )
    if n_words is not None and csr.shape[1] != n_words:
        raise InvalidInputError(f"X has {csr.shape[1]} columns, expected {n_words} words")
    check_values(csr.data, csr_row_of(csr))
    if not csr.has_canonical_format or not np.all(csr.data):
        csr = csr.astype(np.int64)  # a copy, wide enough for the sums of duplicates
        csr.sum_duplicates()
        csr.eliminate_zeros()
        check_values(csr.data, csr_row_of(csr))
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
    array = plain_array("lengths", lengths)
    if array.shape != (documents.n_documents,):
        raise InvalidInputError(
            f"lengths has shape {array.shape}, expected ({documents.n_documents},)"
        )
    if array.dtype.kind not in "iuf" or not np.all(np.isfinite(array) & (array == np.floor(array))):
        raise InvalidInputError("lengths must be integers")
    if np.any(array >= COUNT_LIMIT + 1):  # COUNT_LIMIT is no float32
        raise InvalidInputError(f"lengths must be at most {COUNT_LIMIT}")
    short = array < documents.in_vocabulary
    if short.any():
        row = int(np.argmax(short))
        raise InvalidInputError(
            f"row {row} has length {int(array[row])}, fewer tokens than its counts sum to "
            f"({documents.in_vocabulary[row]})"
        )
    return array.astype(np.int64)


def longest_document(scale_bits: int, weighting: str) -> int:
    """The most tokens of a document whose weight is not 0."""
    if weighting == "document":  # l (l - 1) <= 2^s, as (2 l - 1)^2 <= 4 2^s + 1
        return (1 + isqrt(1 + (4 << scale_bits))) // 2
    return 1 + (1 << scale_bits)


def most_of_a_document(scale_bits: int, weighting: str) -> int:
    """The most that the masses of all words of one document add up to; below 2^62."""
    if weighting == "document":  # l (l - 1) w
        return 1 << scale_bits
    longest = min(longest_document(scale_bits, weighting), MASS_LIMIT >> scale_bits)
    return min(longest << scale_bits, MASS_LIMIT - 1)  # l (l - 1) w, w <= 2^s / (l - 1)


def document_weights(
    lengths: NDArray[np.int64], scale_bits: int, weighting: str
) -> NDArray[np.int64]:
    """Integer weight of each document; 0 for fewer than 2 tokens.

    `"document"`: floor(2^s / (l (l - 1))); `"token"`: floor(2^s / (l - 1)). With h tokens of a word
    among l, h w (l - 1) is below 2^62: the kernels count on it.

    Raises
    ------
    DocumentTooLongError
        The weight would be 0.
    StatisticsOverflowError
        `"token"` and one document alone could reach the limit of a word's mass.
    """
    counted = lengths >= 2
    # Looked at before the product is formed, which could wrap around.
    too_long = lengths > longest_document(scale_bits, weighting)
    if too_long.any():
        row = int(np.argmax(too_long))
        raise DocumentTooLongError(
            f"row {row} has {lengths[row]} tokens, too many for scale_bits={scale_bits}; "
            "use a larger scale_bits or split the document"
        )
    safe = np.where(counted, lengths, 2)
    if weighting == "token" and int(safe.max(initial=2)) >= MASS_LIMIT >> scale_bits:
        row = int(np.argmax(safe))
        raise StatisticsOverflowError(
            f"row {row} has {lengths[row]} tokens, too many for weighting='token' with "
            f"scale_bits={scale_bits}; use a smaller scale_bits"
        )
    divisor = safe * (safe - 1) if weighting == "document" else safe - 1
    return np.where(counted, (1 << scale_bits) // divisor, 0)
