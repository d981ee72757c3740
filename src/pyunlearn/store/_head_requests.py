"""Requests about the heads of a store and the labels that they learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyunlearn.errors import InvalidInputError, InvalidParameterError, StoreError
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.store import _revising as revising
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_model as state
from pyunlearn.store._answers import HeadInfo
from pyunlearn.store._arguments import plain
from pyunlearn.store._current import Current
from pyunlearn.store._database import Database


def set_labels(current: Current, field: str, labels: Mapping[str, Any]) -> int:
    """Write labels under a field, and train its head again; their number."""
    revising.current_model(current)
    count = heads.set_labels(current.db, field, labels.items())
    if field in heads.fields(current.db):
        revising.retrain(current, field)
    current.record("label", count)
    return count


def fit_head(
    current: Current, field: str, labels: Mapping[str, Any] | None, parameters: Mapping[str, Any]
) -> HeadInfo:
    """Train and store the head of a field."""
    unknown = set(parameters) - set(heads.PARAMETERS)
    if unknown:
        raise InvalidParameterError(f"a head of a store has no parameter {min(unknown)!r}")
    db = current.db
    model = revising.current_model(current)
    if labels is not None:
        heads.set_labels(db, field, labels.items())
    given = {name: plain(value) for name, value in parameters.items()}
    head = heads.trained(db, current.dictionary(), model, field, given, current.n_jobs)
    _refuse_too_few(head, field)
    heads.delete(db, field)
    revising.put_head(current, field, head, None)
    current.record("head", head.task_.n_documents)
    return listed(db)[field]


def delete_head(current: Current, field: str) -> None:
    """Delete the head of a field. Heads are not read: a damaged one can be deleted."""
    revising.current_model(current)
    heads.refuse_unknown(current.db, field)
    heads.delete(current.db, field)
    current.put_task(field, None)
    current.record("delete head", 0)


def listed(db: Database) -> dict[str, HeadInfo]:
    """The heads by field."""
    rows = {field: heads.row(db, field) for field in heads.fields(db)}
    return {
        field: HeadInfo(
            field, parameters, held.get("classes", []), held.get("n_documents", 0), digest
        )
        for field, (parameters, held, digest) in rows.items()
    }


def scoring_head(db: Database, field: str) -> LinearHead:
    """The head of a field, for predictions. Reads no documents and no statistics."""
    head = heads.read_scoring(db, state.read_topics(db), field)
    if not head.n_task_documents_:
        raise StoreError(f"no document with a label under {field!r} is left in the store")
    return head


def _refuse_too_few(head: LinearHead, field: str) -> None:
    classes = getattr(head, "classes_", None)
    if head.task_.n_documents and (classes is None or len(classes) >= 2):
        return
    kinds = "" if classes is None else f", of {len(classes)} classes"
    raise InvalidInputError(
        f"{head.task_.n_documents} documents have a label under {field!r}{kinds}; a head needs "
        "some, and a classifier two classes. Give labels that did not come with the documents as "
        "`labels` (--labels FILE)"
    )
