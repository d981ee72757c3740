"""Learned topics of a store, with their statistics: from the model to tables and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.arrays import (
    refuse_impossible,
    restore_statistics,
    statistics_from_arrays,
)
from pyunlearn._cooccurrence.rows_on_demand import RowsOnDemand
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._digest import content_digest
from pyunlearn._learners import LEARNERS, topics_from_arrays
from pyunlearn._learners.topics import Topics
from pyunlearn._model import Model, new_statistics, parameters_of, settings_in
from pyunlearn._params import check_choice, check_n_jobs
from pyunlearn.errors import (
    CorruptStateError,
    InvalidParameterError,
    PyUnlearnError,
    StaleModelError,
    StoreError,
)
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_statistics as tables
from pyunlearn.store._answers import Progress
from pyunlearn.store._database import Database
from pyunlearn.store._stored_statistics import Changed
from pyunlearn.store._stored_words import Dictionary

UNCHANGED = Changed(np.zeros(0, np.intp), np.zeros(0, np.int64))
TOPICS = "topics"  # owner of the learned arrays
# What `Store.fit` may be told of the statistics; None: what suits the learner.
OF_STATISTICS = {"scale_bits": None, "weighting": None, "contexts": None}


def parameters_to_fit(learner: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a learner, all of them; InvalidParameterError for what it has not."""
    check_choice("learner", learner, tuple(LEARNERS))
    for name in given:
        owners = [
            one for one in LEARNERS if name in (*OF_STATISTICS, *LEARNERS[one].settings.names())
        ]
        if owners and learner not in owners:
            raise InvalidParameterError(
                f"{name} is a parameter of learner={owners[0]!r}, not of learner={learner!r}; "
                "leave it out, or choose the other learner"
            )
        if not owners:
            raise InvalidParameterError(f"learner={learner!r} has no parameter {name!r}")
    settings = LEARNERS[learner].settings.completed(given)
    return parameters_of(settings, new_statistics(settings, {**OF_STATISTICS, **given}, 0, None))


def empty_statistics(
    parameters: Mapping[str, Any], n_words: int, n_jobs: int | None
) -> CooccurrenceStatistics:
    """Statistics of no document, as a model with these parameters has them."""
    check_n_jobs(n_jobs)
    statistics = CooccurrenceStatistics(
        n_words,
        parameters["scale_bits"],
        parameters["weighting"],
        parameters["contexts"],
        n_jobs=n_jobs,
    )
    return statistics.keep_little_room()


def counted_statistics(
    db: Database,
    parameters: Mapping[str, Any],
    dictionary: Dictionary,
    n_jobs: int | None,
    progress: Progress,
) -> CooccurrenceStatistics:
    """Statistics counted from all documents of the store."""
    empty = empty_statistics(parameters, len(dictionary), n_jobs)
    return docs.count_all(db, dictionary, empty, progress)


def write_model(
    db: Database, model: Model, keys: NDArray[np.int64], changed: Changed | None
) -> None:
    """Write a model of the words of some keys; of the statistics what changed, None for all."""
    statistics = model.statistics
    db.set_meta("model_parameters", model.parameters())
    learned = model.topics.arrays()
    delete_learned(db)  # of another learner, before
    for name, array in learned.items():
        tables.write_array(db, TOPICS, name, array)
    db.set_meta("learned_digest", content_digest({}, learned))
    db.set_meta("digests", {"statistics": statistics.digest(), "model": model.digest()})
    tables.write_statistics(db, statistics, keys, changed)


def write_waiting(
    db: Database,
    statistics: CooccurrenceStatistics,
    keys: NDArray[np.int64],
    changed: Changed | None,
) -> None:
    """Write statistics whose topics wait for a refresh, and delete the topics."""
    delete_learned(db)
    db.set_meta("digests", {"statistics": statistics.digest()})
    tables.write_statistics(db, statistics, keys, changed)


def read_model(db: Database, keys: NDArray[np.int64], n_jobs: int | None) -> Model:
    """The model with its statistics, of the words of some keys. Every row is read.

    Raises
    ------
    CorruptStateError
        What is stored does not fit together.
    InvalidParameterError
        `n_jobs` is no number of threads.
    """
    num_threads = check_n_jobs(n_jobs)
    try:
        topics, parameters = _read_topics(db), read_parameters(db)
        statistics = statistics_from_arrays(
            tables.read_statistics(db, keys, n_jobs),
            db.get_meta("n_documents", 0),
            parameters["scale_bits"],
            parameters["weighting"],
            parameters["contexts"],
            n_jobs,
        )
        refuse_impossible(statistics)
        topics.refuse_other(statistics, num_threads)
        return Model(topics, statistics)
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise CorruptStateError(
            f"{db.path}: the statistics or topics are damaged ({error})"
        ) from None


def open_statistics(
    db: Database, keys: NDArray[np.int64], n_jobs: int | None
) -> CooccurrenceStatistics:
    """The statistics, of the words of some keys; rows are read when they are needed.

    Raises
    ------
    CorruptStateError
        They have not the digest that is stored with them, or do not fit together. Whether a row is
        as it was written is seen when it is read; `verify` reads all.
    """
    check_n_jobs(n_jobs)
    try:
        statistics = empty_statistics(read_parameters(db), len(keys), n_jobs)
        source = tables.StoredRows.of(db, keys, n_jobs)
        restore_statistics(
            statistics,
            RowsOnDemand(len(keys), source.columns, source),
            tables.read_array(db, tables.owner_of(None), "word_mass"),
            tables.read_array(db, tables.owner_of(None), "document_frequency"),
            db.get_meta("n_documents", 0),
        )
        hashes = tables.read_array(db, tables.owner_of(None), "row_hashes")
        if hashes.dtype != np.uint8 or hashes.shape != (len(keys), 32):
            raise ValueError("the hashes of rows are not those of the words")
        statistics.restore_row_hashes(hashes)
    except (KeyError, TypeError, ValueError, IndexError, PyUnlearnError) as error:
        raise CorruptStateError(f"{db.path}: the statistics are damaged ({error})") from None
    if statistics.digest() != digest_of(db, "statistics"):
        raise CorruptStateError(
            f"{db.path}: the statistics of the store have not the digest that is stored with them; "
            "see `verify`"
        )
    return statistics


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
        settings_in(parameters)
        empty_statistics(parameters, 0, None)
    except (AttributeError, TypeError, ValueError, PyUnlearnError) as error:
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


def read_topics(db: Database) -> Topics:
    """The topics alone: no co-occurrence row is read.

    Raises
    ------
    StaleModelError
        The topics wait for a refresh.
    CorruptStateError
        What is stored does not fit together.
    """
    refuse_waiting(db)
    try:
        return _read_topics(db)
    except (KeyError, TypeError, ValueError, PyUnlearnError) as error:
        raise CorruptStateError(f"{db.path}: the topics are damaged ({error})") from None


def _read_topics(db: Database) -> Topics:
    """The topics; errors of all kinds when they are damaged."""
    names = db.execute("SELECT DISTINCT name FROM arrays WHERE owner = ?", (TOPICS,)).fetchall()
    learned = {name: tables.read_array(db, TOPICS, name) for (name,) in names}
    # The model digest does not cover all of them, and kernels index by their values.
    if content_digest({}, learned) != db.get_meta("learned_digest"):
        raise ValueError("the learned arrays were changed")
    return topics_from_arrays(settings_in(read_parameters(db)), learned)
