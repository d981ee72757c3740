"""`TaskStatistics`: all that a head with squared loss reads of its task, in reversible integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._digest import content_digest
from pyunlearn._documents import MASS_LIMIT, Documents
from pyunlearn.errors import DocumentTooLongError, NotInModelError, StatisticsOverflowError
from pyunlearn.heads.targets import classes_of, largest

__all__ = ["OuterProducts", "TaskStatistics"]

SCALE_BITS = 40  # of M_xx
TARGET_BITS = 32  # of M_xy, which also has to hold the targets


class OuterProducts(CooccurrenceStatistics):
    """Sums of v h h^T - diag(v h) with v = floor(2^40 / l^2); l counts words of the vocabulary."""

    def __init__(self, n_words: int, *, n_jobs: int | None = None) -> None:
        super().__init__(n_words, SCALE_BITS, n_jobs=n_jobs)
        self.weighting = "squared length"

    def _weights(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        return square_weights(lengths)


class TaskStatistics:
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
    classes : ndarray
        Labels that some document has, ascending.
    counts : ndarray of int64, shape (classes,)
        Documents with each.
    sums : ndarray of int64, shape (n_words, classes or outputs)
        M_xy.
    """

    def __init__(
        self, n_words: int, n_outputs: int | None = None, *, n_jobs: int | None = None
    ) -> None:
        self.n_words = n_words
        self.n_outputs = n_outputs
        self.pairs = OuterProducts(n_words, n_jobs=n_jobs)
        self.own = np.zeros(n_words, np.int64)
        self.classes: NDArray[Any] = np.zeros(0, np.int64)
        self.counts = np.zeros(0, np.int64)
        self.sums = np.zeros((n_words, n_outputs or 0), np.int64)

    @property
    def n_documents(self) -> int:
        """Task documents."""
        return self.pairs.n_documents

    def add(self, documents: Documents, targets: NDArray[Any]) -> None:
        """Add task documents; StatisticsOverflowError or DocumentTooLongError change nothing."""
        held = float(np.abs(self.sums).max(initial=0))
        if held + self._most(documents, targets) >= MASS_LIMIT:
            raise StatisticsOverflowError(
                "the targets are too large for integer sums; divide them by a constant"
            )
        own = self.own + self._own(documents)
        if own.max(initial=0) >= MASS_LIMIT:
            raise StatisticsOverflowError("too many task documents hold one word alone")
        self._take(documents, targets, own)

    def put_back(self, documents: Documents, targets: NDArray[Any]) -> None:
        """Add task documents that were held a moment ago: they fit, whatever a bound says."""
        self._take(documents, targets, self.own + self._own(documents))

    def remove(self, documents: Documents, targets: NDArray[Any]) -> None:
        """Take task documents out; NotInModelError changes nothing."""
        absent = self._most(documents, targets) >= MASS_LIMIT
        if not absent:
            classes, counts, sums = self._contribution(documents, targets)
            own = self.own - self._own(documents)
            absent = bool(own.min(initial=0) < 0) or not self._holds(classes, counts, sums, own)
        if absent:
            raise NotInModelError(
                "the task documents to remove are not all in the head: never added, removed "
                "already, or given with other targets"
            )
        self.pairs.remove(documents)
        self.own = own
        self._combine(classes, counts, sums, -1)

    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        header = {
            "format": "pyunlearn-task-statistics-1",
            "pairs": self.pairs.digest(),
            "n_outputs": self.n_outputs,
            "classes": self.classes.tolist(),
        }
        arrays = {"own": self.own, "counts": self.counts, "sums": self.sums}
        return content_digest(header, arrays)

    def _take(self, documents: Documents, targets: NDArray[Any], own: NDArray[np.int64]) -> None:
        """Add documents with which `own` will be as given."""
        classes, counts, sums = self._contribution(documents, targets)
        self.pairs.add(documents)
        self.own = own
        self._combine(classes, counts, sums, 1)

    def _holds(
        self,
        classes: NDArray[Any],
        counts: NDArray[np.int64],
        sums: NDArray[np.int64],
        own: NDArray[np.int64],
    ) -> bool:
        """Whether a contribution can be taken out; `own` is what would be left."""
        if self.n_outputs is not None:
            # A word that no document holds any more has no targets.
            return not np.any((self.sums - sums)[own == 0])
        if not np.isin(classes, self.classes).all():
            return False
        at = np.searchsorted(self.classes, classes)
        documents, words = self.counts[at] - counts, self.sums[:, at] - sums
        return bool(
            (documents >= 0).all() and (words >= 0).all() and not words[:, documents == 0].any()
        )

    def _most(self, documents: Documents, targets: NDArray[Any]) -> float:
        """Bound of every entry of M_xy of a batch: a sum of |x| <= 1 times the targets."""
        most = largest(targets) if self.n_outputs else float(documents.n_documents)
        return 2.0**TARGET_BITS * most

    def _own(self, documents: Documents) -> NDArray[np.int64]:
        weights = square_weights(documents.in_vocabulary)
        return np.asarray(documents.to_csr().astype(np.int64).T @ weights, np.int64)

    def _contribution(
        self, documents: Documents, targets: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
        """(classes, documents of each, M_xy) of a batch; no classes for a regression."""
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
            return classes, np.asarray(member.sum(axis=0)), summed(share, member)
        ones = np.ones((documents.n_documents, 1), np.int64)
        rows = documents.entry_rows()
        columns = [summed(share * values[rows], ones) for values in targets.T]
        return np.zeros(0), np.zeros(0, np.int64), np.hstack(columns)

    def _combine(
        self,
        classes: NDArray[Any],
        counts: NDArray[np.int64],
        sums: NDArray[np.int64],
        sign: int,
    ) -> None:
        if self.n_outputs is not None:
            self.sums = self.sums + sign * sums
            return
        both = np.concatenate([self.classes, classes]) if len(self.classes) else classes
        union = classes_of(both)
        total = np.zeros(len(union), np.int64)
        whole = np.zeros((self.n_words, len(union)), np.int64)
        if len(self.classes):
            at = np.searchsorted(union, self.classes)
            total[at], whole[:, at] = self.counts, self.sums
        at = np.searchsorted(union, classes)
        total[at] += sign * counts
        whole[:, at] += sign * sums
        left = total > 0
        self.classes = classes_of(union[left])
        self.counts, self.sums = total[left], np.ascontiguousarray(whole[:, left])


def square_weights(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """V = floor(2^40 / l^2), 0 for an empty document."""
    too_long = lengths > 1 << SCALE_BITS // 2
    if too_long.any():
        row = int(np.argmax(too_long))
        raise DocumentTooLongError(
            f"row {row} has {lengths[row]} tokens, too many for a task document; split it"
        )
    return np.where(lengths > 0, (1 << SCALE_BITS) // np.maximum(lengths, 1) ** 2, 0)
