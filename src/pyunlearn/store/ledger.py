"""The ledger: what was done to a store, as a chain of hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyunlearn.store.database import Database

START = "0" * 64


@dataclass(frozen=True)
class LedgerEntry:
    """One request that changed the store.

    Attributes
    ----------
    seq : int
        1, 2, 3, ...
    time : str
        UTC, ISO 8601.
    action : str
        "add", "fit" or "forget".
    n_documents : int
        Documents added, trained on, or forgotten.
    detail : Mapping
        Digests after the request. No id, no content.
    previous, hash : str
        SHA-256 of the entry before ("000...0" for the first), and of this entry with it.
    """

    seq: int
    time: str
    action: str
    n_documents: int
    detail: Mapping[str, Any]
    previous: str
    hash: str


def append(db: Database, action: str, n_documents: int, detail: Mapping[str, Any]) -> LedgerEntry:
    """Write the next entry."""
    last = db.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (last[0] + 1, last[1]) if last else (1, START)
    time = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps(dict(detail), sort_keys=True)
    hashed = _hash(seq, time, action, n_documents, text, previous)
    db.execute(
        "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)",
        (seq, time, action, n_documents, text, previous, hashed),
    )
    return LedgerEntry(seq, time, action, n_documents, detail, previous, hashed)


def entries(db: Database) -> list[LedgerEntry]:
    """All entries, oldest first."""
    return [
        LedgerEntry(seq, time, action, n_documents, json.loads(detail), previous, hashed)
        for seq, time, action, n_documents, detail, previous, hashed in _rows(db)
    ]


def last_digest(db: Database) -> str | None:
    """Digest of the model after the last request; None when there was no model."""
    detail = db.value("SELECT detail FROM ledger ORDER BY seq DESC LIMIT 1")
    return None if detail is None else json.loads(detail).get("model")


def first_broken(db: Database) -> int | None:
    """The first entry whose hash, number or link to the entry before is wrong; None if intact."""
    expected = START
    for position, (seq, *fields, previous, hashed) in enumerate(_rows(db), start=1):
        if seq != position or previous != expected or _hash(seq, *fields, previous) != hashed:
            return position
        expected = hashed
    return None


def _rows(db: Database) -> list[Any]:
    return db.execute(
        "SELECT seq, time, action, n_documents, detail, previous, hash FROM ledger ORDER BY seq"
    ).fetchall()


def _hash(*fields: Any) -> str:
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
