"""`StoreDeletion`: documents leave a store, and topics are learned again now or later."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn.certificates import EXACT_NOT_COVERED, STATISTICS_COMPARATOR, Certificate
from pyunlearn.errors import CorruptStateError, InvalidInputError
from pyunlearn.model import AnchorTopicModel
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import documents as docs
from pyunlearn.store import index, ledger, state
from pyunlearn.store.tasks import COVERS, NOT_COVERED, StoreTasks

__all__ = ["StoreDeletion"]

WAITING_COVERS = (
    "the statistics of this store, its word counts, texts and labels of the documents, and the "
    "words that only they held; topics, heads and index, which were learned with the documents, "
    "are deleted until `refresh` learns them again"
)


class StoreDeletion(StoreTasks):
    """The part of `Store` that forgets."""

    _model: AnchorTopicModel | None
    _model_version: int
    _statistics: CooccurrenceStatistics | None

    def forget(self, ids: Iterable[str], refresh: str = "now") -> Certificate:
        """Delete documents: afterwards the store's model is the one that never saw them.

        Topics and squared heads on linear features need the word counts of these documents and no
        others; other heads read those of their task, the index those of all documents.

        Parameters
        ----------
        ids : iterable of str
            Their ids, each once.
        refresh : {"now", "later"}, default="now"
            "later": documents, labels and statistics are clean at once, while topics, heads and
            index, which were learned with the documents, are deleted until `refresh` (or the next
            request that changes documents) learns them from what is left. So many requests share
            one time of learning.

        Returns
        -------
        Certificate
            Also kept in the store.

        Raises
        ------
        UnknownDocumentError
            Ids that the store does not hold.
        DuplicateDocumentError
            An id for the second time.
        InvalidInputError
            No ids.
        CorruptStateError
            The stored statistics or topics are damaged.
        StoreError
            The store is not fitted. Nothing has been changed, after any of these errors.

        Warns
        -----
        FewerTopicsWarning
            The remaining documents support fewer topics. Deletion is never refused for that.
        """
        check.check_choice("refresh", refresh, ("now", "later"))
        wanted = [ids] if isinstance(ids, str) else [str(one) for one in ids]
        if not wanted:
            raise InvalidInputError("there are no ids to forget")
        with self._request():
            self._refuse_unfitted()
            found = docs.read_some(self._db, wanted)
            n_words = int(self._db.value("SELECT count(*) FROM dictionary"))
            (batch,) = docs.batches(found, n_words, max_entries=2**62)
            certificate = self._forget_now(batch) if refresh == "now" else self._forget_later(batch)
        return certificate

    def refresh(self) -> Certificate | None:
        """Learn topics, heads and index from the statistics, after forgetting with refresh="later".

        Returns
        -------
        Certificate or None
            Of all documents forgotten since the topics were learned, also kept in the store; None
            when they are up to date already.

        Raises
        ------
        CorruptStateError
            The stored statistics are damaged.
        StoreError
            The store is not fitted. Nothing has been changed, after any of these errors.

        Warns
        -----
        FewerTopicsWarning
            As for `forget`.
        """
        with self._db.reading():
            self._refuse_unfitted()
            if not state.n_waiting(self._db):
                return None
        with self._request():
            removed = state.n_waiting(self._db)
            before = self._db.get_meta("before_waiting")
            model = self._current_model()
            certificate = Certificate(
                mode="exact",
                epsilon=0.0,
                delta=0.0,
                n_documents_removed=removed,
                n_documents_left=model.statistics_.n_documents,
                statistics_before=before["statistics"],
                statistics_after=model.statistics_.digest(),
                model_before=before["model"],
                model_after=model.digest(),
                parameters=model.parameters_.settings.as_dict(),
                covers=COVERS,
                not_covered=EXACT_NOT_COVERED + NOT_COVERED,
                dependents=self._dependents(),
            )
            self._finish("refresh", removed, certificate)
        return certificate

    def _forget_now(self, batch: docs.Batch) -> Certificate:
        started = time.perf_counter()
        model = self._current_model()
        tasks = self._current_heads(model)
        seconds_reading = time.perf_counter() - started
        certificate = model.unlearn(batch.counts, batch.lengths)
        touched, vanished = _words_of(batch, model.statistics_)
        removed = self._remove_from_tasks(tasks, batch)
        self._delete(batch, vanished)
        state.write_model(self._db, model, touched)
        certificate = replace(
            certificate,
            covers=COVERS,
            not_covered=certificate.not_covered + NOT_COVERED,
            dependents=self._update_dependents(model, tasks, touched, removed),
            path={
                **certificate.path,
                "seconds_reading": seconds_reading,
                "n_words_touched": len(touched),
                "n_words_vanished": len(vanished),
            },
        )
        self._finish("forget", len(batch.ids), certificate)
        return certificate

    def _forget_later(self, batch: docs.Batch) -> Certificate:
        statistics = self._current_statistics()
        before = statistics.digest()
        model_before = ledger.last_digest(self._db)
        if not state.n_waiting(self._db):
            self._db.set_meta("before_waiting", {"statistics": before, "model": model_before})
        statistics.remove(batch.counts, batch.lengths)
        touched, vanished = _words_of(batch, statistics)
        self._delete(batch, vanished)
        state.write_statistics(self._db, statistics, touched)
        self._db.set_meta("n_counted", statistics.n_documents)
        state.delete_learned(self._db)
        heads.clear(self._db)
        index.clear(self._db)
        self._model, self._heads, self._statistics = None, None, statistics
        self._db.set_meta("n_waiting", state.n_waiting(self._db) + len(batch.ids))
        certificate = Certificate(
            mode="exact",
            epsilon=0.0,
            delta=0.0,
            n_documents_removed=len(batch.ids),
            n_documents_left=statistics.n_documents,
            statistics_before=before,
            statistics_after=statistics.digest(),
            model_before=model_before,
            model_after=None,
            parameters=self._db.get_meta("model_parameters"),
            comparator=STATISTICS_COMPARATOR,
            covers=WAITING_COVERS,
            not_covered=EXACT_NOT_COVERED + NOT_COVERED,
            path={"n_words_touched": len(touched), "n_words_vanished": len(vanished)},
        )
        self._finish("forget", len(batch.ids), certificate)
        return certificate

    def _delete(self, batch: docs.Batch, vanished: NDArray[np.intp]) -> None:
        """Delete documents, their labels, and words that nobody holds any more."""
        docs.delete(self._db, batch.ids)
        heads.delete_labels(self._db, batch.ids)
        docs.delete_words(self._db, vanished)

    def _current_model(self) -> AnchorTopicModel:
        """The model of the stored state, learned first when it waits for a refresh."""
        if state.n_waiting(self._db):
            return self._learn_again()
        version = self._db.get_meta("state_version", 0)
        if self._model is None or self._model_version != version:
            self._progress("reading", 0, 0)
            model = state.read_model(self._db, self._n_jobs)
            if model.digest() != ledger.last_digest(self._db):
                raise self._changed("topics")
            self._model, self._model_version, self._heads = model, version, None
        return self._model

    def _current_statistics(self) -> CooccurrenceStatistics:
        """The statistics of the stored state, without topics where those wait for a refresh."""
        if not state.n_waiting(self._db):
            return self._current_model().statistics_
        version = self._db.get_meta("state_version", 0)
        if self._statistics is None or self._model_version != version:
            self._progress("reading", 0, 0)
            statistics = state.read_waiting(self._db, self._n_jobs)
            if statistics.digest() != ledger.last_digest(self._db, "statistics"):
                raise self._changed("statistics")
            self._statistics = statistics
        return self._statistics

    def _learn_again(self) -> AnchorTopicModel:
        """End the wait for a refresh."""
        statistics = self._current_statistics()
        self._progress("learning", 0, 0)
        model = state.learned_model(self._db.get_meta("model_parameters"), statistics, self._n_jobs)
        model.warn_if_fewer()
        state.write_model(self._db, model, ())
        self._db.set_meta("n_waiting", 0)
        self._model, self._heads, self._statistics = model, None, None
        self._model_version = self._db.get_meta("state_version", 0)
        self._rebuild_dependents(model)
        return model

    def _changed(self, what: str) -> CorruptStateError:
        return CorruptStateError(
            f"{self._db.path}: the {what} of the store have not the digest that the ledger has; "
            "see `verify`"
        )


def _words_of(
    batch: docs.Batch, statistics: CooccurrenceStatistics
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Words of documents, ascending, and those of them that no document holds any more."""
    touched = np.unique(batch.counts.indices).astype(np.intp)
    return touched, touched[statistics.document_frequency[touched] == 0]
