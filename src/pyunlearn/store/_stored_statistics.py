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
from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import counts as counting
from pyunlearn._core import packing
from pyunlearn._json import read_json
from pyunlearn._params import check_n_jobs
from pyunlearn.store._database import Database

PART_BYTES = 64 * 2**20
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
    write_array(db, owner, "row_length", rows.length)
    columns = keys[rows.columns]
    slots = None if changed is None else _slots_of(db, owner, columns)
    if changed is None or slots is None:
        slots = np.arange(len(columns), dtype=np.int32)
        words: NDArray[np.integer] = np.arange(statistics.n_words)
        delete_rows(db, field)
    else:
        words = changed.words
        _delete_rows_of(db, np.concatenate([keys[words], changed.left]), field)
    write_array(db, owner, "columns", columns)
    write_array(db, owner, "slots", slots)
    packed = _packed(rows, keys, words, slots)
    if field is None:
        db.execute_many("INSERT INTO cooccurrence VALUES (?, ?)", packed)
    else:
        db.execute_many(
            "INSERT INTO head_pairs VALUES (?, ?, ?)", ((field, *row) for row in packed)
        )


def read_statistics(
    db: Database, keys: NDArray[np.int64], n_jobs: int | None, field: str | None = None
) -> Arrays:
    """The arrays that `statistics_from_arrays` takes, of the words of some keys; K made whole.

    Raises
    ------
    ValueError
        What is stored is not of these words, or does not fit together.
    """
    owner = owner_of(field)
    length = read_array(db, owner, "row_length")
    if length.shape != keys.shape or (len(length) and not length.min() >= 0):
        raise ValueError("the rows are not those of the words")
    columns, slots = _columns(db, owner, keys)
    if len(length) and length.max() > len(columns):
        raise ValueError("a row has a length that cannot be")
    rows = CooccurrenceRows(len(keys), columns)
    rows.start, rows.length = np.cumsum(length) - length, length
    size = int(length.sum())
    rows.indices, rows.values = np.zeros(size, np.int32), np.zeros(size, np.int64)
    _unpack(rows, slots, _RowOfKeys(keys), _rows(db, field), check_n_jobs(n_jobs))
    return {
        "indptr": np.concatenate((rows.start, [size])),
        "indices": rows.indices,
        "values": rows.values,
        "columns": columns,
        "word_mass": read_array(db, owner, "word_mass"),
        "document_frequency": read_array(db, owner, "document_frequency"),
    }


def _columns(
    db: Database, owner: str, keys: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The columns of the statistics among the words of some keys, and the slot of each."""
    stored, slots = read_array(db, owner, "columns"), read_array(db, owner, "slots")
    columns = _RowOfKeys(keys).of(stored)
    if columns.min(initial=0) < 0 or (columns[1:] <= columns[:-1]).any():
        raise ValueError("the columns are not words in order")
    if slots.dtype != np.int32 or slots.shape != columns.shape:
        raise ValueError("the columns have other slots")
    if slots.min(initial=0) < 0 or (slots[1:] <= slots[:-1]).any():
        raise ValueError("the slots are not in order")
    return columns, slots


class _RowOfKeys:
    """The row of each key, -1 for keys of no word."""

    def __init__(self, keys: NDArray[np.int64]) -> None:
        self.order = np.argsort(keys).astype(np.int32)
        self.ascending = keys[self.order]

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        if not len(self.order):
            return np.full(len(keys), -1, np.int32)
        at = np.minimum(np.searchsorted(self.ascending, keys), len(self.order) - 1)
        return np.where(self.ascending[at] == keys, self.order[at], np.int32(-1))


def _slots_of(db: Database, owner: str, columns: NDArray[np.int64]) -> NDArray[np.int32] | None:
    """The slots that columns, by key, are stored with; None when one is not stored."""
    stored, slots = read_array(db, owner, "columns"), read_array(db, owner, "slots")
    at = _RowOfKeys(stored).of(columns)
    return None if at.min(initial=0) < 0 else slots[at]


def _packed(
    rows: CooccurrenceRows,
    keys: NDArray[np.int64],
    words: NDArray[np.integer],
    slots: NDArray[np.int32],
) -> Iterator[tuple[int, memoryview]]:
    """Rows of some words from their own column on; a word without entries there has none."""
    for word, data in zip(words.tolist(), RowBytes.numbered(rows, slots).of(words), strict=True):
        if len(data) > packing.HEADER_BYTES:
            yield int(keys[word]), data


def _unpack(
    rows: CooccurrenceRows,
    slots: NDArray[np.int32],
    row_of_key: _RowOfKeys,
    stored: list[tuple[int, bytes]],
    num_threads: int,
) -> None:
    """Fill rows of which the lengths are known."""
    words = row_of_key.of(np.array([key for key, _ in stored], np.int64))
    if words.min(initial=0) < 0 or not all(type(data) is bytes for _, data in stored):
        raise ValueError("a row is of no word")
    ends = np.cumsum([0, *(len(data) for _, data in stored)]).astype(np.int64)
    data = np.frombuffer(b"".join(data for _, data in stored), np.uint8)
    upper, found = np.zeros(rows.n_words, np.int64), np.zeros(len(words), np.int64)
    packing.entries_of_rows(data, ends, found)
    upper[words] = found
    if (upper < 0).any() or (upper > rows.length).any():
        raise ValueError("a row has another length than it says")
    upper_start = rows.start + rows.length - upper
    number = np.full(int(slots.max(initial=-1)) + 1, -1, np.int32)
    number[slots] = np.arange(len(slots), dtype=np.int32)
    own, status = np.zeros(rows.n_words, np.int32), np.zeros(len(words), np.int32)
    own[rows.columns] = slots
    packing.unpack_rows(
        data,
        ends,
        found,
        number,
        own[words],
        upper_start[words],
        rows.indices,
        rows.values,
        status,
        num_threads,
    )
    if status.any():
        raise ValueError("a row is not as it was written")
    _mirror(rows, upper_start, num_threads)


def _mirror(rows: CooccurrenceRows, upper_start: NDArray[np.int64], num_threads: int) -> None:
    """Fill the lower part of the rows of columns, which the upper part must leave room for."""
    columns, end = rows.columns, rows.start + rows.length
    lower = np.zeros(len(columns), np.int64)
    for at, word in enumerate(columns.tolist()):
        upper = rows.indices[upper_start[word] : end[word]]
        lower[upper[int(len(upper) > 0 and upper[0] == at) :]] += 1
    expected = rows.start.copy()
    expected[columns] += lower
    if not np.array_equal(expected, upper_start):
        raise ValueError("rows are missing or too many")
    counting.mirror(
        rows.start[columns],
        upper_start[columns],
        end[columns],
        np.zeros(len(columns), np.int64),
        rows.indices,
        rows.values,
        num_threads,
    )


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


def _rows(db: Database, field: str | None) -> list[tuple[int, bytes]]:
    if field is None:
        return db.execute("SELECT word, entries FROM cooccurrence ORDER BY word").fetchall()
    return db.execute(
        "SELECT word, entries FROM head_pairs WHERE field = ? ORDER BY word", (field,)
    ).fetchall()


def _shape(text: Any) -> tuple[int, ...]:
    """The shape that `write_array` wrote; ValueError if it is none."""
    shape = read_json(text) if isinstance(text, str) else None
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("the shape of an array is none")
    return tuple(shape)
