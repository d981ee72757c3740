"""Documents leave a store, and topics are learned again now or later."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn.certificates import EXACT_NOT_COVERED, STATISTICS_COMPARATOR, Certificate
from pyunlearn.store import _dependents as dependents
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store import _stored_model as state
from pyunlearn.store._coverage import COVERS, NOT_COVERED, WAITING_COVERS
from pyunlearn.store._current import Current
from pyunlearn.store._refreshing import current_model


def forget(current: Current, ids: Sequence[str], refresh: str) -> Certificate:
    """Delete documents, and learn again what was learned with them now, or delete it."""
    batch = docs.as_one(docs.read_some(current.db, ids), docs.n_columns(current.db))
    certificate = _now(current, batch) if refresh == "now" else _later(current, batch)
    current.record("forget", len(ids), certificate)
    return certificate


def _now(current: Current, batch: docs.Batch) -> Certificate:
    started = time.perf_counter()
    model = current_model(current)
    known = current.heads()
    seconds_reading = time.perf_counter() - started
    certificate = model.forget(batch.counts, batch.lengths)
    touched, vanished = _words_of(batch, model.statistics_)
    removed = dependents.remove_from_tasks(current.db, known, batch)
    _delete(current, batch, vanished)
    state.write_model(current.db, model, touched)
    return replace(
        certificate,
        covers=COVERS,
        not_covered=certificate.not_covered + NOT_COVERED,
        dependents=dependents.update(current, known, touched, removed),
        path={
            **certificate.path,
            "seconds_reading": seconds_reading,
            "n_words_touched": len(touched),
            "n_words_vanished": len(vanished),
        },
    )


def _later(current: Current, batch: docs.Batch) -> Certificate:
    db = current.db
    statistics = current.statistics()
    before = statistics.digest()
    model_before = ledger.last_digest(db)
    if not state.n_waiting(db):
        db.set_meta("before_waiting", {"statistics": before, "model": model_before})
    statistics.remove(batch.counts, batch.lengths)
    touched, vanished = _words_of(batch, statistics)
    _delete(current, batch, vanished)
    state.write_statistics(db, statistics, touched)
    db.set_meta("n_counted", statistics.n_documents)
    db.set_meta("n_waiting", state.n_waiting(db) + len(batch.ids))
    _delete_learned(current, statistics)
    return Certificate(
        mode="exact",
        epsilon=0.0,
        delta=0.0,
        n_documents_removed=len(batch.ids),
        n_documents_left=statistics.n_documents,
        statistics_before=before,
        statistics_after=statistics.digest(),
        model_before=model_before,
        model_after=None,
        parameters=db.get_meta("model_parameters"),
        comparator=STATISTICS_COMPARATOR,
        covers=WAITING_COVERS,
        not_covered=EXACT_NOT_COVERED + NOT_COVERED,
        path={"n_words_touched": len(touched), "n_words_vanished": len(vanished)},
    )


def _delete(current: Current, batch: docs.Batch, vanished: NDArray[np.intp]) -> None:
    """Delete documents, their labels, and words that nobody holds any more."""
    docs.delete(current.db, batch.ids)
    heads.delete_labels(current.db, batch.ids)
    docs.delete_words(current.db, vanished)


def _delete_learned(current: Current, statistics: CooccurrenceStatistics) -> None:
    """Delete topics, heads and index, on disk and in memory."""
    state.delete_learned(current.db)
    heads.clear(current.db)
    index.clear(current.db)
    current.keep(statistics)


def _words_of(
    batch: docs.Batch, statistics: CooccurrenceStatistics
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Words of documents, ascending, and those of them that no document holds any more."""
    touched = np.unique(batch.counts.indices).astype(np.intp)
    return touched, touched[statistics.document_frequency[touched] == 0]
