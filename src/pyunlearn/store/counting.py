"""Statistics of all documents of a store, counted from the documents."""

from __future__ import annotations

from collections.abc import Callable

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn.store import documents as docs
from pyunlearn.store.database import Database

Progress = Callable[[str, int, int], None]


def count_all(
    db: Database, scale_bits: int, weighting: str, n_jobs: int | None, progress: Progress
) -> CooccurrenceStatistics:
    """Count every document, in batches, so that memory does not grow with their number."""
    n_words = int(db.value("SELECT count(*) FROM dictionary"))
    total = docs.n_documents(db)
    statistics = CooccurrenceStatistics(n_words, scale_bits, weighting, n_jobs=n_jobs)
    for batch in docs.batches(docs.read_all(db), n_words):
        with batch.naming_ids():
            statistics.add(batch.counts, batch.lengths)
        progress("counting", statistics.n_documents, total)
    return statistics
