"""The documents of a store as bags of words, and their counts by a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import Documents, check_documents
from pyunlearn.errors import (
    CorruptStateError,
    DocumentTooLongError,
    DuplicateDocumentError,
    UnknownDocumentError,
)
from pyunlearn.records import Record
from pyunlearn.store._answers import Progress
from pyunlearn.store._database import Database
from pyunlearn.store._stored_words import Bag, Dictionary

BATCH_ENTRIES = 4_000_000
SCANNED_AT_ONCE = 2000
SHOWN_IDS = 5
WIDTHS = (1, 2, 4)  # bytes of a count

Named = tuple[str, Bag]  # a document by its id


class Batch(NamedTuple):
    """Word counts of some documents, as the model takes them."""

    ids: list[str]
    counts: sp.csr_array  # (m, n_words), int32
    lengths: NDArray[np.int64]  # (m,), words outside the dictionary included

    def documents(self) -> Documents:
        """The counts after the checks that all counts pass."""
        return check_documents(self.counts, self.counts.shape[1])

    @contextmanager
    def naming_ids(self) -> Iterator[None]:
        """Errors about a too long document name its id instead of its row."""
        try:
            yield
        except DocumentTooLongError as error:
            longest = self.ids[int(np.argmax(self.lengths))]
            reason = str(error).partition(" has ")[2]
            raise DocumentTooLongError(f"document {longest!r} has {reason}") from None


def n_documents(db: Database) -> int:
    """Documents in the store."""
    number: int = db.get_meta("n_documents", 0)
    return number


def insert(db: Database, record: Record, bag: Bag, keep_text: bool) -> None:
    """Store one document; DuplicateDocumentError if there is one with its id."""
    if db.value("SELECT 1 FROM documents WHERE id = ?", (record.id,)):
        raise DuplicateDocumentError(
            f"{record.where or 'record'}: id {record.id!r} is in the store already or comes "
            "twice; forget it first to replace it"
        )
    db.execute(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)",
        (
            record.id,
            bag.length,
            record.label,
            *_blobs(bag),
            record.text if keep_text else None,
        ),
    )


def set_number(db: Database, number: int) -> None:
    """Write the number of documents."""
    db.set_meta("n_documents", number)


def batches(
    documents: Iterable[Named], dictionary: Dictionary, max_entries: int = BATCH_ENTRIES
) -> Iterator[Batch]:
    """Documents in groups of about `max_entries` counts, so that memory stays bounded."""
    group: list[Named] = []
    entries = 0
    for document in documents:
        group.append(document)
        # A document without entries costs memory as well.
        entries += len(document[1].keys) + 8
        if entries >= max_entries:
            yield as_one(group, dictionary)
            group, entries = [], 0
    if group:
        yield as_one(group, dictionary)


def as_one(group: Sequence[Named], dictionary: Dictionary) -> Batch:
    """One group of all documents, of which there are some."""
    bags = [bag for _, bag in group]
    columns = dictionary.columns(np.concatenate([bag.keys for bag in bags]))
    counts = np.concatenate([bag.counts for bag in bags])
    row = np.repeat(np.arange(len(bags)), [len(bag.keys) for bag in bags])
    known = columns >= 0
    matrix = sp.csr_array(
        (counts[known], (row[known], columns[known])), shape=(len(bags), len(dictionary))
    )
    lengths = np.array([bag.length for bag in bags], np.int64)
    return Batch([identifier for identifier, _ in group], matrix, lengths)


def count_all(
    db: Database, dictionary: Dictionary, statistics: CooccurrenceStatistics, progress: Progress
) -> CooccurrenceStatistics:
    """Add every document to empty statistics, in batches, so that memory stays bounded."""
    total = n_documents(db)
    for batch in batches(read_all(db), dictionary):
        with batch.naming_ids():
            statistics.add(batch.counts, batch.lengths)
        progress("counting", statistics.n_documents, total)
    return statistics


def read_all(db: Database) -> Iterator[Named]:
    """Every document, by ascending id."""
    for row in db.execute("SELECT id, length, words, counts FROM documents ORDER BY id"):
        yield _named(*row)


def read_some(db: Database, ids: Sequence[str]) -> list[Named]:
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
            "SELECT id, length, words, counts FROM documents WHERE id = ?", (one,)
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
    return [_named(*row) for row in rows]


def ids_with_words(db: Database, keys: NDArray[np.int64], without: Iterable[str]) -> list[str]:
    """Ids of documents that hold one of some words, but for some ids. Reads every document."""
    if not len(keys):
        return []
    passed, found = set(without), []
    rows = db.execute("SELECT id, words FROM documents ORDER BY id")
    while part := rows.fetchmany(SCANNED_AT_ONCE):
        if not all(type(words) is bytes and len(words) % 8 == 0 for _, words in part):
            raise CorruptStateError(f"{db.path}: the words of a document are damaged")
        sizes = [len(words) // 8 for _, words in part]
        held = np.frombuffer(b"".join(words for _, words in part), "<i8")
        document = np.repeat(np.arange(len(part)), sizes)
        for at in np.unique(document[np.isin(held, keys)]).tolist():
            found.append(part[at][0])
    return [one for one in found if one not in passed]


def read_text(db: Database, identifier: str) -> str | None:
    """The text of a document, None where texts are not kept."""
    text: str | None = db.value("SELECT text FROM documents WHERE id = ?", (identifier,))
    return text


def read_texts(db: Database) -> Iterator[tuple[str, Bag, str | None]]:
    """Every document with its text."""
    for *row, text in db.execute("SELECT id, length, words, counts, text FROM documents"):
        identifier, bag = _named(*row)
        if not isinstance(text, str | None):
            raise CorruptStateError(f"the text of document {identifier!r} is damaged")
        yield identifier, bag, text


def replace(db: Database, identifier: str, bag: Bag, text: str | None) -> None:
    """Write another bag of words and text for a document."""
    db.execute(
        "UPDATE documents SET length = ?, words = ?, counts = ?, text = ? WHERE id = ?",
        (bag.length, *_blobs(bag), text, identifier),
    )


def delete(db: Database, ids: Sequence[str]) -> None:
    """Delete documents."""
    db.execute_many("DELETE FROM documents WHERE id = ?", ((one,) for one in ids))


def _blobs(bag: Bag) -> tuple[bytes, bytes]:
    """Keys as int64, counts as unsigned integers as narrow as the largest allows."""
    bits = int(bag.counts.max(initial=0)).bit_length()
    width = next(width for width in WIDTHS if bits <= 8 * width)
    return bag.keys.astype("<i8", copy=False).tobytes(), bag.counts.astype(f"<u{width}").tobytes()


def _named(identifier: str, length: int, words: bytes, counts: bytes) -> Named:
    """A document from its row in the table."""
    bag = _bag(length, words, counts)
    if bag is None:
        raise CorruptStateError(f"the words of document {identifier!r} are damaged")
    return identifier, bag


def _bag(length: Any, words: Any, counts: Any) -> Bag | None:
    """A bag of words; None when the values are no such thing."""
    if type(length) is not int or type(words) is not bytes or type(counts) is not bytes:
        return None
    size, rest = divmod(len(words), 8)
    width = len(counts) // size if size else 1
    if rest or width * size != len(counts) or width not in WIDTHS:
        return None
    keys = np.frombuffer(words, "<i8").astype(np.int64, copy=False)
    wide = np.frombuffer(counts, f"<u{width}").astype(np.int64)
    if (keys[1:] <= keys[:-1]).any() or not wide.all() or int(wide.sum()) != length:
        return None
    if wide.max(initial=0) > np.iinfo(np.int32).max:
        return None
    return Bag(keys, wide.astype(np.int32), length)
