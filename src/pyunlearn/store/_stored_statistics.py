"""Statistics of a store: rows of word pairs and arrays to tables and back.

A row is stored under the key of its word, which no other word moves. Its columns are named by
slots: positions in the list of columns at the time when all rows were written last. A column that
left since has none, so that nothing else must be written again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.arrays import Arrays
from pyunlearn._cooccurrence.row_bytes import RowBytes
from pyunlearn._cooccurrence.rows import Block, CooccurrenceRows, RowArrays
from pyunlearn._cooccurrence.rows_on_demand import RowsOnDemand
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import packing
from pyunlearn._json import read_json
from pyunlearn._params import check_n_jobs
from pyunlearn.errors import CorruptStateError
from pyunlearn.store._database import Database
from pyunlearn.store._key_places import KeyPlaces

PART_BYTES = 64 * 2**20
# Rows that are in memory at once when many are read. When one word in so many is asked for, all
# rows are read in place of those.
ROWS_AT_ONCE = 512
ROWS_OF_A_SCAN = 4
DTYPES = ("<f8", "<f4", "<i4", "<i8", "|b1", "|u1")


@dataclass(frozen=True)
class Changed:
    """What of statistics is not as it is stored."""

    words: NDArray[np.integer]  # of now, by column of the dictionary, ascending
    left: NDArray[np.int64]  # keys of words that left the dictionary


def write_statistics(
    db: Database,
    statistics: CooccurrenceStatistics,
    keys: NDArray[np.int64],
    changed: Changed | None,
    field: str | None = None,
) -> None:
    """Write statistics: those of the topics, or of the task of a head.

    `keys`: of their words, (n_words,). `changed`: None for all of them.
    """
    owner, rows = owner_of(field), statistics.rows
    write_array(db, owner, "document_frequency", statistics.document_frequency)
    write_array(db, owner, "word_mass", statistics.word_mass)
    if field is None:  # those of tasks are read in full, and hashed then
        write_array(db, owner, "row_hashes", statistics.row_hashes())
    columns = keys[rows.columns]
    slots = None if changed is None else _slots_of(db, owner, columns)
    words: NDArray[np.integer] = np.arange(statistics.n_words)
    if changed is None or slots is None:
        rows.need(words)  # before they are deleted
        slots = np.arange(len(columns), dtype=np.int32)
        delete_rows(db, field)
    else:
        words = changed.words
        _delete_rows_of(db, np.concatenate([keys[words], changed.left]), field)
    write_array(db, owner, "columns", columns)
    write_array(db, owner, "slots", slots)
    packed = _packed(rows, keys, words, slots, check_n_jobs(statistics.n_jobs))
    if field is None:
        db.execute_many("INSERT INTO cooccurrence VALUES (?, ?)", packed)
    else:
        sql = "INSERT INTO head_pairs VALUES (?, ?, ?)"
        db.execute_many(sql, ((field, *row) for row in packed))


def read_statistics(
    db: Database, keys: NDArray[np.int64], n_jobs: int | None, field: str | None = None
) -> Arrays:
    """The arrays that `statistics_from_arrays` takes, of the words of some keys.

    Raises
    ------
    ValueError
        What is stored is not of these words, or does not fit together.
    """
    owner = owner_of(field)
    source = StoredRows.of(db, keys, n_jobs, field)
    indptr, indices, values = RowsOnDemand(len(keys), source.columns, source).to_arrays()
    return {
        "indptr": indptr,
        "indices": indices,
        "values": values,
        "columns": source.columns,
        "word_mass": read_array(db, owner, "word_mass"),
        "document_frequency": read_array(db, owner, "document_frequency"),
    }


@dataclass(frozen=True, eq=False)
class StoredRows:
    """The rows of stored statistics, as `RowsOnDemand` reads them."""

    db: Database
    field: str | None
    keys: NDArray[np.int64]  # (n,), of the words
    columns: NDArray[np.int32]  # (c,), words of the columns
    number: NDArray[np.int32]  # position in `columns` of each slot, -1 for none
    num_threads: int

    @classmethod
    def of(
        cls, db: Database, keys: NDArray[np.int64], n_jobs: int | None, field: str | None = None
    ) -> StoredRows:
        """Of the words of some keys; ValueError when the columns are not among them."""
        columns, slots = _columns(db, owner_of(field), keys)
        number = np.full(int(slots.max(initial=-1)) + 1, -1, np.int32)
        number[slots] = np.arange(len(slots), dtype=np.int32)
        return cls(db, field, keys, columns, number, check_n_jobs(n_jobs))

    def read(self, words: NDArray[np.integer]) -> Iterator[Block]:
        """The rows of some words, in parts and in any order; CorruptStateError for damaged ones.

        A word without a row has no entries.
        """
        row_of_key = KeyPlaces(self.keys)
        left = np.zeros(len(self.keys), np.bool_)
        left[words] = True
        every = len(words) * ROWS_OF_A_SCAN >= len(self.keys)
        for part in _scanned(self.db, self.field) if every else self._chosen(words):
            found = row_of_key.of(np.array([key for key, _ in part], np.int64))
            if found.min(initial=0) < 0:
                raise CorruptStateError(f"{self.db.path}: a row of the statistics is of no word")
            wanted = left[found]
            rows = [data for (_, data), asked in zip(part, wanted, strict=True) if asked]
            if rows:
                left[found[wanted]] = False
                yield Block(
                    self._unpacked(rows), np.arange(len(rows), dtype=np.int32), found[wanted]
                )
        empty = np.flatnonzero(left).astype(np.int32)
        nothing = np.zeros(len(empty), np.int64)
        none = (nothing, nothing.copy(), np.zeros(0, np.int32), np.zeros(0, np.int64))
        yield Block(none, np.arange(len(empty), dtype=np.int32), empty)

    def _chosen(self, words: NDArray[np.integer]) -> Iterator[list[tuple[int, bytes]]]:
        for at in range(0, len(words), ROWS_AT_ONCE):
            keys = self.keys[words[at : at + ROWS_AT_ONCE]].tolist()
            yield _rows_of(self.db, keys, self.field)

    def _unpacked(self, rows: list[bytes]) -> RowArrays:
        if not all(type(data) is bytes for data in rows):
            raise CorruptStateError(f"{self.db.path}: a row of the statistics is damaged")
        ends = np.cumsum([0, *map(len, rows)]).astype(np.int64)
        data = np.frombuffer(b"".join([*rows, bytes(packing.SPARE_BYTES)]), np.uint8)
        length, status = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int32)
        packing.entries_of_rows(data, ends, length)
        if (length < 0).any() or (length > len(self.columns)).any():
            raise CorruptStateError(f"{self.db.path}: a row of the statistics is damaged")
        start = np.cumsum(length) - length
        indices = np.empty(int(length.sum()), np.int32)
        values = np.empty(len(indices), np.int64)
        packing.unpack_rows(
            data,
            ends,
            length,
            self.number,
            np.zeros(len(rows), np.int32),
            start,
            indices,
            values,
            status,
            self.num_threads,
        )
        if status.any():
            raise CorruptStateError(f"{self.db.path}: a row of the statistics is damaged")
        return start, length, indices, values


def _columns(
    db: Database, owner: str, keys: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The columns of the statistics among the words of some keys, and the slot of each."""
    stored, slots = read_array(db, owner, "columns"), read_array(db, owner, "slots")
    columns = KeyPlaces(keys).of(stored)
    if columns.min(initial=0) < 0 or (columns[1:] <= columns[:-1]).any():
        raise ValueError("the columns are not words in order")
    if slots.dtype != np.int32 or slots.shape != columns.shape:
        raise ValueError("the columns have other slots")
    if slots.min(initial=0) < 0 or (slots[1:] <= slots[:-1]).any() or slots.max(initial=0) >> 26:
        raise ValueError("the slots are not in order")
    return columns, slots


