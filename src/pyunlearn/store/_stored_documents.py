"""The documents of a store as word counts, and the dictionary that they are counted by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn.errors import (
    CorruptStateError,
    DocumentTooLongError,
    DuplicateDocumentError,
    UnknownDocumentError,
)
from pyunlearn.records import Record
from pyunlearn.store._answers import Progress
from pyunlearn.store._database import Database
from pyunlearn.text import CountedText, Dictionary, TextRules

BATCH_ENTRIES = 4_000_000
SHOWN_IDS = 5


class Batch(NamedTuple):
    """Word counts of some documents, as the model takes them."""

    ids: list[str]
    counts: sp.csr_array  # (m, n_words), int32
    lengths: NDArray[np.int64]  # (m,)

    @contextmanager
    def naming_ids(self) -> Iterator[None]:
        """Errors about a too long document name its id instead of its row."""
        try:
            yield
        except DocumentTooLongError as error:
            longest = self.ids[int(np.argmax(self.lengths))]
            reason = str(error).partition(" has ")[2]
            raise DocumentTooLongError(f"document {longest!r} has {reason}") from None


def read_rules(db: Database) -> TextRules | None:
    """The rules of the dictionary, None before the first addition."""
    rules = db.get_meta("text_rules")
    return None if rules is None else TextRules(**rules)


def write_dictionary(db: Database, words: Sequence[str], rules: TextRules) -> None:
    """Fix the dictionary of a new store."""
    db.set_meta("text_rules", rules.as_dict())
    db.execute_many("INSERT INTO dictionary VALUES (?, ?)", enumerate(words))


def read_words(db: Database) -> list[str | None]:
    """The word of each column, None where its string was deleted."""
    return [word for (word,) in db.execute("SELECT word FROM dictionary ORDER BY column")]


def read_dictionary(db: Database) -> Dictionary:
    """The words with the rules that they are counted by; there must be some."""
    rules = read_rules(db)
    assert rules is not None
    return Dictionary(read_words(db), rules)


def delete_words(db: Database, columns: NDArray[np.intp]) -> None:
    """Delete the strings of words that no document holds any more."""
    db.execute_many(
        "UPDATE dictionary SET word = NULL WHERE column = ?", ((int(c),) for c in columns)
    )


def n_documents(db: Database) -> int:
    """Documents in the store."""
    return int(db.value("SELECT count(*) FROM documents"))


def n_columns(db: Database) -> int:
    """Words that were chosen for the dictionary, those without a string included."""
    return int(db.value("SELECT count(*) FROM dictionary"))


def insert(
    db: Database, documents: Iterable[tuple[Record, CountedText]]
) -> Iterator[tuple[Record, CountedText]]:
    """Store documents one by one, giving each on."""
    keep_text = None
    for record, counted in documents:
        if keep_text is None:  # fixed once the first document has been counted
            keep_text = db.get_meta("keep_text")
        if db.value("SELECT 1 FROM documents WHERE id = ?", (record.id,)):
            raise DuplicateDocumentError(
                f"{record.where or 'record'}: id {record.id!r} is in the store already or comes "
                "twice; forget it first to replace it"
            )
        db.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)",
            (
                record.id,
                counted.length,
                record.label,
                counted.columns.astype("<i4", copy=False).tobytes(),
                counted.counts.astype("<i4", copy=False).tobytes(),
                record.text if keep_text else None,
            ),
        )
        yield record, counted


def batches(
    documents: Iterable[tuple[str, CountedText]], n_words: int, max_entries: int = BATCH_ENTRIES
) -> Iterator[Batch]:
    """Documents in groups of about `max_entries` counts, so that memory stays bounded."""
    group: list[tuple[str, CountedText]] = []
    entries = 0
    for document in documents:
        group.append(document)
        # A document without entries costs memory as well.
        entries += len(document[1].columns) + 8
        if entries >= max_entries:
            yield _batch(group, n_words)
            group, entries = [], 0
    if group:
        yield _batch(group, n_words)


def as_one(documents: Iterable[tuple[str, CountedText]], n_words: int) -> Batch:
    """One group of all documents, of which there are some."""
    return _batch(list(documents), n_words)


def count_all(
    db: Database, statistics: CooccurrenceStatistics, progress: Progress
) -> CooccurrenceStatistics:
    """Add every document to empty statistics, in batches, so that memory stays bounded."""
    total = n_documents(db)
    for batch in batches(read_all(db), n_columns(db)):
        with batch.naming_ids():
            statistics.add(batch.counts, batch.lengths)
        progress("counting", statistics.n_documents, total)
    return statistics


def read_all(db: Database) -> Iterator[tuple[str, CountedText]]:
    """Every document."""
    for row in db.execute("SELECT id, length, columns, counts FROM documents ORDER BY rowid"):
        yield document(*row)


def read_some(db: Database, ids: Sequence[str]) -> list[tuple[str, CountedText]]:
    """The documents of some ids. Reads no other document.

    Raises
    ------
    DuplicateDocumentError
        An id for the second time.
    UnknownDocumentError
        Ids that are not in the store; up to five are named.
    """
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise DuplicateDocumentError(f"id {one!r} stands in the request twice")
        seen.add(one)
    rows = []
    unknown = []
    for one in ids:
        row = db.execute(
            "SELECT id, length, columns, counts FROM documents WHERE id = ?", (one,)
        ).fetchone()
        if row is None:
            unknown.append(one)
        else:
            rows.append(row)
    if unknown:
        shown = ", ".join(map(repr, unknown[:SHOWN_IDS]))
        more = f" and {len(unknown) - SHOWN_IDS} more" if len(unknown) > SHOWN_IDS else ""
        raise UnknownDocumentError(
            f"not in the store: {shown}{more} ({len(unknown)} of {len(ids)} ids); nothing was "
            "changed"
        )
    return [document(*row) for row in rows]


def read_text(db: Database, identifier: str) -> str | None:
    """The text of a document, None where texts are not kept."""
    text: str | None = db.value("SELECT text FROM documents WHERE id = ?", (identifier,))
    return text


def replace_counts(db: Database, identifier: str, counted: CountedText, text: str | None) -> None:
    """Write other counts, length and text for a document."""
    db.execute(
        "UPDATE documents SET length = ?, columns = ?, counts = ?, text = ? WHERE id = ?",
        (
            counted.length,
            counted.columns.astype("<i4", copy=False).tobytes(),
            counted.counts.astype("<i4", copy=False).tobytes(),
            text,
            identifier,
        ),
    )


def delete(db: Database, ids: Sequence[str]) -> None:
    """Delete documents."""
    db.execute_many("DELETE FROM documents WHERE id = ?", ((one,) for one in ids))


def document(
    identifier: str, length: int, columns: bytes, counts: bytes
) -> tuple[str, CountedText]:
    """A document from its columns in the table."""
    if len(columns) != len(counts) or len(columns) % 4:
        raise CorruptStateError(f"the counts of document {identifier!r} are damaged")
    column, count = (np.frombuffer(blob, "<i4").astype(np.int32) for blob in (columns, counts))
    return identifier, CountedText(column, count, length)


def _batch(group: list[tuple[str, CountedText]], n_words: int) -> Batch:
    texts = [text for _, text in group]
    columns = np.concatenate([text.columns for text in texts])
    if len(columns) and not 0 <= columns.min() <= columns.max() < n_words:
        raise CorruptStateError("a document counts a word that is not in the dictionary")
    start = np.concatenate(([0], np.cumsum([len(text.columns) for text in texts])))
    counts = np.concatenate([text.counts for text in texts])
    return Batch(
        [identifier for identifier, _ in group],
        sp.csr_array((counts, columns, start), shape=(len(group), n_words)),
        np.array([text.length for text in texts], np.int64),
    )
