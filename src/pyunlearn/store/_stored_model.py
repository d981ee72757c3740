"""Statistics and learned topics of a store: from the model to tables and back."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.arrays import (
    Arrays,
    refuse_impossible,
    statistics_from_arrays,
)
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import counts as counting
from pyunlearn._digest import content_digest
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._json import read_json
from pyunlearn._learners import LEARNERS
from pyunlearn._params import check_choice, check_n_jobs
from pyunlearn.errors import (
    CorruptStateError,
    FewerTopicsWarning,
    InvalidParameterError,
    PyUnlearnError,
    StaleModelError,
    StoreError,
)
from pyunlearn.io import assembled_model, new_model
from pyunlearn.store._database import Database
from pyunlearn.store._packing import pack, unpack

PART_BYTES = 64 * 2**20
TOPICS = "topics"  # owner of the learned arrays
DTYPES = ("<f8", "<i4", "<i8", "|b1", "|u1")
# What `Store.fit` may be told of a model.
COMMON = ("n_topics", "scale_bits", "weighting")


def model_to_fit(learner: str, parameters: Mapping[str, Any], n_jobs: int | None) -> BaseTopicModel:
    """A model of a learner, not fitted; InvalidParameterError for what the learner has not."""
    check_choice("learner", learner, tuple(LEARNERS))
    for name in parameters:
        owners = [one for one in LEARNERS if name in (*COMMON, *LEARNERS[one].settings.names())]
        if owners and learner not in owners:
            raise InvalidParameterError(
                f"{name} is a parameter of learner={owners[0]!r}, not of learner={learner!r}; "
                "leave it out, or choose the other learner"
            )
        if not owners:
            raise InvalidParameterError(f"learner={learner!r} has no parameter {name!r}")
    return new_model({**parameters, "learner": learner}, n_jobs)


def write_model(db: Database, model: BaseTopicModel, touched: Iterable[int] | None) -> None:
    """Write a model; of the co-occurrence rows only those of the touched words, None for all."""
    statistics = model.statistics_
    db.set_meta("model_parameters", model.learned_with())
    learned = model.topics_.arrays()
    delete_learned(db)  # of another learner, before
    for name, array in learned.items():
        write_array(db, TOPICS, name, array)
    db.set_meta("learned_digest", content_digest({}, learned))
    db.set_meta("digests", {"statistics": statistics.digest(), "model": model.digest()})
    write_statistics(db, statistics, touched)


def write_waiting(
    db: Database, statistics: CooccurrenceStatistics, touched: Iterable[int] | None
) -> None:
    """Write statistics whose topics wait for a refresh, and delete the topics."""
    delete_learned(db)
    db.set_meta("digests", {"statistics": statistics.digest()})
    write_statistics(db, statistics, touched)


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


def delete_rows(db: Database, field: str | None) -> None:
    """Delete the co-occurrence rows of the topics, or of a head."""
    if field is None:
        db.execute("DELETE FROM cooccurrence")
    else:
        db.execute("DELETE FROM head_pairs WHERE field = ?", (field,))


def owner_of(field: str | None) -> str:
    """Whose the arrays of statistics are: those of the topics, or of the head of a field."""
    return "statistics" if field is None else f"head {field}"


def read_model(db: Database, n_jobs: int | None) -> BaseTopicModel:
    """The model with its statistics.

    Raises
    ------
    CorruptStateError
        What is stored does not fit together.
    InvalidParameterError
        `n_jobs` is no number of threads.
    """
    check_n_jobs(n_jobs)
    try:
        model, statistics = _read_assembled(db, n_jobs), read_counted(db, n_jobs)
        refuse_impossible(statistics)
        model.topics_.refuse_other(statistics, check_n_jobs(n_jobs))
        model.statistics_ = statistics
        model.take_as_learned()
        return model
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise CorruptStateError(
            f"{db.path}: the statistics or topics are damaged ({error})"
        ) from None


def read_counted(db: Database, n_jobs: int | None) -> CooccurrenceStatistics:
    """The statistics of the topics; errors of all kinds when they are damaged."""
    parameters = read_parameters(db)
    return statistics_from_arrays(
        read_statistics(db, n_jobs),
        db.get_meta("n_documents", 0),
        parameters["scale_bits"],
        parameters["weighting"],
        n_jobs,
    )


def read_waiting(db: Database, n_jobs: int | None) -> CooccurrenceStatistics:
    """The statistics alone; CorruptStateError if what is stored does not fit together."""
    check_n_jobs(n_jobs)
    try:
        return read_counted(db, n_jobs)
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise CorruptStateError(f"{db.path}: the statistics are damaged ({error})") from None


def learned_model(
    parameters: Mapping[str, Any], statistics: CooccurrenceStatistics, n_jobs: int | None
) -> BaseTopicModel:
    """A model learned from statistics; with fewer topics when fewer are supported."""
    model = new_model(parameters, n_jobs)
    model.n_features_in_, model.statistics_ = statistics.n_words, statistics
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewerTopicsWarning)
        model.refresh()
    return model


def is_fitted(db: Database) -> bool:
    """Whether topics have been learned, also while they wait for a refresh."""
    return db.get_meta("model_parameters") is not None


def refuse_unfitted(db: Database) -> None:
    """Raise StoreError before the first fit."""
    if not is_fitted(db):
        raise StoreError(f"the store at {db.directory} has no topics yet; call fit first")


def read_parameters(db: Database) -> dict[str, Any]:
    """What the model was learned with; CorruptStateError if no model can be."""
    parameters: dict[str, Any] = db.get_meta("model_parameters", {})
    try:
        new_model(parameters, None)._settings()
    except (KeyError, TypeError, ValueError, PyUnlearnError) as error:
        raise CorruptStateError(f"{db.path}: the parameters are damaged ({error})") from None
    return parameters


def digest_of(db: Database, what: str) -> str | None:
    """The stored digest of the present "statistics" or "model"; None where there is none."""
    digest: str | None = db.get_meta("digests", {}).get(what)
    return digest


def is_waiting(db: Database) -> bool:
    """Whether the topics were deleted with documents, and wait for a refresh."""
    return is_fitted(db) and digest_of(db, "model") is None


def refuse_waiting(db: Database) -> None:
    """Raise StaleModelError while the topics wait for a refresh."""
    if is_waiting(db):
        raise StaleModelError(
            "documents were forgotten since the topics were learned, and topics, heads and index "
            "were deleted with them; run `pyunlearn refresh` (Store.refresh) first"
        )


def delete_learned(db: Database) -> None:
    """Delete the topics: what was learned from documents that are gone."""
    db.execute("DELETE FROM arrays WHERE owner = ?", (TOPICS,))
    db.set_meta("learned_digest", None)


def read_topics(db: Database) -> BaseTopicModel:
    """The model without its statistics: no co-occurrence row is read.

    Raises
    ------
    StaleModelError
        The topics wait for a refresh.
    CorruptStateError
        What is stored does not fit together.
    """
    refuse_waiting(db)
    try:
        return _read_assembled(db, None)
    except (KeyError, TypeError, ValueError, PyUnlearnError) as error:
        raise CorruptStateError(f"{db.path}: the topics are damaged ({error})") from None


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


def _read_assembled(db: Database, n_jobs: int | None) -> BaseTopicModel:
    """The model without its statistics; errors of all kinds when it is damaged."""
    names = db.execute("SELECT DISTINCT name FROM arrays WHERE owner = ?", (TOPICS,)).fetchall()
    learned = {name: read_array(db, TOPICS, name) for (name,) in names}
    # The model digest does not cover all of them, and kernels index by their values.
    if content_digest({}, learned) != db.get_meta("learned_digest"):
        raise ValueError("the learned arrays were changed")
    return assembled_model(read_parameters(db), learned, n_jobs)


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


def _shape(text: Any) -> tuple[int, ...]:
    """The shape that `write_array` wrote; ValueError if it is none."""
    shape = read_json(text) if isinstance(text, str) else None
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("the shape of an array is none")
    return tuple(shape)