def _slots_of(db: Database, owner: str, columns: NDArray[np.int64]) -> NDArray[np.int32] | None:
    """The slots that columns, by key, are stored with; None when one is not stored."""
    stored, slots = read_array(db, owner, "columns"), read_array(db, owner, "slots")
    at = KeyPlaces(stored).of(columns)
    return None if at.min(initial=0) < 0 else slots[at]


def _packed(
    rows: CooccurrenceRows,
    keys: NDArray[np.int64],
    words: NDArray[np.integer],
    slots: NDArray[np.int32],
    num_threads: int,
) -> Iterator[tuple[int, memoryview]]:
    """Rows of some words; a word without entries has none."""
    whole = RowBytes.whole(rows, slots, num_threads)
    for word, data in zip(words.tolist(), whole.of(words), strict=True):
        if len(data) > packing.HEADER_BYTES:
            yield int(keys[word]), data


def slots_are_dense(db: Database) -> bool:
    """Whether the slots of the statistics of topics have no gaps, which columns that left made."""
    slots = read_array(db, owner_of(None), "slots")
    return np.array_equal(slots, np.arange(len(slots)))


def delete_rows(db: Database, field: str | None) -> None:
    """Delete the co-occurrence rows of the topics, or of a head."""
    if field is None:
        db.execute("DELETE FROM cooccurrence")
    else:
        db.execute("DELETE FROM head_pairs WHERE field = ?", (field,))


