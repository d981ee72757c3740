"""Requests about the heads of a store and the labels that they learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyunlearn.errors import InvalidInputError, InvalidParameterError, StoreError
from pyunlearn.store import _revising as revising
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_labels as labelled
from pyunlearn.store import _stored_model as state
from pyunlearn.store._answers import HeadInfo
from pyunlearn.store._arguments import plain
from pyunlearn.store._current import Current
from pyunlearn.store._database import Database

if TYPE_CHECKING:
    import scipy.sparse as sp

    from pyunlearn.heads._linear_head import LinearHead

PARAMETERS = ("task", "loss", "features", "alpha", "tol", "max_iter")


def set_labels(current: Current, field: str, labels: Mapping[str, Any]) -> int:
    """Write labels under a field, and train its head again; their number."""
    revising.current_model(current)
    count = labelled.set_labels(current.db, field, labels.items())
    if field in heads.fields(current.db):
        from pyunlearn.store._retraining import retrain

        retrain(current, field)
    current.record("label", count)
    return count


def fit_head(
    current: Current, field: str, labels: Mapping[str, Any] | None, parameters: Mapping[str, Any]
) -> HeadInfo:
    """Train and store the head of a field."""
    from pyunlearn.store import _retraining, _trained_heads

    unknown = set(parameters) - set(PARAMETERS)
    if unknown:
        raise InvalidParameterError(f"a head of a store has no parameter {min(unknown)!r}")
    db = current.db
    model = revising.current_model(current)
    if labels is not None:
        labelled.set_labels(db, field, labels.items())
    given = {name: plain(value) for name, value in parameters.items()}
    head = _trained_heads.trained(db, current.dictionary(), model, field, given, current.n_jobs)
    _refuse_too_few(head, field)
    heads.delete(db, field)
    _retraining.put_head(current, field, head)
    current.record("head", head.task_.n_documents)
    return heads.listed(db)[field]


def delete_head(current: Current, field: str) -> None:
    """Delete the head of a field. Heads are not read: a damaged one can be deleted."""
    revising.current_model(current)
    heads.refuse_unknown(current.db, field)
    heads.delete(current.db, field)
    current.put_task(field, None)
    current.record("delete head", 0)


def scoring_head(db: Database, field: str) -> LinearHead:
    """The head of a field, for predictions. Reads no documents and no statistics."""
    from pyunlearn.store._trained_heads import read_scoring

    head = read_scoring(db, state.read_topics(db), field)
    if not head.n_task_documents_:
        raise StoreError(f"no document with a label under {field!r} is left in the store")
    return head


def score(head: LinearHead, counts: sp.csr_array, labels: Sequence[str]) -> float:
    """Accuracy or R^2 of a head on texts, whose labels are as the store keeps them."""
    from pyunlearn.store._trained_heads import task_targets

    names = [f"text {at}" for at in range(len(labels))]
    return float(head.score(counts, task_targets(head.settings_, labels, names)))


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
