"""The heads of a store as they stand in its tables; `_trained_heads` makes heads of them."""

from __future__ import annotations

import json
from typing import Any

from pyunlearn.errors import CorruptStateError, StoreError
from pyunlearn.store import _stored_statistics as tables
from pyunlearn.store._answers import HeadInfo
from pyunlearn.store._database import Database


def fields(db: Database) -> list[str]:
    """Fields that have a head."""
    return list(digests(db))


def digests(db: Database) -> dict[str, str]:
    """The digest that was stored with each head, by field."""
    rows = db.execute("SELECT field, digest FROM heads ORDER BY field").fetchall()
    return {str(field): str(digest) for field, digest in rows}


def row(db: Database, field: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Parameters, state and digest of a head."""
    refuse_unknown(db, field)
    found = db.execute(
        "SELECT parameters, state, digest FROM heads WHERE field = ?", (field,)
    ).fetchone()
    try:
        parameters, held = (db.parsed(text, "an entry of it") for text in found[:2])
    except CorruptStateError as error:
        raise damaged(db, field, error) from None
    if not isinstance(parameters, dict) or not isinstance(held, dict):
        raise damaged(db, field, "no JSON objects")
    return parameters, held, str(found[2])


def write_row(
    db: Database, field: str, parameters: dict[str, Any], held: dict[str, Any], digest: str
) -> None:
    """Write what `row` gives."""
    db.execute(
        "REPLACE INTO heads VALUES (?, ?, ?, ?)", (field, _json(parameters), _json(held), digest)
    )


def parameters_of(db: Database, field: str) -> dict[str, Any]:
    """Parameters of a head."""
    return row(db, field)[0]


def listed(db: Database) -> dict[str, HeadInfo]:
    """The heads by field."""
    rows = {field: row(db, field) for field in fields(db)}
    return {
        field: HeadInfo(
            field, parameters, held.get("classes", []), held.get("n_documents", 0), digest
        )
        for field, (parameters, held, digest) in rows.items()
    }


def keeps_sums(db: Database, field: str) -> bool:
    """Whether a head keeps sums of its task and can do without its documents."""
    return "task" in row(db, field)[1]


def refuse_unknown(db: Database, field: str) -> None:
    """StoreError unless the store has a head for a field."""
    if field not in fields(db):
        there = ", ".join(map(repr, fields(db))) or "none"
        raise StoreError(f"the store has no head for the field {field!r} (heads: {there})")


def delete(db: Database, field: str) -> None:
    """Delete the head of a field; the labels of the field stay with the documents."""
    delete_learned(db, field)
    db.execute("DELETE FROM heads WHERE field = ?", (field,))


def delete_learned(db: Database, field: str) -> None:
    """Delete the weights of a head and the sums of its task."""
    db.execute("DELETE FROM arrays WHERE owner = ?", (tables.owner_of(field),))
    tables.delete_rows(db, field)


def clear(db: Database) -> None:
    """Delete what all heads have learned and keep of their tasks; their parameters stay."""
    for field in fields(db):
        delete_learned(db, field)
    db.execute("UPDATE heads SET state = ?, digest = ''", (_json({}),))


def damaged(db: Database, field: str, reason: object) -> CorruptStateError:
    """The error for a head that is not as it was written."""
    return CorruptStateError(
        f"{db.path}: the head {field!r} was changed or is damaged ({reason}); delete it and fit it "
        "again"
    )


def _json(values: Any) -> str:
    return json.dumps(values, sort_keys=True)
