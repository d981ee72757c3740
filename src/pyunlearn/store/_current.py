"""`Current`: an open store, and what is in memory of its present state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyunlearn._commitment import new_commitment
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._model import Model
from pyunlearn.certificates import Certificate
from pyunlearn.errors import CorruptStateError
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_model as state
from pyunlearn.store import _stored_words as words
from pyunlearn.store._answers import Progress
from pyunlearn.store._database import Database
from pyunlearn.store._state_digest import state_digest
from pyunlearn.store._stored_words import Dictionary

if TYPE_CHECKING:
    from pyunlearn.heads._task_statistics import TaskStatistics


class Current:
    """The file of a store with its model, dictionary and tasks, read when first asked for.

    Another process may change the file between two requests: what is in memory is of one version,
    the number of the last entry in the ledger.
    """

    def __init__(self, db: Database, n_jobs: int | None, progress: Progress) -> None:
        self.db = db
        self.n_jobs = n_jobs
        self.progress = progress
        self._version = -1
        self._model: Model | None = None
        self._statistics: CooccurrenceStatistics | None = None  # while topics wait for a refresh
        self._dictionary: Dictionary | None = None
        self._tasks: dict[str, TaskStatistics] = {}

    def drop(self) -> None:
        """Let go of what is in memory: it is read again when asked for."""
        self._model = self._statistics = self._dictionary = None
        self._tasks = {}

    def keep(self, what: Model | CooccurrenceStatistics, dictionary: Dictionary) -> None:
        """A new model, or new statistics whose topics wait for a refresh."""
        self._model = what if isinstance(what, Model) else None
        self._statistics = what if isinstance(what, CooccurrenceStatistics) else None
        self._dictionary = dictionary

    def put_task(self, field: str, task: TaskStatistics | None) -> None:
        """The task of a head that was trained, or None where there is none any more."""
        self._tasks.pop(field, None)
        if task is not None:
            self._tasks[field] = task

    def model(self) -> Model:
        """The model, which must not wait for a refresh (`_revising.current_model` ends it)."""
        self._drop_old()
        if self._model is None:
            topics, statistics = state.read_topics(self.db), self.statistics()
            self._model = Model(topics, statistics)
            if self._model.digest() != state.digest_of(self.db, "model"):
                raise CorruptStateError(
                    f"{self.db.path}: the topics of the store have not the digest that is stored "
                    "with them; see `verify`"
                )
        return self._model

    def statistics(self) -> CooccurrenceStatistics:
        """The statistics; rows are read when they are needed."""
        self._drop_old()
        if self._model is not None:
            return self._model.statistics
        if self._statistics is None:
            self.progress("reading", 0, 0)
            keys = self.dictionary().keys
            self._statistics = state.open_statistics(self.db, keys, self.n_jobs)
        return self._statistics

    def dictionary(self) -> Dictionary:
        """The words of the columns of the statistics."""
        self._drop_old()
        if self._dictionary is None:
            self._dictionary = words.read_dictionary(self.db)
        return self._dictionary

    def task(self, field: str) -> TaskStatistics:
        """The task of a head that keeps sums."""
        self._drop_old()
        if field not in self._tasks:
            from pyunlearn.store._trained_heads import read_task

            self._tasks[field] = read_task(self.db, field, self.n_jobs)
        return self._tasks[field]

    def record(
        self,
        action: str,
        n_documents: int,
        certificate: Certificate | None = None,
    ) -> Certificate | None:
        """Write the entry of a change in the ledger; the certificate with its commitment."""
        commitment, secret = new_commitment(state_digest(self.db, self.dictionary()))
        if certificate is not None:
            certificate = replace(certificate, commitment=commitment)
        waits = state.is_waiting(self.db)
        entry = ledger.append(
            self.db, action, n_documents, commitment, secret, certificate, waits=waits
        )
        self._version = entry.seq
        return certificate

    def _drop_old(self) -> None:
        version = ledger.version(self.db)
        if self._version != version:
            self.drop()
            self._version = version
