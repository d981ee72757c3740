"""The documents of a store as bags of words, and their counts by a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import Documents
from pyunlearn.errors import (
    CorruptStateError,
    DocumentTooLongError,
    DuplicateDocumentError,
    UnknownDocumentError,
)
from pyunlearn.records import Record
from pyunlearn.store._answers import Progress
from pyunlearn.store._database import Database
from pyunlearn.store._stored_words import Bag, Dictionary, document_frequencies

BATCH_ENTRIES = 4_000_000
SCANNED_AT_ONCE = 2000
MOST_AT_ONCE = 500  # SQLite takes 999 values a statement at least
READ_AT_ONCE = 100
SHOWN_IDS = 5
WIDTHS = (1, 2, 4)  # bytes of a count

Named = tuple[str, Bag]  # a document by its id


class Batch(NamedTuple):
    """Word counts of some documents, as the model takes them."""

    ids: list[str]
    documents: Documents  # over the words of the dictionary
    lengths: NDArray[np.int64]  # (m,), words outside the dictionary included

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


def insert(db: Database, records: Sequence[Record], bags: Sequence[Bag], keep_text: bool) -> None:
    """Store documents, not more than MOST_AT_ONCE.

    Raises
    ------
    DuplicateDocumentError
        There is one with the id of one of them, or two of them have one id.
    """
    _refuse_known(db, records)
    db.execute_many(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)",
        (
            (one.id, bag.length, one.label, *blobs, one.text if keep_text else None)
            for one, bag, blobs in zip(records, bags, _blobs(bags), strict=True)
        ),
    )


def _refuse_known(db: Database, records: Sequence[Record]) -> None:
    ids = [one.id for one in records]
    among = ", ".join("?" * len(ids))
    known = {one for (one,) in db.execute(f"SELECT id FROM documents WHERE id IN ({among})", ids)}
    for one in records:
        if one.id in known:
            raise DuplicateDocumentError(
                f"{one.where or 'record'}: id {one.id!r} is in the store already or comes "
                "twice; forget it first to replace it"
            )
        known.add(one.id)


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
    known = columns >= 0
    ends = np.cumsum([len(bag.keys) for bag in bags])
    start = np.concatenate(([0], np.cumsum(known)))[np.concatenate(([0], ends))]
    row = np.repeat(np.arange(len(bags)), np.diff(start))
    order = np.lexsort((columns[known], row))
    sizes = counts[known][order]
    sums = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))[start]
    documents = Documents(start, columns[known][order], sizes, np.diff(sums), len(dictionary))
    lengths = np.array([bag.length for bag in bags], np.int64)
    return Batch([identifier for identifier, _ in group], documents, lengths)


def count_all(
    db: Database, dictionary: Dictionary, statistics: CooccurrenceStatistics, progress: Progress
) -> CooccurrenceStatistics:
    """Add every document to empty statistics, in batches, so that memory stays bounded."""
    total = n_documents(db)
    statistics.keep_columns(document_frequencies(db, dictionary), total)
    for batch in batches(read_all(db), dictionary):
        with batch.naming_ids():
            statistics.add_part(batch.documents, batch.lengths)
        progress("counting", statistics.n_documents, total)
    return statistics


def read_all(db: Database) -> Iterator[Named]:
    """Every document, by ascending id."""
    rows = db.execute("SELECT id, length, words, counts FROM documents ORDER BY id")
    while part := rows.fetchmany(READ_AT_ONCE):
        yield from _named(part)


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
    return _named(rows)


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


def read_texts(db: Database) -> Iterator[list[tuple[str, Bag, str | None]]]:
    """Every document with its text, some at a time."""
    rows = db.execute("SELECT id, length, words, counts, text FROM documents")
    while part := rows.fetchmany(READ_AT_ONCE):
        for identifier, *_, text in part:
            if not isinstance(text, str | None):
                raise CorruptStateError(f"the text of document {identifier!r} is damaged")
        named = _named([row[:4] for row in part])
        yield [(*one, row[4]) for one, row in zip(named, part, strict=True)]


def replace(db: Database, identifier: str, bag: Bag, text: str | None) -> None:
    """Write another bag of words and text for a document."""
    (blobs,) = _blobs([bag])
    db.execute(
        "UPDATE documents SET length = ?, words = ?, counts = ?, text = ? WHERE id = ?",
        (bag.length, *blobs, text, identifier),
    )


def delete(db: Database, ids: Sequence[str]) -> None:
    """Delete documents."""
    db.execute_many("DELETE FROM documents WHERE id = ?", ((one,) for one in ids))


def _blobs(bags: Sequence[Bag]) -> Iterator[tuple[bytes, bytes]]:
    """Keys as int64, counts as unsigned integers as narrow as the largest of a bag allows."""
    sizes = [len(bag.keys) for bag in bags]
    counts = np.concatenate([bag.counts for bag in bags])
    document = np.repeat(np.arange(len(bags)), sizes)
    widths = np.ones(len(bags), np.int64)
    for narrower, width in pairwise(WIDTHS):
        widths[document[counts >> 8 * narrower > 0]] = width
    keys = np.concatenate([bag.keys for bag in bags]).astype("<i8", copy=False).tobytes()
    narrow = {width: counts.astype(f"<u{width}").tobytes() for width in WIDTHS}
    last = 0
    for size, width in zip(sizes, widths.tolist(), strict=True):
        first, last = last, last + size
        yield keys[8 * first : 8 * last], narrow[width][width * first : width * last]


def _named(rows: Sequence[tuple[Any, ...]]) -> list[Named]:
    """Documents from their rows in the table."""
    if not rows:
        return []
    for identifier, *row in rows:
        if not _fit_together(*row):
            raise _damaged(identifier)
    ids, lengths, words, counts = zip(*rows, strict=True)
    sizes = np.array([len(one) // 8 for one in words])
    keys = np.frombuffer(b"".join(words), "<i8").astype(np.int64, copy=False)
    wide = _widened(counts, sizes)
    _refuse_damaged(ids, np.array(lengths), sizes, keys, wide)
    narrow, last = wide.astype(np.int32), np.cumsum(sizes)
    return [
        (identifier, Bag(keys[start:stop], narrow[start:stop], length))
        for identifier, length, start, stop in zip(
            ids, lengths, (last - sizes).tolist(), last.tolist(), strict=True
        )
    ]


def _fit_together(length: Any, words: Any, counts: Any) -> bool:
    """Whether values of a row have the types and sizes of a bag of words."""
    if type(length) is not int or type(words) is not bytes or type(counts) is not bytes:
        return False
    size, rest = divmod(len(words), 8)
    return not rest and (len(counts) in [size * width for width in WIDTHS])


def _widened(counts: Sequence[bytes], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts of all words of documents, of which each has its own width."""
    widths = np.array([len(one) for one in counts]) // np.maximum(sizes, 1)
    wide = np.empty(sizes.sum(), np.int64)
    for width in WIDTHS:
        of_width = b"".join(one for one, own in zip(counts, widths, strict=True) if own == width)
        wide[np.repeat(widths == width, sizes)] = np.frombuffer(of_width, f"<u{width}")
    return wide


def _refuse_damaged(
    ids: Sequence[str],
    lengths: NDArray[np.int64],
    sizes: NDArray[np.int64],
    keys: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """CorruptStateError unless keys ascend, and counts are positive and sum to the length."""
    document = np.repeat(np.arange(len(ids)), sizes)
    wrong = (counts == 0) | (counts > np.iinfo(np.int32).max)
    wrong[1:] |= (keys[1:] <= keys[:-1]) & (document[1:] == document[:-1])
    sums, last = np.concatenate(([0], np.cumsum(counts))), np.cumsum(sizes)
    damaged = sums[last] - sums[last - sizes] != lengths
    damaged[document[wrong]] = True
    if damaged.any():
        raise _damaged(ids[int(np.argmax(damaged))])


def _damaged(identifier: str) -> CorruptStateError:
    return CorruptStateError(f"the words of document {identifier!r} are damaged")
