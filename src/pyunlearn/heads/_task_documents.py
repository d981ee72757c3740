"""`TaskDocuments`: the documents of a task, kept in an order that does not tell how they came."""

from __future__ import annotations

import copy
import hashlib
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pyunlearn._canonical import Canonical
from pyunlearn._digest import TASK_DOCUMENTS_FORMAT
from pyunlearn._documents import Documents
from pyunlearn._linalg import column_sums
from pyunlearn.errors import NotInModelError
from pyunlearn.heads._targets import classes_of, label_bytes, narrowed
from pyunlearn.heads._task_change import TaskChange

__all__ = ["TaskDocuments"]


class TaskDocuments(Canonical):
    """Task documents with their targets, sorted by the SHA-256 of both.

    Equal documents with equal targets cannot be told apart, so the order is a function of the
    content, and everything that is computed in it as well.

    Parameters
    ----------
    n_words : int
        Size of the vocabulary.
    n_outputs : int, optional
        Numbers a document has as its target; None for a class label.

    Attributes
    ----------
    documents : Documents
        Word counts.
    targets : ndarray
        Labels (m,), or numbers (m, n_outputs).
    """

    def __init__(self, n_words: int, n_outputs: int | None = None) -> None:
        self.n_words = n_words
        self.n_outputs = n_outputs
        self.documents = Documents.empty(n_words)
        self.targets: NDArray[Any] = np.zeros((0,) if n_outputs is None else (0, n_outputs))
        self._keys: NDArray[np.bytes_] = np.zeros(0, "S64")

    @property
    def n_documents(self) -> int:
        """Task documents."""
        return len(self._keys)

    @property
    def classes(self) -> NDArray[Any]:
        """Labels that some document has, ascending; none for numbers."""
        return classes_of(self.targets) if self.n_outputs is None else np.zeros(0)

    def mean_target(self) -> NDArray[np.float64]:
        """Shares of the classes, or the mean numbers, (outputs,); 0 without documents."""
        if self.n_outputs is None:
            _, counts = np.unique(self.targets, return_counts=True)
            totals = counts.astype(np.float64)
        else:
            totals = column_sums(self.targets)
        return np.asarray(totals / max(self.n_documents, 1))

    def plus(self, documents: Documents, targets: NDArray[Any]) -> TaskChange[Self]:
        """With more task documents."""
        keys = np.concatenate([self._keys, _keys(documents, targets)])
        if self.n_documents:
            documents = self.documents.followed_by(documents)
            targets = np.concatenate([self.targets, targets])
        return self._chosen(documents, targets, keys, np.argsort(keys, kind="stable"))

    def without(self, documents: Documents, targets: NDArray[Any]) -> TaskChange[Self]:
        """Without task documents; NotInModelError when they are not all there."""
        wanted = _keys(documents, targets)
        order = np.argsort(wanted, kind="stable")
        first = np.searchsorted(self._keys, wanted[order])
        # The second of two equal documents asks for the second of the equal ones held.
        _, start, counts = np.unique(wanted[order], return_index=True, return_counts=True)
        first += np.arange(len(order)) - np.repeat(start, counts)
        there = first < self.n_documents
        there[there] = self._keys[first[there]] == wanted[order][there]
        if not there.all():
            row = int(order[np.argmin(there)])
            raise NotInModelError(
                f"task document {row} is not in the head with this target: never added, removed "
                "already, or labelled otherwise; nothing was changed"
            )
        left = np.ones(self.n_documents, np.bool_)
        left[first] = False
        return self._chosen(self.documents, self.targets, self._keys, np.flatnonzero(left))

    def relabelled(
        self, documents: Documents, old: NDArray[Any], new: NDArray[Any]
    ) -> TaskChange[Self]:
        """With other targets of documents; NotInModelError as for `without`."""
        return self.without(documents, old).after.plus(documents, new)

    def add(self, documents: Documents, targets: NDArray[Any]) -> None:
        """Add task documents."""
        self.__dict__ = self.plus(documents, targets).after.__dict__

    def remove(self, documents: Documents, targets: NDArray[Any]) -> None:
        """Take task documents out; NotInModelError changes nothing."""
        self.__dict__ = self.without(documents, targets).after.__dict__

    def frozen(self) -> Self:
        """The task itself: what a head has of this kind is replaced, not changed."""
        return self

    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        header = f"{TASK_DOCUMENTS_FORMAT} {self.n_words} {self.n_outputs} "
        return hashlib.sha256(header.encode() + self._keys.tobytes()).hexdigest()

    def _chosen(
        self,
        documents: Documents,
        targets: NDArray[Any],
        keys: NDArray[np.bytes_],
        rows: NDArray[np.intp],
    ) -> TaskChange[Self]:
        twin = copy.copy(self)
        twin.documents = documents.chosen(rows)
        twin.targets, twin._keys = narrowed(targets[rows]), keys[rows]
        return TaskChange(twin)


def _keys(documents: Documents, targets: NDArray[Any]) -> NDArray[np.bytes_]:
    columns = documents.columns.astype("<i4", copy=False)
    counts = documents.counts.astype("<i4", copy=False)
    keys = []
    for begin, end, target in zip(
        documents.start[:-1].tolist(),
        documents.start[1:].tolist(),
        label_bytes(targets),
        strict=True,
    ):
        # The length first: no two documents run into each other's bytes.
        content = hashlib.sha256((end - begin).to_bytes(8, "little"))
        content.update(columns[begin:end].data)
        content.update(counts[begin:end].data)
        content.update(target)
        keys.append(content.hexdigest())
    return np.array(keys, dtype="S64")
