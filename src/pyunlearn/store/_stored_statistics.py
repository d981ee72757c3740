"""Statistics of a store: rows of word pairs and arrays to tables and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.arrays import Arrays
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import counts as counting
from pyunlearn._json import read_json
from pyunlearn._params import check_n_jobs
from pyunlearn.store._database import Database
from pyunlearn.store._packing import pack, unpack

PART_BYTES = 64 * 2**20
DTYPES = ("<f8", "<i4", "<i8", "|b1", "|u1")


def write_statistics(
    db: Database,
    statistics: CooccurrenceStatistics,
    touched: Iterable[int] | None,
    field: str | None = None,
) -> None:
    """Write statistics: those of the topics, or of the task of a head; see `write_model`."""
    owner = owner_of(field)
    write_array(db, owner, "document_frequency", statistics.document_frequency)
    write_array(db, owner, "word_mass", statistics.word_mass)
    write_array(db, owner, "row_length", statistics.rows.length)
    if touched is None:
        delete_rows(db, field)
        words = list(range(statistics.n_words))
    else:
        words = [int(word) for word in touched]
        _delete_rows_of(db, words, field)
    rows = _packed(statistics, words)
    if field is None:
        db.execute_many("INSERT INTO cooccurrence VALUES (?, ?)", rows)
    else:
        db.execute_many("INSERT INTO head_pairs VALUES (?, ?, ?)", ((field, *row) for row in rows))


def read_statistics(db: Database, n_jobs: int | None, field: str | None = None) -> Arrays:
    """The arrays that `statistics_from_arrays` takes, K made whole from its upper half."""
    owner = owner_of(field)
    length = read_array(db, owner, "row_length")
    if len(length) and not 0 <= length.min() <= length.max() <= len(length):
        raise ValueError("a row has a length that cannot be")
    start = np.concatenate(([0], np.cumsum(length)))
    end = start[1:]
    upper_start = end.copy()
    indices = np.zeros(start[-1], np.int32)
    values = np.zeros(start[-1], np.int64)
    lower = np.zeros(len(length), np.int64)
    for word, data in _rows(db, field):
        columns, entries = unpack(word, data)
        # The kernel below trusts its input.
        if not word <= columns[0] or not columns[-1] < len(length):
            raise ValueError(f"row {word} has columns out of range")
        upper_start[word] -= len(columns)
        if upper_start[word] < start[word]:
            raise ValueError(f"row {word} is longer than its length")
        indices[upper_start[word] : end[word]] = columns
        values[upper_start[word] : end[word]] = entries
        lower[columns[int(columns[0] == word) :]] += 1
    if not np.array_equal(start[:-1] + lower, upper_start):
        raise ValueError("rows are missing or too many")
    counting.mirror(
        start[:-1],
        upper_start,
        end,
        np.zeros(len(length), np.int64),
        indices,
        values,
        check_n_jobs(n_jobs),
    )
    return {
        "indptr": start,
        "indices": indices,
        "values": values,
        "word_mass": read_array(db, owner, "word_mass"),
        "document_frequency": read_array(db, owner, "document_frequency"),
    }


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


def _delete_rows_of(db: Database, words: list[int], field: str | None) -> None:
    if field is None:
        db.execute_many("DELETE FROM cooccurrence WHERE word = ?", ((word,) for word in words))
    else:
        sql = "DELETE FROM head_pairs WHERE field = ? AND word = ?"
        db.execute_many(sql, ((field, word) for word in words))


def _packed(statistics: CooccurrenceStatistics, words: list[int]) -> Iterator[tuple[int, bytes]]:
    """Rows of some words from the diagonal on; a word without entries has none."""
    for word in words:
        columns, values = statistics.rows.row(word)
        first = int(np.searchsorted(columns, word))
        if first < len(columns):
            yield word, pack(word, columns[first:], values[first:])


def _rows(db: Database, field: str | None) -> Iterable[tuple[int, bytes]]:
    if field is None:
        return db.execute("SELECT word, entries FROM cooccurrence ORDER BY word")
    return db.execute(
        "SELECT word, entries FROM head_pairs WHERE field = ? ORDER BY word", (field,)
    )


def _shape(text: Any) -> tuple[int, ...]:
    """The shape that `write_array` wrote; ValueError if it is none."""
    shape = read_json(text) if isinstance(text, str) else None
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("the shape of an array is none")
    return tuple(shape)
