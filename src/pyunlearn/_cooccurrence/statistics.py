"""`CooccurrenceStatistics`: all that the learner reads of a corpus, in reversible integers."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._canonical import canonical
from pyunlearn._cooccurrence.counting import (
    Delta,
    MassOverflowError,
    count_documents,
    neighbours_at_most,
)
from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._digest import STATISTICS_FORMAT, PartHashes
from pyunlearn._documents import (
    COUNT_LIMIT,
    MASS_LIMIT,
    WEIGHTINGS,
    Documents,
    check_documents,
    check_lengths,
    document_weights,
)
from pyunlearn._exclusive import Exclusive, exclusive
from pyunlearn._owned import owned
from pyunlearn.errors import InvalidInputError, NotInModelError, StatisticsOverflowError

__all__ = ["Change", "CooccurrenceStatistics"]

# An addition that may make the statistics larger than this is announced in the log.
LARGE = 2**30
# Bytes a word besides its row: f, c, its place in the arrays, its hash, whether it changed.
PER_WORD = 8 * 5 + 32 + 2
log = logging.getLogger("pyunlearn")


@dataclass(frozen=True, eq=False)
class Change:
    """A change of statistics that was checked against them, to be made or to be taken back."""

    delta: Delta
    adds: bool
    version: int  # of the statistics before it


class CooccurrenceStatistics(Exclusive):
    """Integer co-occurrence statistics T(S) of a corpus S, which documents can be taken out of.

    Every document d with word counts h_d and l_d tokens has one integer weight w_d, and

        K = sum_d w_d (h_d h_d^T - diag(h_d)),   f_i = documents with word i,   m = documents.

    Sums of integers do not depend on their order, so a removed document leaves nothing behind:
    equal remaining documents give equal bytes (`digest`). The size does not grow with m.

    Parameters
    ----------
    n_words : int
        Size n of the vocabulary, fixed for the life of the statistics.
    scale_bits : int, default=40
        s: weights are integers in units of 2^-s. A document may have l tokens with
        l (l - 1) <= 2^s (1,048,576 tokens for s = 40).
    weighting : {"document", "token"}, default="document"
        w_d = floor(2^s / (l_d (l_d - 1))): every document counts once (the unbiased estimate of
        Arora et al. 2013); or floor(2^s / (l_d - 1)): a document counts by its tokens.
    n_jobs : int or None, default=None
        Threads; None uses all processors at hand. No result depends on it.

    Attributes
    ----------
    n_documents : int
        m, empty documents and those of one token included.
    document_frequency : ndarray of int64, shape (n_words,)
        f_i.
    word_mass : ndarray of int64, shape (n_words,)
        c_i, the row sums of K, in units of 2^-s.

    Raises
    ------
    InvalidParameterError
        A parameter outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import CooccurrenceStatistics
    >>> X = np.array([[2, 1, 0], [0, 1, 3]])
    >>> stats = CooccurrenceStatistics(3).add(X)
    >>> once = CooccurrenceStatistics(3).add(X[:1])
    >>> stats.remove(X[1:]).digest() == once.digest()
    True
    """

    _digest: str | None
    _rows: CooccurrenceRows

    def __init__(
        self,
        n_words: int,
        scale_bits: int = 40,
        weighting: str = "document",
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.n_words = check.check_integer("n_words", n_words, 0, COUNT_LIMIT)
        self.scale_bits = check.check_integer("scale_bits", scale_bits, 1, 61)
        self.weighting = check.check_choice("weighting", weighting, WEIGHTINGS)
        self.n_jobs = n_jobs
        self._take(CooccurrenceRows(self.n_words))

    @property
    def n_documents(self) -> int:
        """Number of documents m."""
        return self._rows.n_documents

    @property
    def document_frequency(self) -> NDArray[np.int64]:
        """Number of documents with each word, (n_words,); read-only view."""
        return _read_only(self._rows.frequency)

    @property
    def word_mass(self) -> NDArray[np.int64]:
        """Row sums of K, (n_words,), in units of 2^-scale_bits; read-only view."""
        return _read_only(self._rows.mass)

    @property
    def rows(self) -> CooccurrenceRows:
        """The rows of K as the kernels read them. Not to be written to."""
        return self._rows

    @property
    def nbytes(self) -> int:
        """Bytes that the statistics hold in memory."""
        return self._rows.nbytes + PER_WORD * self.n_words

    def estimate_nbytes(self, X: Any) -> int:
        """An upper bound of `nbytes` after `add(X)`, in time O(non-zeros of X).

        A row of K has at most as many entries as there are words, and at most as many as the
        documents of its word have. A first `add` needs a tenth on top while it works; adding to
        statistics that are there already needs the room of both while it works.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts.

        Returns
        -------
        int
            Bytes; on real text about twice what is needed.

        Raises
        ------
        InvalidInputError
            Bad counts.
        """
        documents = check_documents(X, self.n_words)
        shared = neighbours_at_most(documents)
        n_present = int(np.count_nonzero((shared > 0) | (self.document_frequency > 0)))
        return self._rows.most_nbytes(shared, n_present) + PER_WORD * self.n_words

    def __repr__(self) -> str:
        return (
            f"<CooccurrenceStatistics: {self.n_documents} documents, {self.n_words} words, "
            f"{self._rows.nnz} non-zeros>"
        )

    @exclusive
    def add(self, X: Any, lengths: Any = None) -> CooccurrenceStatistics:
        """Add documents.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (m, n_words)
            Integer word counts (of any real dtype).
        lengths : array-like of int, shape (m,), optional
            Tokens of each document, out-of-vocabulary ones included; default the row sums of X.

        Returns
        -------
        CooccurrenceStatistics
            Itself.

        Raises
        ------
        InvalidInputError, DocumentTooLongError, StatisticsOverflowError
            Nothing has been changed then.
        """
        self.make(self.addition(X, lengths))
        return self

    @exclusive
    def remove(self, X: Any, lengths: Any = None) -> CooccurrenceStatistics:
        """Take documents out again; arguments as they were given to `add`.

        Removal is checked in full before anything is written. The statistics hold sums, not
        documents: what can be told is that a document's counts are not contained in them.

        Raises
        ------
        NotInModelError
            Some entry would turn negative: a document was never added, or is removed already.
        InvalidInputError, DocumentTooLongError, StatisticsOverflowError
            As for `add`. Nothing has been changed then.
        """
        self.make(self.removal(X, lengths))
        return self

    def merge(self, other: CooccurrenceStatistics) -> CooccurrenceStatistics:
        """Add the documents of other statistics over the same vocabulary; returns itself.

        Raises
        ------
        InvalidInputError
            `n_words`, `scale_bits` or `weighting` differ.
        StatisticsOverflowError
            A word's mass or the number of documents would reach 2^62. Nothing has been changed.
        """
        if not isinstance(other, CooccurrenceStatistics):
            raise InvalidInputError(f"cannot merge a {type(other).__name__} with statistics")
        for name in ("n_words", "scale_bits", "weighting"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                raise InvalidInputError(f"cannot merge: {name} is {mine} here, {theirs} there")
        self._add_delta(other._as_delta())
        return self

    @exclusive
    def copy(self) -> Self:
        """Independent statistics with the same content."""
        # Not through the constructor: a subclass may take other arguments.
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        twin._take(self._rows.copy())
        twin._hashes, twin._digest = self._hashes.copy(), self._digest
        return twin

    @exclusive
    def __getstate__(self) -> dict[str, Any]:
        """What pickle, joblib and copy keep: the content, in its one form, and no history."""
        indptr, indices, values = self._rows.to_arrays()
        state = {
            "n_words": self.n_words,
            "scale_bits": self.scale_bits,
            "weighting": self.weighting,
            "n_jobs": self.n_jobs,
            "n_documents": self.n_documents,
            "document_frequency": self._rows.frequency.copy(),
            "word_mass": self._rows.mass.copy(),
            "indptr": indptr,
            "indices": indices,
            "values": values,
        }
        return canonical(state)

    def frozen(self) -> Any:
        """The statistics of now, for a pickle of something that they belong to."""
        return _Frozen(type(self), self.__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name in ("n_words", "scale_bits", "weighting", "n_jobs"):
            setattr(self, name, state[name])
        rows = CooccurrenceRows.from_arrays(state["indptr"], state["indices"], state["values"])
        self.restore(rows, state["word_mass"], state["document_frequency"], state["n_documents"])

    @exclusive
    def to_csr(self) -> sp.csr_array:
        """K as a fresh canonical CSR array, int64, (n_words, n_words)."""
        indptr, indices, values = self._rows.to_arrays()
        return sp.csr_array((values, indices, indptr), shape=(self.n_words, self.n_words))

    @exclusive
    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal: equal if and only if the statistics are equal.

        A hash of a header, m, f and the hashes of the rows of K from the diagonal on; only rows
        that changed since the last call are hashed again.
        """
        if self._digest is None:
            header = {
                "format": STATISTICS_FORMAT,
                "n_words": self.n_words,
                "scale_bits": self.scale_bits,
                "weighting": self.weighting,
                "n_documents": self.n_documents,
            }
            total = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
            total.update(self._rows.frequency.astype("<i8", copy=False).data)
            total.update(self._hashes.combined(self._row_bytes, check.check_n_jobs(self.n_jobs)))
            self._digest = total.hexdigest()
        return self._digest

    def _row_bytes(self, word: int) -> tuple[memoryview, ...]:
        # From the diagonal on: K is symmetric, so this says it all.
        columns, values = self._rows.row(word)
        upper = int(np.searchsorted(columns, word))
        columns, values = columns[upper:], values[upper:]
        return columns.astype("<i4", copy=False).data, values.astype("<i8", copy=False).data

    # ---- for models, heads and stores -----------------------------------------------------

    @property
    def version(self) -> int:
        """The number of changes so far."""
        return self._rows.version

    @exclusive
    def changed_since(self, version: int) -> NDArray[np.int32]:
        """Words, ascending, whose row or document frequency changed after `version`, or more.

        All words, unless `version` is the one that was named to `forget_changes` last.
        """
        if version == self._seen:
            return np.flatnonzero(self._touched).astype(np.int32)
        return np.arange(self.n_words, dtype=np.int32)

    @exclusive
    def forget_changes(self) -> None:
        """Somebody has seen the present version: forget which words the changes before touched."""
        self._seen = self.version
        self._touched = np.zeros(self.n_words, np.bool_)

    @exclusive
    def addition(self, X: Any, lengths: Any = None) -> Change:
        """The change that `add` makes; errors as there."""
        documents = check_documents(X, self.n_words)
        self._announce(documents)
        return self._checked_addition(self._count(documents, lengths))

    @exclusive
    def removal(self, X: Any, lengths: Any = None) -> Change:
        """The change that `remove` makes; errors as there."""
        documents = check_documents(X, self.n_words)
        return self._checked_removal(self._count(documents, lengths), documents)

    @exclusive
    def make(self, change: Change) -> None:
        """Make a change that was checked against the statistics as they are."""
        self._apply(change.delta, change.adds, change.version + 1)

    @exclusive
    def take_back(self, change: Change) -> None:
        """Take back a change that was made last, if it was made."""
        if self.version == change.version + 1:
            self._apply(change.delta, not change.adds, change.version)

    @exclusive
    def renumber(self, columns: NDArray[np.int32], n_words: int) -> None:
        """Move column i to columns[i] among `n_words`, which are the vocabulary from now on.

        Parameters
        ----------
        columns : ndarray of int32, shape (n_words before,)
            Ascending; -1 for words that no document holds.
        n_words : int
            Size of the other vocabulary; its other words are in no document yet.

        Raises
        ------
        InvalidInputError
            A word that is left out has documents. Nothing has been changed.
        """
        if self._rows.frequency[columns < 0].any():
            raise InvalidInputError("a word that is left out has documents")
        rows = self._rows.renumbered(columns, n_words, check.check_n_jobs(self.n_jobs))
        twin = object.__new__(type(self))
        vars(twin).update(vars(self), n_words=n_words)
        twin._take(rows)
        # No version of before is one of these statistics.
        rows.totals[1] = self.version + 1
        self.__dict__ = vars(twin)

    @exclusive
    def restore(
        self,
        rows: CooccurrenceRows,
        word_mass: NDArray[np.int64],
        document_frequency: NDArray[np.int64],
        n_documents: int,
    ) -> None:
        """Take over a state that was saved. For `pyunlearn.io` and the store, which check it."""
        rows.mass, rows.frequency = word_mass, document_frequency
        rows.totals = np.array([n_documents, 0], np.int64)
        self._take(rows)

    # ---- inside ---------------------------------------------------------------------------

    def _take(self, rows: CooccurrenceRows) -> None:
        rows.totals[1] = 0
        self._hashes = PartHashes(self.n_words)
        self._digest = None
        # Words that changed after a version that somebody has seen.
        self._seen, self._touched = 0, np.zeros(self.n_words, np.bool_)
        self._rows = rows

    def _apply(self, delta: Delta, adds: bool, version: int) -> None:
        # Marks come first: one too many does no harm when nothing follows.
        self._digest = None
        self._hashes.expire(delta.words)
        self._touched = owned(self._touched)
        self._touched[delta.words] = True
        change = self._rows.add if adds else self._rows.subtract
        change(delta, check.check_n_jobs(self.n_jobs), version)

    @exclusive
    def _add_delta(self, delta: Delta) -> None:
        self.make(self._checked_addition(delta))

    def _announce(self, documents: Documents) -> None:
        """Say so before a large addition: it may not fit in memory."""
        estimate = self.estimate_nbytes(documents)
        if estimate > max(LARGE, 2 * self.nbytes):
            log.info(
                "counting %d documents; the statistics will take at most %.1f GiB of memory",
                documents.n_documents,
                estimate / 2**30,
            )

    def _count(self, X: Any, lengths: Any) -> Delta:
        documents = check_documents(X, self.n_words)
        weights = self._weights(check_lengths(lengths, documents))
        try:
            return count_documents(documents, weights, check.check_n_jobs(self.n_jobs))
        except MassOverflowError as overflow:
            raise self._overflow(overflow.args[0]) from None

    def _weights(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return document_weights(lengths, self.scale_bits, self.weighting)

    def _overflow(self, word: int) -> StatisticsOverflowError:
        return StatisticsOverflowError(
            f"the mass of word {word} would reach 2**62; use a smaller scale_bits "
            f"(now {self.scale_bits}) from the start"
        )

    @exclusive
    def _as_delta(self) -> Delta:
        indptr, indices, values = self._rows.to_arrays()
        words = np.arange(self.n_words, dtype=np.int32)
        return Delta(
            words,
            indptr,
            indices,
            values,
            self._rows.mass.copy(),
            self._rows.frequency.copy(),
            self.n_documents,
        )

    def _checked_addition(self, delta: Delta) -> Change:
        if self.n_documents + delta.n_documents >= MASS_LIMIT:
            raise StatisticsOverflowError("the number of documents would reach 2**62")
        mass = self._rows.mass[delta.words] + delta.mass  # both below 2^62: no wrap-around
        if mass.size and int(mass.max()) >= MASS_LIMIT:
            raise self._overflow(int(delta.words[np.argmax(mass)]))
        return Change(delta, True, self.version)

    def _checked_removal(self, delta: Delta, documents: Documents) -> Change:
        if delta.n_documents > self.n_documents:
            raise NotInModelError(
                f"cannot remove {delta.n_documents} documents: the statistics hold "
                f"{self.n_documents}"
            )
        frequency = self._rows.frequency[delta.words] - delta.document_frequency
        mass = self._rows.mass[delta.words] - delta.mass
        # A word that no document has left must leave no mass either, and the reverse.
        absent = (frequency < 0) | (mass < 0) | ((frequency == 0) & (mass > 0))
        word: int | None = int(delta.words[np.argmax(absent)]) if absent.any() else None
        if word is None:
            word = self._rows.first_uncovered(delta, check.check_n_jobs(self.n_jobs))
        if word is not None:
            raise NotInModelError(
                f"the documents to remove are not all in the statistics (seen at column {word}, "
                f"which row {documents.first_row_with(word)} is the first to have): never added, "
                "removed already, or given with other lengths"
            )
        return Change(delta, False, self.version)


@dataclass(frozen=True, eq=False)
class _Frozen:
    """What a pickle keeps of statistics, taken before the pickle comes to them."""

    kind: type[CooccurrenceStatistics]
    state: dict[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return object.__new__, (self.kind,), self.state


def _read_only(array: NDArray[np.int64]) -> NDArray[np.int64]:
    view = array.view()
    view.flags.writeable = False
    return view
