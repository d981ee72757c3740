"""Labels of the documents of a store, by field: what heads learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from pyunlearn.errors import InvalidInputError, RecordError, StoreError
from pyunlearn.records import label_text
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store._database import Database
from pyunlearn.store._stored_words import Dictionary

OWN_FIELD = "label"  # the label that stands beside the document


def set_labels(db: Database, field: str, labels: Iterable[tuple[str, str | float]]) -> int:
    """Write labels of documents under a field.

    Raises
    ------
    InvalidInputError
        A field that is no name for labels, or an id or a label of another type.
    StoreError
        An id that the store does not hold.
    """
    if field == OWN_FIELD:
        raise InvalidInputError(
            f"the field {OWN_FIELD!r} is read with the documents; give other labels another name"
        )
    if not isinstance(field, str) or not field:
        raise InvalidInputError("a field is a string that is not empty")
    db.execute("DELETE FROM labels WHERE field = ?", (field,))
    count = 0
    for given, value in labels:
        identifier = _id_text(given)
        try:
            text = label_text(value, field, f"document {identifier!r}")
        except RecordError as error:
            raise InvalidInputError(f"{error}; leave out documents without a label") from None
        if not db.value("SELECT 1 FROM documents WHERE id = ?", (identifier,)):
            raise StoreError(f"there is no document {identifier!r} in the store to be labelled")
        db.execute("REPLACE INTO labels VALUES (?, ?, ?)", (field, identifier, text))
        count += 1
    return count


def delete_labels(db: Database, ids: Sequence[str]) -> None:
    """Delete the labels of documents under every field."""
    db.execute_many("DELETE FROM labels WHERE id = ?", ((one,) for one in ids))


def labels_of(db: Database, field: str, ids: Sequence[str]) -> list[str | None]:
    """The label of each document under a field, None where it has none."""
    sql = (
        "SELECT label FROM documents WHERE id = ?"
        if field == OWN_FIELD
        else "SELECT value FROM labels WHERE id = ? AND field = ?"
    )
    more = () if field == OWN_FIELD else (field,)
    return [db.value(sql, (one, *more)) for one in ids]


def labelled_batches(
    db: Database, dictionary: Dictionary, field: str
) -> Iterator[tuple[docs.Batch, list[str]]]:
    """Documents that have a label under a field, with their labels."""
    for batch in docs.batches(docs.read_all(db), dictionary):
        labels = labels_of(db, field, batch.ids)
        kept = [row for row, label in enumerate(labels) if label is not None]
        if kept:
            yield chosen(batch, kept), [str(labels[row]) for row in kept]


def chosen(batch: docs.Batch, rows: Sequence[int]) -> docs.Batch:
    """Some documents of a batch."""
    chosen = np.array(rows, np.intp)
    ids = [batch.ids[row] for row in rows]
    return docs.Batch(ids, batch.documents.chosen(chosen), batch.lengths[chosen])


def _id_text(identifier: Any) -> str:
    """An id as the store keeps it, also out of NumPy."""
    if isinstance(identifier, str):
        return str(identifier)
    if isinstance(identifier, Integral) and not isinstance(identifier, bool):
        return str(int(identifier))
    raise InvalidInputError(f"an id is a string or an integer, not {type(identifier).__name__}")
