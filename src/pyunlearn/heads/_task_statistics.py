"""`TaskStatistics`: all that a head with squared loss reads of its task, in reversible integers."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn._canonical import Canonical
from pyunlearn._cooccurrence.rows import in_other_columns
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._digest import TASK_STATISTICS_FORMAT, content_digest
from pyunlearn._documents import MASS_LIMIT, Documents
from pyunlearn.errors import DocumentTooLongError, NotInModelError, StatisticsOverflowError
from pyunlearn.heads._targets import classes_of, largest
from pyunlearn.heads._task_change import TaskChange

__all__ = ["OuterProducts", "TaskStatistics"]

SCALE_BITS = 40  # of M_xx
TARGET_BITS = 32  # of M_xy, which also has to hold the targets
TOO_MANY = (
    "too many task documents hold one word for the integer sums of loss='squared'; use "
    "features='proportions', or fewer documents"
)


class OuterProducts(CooccurrenceStatistics):
    """Sums of v h h^T - diag(v h) with v = floor(2^40 / l^2); l counts words of the vocabulary."""

    def __init__(self, n_words: int, *, n_jobs: int | None = None) -> None:
        super().__init__(n_words, SCALE_BITS, n_jobs=n_jobs)
        self.weighting = "squared length"

    def _weights(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return square_weights(lengths)


@dataclass(frozen=True, eq=False)
class TargetSums(Canonical):
    """What the targets of documents add up to, in integers."""

    classes: NDArray[Any] | None  # (outputs,), ascending; None for numbers
    totals: NDArray[np.int64]  # (outputs,), documents of each class, or sums of round(2^32 y)
    by_word: NDArray[np.int64]  # (n_words, outputs), M_xy

    def plus(self, other: TargetSums) -> TargetSums:
        """The sums of both; classes that only one of them has are in it."""
        union, one = self.classes, self
        if self.classes is not None and other.classes is not None:
            # Labels of another kind are refused before; an empty array has no kind yet.
            both = [self.classes, other.classes] if len(self.classes) else [other.classes]
            union = classes_of(np.concatenate(both))
            one, other = self._over(union), other._over(union)
        return TargetSums(union, one.totals + other.totals, one.by_word + other.by_word)

    def minus(self, other: TargetSums) -> TargetSums:
        """These sums without others, which may leave negative ones; their classes are in these."""
        if self.classes is not None:
            other = other._over(self.classes)
        return TargetSums(self.classes, self.totals - other.totals, self.by_word - other.by_word)

    def without_empty_classes(self) -> TargetSums:
        """The sums of the classes that some document has."""
        if self.classes is None:
            return self
        left = self.totals > 0
        return TargetSums(
            classes_of(self.classes[left]),
            self.totals[left],
            np.ascontiguousarray(self.by_word[:, left]),
        )

    def _over(self, union: NDArray[Any]) -> TargetSums:
        """The same sums with a place for each class of a union."""
        totals = np.zeros(len(union), np.int64)
        by_word = np.zeros((len(self.by_word), len(union)), np.int64)
        if self.classes is not None and len(self.classes):
            at = np.searchsorted(union, self.classes)
            totals[at], by_word[:, at] = self.totals, self.by_word
        return TargetSums(union, totals, by_word)


class TaskStatistics(Canonical):
    """Integer statistics of task documents x_t = h_t / l_t (length l_t) with targets y_t.

        M_xx = sum_t v_t h_t h_t^T             v_t = floor(2^40 / l_t^2)
        M_xy = sum_t round(2^32 h_t y_t / l_t)      by class (y_t = 1), or by output

    Documents and targets leave nothing behind when they are taken out, in whatever order; the size
    does not grow with the number of documents.

    Parameters
    ----------
    n_words : int
        Size n of the vocabulary.
    n_outputs : int, optional
        Numbers a document has as its target; None for a class label.
    n_jobs : int, optional
        Threads; no result depends on it.

    Attributes
    ----------
    pairs : OuterProducts
        M_xx without the part of the diagonal that `own` has.
    own : ndarray of int64, shape (n_words,)
        sum_t v_t h_t.
    targets : TargetSums
        M_xy, and what the targets add up to by themselves.
    """

    def __init__(
        self, n_words: int, n_outputs: int | None = None, *, n_jobs: int | None = None
    ) -> None:
        self.n_words = n_words
        self.n_outputs = n_outputs
        self.pairs = OuterProducts(n_words, n_jobs=n_jobs)
        self.own = np.zeros(n_words, np.int64)
        width = n_outputs or 0
        self.targets = TargetSums(
            None if n_outputs else np.zeros(0, np.int64),
            np.zeros(width, np.int64),
            np.zeros((n_words, width), np.int64),
        )

    @property
    def n_documents(self) -> int:
        """Task documents."""
        return self.pairs.n_documents

    @property
    def classes(self) -> NDArray[Any]:
        """Labels that some document has, ascending; none for numbers."""
        return np.zeros(0) if self.targets.classes is None else self.targets.classes

    def mean_target(self) -> NDArray[np.float64]:
        """Shares of the classes, or the mean numbers, (outputs,); 0 without documents."""
        totals = self.targets.totals.astype(np.float64)
        if self.targets.classes is None:
            totals = np.ldexp(totals, -TARGET_BITS)
        return np.asarray(totals / max(self.n_documents, 1))

    def plus(self, documents: Documents, targets: NDArray[Any]) -> TaskChange[Self]:
        """With more task documents; StatisticsOverflowError or DocumentTooLongError."""
        after = self._sums_with(documents, targets)
        try:
            return TaskChange(after, self.pairs.addition(documents))
        except StatisticsOverflowError:
            raise StatisticsOverflowError(TOO_MANY) from None

    def without(self, documents: Documents, targets: NDArray[Any]) -> TaskChange[Self]:
        """Without task documents; NotInModelError when they are not all there."""
        return TaskChange(self._sums_without(documents, targets), self.pairs.removal(documents))

    def relabelled(
        self, documents: Documents, old: NDArray[Any], new: NDArray[Any]
    ) -> TaskChange[Self]:
        """With other targets of documents, whose word pairs stay; errors as for both."""
        self.pairs.removal(documents)
        return TaskChange(self._sums_without(documents, old)._sums_with(documents, new))

    def add(self, documents: Documents, targets: NDArray[Any]) -> None:
        """Add task documents; errors as for `plus` change nothing."""
        self._make(self.plus(documents, targets))

    def remove(self, documents: Documents, targets: NDArray[Any]) -> None:
        """Take task documents out; errors as for `without` change nothing."""
        self._make(self.without(documents, targets))

    def frozen(self) -> Self:
        """The task of now, for a pickle of something that it belongs to."""
        twin = copy.copy(self)
        twin.pairs = self.pairs.frozen()
        return twin

    def renumber(self, columns: NDArray[np.int32], n_words: int) -> None:
        """Move words to other columns; see `CooccurrenceStatistics.renumber`."""
        self.pairs.renumber(columns, n_words)
        self.n_words, self.own = n_words, in_other_columns(self.own, columns, n_words)
        by_word = in_other_columns(self.targets.by_word, columns, n_words)
        self.targets = replace(self.targets, by_word=by_word)

    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        header = {
            "format": TASK_STATISTICS_FORMAT,
            "pairs": self.pairs.digest(),
            "n_outputs": self.n_outputs,
            "classes": self.classes.tolist(),
        }
        arrays = {
            "own": self.own,
            "totals": self.targets.totals,
            "sums": self.targets.by_word,
        }
        return content_digest(header, arrays)

    def _make(self, change: TaskChange[Self]) -> None:
        if change.pairs is not None:
            self.pairs.make(change.pairs)
        self.__dict__ = change.after.__dict__

    def _sums_with(self, documents: Documents, targets: NDArray[Any]) -> Self:
        if self._largest_target() + self._most_target(documents, targets) >= MASS_LIMIT:
            raise StatisticsOverflowError(
                "the targets are too large for integer sums; divide them by a constant"
            )
        if (self.own + _most_own(documents)).max(initial=0.0) >= MASS_LIMIT:
            raise StatisticsOverflowError(TOO_MANY)
        sums = self.targets.plus(self._sums(documents, targets))
        return self._with_sums(self.own + _own(documents), sums)

    def _sums_without(self, documents: Documents, targets: NDArray[Any]) -> Self:
        left = self._left(documents, targets)
        if left is None:
            raise NotInModelError(
                "the task documents to remove are not all in the head: never added, removed "
                "already, or given with other targets"
            )
        own, sums = left
        return self._with_sums(own, sums.without_empty_classes())

    def _with_sums(self, own: NDArray[np.int64], targets: TargetSums) -> Self:
        twin = copy.copy(self)
        twin.own, twin.targets = own, targets
        return twin

    def _left(
        self, documents: Documents, targets: NDArray[Any]
    ) -> tuple[NDArray[np.int64], TargetSums] | None:
        """(`own`, sums) without documents; None when they cannot be in."""
        n_left = self.n_documents - documents.n_documents
        most = max(self._most_target(documents, targets), _most_own(documents).max(initial=0.0))
        if n_left < 0 or most >= MASS_LIMIT:
            return None
        sums, own = self._sums(documents, targets), self.own - _own(documents)
        if sums.classes is not None and not np.isin(sums.classes, self.classes).all():
            return None
        left = self.targets.minus(sums)
        if left.classes is None:
            # Words that no document holds any more have no targets.
            possible = not left.by_word[own == 0].any() and (n_left > 0 or not left.totals.any())
        else:
            empty = left.by_word[:, left.totals == 0]
            possible = bool(
                (left.totals >= 0).all() and (left.by_word >= 0).all() and not empty.any()
            )
        return (own, left) if possible and own.min(initial=0) >= 0 else None

    def _largest_target(self) -> float:
        sums = (self.targets.by_word, self.targets.totals)
        return max(float(np.abs(part).max(initial=0)) for part in sums)

    def _most_target(self, documents: Documents, targets: NDArray[Any]) -> float:
        """Bound of every sum of targets of a batch: of |x| <= 1 times the targets."""
        most = largest(targets) if self.n_outputs else float(documents.n_documents)
        return 2.0**TARGET_BITS * most

    def _sums(self, documents: Documents, targets: NDArray[Any]) -> TargetSums:
        """The sums of a batch, which have been bounded before."""
        length = np.repeat(documents.in_vocabulary, np.diff(documents.start))
        share = np.ldexp(documents.counts / length, TARGET_BITS)
        shape = (documents.n_documents, self.n_words)

        def summed(entries: NDArray[np.float64], by: NDArray[np.int64]) -> NDArray[np.int64]:
            rounded = np.rint(entries).astype(np.int64)
            matrix = sp.csr_array((rounded, documents.columns, documents.start), shape=shape)
            return np.asarray(matrix.T @ by, np.int64)

        if self.n_outputs is None:
            classes = classes_of(targets)
            member = (targets[:, None] == classes[None, :]).astype(np.int64)
            return TargetSums(classes, member.sum(axis=0), summed(share, member))
        totals = np.rint(np.ldexp(targets, TARGET_BITS)).astype(np.int64).sum(axis=0)
        ones = np.ones((documents.n_documents, 1), np.int64)
        rows = documents.entry_rows()
        columns = [summed(share * values[rows], ones) for values in targets.T]
        return TargetSums(None, totals, np.hstack(columns))


def _own(documents: Documents) -> NDArray[np.int64]:
    """sum_t v_t h_t of a batch, which has been bounded before, (n_words,)."""
    weights = square_weights(documents.in_vocabulary)
    return np.asarray(documents.to_csr().astype(np.int64).T @ weights, np.int64)


def _most_own(documents: Documents) -> NDArray[np.float64]:
    """The same in floating point, which cannot wrap around; exact to a share of 2^-30 or so."""
    weights = square_weights(documents.in_vocabulary)[documents.entry_rows()]
    entries = documents.counts * weights.astype(np.float64)
    return np.bincount(documents.columns, entries, documents.n_words).astype(np.float64)


def square_weights(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """V = floor(2^40 / l^2), 0 for an empty document."""
    too_long = lengths > 1 << SCALE_BITS // 2
    if too_long.any():
        row = int(np.argmax(too_long))
        raise DocumentTooLongError(
            f"row {row} has {lengths[row]} tokens, too many for a task document; split it"
        )
    return np.where(lengths > 0, (1 << SCALE_BITS) // np.maximum(lengths, 1) ** 2, 0)
