"""`CooccurrenceStatistics`: all that the learner reads of a corpus, in reversible integers."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._canonical import canonical
from pyunlearn._cooccurrence.contexts import (
    ALL,
    FEW_DOCUMENTS,
    checked_contexts,
    context_threshold,
    room_threshold,
    words_in,
)
from pyunlearn._cooccurrence.counting import (
    Delta,
    MassOverflowError,
    count_documents,
    frequencies,
    neighbours_at_most,
)
from pyunlearn._cooccurrence.row_bytes import RowBytes
from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._digest import PARTS_FOR_THREADS, STATISTICS_FORMAT, PartHashes
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
from pyunlearn.errors import (
    CorruptStateError,
    InvalidInputError,
    MissingContextsError,
    NotInModelError,
    StatisticsOverflowError,
)

if TYPE_CHECKING:
    import scipy.sparse as sp

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
    columns: NDArray[np.int32] | None = None  # of empty statistics, which have none to keep


class CooccurrenceStatistics(Exclusive):
    """Integer co-occurrence statistics T(S) of a corpus S, which documents can be taken out of.

    Every document d with word counts h_d and l_d tokens has one integer weight w_d, and

        K = sum_d w_d (h_d h_d^T - diag(h_d)),   c_i = sum_d w_d h_di (l_d - 1),
        f_i = documents with word i,             m = documents.

    Sums of integers do not depend on their order, so a removed document leaves nothing behind:
    equal remaining documents give equal bytes (`digest`). The size does not grow with m.

    K has a row for each word. Where `contexts` says so, it has columns for the words of many
    documents only, and its size is linear in the vocabulary.

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
    contexts : "all", "core", int or float, default="all"
        Words that have a column: all; those in 0.6 sqrt(m) of m documents, from 10,000 documents on
        in 0.6 % of them ("core"); those in so many documents (int), or in such a share (float).
        Contexts are a function of the documents. From 1,024 documents on, columns are kept of words
        that three quarters as many of the first documents added hold, so that contexts can change;
        before, and for "all", of all words.
    n_jobs : int or None, default=None
        Threads; None uses all processors at hand. No result depends on it.

    Attributes
    ----------
    n_documents : int
        m, empty documents and those of one token included.
    document_frequency : ndarray of int64, shape (n_words,)
        f_i.
    word_mass : ndarray of int64, shape (n_words,)
        c_i, in units of 2^-s: the row sums of K where all words are contexts and `lengths` are not
        given.

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
    _hashed_at: NDArray[np.int32]  # contexts when rows were hashed

    def __init__(
        self,
        n_words: int,
        scale_bits: int = 40,
        weighting: str = "document",
        contexts: str | int | float = ALL,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.n_words = check.check_integer("n_words", n_words, 0, COUNT_LIMIT)
        self.scale_bits = check.check_integer("scale_bits", scale_bits, 1, 61)
        self.weighting = check.check_choice("weighting", weighting, WEIGHTINGS)
        self.contexts = checked_contexts(contexts)
        self.n_jobs = n_jobs
        self._keeps_all, self._chosen = self.contexts == ALL, False
        self._few = FEW_DOCUMENTS
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
        """c_i, (n_words,), in units of 2^-scale_bits; read-only view."""
        return _read_only(self._rows.mass)

    @property
    def context_words(self) -> NDArray[np.int32]:
        """The contexts of the documents of now, ascending, (c,)."""
        threshold = context_threshold(self.contexts, self.n_documents)
        return words_in(self._rows.frequency, threshold)

    @property
    def keeps_all_columns(self) -> bool:
        """Whether the columns of all words are kept, also of the documents to come."""
        few = not self._room(self.n_documents)
        return self._keeps_all or (few and self._rows.has_all_columns)

    def keep_all_columns(self) -> Self:
        """Keep the columns of all words, of which no document has come yet; returns itself.

        For documents that come in parts: nobody knows yet which words will be contexts.

        Raises
        ------
        InvalidInputError
            The statistics hold documents. Nothing has been changed then.
        """
        if self.n_documents:
            raise InvalidInputError("the columns that are kept are chosen by the first documents")
        self._keeps_all = True
        return self

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
        return self._estimated(documents, self._first_columns(documents))

    def _estimated(self, documents: Documents, columns: NDArray[np.int32] | None) -> int:
        """The bound; `columns`: those that will be kept, if not those of now."""
        n_columns = len(self._rows.columns if columns is None else columns)
        shared = neighbours_at_most(documents, n_columns)
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
            `n_words`, `scale_bits`, `weighting`, `contexts` or the columns that are kept differ.
        StatisticsOverflowError
            A word's mass or the number of documents would reach 2^62. Nothing has been changed.
        """
        if not isinstance(other, CooccurrenceStatistics):
            raise InvalidInputError(f"cannot merge a {type(other).__name__} with statistics")
        for name in ("n_words", "scale_bits", "weighting", "contexts"):
            # By their text: contexts in 1 document are not those in a share of 1.0.
            mine, theirs = repr(getattr(self, name)), repr(getattr(other, name))
            if mine != theirs:
                raise InvalidInputError(f"cannot merge: {name} is {mine} here, {theirs} there")
        columns = None
        if not np.array_equal(self._rows.columns, other.rows.columns):
            columns = other.rows.columns.copy()
        if columns is not None and (self.n_documents or self._keeps_all):
            raise InvalidInputError(
                "cannot merge: other columns were kept of these statistics than of those; call "
                "keep_all_columns() of both before their first documents"
            )
        self._add_delta(other._as_delta(), columns)
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
        rows = self.canonical_rows()
        indptr, indices, values = rows.to_arrays()
        state = {
            "n_words": self.n_words,
            "scale_bits": self.scale_bits,
            "weighting": self.weighting,
            "contexts": self.contexts,
            "keeps_all": self.keeps_all_columns,
            "columns": rows.columns.copy(),
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
        for name in ("n_words", "scale_bits", "weighting", "contexts", "n_jobs"):
            setattr(self, name, state[name])
        self._keeps_all, self._chosen, self._few = state["keeps_all"], False, FEW_DOCUMENTS
        rows = CooccurrenceRows.from_arrays(
            state["indptr"], state["indices"], state["values"], state["columns"]
        )
        self.restore(rows, state["word_mass"], state["document_frequency"], state["n_documents"])

    @exclusive
    def to_csr(self) -> sp.csr_array:
        """K as a fresh canonical CSR array, int64, (n_words, n_words), with the columns kept."""
        import scipy.sparse as sp

        indptr, places, values = self._rows.to_arrays()
        indices = self._rows.columns[places]
        return sp.csr_array((values, indices, indptr), shape=(self.n_words, self.n_words))

    @exclusive
    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal: equal if and only if the statistics are equal.

        A hash of a header, m, f, c, the contexts, and the hashes of the rows of K at them, those of
        contexts from the diagonal on; only rows that changed since the last call are hashed again.
        """
        if self._digest is None:
            header = {
                "format": STATISTICS_FORMAT,
                "n_words": self.n_words,
                "scale_bits": self.scale_bits,
                "weighting": self.weighting,
                "contexts": self.contexts,
                "n_documents": self.n_documents,
            }
            contexts = self.context_words
            total = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
            total.update(self._rows.frequency.astype("<i8", copy=False).data)
            total.update(self._rows.mass.astype("<i8", copy=False).data)
            total.update(contexts.astype("<i4", copy=False).data)
            total.update(self._row_hashes(contexts))
            self._digest = total.hexdigest()
        return self._digest

    def _row_hashes(self, contexts: NDArray[np.int32]) -> bytes:
        """The hashes of all rows at the contexts."""
        if not np.array_equal(contexts, self._hashed_at):
            self._hashes, self._hashed_at = PartHashes(self.n_words), contexts
        # Threads hash, and rows that stand elsewhere are not read by several.
        stale, num_threads = self._hashes.stale, check.check_n_jobs(self.n_jobs)
        self._rows.need(stale)
        # Many rows are hashed by several threads, of which each packs its own.
        packing = 1 if len(stale) >= PARTS_FOR_THREADS else num_threads
        rows = RowBytes.at_columns(self._rows, contexts, packing)
        return self._hashes.combined(rows.of, num_threads)

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
        columns = self._first_columns(documents)
        self._announce(documents, columns)
        return self._checked_addition(self._count(documents, lengths, columns), columns)

    @exclusive
    def row_hashes(self) -> NDArray[np.uint8]:
        """SHA-256 of each row at the contexts, (n_words, 32), as the digest has them."""
        flat = np.frombuffer(self._row_hashes(self.context_words), np.uint8)
        return flat.reshape(self.n_words, 32)

    @exclusive
    def restore_row_hashes(self, hashes: NDArray[np.uint8]) -> None:
        """Take over what `row_hashes` gave for the state that was restored."""
        self._hashes, self._hashed_at = PartHashes.known(hashes), self.context_words
        self._digest = None

    @exclusive
    def refuse_changed_rows(self, words: NDArray[np.integer]) -> None:
        """Raise CorruptStateError unless rows of some words have the hashes that are known."""
        some = np.setdiff1d(words, self._hashes.stale)
        self._rows.need(some)
        num_threads = check.check_n_jobs(self.n_jobs)
        rows = RowBytes.at_columns(self._rows, self._hashed_at, num_threads)
        changed = self._hashes.others(some, rows.of)
        if len(changed):
            raise CorruptStateError(f"row {changed[0]} is not the one that was written")

    def keep_little_room(self) -> Self:
        """Keep few columns of few documents as well; returns itself.

        For those who have the documents, and count again when a column is missing.
        """
        self._few = 0
        return self

    def _room(self, n_documents: int) -> int:
        """Documents that must hold a word for its column to be kept."""
        return room_threshold(self.contexts, n_documents, self._few)

    @exclusive
    def keep_columns(self, document_frequency: NDArray[np.int64], n_documents: int) -> None:
        """Choose the columns of empty statistics by the documents that will come, in parts."""
        if not self._keeps_all:
            columns = words_in(document_frequency, self._room(n_documents))
            self._take(CooccurrenceRows(self.n_words, columns))
        self._chosen = True

    @exclusive
    def add_part(self, X: Any, lengths: Any = None) -> None:
        """Add a part of these documents; which words are contexts is seen when all are there."""
        documents = check_documents(X, self.n_words)
        self._announce(documents, None)
        self.make(self._sized_addition(self._count(documents, lengths)))

    @exclusive
    def remove_part(self, X: Any, lengths: Any = None) -> None:
        """Remove documents as a part of a larger change; see `add_part`."""
        documents = check_documents(X, self.n_words)
        self.make(self._held_removal(self._count(documents, lengths), documents))

    @exclusive
    def lacks_contexts(self) -> bool:
        """Whether, after parts, the column of a context is missing."""
        return bool((self._rows.place[self.context_words] < 0).any())

    @exclusive
    def removal(self, X: Any, lengths: Any = None) -> Change:
        """The change that `remove` makes; errors as there."""
        documents = check_documents(X, self.n_words)
        change = self._held_removal(self._count(documents, lengths), documents)
        self._refuse_missing_contexts(change)
        return change

    def columns_of_now(self) -> NDArray[np.int32]:
        """The columns that would be kept if the documents of now were the first."""
        return words_in(self._rows.frequency, self._room(self.n_documents))

    def canonical_rows(self) -> CooccurrenceRows:
        """Rows with no other columns than would be kept of the documents of now, for files.

        Not to be written to: they are those of the statistics where these have no others.
        """
        kept = np.isin(self._rows.columns, self.columns_of_now())
        if self._keeps_all or kept.all():
            return self._rows
        return self._rows.with_columns(kept, check.check_n_jobs(self.n_jobs))

    @exclusive
    def make(self, change: Change) -> None:
        """Make a change that was checked against the statistics as they are."""
        if change.columns is not None:
            rows = CooccurrenceRows(self.n_words, change.columns)
            rows.totals = self._rows.totals.copy()
            self._rows = rows
        self._apply(change.delta, change.adds, change.version + 1)

    @exclusive
    def take_back(self, change: Change) -> None:
        """Take back a change that was made last, if it was made."""
        if self.version == change.version + 1:
            self._apply(change.delta, not change.adds, change.version)

    @exclusive
    def renumber(self, columns: NDArray[np.int32], n_words: int) -> None:
        """Move word i to columns[i] among `n_words`, which are the vocabulary from now on.

        Parameters
        ----------
        columns : ndarray of int32, shape (n_words before,)
            Ascending; -1 for words that leave the vocabulary: their rows and columns go. `lengths`
            of documents count them as before. Words that are new have a column where those of
            all words are kept.
        n_words : int
            Size of the other vocabulary; its other words are in no document yet.
        """
        before, num_threads = self._rows, check.check_n_jobs(self.n_jobs)
        keeps_all = self._keeps_all or not self._room(self.n_documents)
        rows = before.renumbered(columns, n_words, keeps_all, num_threads)
        twin = object.__new__(type(self))
        vars(twin).update(vars(self), n_words=n_words)
        twin._take(rows)
        if (columns[self._hashed_at] >= 0).all():
            # Rows are hashed at the positions of contexts, which are the same.
            twin._hashed_at = columns[self._hashed_at]
            twin._hashes = self._hashes.moved(columns, n_words)
        # No version of before is one of these statistics.
        rows.totals[1] = self.version + 1
        self.__dict__ = vars(twin)
        gone = columns < 0
        rows.wipe_rows(before.start[gone], before.length[gone])

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
        self._hashed_at = np.zeros(0, np.int32)
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
    def _add_delta(self, delta: Delta, columns: NDArray[np.int32] | None) -> None:
        self.make(self._checked_addition(delta, columns))

    def _announce(self, documents: Documents, columns: NDArray[np.int32] | None) -> None:
        """Say so before a large addition: it may not fit in memory."""
        estimate = self._estimated(documents, columns)
        if estimate > max(LARGE, 2 * self.nbytes):
            log.info(
                "counting %d documents; the statistics will take at most %.1f GiB of memory",
                documents.n_documents,
                estimate / 2**30,
            )

    def _first_columns(self, documents: Documents) -> NDArray[np.int32] | None:
        """The columns that are kept when these documents are the first; None where others were."""
        if self.n_documents or self._keeps_all or self._chosen:
            return None
        return words_in(frequencies(documents), self._room(documents.n_documents))

    def _count(
        self, documents: Documents, lengths: Any, columns: NDArray[np.int32] | None = None
    ) -> Delta:
        """The change that documents make; `columns`: those that are kept, if not those of now."""
        rows = self._rows if columns is None else CooccurrenceRows(self.n_words, columns)
        place = None if rows.has_all_columns else rows.place
        given = check_lengths(lengths, documents)
        weights = self._weights(given)
        try:
            return count_documents(
                documents, given, weights, place, check.check_n_jobs(self.n_jobs)
            )
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
            np.arange(len(self._rows.columns), dtype=np.int32),
            indptr,
            indices,
            values,
            self._rows.mass.copy(),
            self._rows.frequency.copy(),
            self.n_documents,
        )

    def _checked_addition(self, delta: Delta, columns: NDArray[np.int32] | None = None) -> Change:
        change = self._sized_addition(delta, columns)
        self._refuse_missing_contexts(change)
        return change

    def _sized_addition(self, delta: Delta, columns: NDArray[np.int32] | None = None) -> Change:
        """An addition that stays below the limits of sums."""
        if self.n_documents + delta.n_documents >= MASS_LIMIT:
            raise StatisticsOverflowError("the number of documents would reach 2**62")
        mass = self._rows.mass[delta.words] + delta.mass  # both below 2^62: no wrap-around
        if mass.size and int(mass.max()) >= MASS_LIMIT:
            raise self._overflow(int(delta.words[np.argmax(mass)]))
        return Change(delta, True, self.version, columns)

    def _held_removal(self, delta: Delta, documents: Documents) -> Change:
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

    def _refuse_missing_contexts(self, change: Change) -> None:
        """Raise unless the columns of all words that a change makes contexts are kept."""
        rows, delta = self._rows, change.delta
        has_column = rows.place >= 0
        if change.columns is not None:
            has_column[:] = False
            has_column[change.columns] = True
        if has_column.all():
            return
        sign = 1 if change.adds else -1
        frequency = rows.frequency.copy()
        frequency[delta.words] += sign * delta.document_frequency
        threshold = context_threshold(self.contexts, self.n_documents + sign * delta.n_documents)
        missing = np.flatnonzero((frequency >= threshold) & ~has_column)
        if len(missing):
            raise MissingContextsError(
                f"{len(missing)} words (column {missing[0]} first) would become contexts, but "
                "their columns of the statistics were not kept: they were rare among the first "
                "documents. Fit again with all documents; or begin with partial_fit (of "
                "statistics: keep_all_columns), which keeps all columns; or fix contexts by number"
            )


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
