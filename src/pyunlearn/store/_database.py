"""The SQLite file: schema, one transaction a request, typed errors."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any

from pyunlearn._json import read_json
from pyunlearn.errors import CorruptStateError, StoreBusyError, StoreError

FILE_NAME = "store.sqlite"
APPLICATION_ID = 0x70756C31  # "pul1", in the header of the file
SCHEMA_VERSION = 5

# All but `ledger` and `certificates` are a function of the documents held, of the rules and of what
# was asked to be kept (topics, heads, an index): no key and no order tells what came when.
SCHEMA = """
-- One value a key, as JSON: text_rules, keep_text, n_documents, model_parameters, digests (of
-- statistics and model), learned_digest, index_digest.
CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- All words of each document. Blobs are little-endian: keys as int64, ascending, and as many
-- unsigned integers of 1, 2 or 4 bytes.
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    length INTEGER NOT NULL,            -- words of the text, repeated ones as often as they occur
    label TEXT,
    words BLOB NOT NULL,
    counts BLOB NOT NULL,
    text TEXT                           -- only when asked for
) WITHOUT ROWID;

-- All words that documents hold, by a key that is made from the word (_stored_words.py). Columns
-- are the words that the rules choose, in alphabetical order.
CREATE TABLE IF NOT EXISTS words (
    key INTEGER PRIMARY KEY,
    word TEXT NOT NULL,
    n_documents INTEGER NOT NULL,
    n_occurrences INTEGER NOT NULL
);

-- Co-occurrence counts K: a row for each word of the dictionary, packed by src/_core/packing.pyx. A
-- word without entries has no row.
CREATE TABLE IF NOT EXISTS cooccurrence (
    word INTEGER PRIMARY KEY,           -- the key of the word
    entries BLOB NOT NULL
);

-- Arrays of the statistics and of the learned topics, in parts far below SQLite's limit of 1 GB.
CREATE TABLE IF NOT EXISTS arrays (
    owner TEXT NOT NULL,                -- statistics, topics, index, or "head FIELD"
    name TEXT NOT NULL,
    part INTEGER NOT NULL,
    dtype TEXT NOT NULL,
    shape TEXT NOT NULL,                -- JSON
    data BLOB NOT NULL,
    PRIMARY KEY (owner, name, part)
) WITHOUT ROWID;

-- Labels of documents by field; those of the field "label" stand beside the documents.
CREATE TABLE IF NOT EXISTS labels (
    field TEXT NOT NULL,
    id TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (field, id)
) WITHOUT ROWID;

-- Heads, each on the labels of one field.
CREATE TABLE IF NOT EXISTS heads (
    field TEXT PRIMARY KEY,
    parameters TEXT NOT NULL,           -- JSON
    state TEXT NOT NULL,                -- JSON: classes, documents, how it was trained
    digest TEXT NOT NULL
) WITHOUT ROWID;

-- Word pairs of the tasks of heads that keep sums instead of documents; as `cooccurrence`.
CREATE TABLE IF NOT EXISTS head_pairs (
    field TEXT NOT NULL,
    word INTEGER NOT NULL,              -- the column of the word
    entries BLOB NOT NULL,
    PRIMARY KEY (field, word)
) WITHOUT ROWID;

-- What was done, each entry bound to the one before by its hash. Holds no id and no content. The
-- secret of an entry's commitment is erased when the next one is written.
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY,
    time TEXT NOT NULL,                 -- UTC, ISO 8601
    action TEXT NOT NULL,               -- add, fit, forget, redact, head, ...
    n_documents INTEGER NOT NULL,       -- added, trained on, or forgotten
    detail TEXT NOT NULL,               -- JSON: commitment to the state, SHA-256 of the certificate
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    secret BLOB                         -- of the commitment; only the last entry has one
);
CREATE TRIGGER IF NOT EXISTS ledger_keeps_entries BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_keeps_values
    BEFORE UPDATE OF seq, time, action, n_documents, detail, previous, hash ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- The certificate of each deletion, as JSON, by the ledger entry that records it.
CREATE TABLE IF NOT EXISTS certificates (
    seq INTEGER PRIMARY KEY,
    certificate TEXT NOT NULL
);
"""


# The types of the values of `meta`.
META: dict[str, tuple[type, ...]] = {
    "text_rules": (dict,),
    "keep_text": (bool,),
    "n_documents": (int,),
    "model_parameters": (dict,),
    "digests": (dict,),
    "learned_digest": (str, NoneType),
    "index_digest": (str, NoneType),
}


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

    def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """Run one statement for each row of values; the number of rows of tables that changed."""
        return self._connection.executemany(sql, rows).rowcount

    def value(self, sql: str, values: Iterable[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def get_meta(self, key: str, default: Any = None) -> Any:
        """A value of the meta table; CorruptStateError for one of another type."""
        text = self.value("SELECT value FROM meta WHERE key = ?", (key,))
        if text is None:
            return default
        value = self.parsed(text, f"the entry {key!r}")
        if type(value) not in META[key]:
            raise CorruptStateError(f"{self.path}: the entry {key!r} is damaged")
        return value

    def parsed(self, text: Any, what: str) -> Any:
        """The value of a stored JSON text; CorruptStateError, naming `what`, for anything else."""
        try:
            if not isinstance(text, str):
                raise ValueError("no text")
            return read_json(text)
        except ValueError as error:
            raise CorruptStateError(f"{self.path}: {what} is damaged ({error})") from None

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
