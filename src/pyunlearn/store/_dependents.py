"""Heads and index of a store, which follow every change of its documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._documents import check_documents
from pyunlearn._estimator import BaseTopicModel
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store._current import Current
from pyunlearn.store._database import Database

Heads = Mapping[str, LinearHead]


def remove_from_tasks(db: Database, known: Heads, batch: docs.Batch) -> dict[str, int]:
    """Take documents out of the tasks of all heads; returns how many, by field."""
    removed = {}
    for field, head in known.items():
        labels = heads.labels_of(db, field, batch.ids)
        rows = [row for row, label in enumerate(labels) if label is not None]
        removed[field] = len(rows)
        if rows:
            documents = check_documents(heads.chosen(batch, rows).counts)
            given = [str(labels[row]) for row in rows]
            names = [batch.ids[row] for row in rows]
            head.task_.remove(documents, heads.task_targets(head.settings_, given, names))
    return removed


def replace_in_tasks(db: Database, known: Heads, old: docs.Batch, new: docs.Batch) -> None:
    """Other counts for one document in the tasks of all heads."""
    for field, head in known.items():
        (label,) = heads.labels_of(db, field, old.ids)
        if label is not None:
            targets = heads.task_targets(head.settings_, [label], old.ids)
            head.task_.remove(check_documents(old.counts), targets)
            head.task_.add(check_documents(new.counts), targets)


def update(
    current: Current,
    known: Heads,
    touched: NDArray[np.integer],
    removed: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Bring heads and index up to date with the model; what the certificate lists.

    The heads were read before the model changed: one is checked against the model it is on.
    """
    db = current.db
    listed: dict[str, Any] = {}
    for field, head in known.items():
        current.progress("heads", 0, 0)
        before = heads.digests(db)[field]
        after = head.refresh().head_after
        heads.write(db, field, head, touched)
        listed[f"head {field}"] = {
            "before": before,
            "after": after,
            "task_documents_removed": (removed or {}).get(field, 0),
            "task_documents_left": head.task_.n_documents,
        }
    index_before = index.digest_of(db)
    if index_before is not None:
        current.progress("indexing", 0, 0)
        listed["index"] = {"before": index_before, "after": index.write(db, current.model())}
    return listed


def rebuild(current: Current, model: BaseTopicModel) -> dict[str, Any]:
    """Train every head and build the index anew from the documents; what a certificate lists."""
    db = current.db
    listed: dict[str, Any] = {}
    for field in heads.fields(db):
        retrain(current, model, field)
        listed[f"head {field}"] = {"before": None, "after": heads.digests(db)[field]}
    if index.digest_of(db) is not None:
        listed["index"] = {"before": None, "after": index.write(db, model)}
    return listed


def retrain(current: Current, model: BaseTopicModel, field: str) -> None:
    """Train the head of a field anew from the documents."""
    parameters = heads.parameters_of(current.db, field)
    head = heads.trained(current.db, model, field, parameters, current.n_jobs)
    heads.write(current.db, field, head, None)
    current.put_head(field, head)