def owner_of(field: str | None) -> str:
    """Whose the arrays of statistics are: those of the topics, or of the head of a field."""
    return "statistics" if field is None else f"head {field}"


def write_array(db: Database, owner: str, name: str, array: NDArray[np.generic]) -> None:
    """Write an array of an owner under a name."""
    # Not ascontiguousarray, which gives a number a dimension.
    little = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    data = little.tobytes()
    shape = json.dumps(little.shape)
    db.execute("DELETE FROM arrays WHERE owner = ? AND name = ?", (owner, name))
    db.execute_many(
        "INSERT INTO arrays VALUES (?, ?, ?, ?, ?, ?)",
        (
            (owner, name, part, little.dtype.str, shape, data[at : at + PART_BYTES])
            for part, at in enumerate(range(0, max(len(data), 1), PART_BYTES))
        ),
    )


def read_array(db: Database, owner: str, name: str) -> NDArray[Any]:
    """The array of a name; ValueError when there is none."""
    rows = db.execute(
        "SELECT dtype, shape, data FROM arrays WHERE owner = ? AND name = ? ORDER BY part",
        (owner, name),
    ).fetchall()
    if not rows:
        raise ValueError(f"the array {name!r} of {owner!r} is missing")
    if rows[0][0] not in DTYPES or not all(isinstance(data, bytes) for *_, data in rows):
        raise ValueError(f"the array {name!r} of {owner!r} is of no type that is written")
    dtype, shape = np.dtype(rows[0][0]), _shape(rows[0][1])
    data = bytearray().join(row[2] for row in rows)
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _delete_rows_of(db: Database, keys: NDArray[np.int64], field: str | None) -> None:
    if field is None:
        sql = "DELETE FROM cooccurrence WHERE word = ?"
        db.execute_many(sql, ((key,) for key in keys.tolist()))
    else:
        sql = "DELETE FROM head_pairs WHERE field = ? AND word = ?"
        db.execute_many(sql, ((field, key) for key in keys.tolist()))


def _scanned(db: Database, field: str | None) -> Iterator[list[tuple[int, bytes]]]:
    if field is None:
        rows = db.execute("SELECT word, entries FROM cooccurrence ORDER BY word")
    else:
        sql = "SELECT word, entries FROM head_pairs WHERE field = ? ORDER BY word"
        rows = db.execute(sql, (field,))
    while part := rows.fetchmany(ROWS_AT_ONCE):
        yield part


def _rows_of(db: Database, keys: list[int], field: str | None) -> list[tuple[int, bytes]]:
    among = ", ".join("?" * len(keys))
    if field is None:
        sql = f"SELECT word, entries FROM cooccurrence WHERE word IN ({among})"
        return db.execute(sql, keys).fetchall()
    sql = f"SELECT word, entries FROM head_pairs WHERE field = ? AND word IN ({among})"
    return db.execute(sql, [field, *keys]).fetchall()


def _shape(text: Any) -> tuple[int, ...]:
    """The shape that `write_array` wrote; ValueError if it is none."""
    shape = read_json(text) if isinstance(text, str) else None
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("the shape of an array is none")
    return tuple(shape)
