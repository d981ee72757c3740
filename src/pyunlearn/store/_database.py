"""The SQLite file: schema, one transaction a request, typed errors."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyunlearn.errors import CorruptStateError, StoreBusyError, StoreError

FILE_NAME = "store.sqlite"
APPLICATION_ID = 0x70756C31  # "pul1", in the header of the file
SCHEMA_VERSION = 3

SCHEMA = """
-- One value a key, as JSON: state_version (counts changes), text_rules, keep_text,
-- model_parameters, learned_digest, n_counted (documents in the statistics), index_digest,
-- n_waiting (documents forgotten since the topics were learned, while those wait for a refresh).
CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Word counts of each document. Blobs hold little-endian int32, columns ascending.
CREATE TABLE IF NOT EXISTS documents (
    id TEXT NOT NULL UNIQUE,
    length INTEGER NOT NULL,            -- words of the text, those outside the dictionary included
    label TEXT,
    columns BLOB NOT NULL,
    counts BLOB NOT NULL,
    text TEXT                           -- only when asked for
);

-- The dictionary, chosen at the first addition. A word that no document holds any more loses its
-- string; the column stays.
CREATE TABLE IF NOT EXISTS dictionary (
    column INTEGER PRIMARY KEY,
    word TEXT UNIQUE
);

-- Co-occurrence counts K: for each word the entries from the diagonal on (K is symmetric), packed
-- by _packing.py. A word without entries has no row.
CREATE TABLE IF NOT EXISTS cooccurrence (
    word INTEGER PRIMARY KEY,
    entries BLOB NOT NULL
);

-- Arrays of the statistics and of the learned topics, in parts far below SQLite's limit of 1 GB.
CREATE TABLE IF NOT EXISTS arrays (
    name TEXT NOT NULL,
    part INTEGER NOT NULL,
    dtype TEXT NOT NULL,
    shape TEXT NOT NULL,                -- JSON
    data BLOB NOT NULL,
    PRIMARY KEY (name, part)
) WITHOUT ROWID;

-- Labels of documents by field; those of the field "label" stand beside the documents.
CREATE TABLE IF NOT EXISTS labels (
    field TEXT NOT NULL,
    id TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (field, id)
) WITHOUT ROWID;

-- Heads, each on the labels of one field. Their arrays are in `arrays` as "head.NUMBER.NAME".
CREATE TABLE IF NOT EXISTS heads (
    number INTEGER PRIMARY KEY,
    field TEXT NOT NULL UNIQUE,
    parameters TEXT NOT NULL,           -- JSON
    state TEXT NOT NULL,                -- JSON: classes, documents, how it was trained
    digest TEXT NOT NULL
);

-- Word pairs of the tasks of heads that keep sums instead of documents; as `cooccurrence`.
CREATE TABLE IF NOT EXISTS head_pairs (
    head INTEGER NOT NULL,
    word INTEGER NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (head, word)
) WITHOUT ROWID;

-- What was done, each entry bound to the one before by its hash. Holds no id and no content.
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY,
    time TEXT NOT NULL,                 -- UTC, ISO 8601
    action TEXT NOT NULL,               -- add, fit, forget, redact, head, ...
    n_documents INTEGER NOT NULL,       -- added, trained on, or forgotten
    detail TEXT NOT NULL,               -- JSON: digests, that of the certificate included
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS ledger_keeps_entries BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_keeps_values BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- The certificate of each deletion, as JSON, by the ledger entry that records it.
CREATE TABLE IF NOT EXISTS certificates (
    seq INTEGER PRIMARY KEY,
    certificate TEXT NOT NULL
);
"""


class Database:
    """A connection to the file of a store, made on opening and closed by `close`."""

    def __init__(self, directory: Path, *, create: bool, busy_seconds: float) -> None:
        self.directory = directory
        self.path = directory / FILE_NAME
        if directory.exists() and not directory.is_dir():
            raise StoreError(f"{directory} is a file; a store is a directory")
        if create:
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"cannot make the directory {directory}: {error.strerror}"
                ) from None
        elif not self.path.is_file():
            raise StoreError(f"there is no store at {directory}; make one with `fit` first")
        with self._typed_errors():
            # Transactions are begun and ended by name only.
            self._connection = sqlite3.connect(
                self.path, timeout=busy_seconds, isolation_level=None
            )
        try:
            with self._typed_errors():
                self._prepare(create)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection; harmless when closed."""
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of the block, or nothing of it. Inside another: part of that one."""
        with self._typed_errors():
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Reads that all see the same state."""
        with self._typed_errors():
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def compact(self) -> None:
        """Write the file anew, without what its pages have room for."""
        with self._typed_errors():
            self._connection.execute("VACUUM")

    def execute(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, tuple(values))

    def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run one statement for each row of values."""
        self._connection.executemany(sql, rows)

    def value(self, sql: str, values: Iterable[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def get_meta(self, key: str, default: Any = None) -> Any:
        """A value of the meta table."""
        text = self.value("SELECT value FROM meta WHERE key = ?", (key,))
        return default if text is None else json.loads(text)

    def set_meta(self, key: str, value: Any) -> None:
        """Write a value of the meta table."""
        self.execute("REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value, sort_keys=True)))

    def _prepare(self, create: bool) -> None:
        # Deleted content is overwritten with zeros, except for copies that were left behind when
        # entries moved to another page (see `compact`). A page holds dozens of documents.
        self.execute("PRAGMA page_size = 32768")
        self.execute("PRAGMA secure_delete = ON")
        self.execute("PRAGMA cache_size = -65536")
        self.execute("PRAGMA trusted_schema = OFF")
        version = self.value("PRAGMA user_version")
        if self.value("PRAGMA application_id") == APPLICATION_ID:
            if version != SCHEMA_VERSION:
                raise StoreError(
                    f"{self.path} is a store of version {version}; this program reads version "
                    f"{SCHEMA_VERSION}. Use the pyunlearn that wrote it, or fit a new store"
                )
            return
        if version or self.value("SELECT count(*) FROM sqlite_schema"):
            raise CorruptStateError(f"{self.path} is an SQLite file, but not a store of pyunlearn")
        if not create:
            raise StoreError(f"{self.path} is empty; make a store with `fit` first")
        # Harmless when two processes do it.
        self._connection.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError as error:  # closed, or used from another thread
            raise StoreError(f"{self.directory}: {error}") from None
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise StoreBusyError(
                    f"another process is using the store at {self.directory}; try again when it "
                    "is done"
                ) from None
            raise StoreError(f"{self.path}: {error}") from None
        except sqlite3.IntegrityError as error:
            raise CorruptStateError(f"{self.path}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise CorruptStateError(
                f"{self.path} is not the file of a store, or is damaged ({error})"
            ) from None
