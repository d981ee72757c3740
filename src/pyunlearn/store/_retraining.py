"""Heads of a store trained again, after documents or topics changed.

Needs scikit-learn, like `_trained_heads`: import it where a store has a head, or is to get one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.heads._task_statistics import TaskStatistics
from pyunlearn.heads._training import HeadSettings
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_labels as labelled
from pyunlearn.store import _trained_heads as made
from pyunlearn.store._current import Current
from pyunlearn.store._database import Database


@dataclass(frozen=True)
class TaskSums:
    """The task of a head that keeps sums; documents without a label are none of it."""

    db: Database
    field: str
    task: TaskStatistics
    settings: HeadSettings
    gone_labels: Mapping[str, str | None]  # of documents that are deleted by now

    def remove(self, batch: docs.Batch) -> None:
        """Take documents out."""
        for one, labels in self._labelled(batch):
            targets = made.task_targets(self.settings, labels, one.ids)
            self.task.remove(one.documents, targets)

    def add(self, batch: docs.Batch) -> None:
        """Put documents in."""
        for one, labels in self._labelled(batch):
            targets = made.task_targets(self.settings, labels, one.ids)
            self.task.add(one.documents, targets)

    def renumber(self, columns: NDArray[np.int32], n_words: int) -> None:
        """Move words to other columns."""
        self.task.renumber(columns, n_words)

    def _labelled(self, batch: docs.Batch) -> Iterator[tuple[docs.Batch, list[str]]]:
        stored = labelled.labels_of(self.db, self.field, batch.ids)
        labels = [
            self.gone_labels.get(one, label) for one, label in zip(batch.ids, stored, strict=True)
        ]
        rows = [row for row, label in enumerate(labels) if label is not None]
        if rows:
            yield labelled.chosen(batch, rows), [str(labels[row]) for row in rows]


def task_sums(current: Current, name: str, gone: Sequence[docs.Named]) -> TaskSums:
    """The task of a head that keeps sums, before documents go or change."""
    db, ids = current.db, [identifier for identifier, _ in gone]
    labels = dict(zip(ids, labelled.labels_of(db, name, ids), strict=True))
    return TaskSums(db, name, current.task(name), made.settings_of(db, name), labels)


def retrain(
    current: Current,
    name: str,
    sums: TaskSums | None = None,
    changed: NDArray[np.intp] | None = None,
) -> None:
    """Train the head of a field anew on the current model.

    On `sums`, of which the columns `changed` changed, where there are such, else on the documents.
    """
    db, parameters = current.db, heads.parameters_of(current.db, name)
    model, n_jobs = current.model(), current.n_jobs
    if sums is not None:
        head = made.new_head(model, parameters, n_jobs).fit_task(sums.task)
        put_head(current, name, head, changed)
    else:
        head = made.trained(db, current.dictionary(), model, name, parameters, n_jobs)
        put_head(current, name, head)


def put_head(
    current: Current, name: str, head: LinearHead, changed: NDArray[np.intp] | None = None
) -> None:
    """A head that was trained becomes the current one; `changed` as in `write_model`."""
    made.write(current.db, name, head, changed)
    current.put_task(name, head.task_ if isinstance(head.task_, TaskStatistics) else None)
