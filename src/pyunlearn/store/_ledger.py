"""The ledger: what was done to a store, as a chain of hashes.

An entry holds the hash of the entry before. That of a deletion also holds the hash of the
certificate that was handed out, so a certificate can be changed no more than the chain. What an
entry says of the state is a commitment, whose secret is erased with the next entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyunlearn._commitment import is_commitment_to
from pyunlearn._json import read_json
from pyunlearn.certificates import Certificate
from pyunlearn.errors import CorruptStateError
from pyunlearn.store._database import Database

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
        "add", "fit", "forget", "refresh", "redact", "label", "head", "delete head" or "index".
    n_documents : int
        Documents added, trained on, forgotten, corrected or labelled.
    detail : Mapping
        The `commitment` to the state after the request (see `Certificate`), the SHA-256 of its
        `certificate`, and `waits` where topics wait for a refresh. No id, no content, no digest
        that a guess could be tried on.
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


def version(db: Database) -> int:
    """The number of the last entry: every change of the store has another."""
    return int(db.value("SELECT coalesce(max(seq), 0) FROM ledger"))


def append(
    db: Database,
    action: str,
    n_documents: int,
    commitment: str,
    secret: bytes,
    certificate: Certificate | None = None,
    *,
    waits: bool = False,
) -> LedgerEntry:
    """Write the next entry, and the certificate that it is bound to; erase the secret before."""
    detail: dict[str, Any] = {"commitment": commitment}
    if waits:
        detail["waits"] = True
    last = db.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (last[0] + 1, str(last[1])) if last else (1, START)
    time = datetime.now(UTC).isoformat(timespec="seconds")
    if certificate is not None:
        detail["certificate"] = _certificate_hash(certificate.to_json())
        db.execute("INSERT INTO certificates VALUES (?, ?)", (seq, certificate.to_json()))
    text = json.dumps(detail, sort_keys=True)
    hashed = _hash(seq, time, action, n_documents, text, previous)
    db.execute("UPDATE ledger SET secret = NULL WHERE secret IS NOT NULL")
    db.execute(
        "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (seq, time, action, n_documents, text, previous, hashed, secret),
    )
    return LedgerEntry(seq, time, action, n_documents, detail, previous, hashed)


def entries(db: Database) -> list[LedgerEntry]:
    """All entries, oldest first."""
    return [
        LedgerEntry(seq, time, action, n_documents, _parsed(db, seq, detail), previous, hashed)
        for seq, time, action, n_documents, detail, previous, hashed in _rows(db)
    ]


def certificates(db: Database) -> list[Certificate]:
    """The certificate of every deletion, oldest first; CorruptStateError if one was changed."""
    broken = changed_certificate(db)
    if broken is not None:
        raise CorruptStateError(
            f"{db.path}: entry {broken} of the ledger and its certificate do not belong together; "
            "see `verify`"
        )
    return [Certificate.from_json(text) for text in _certificate_texts(db).values()]


def is_of_now(db: Database, digest: str, commitment: str | None = None) -> bool:
    """Whether a commitment, or that of the last entry, is to the state of a digest."""
    last = db.execute(
        "SELECT seq, CAST(detail AS BLOB), secret FROM ledger ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if last is None or not isinstance(last[2], bytes):
        return False
    if commitment is None:
        commitment = _parsed(db, last[0], _text(last[1])).get("commitment")
    return is_commitment_to(digest, last[2], commitment)


def older_secrets(db: Database) -> int:
    """Entries before the last that still have a secret."""
    return int(
        db.value("SELECT count(*) FROM ledger WHERE secret IS NOT NULL AND seq < ?", (version(db),))
    )


def n_waiting(db: Database) -> int:
    """Documents that were forgotten while topics wait for a refresh, by the last entries."""
    number = 0
    rows = db.execute("SELECT seq, n_documents, CAST(detail AS BLOB) FROM ledger ORDER BY seq DESC")
    for seq, n_documents, detail in rows:
        if not _parsed(db, seq, _text(detail)).get("waits"):
            break
        number += n_documents
    return number


def first_broken(db: Database) -> int | None:
    """The first entry whose hash, number or link to the entry before is wrong; None if intact."""
    expected = START
    for position, (seq, *fields, previous, hashed) in enumerate(_rows(db), start=1):
        if seq != position or previous != expected or _hash(seq, *fields, previous) != hashed:
            return position
        expected = hashed
    return None


def changed_certificate(db: Database) -> int | None:
    """The first entry that names another certificate than is kept, or none; None if all fit."""
    named = {
        entry.seq: entry.detail.get("certificate")
        for entry in entries(db)
        if entry.action == "forget" or "certificate" in entry.detail
    }
    kept = {seq: _certificate_hash(text) for seq, text in _certificate_texts(db).items()}
    return min(
        (
            seq
            for seq in named.keys() | kept.keys()
            if named.get(seq) is None or named[seq] != kept.get(seq)
        ),
        default=None,
    )


def _rows(db: Database) -> list[tuple[Any, ...]]:
    rows = db.execute(
        "SELECT seq, CAST(time AS BLOB), CAST(action AS BLOB), n_documents, "
        "CAST(detail AS BLOB), CAST(previous AS BLOB), CAST(hash AS BLOB) FROM ledger ORDER BY seq"
    )
    return [tuple(_text(one) if isinstance(one, bytes) else one for one in row) for row in rows]


def _certificate_texts(db: Database) -> dict[int, str]:
    rows = db.execute("SELECT seq, CAST(certificate AS BLOB) FROM certificates ORDER BY seq")
    return {seq: _text(text) for seq, text in rows}


def _text(stored: bytes) -> str:
    """Also of bytes that are no UTF-8 any more: what tells of a change is the hash."""
    return stored.decode("utf-8", "surrogateescape")


def _parsed(db: Database, seq: int, detail: str) -> dict[str, Any]:
    try:
        values = read_json(detail)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise CorruptStateError(f"{db.path}: entry {seq} of the ledger is damaged; see `verify`")
    return values


def _certificate_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _hash(*fields: Any) -> str:
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
