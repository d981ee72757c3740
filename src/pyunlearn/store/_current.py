"""`Current`: an open store, and what is in memory of its present state."""

from __future__ import annotations

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._estimator import BaseTopicModel
from pyunlearn.certificates import Certificate
from pyunlearn.errors import CorruptStateError
from pyunlearn.heads._linear_head import LinearHead
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store import _stored_model as state
from pyunlearn.store._answers import Progress
from pyunlearn.store._database import Database


class Current:
    """The file of a store with its model, heads and statistics, read when first asked for.

    Another process may change the file between two requests: what is in memory is of one version.
    """

    def __init__(self, db: Database, n_jobs: int | None, progress: Progress) -> None:
        self.db = db
        self.n_jobs = n_jobs
        self.progress = progress
        self._version = -1
        self._model: BaseTopicModel | None = None
        self._heads: dict[str, LinearHead] | None = None  # on self._model
        self._statistics: CooccurrenceStatistics | None = None  # while topics wait for a refresh

    def drop(self) -> None:
        """Let go of what is in memory: it is read again when asked for."""
        self._model = self._heads = self._statistics = None

    def keep(self, what: BaseTopicModel | CooccurrenceStatistics) -> None:
        """A new model, or new statistics whose topics wait for a refresh."""
        self.drop()
        self._version = self._stored_version()
        if isinstance(what, BaseTopicModel):
            self._model = what
        else:
            self._statistics = what

    def model(self) -> BaseTopicModel:
        """The model, which must not wait for a refresh (`_refreshing.current_model` ends it)."""
        if self._model is None or self._is_old():
            self.progress("reading", 0, 0)
            model = state.read_model(self.db, self.n_jobs)
            self._check("model", "topics", model.digest())
            self.keep(model)
            return model
        return self._model

    def statistics(self) -> CooccurrenceStatistics:
        """The statistics, without topics where those wait for a refresh."""
        if not state.n_waiting(self.db):
            return self.model().statistics_
        if self._statistics is None or self._is_old():
            self.progress("reading", 0, 0)
            statistics = state.read_waiting(self.db, self.n_jobs)
            self._check("statistics", "statistics", statistics.digest())
            self.keep(statistics)
            return statistics
        return self._statistics

    def heads(self) -> dict[str, LinearHead]:
        """All heads by field, on the model."""
        model = self.model()
        if self._heads is None:
            self._heads = {
                field: heads.read(self.db, model, field, self.n_jobs)
                for field in heads.fields(self.db)
            }
        return self._heads

    def put_head(self, field: str, head: LinearHead | None) -> None:
        """A head that was trained, or None for one that was deleted. Reads no other head."""
        if self._heads is None:
            return
        if head is None:
            self._heads.pop(field, None)
        else:
            self._heads[field] = head

    def record(self, action: str, n_documents: int, certificate: Certificate | None = None) -> None:
        """The marks that every change leaves: a new version, an entry in the ledger."""
        self._version = self._stored_version() + 1
        self.db.set_meta("state_version", self._version)
        detail = {}
        if self._statistics is not None:
            detail = {"statistics": self._statistics.digest()}
        if self._model is not None:
            detail = {
                "statistics": self._model.statistics_.digest(),
                "model": self._model.digest(),
                **{f"head {name}": one for name, one in heads.digests(self.db).items()},
            }
            found = index.digest_of(self.db)
            if found is not None:
                detail["index"] = found
        ledger.append(self.db, action, n_documents, detail, certificate)

    def _stored_version(self) -> int:
        return int(self.db.get_meta("state_version", 0))

    def _is_old(self) -> bool:
        return self._version != self._stored_version()

    def _check(self, name: str, what: str, digest: str) -> None:
        if digest != ledger.last_digest(self.db, name):
            raise CorruptStateError(
                f"{self.db.path}: the {what} of the store have not the digest that the ledger has; "
                "see `verify`"
            )
