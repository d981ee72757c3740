"""What a store keeps of its documents, brought up to date after they changed.

A request reads what it starts from (`Before`), changes the documents, and ends with `learn`, or
with `wait` where learning is put off.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._learners import LEARNERS
from pyunlearn._model import Model, settings_in
from pyunlearn.certificates import (
    EXACT_COMPARATOR,
    EXACT_NOT_COVERED,
    STATISTICS_COMPARATOR,
    Certificate,
)
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_heads as heads
from pyunlearn.store import _stored_index as index
from pyunlearn.store import _stored_model as state
from pyunlearn.store import _stored_words as words
from pyunlearn.store._coverage import COVERS, NOT_COVERED, WAITING_COVERS
from pyunlearn.store._current import Current
from pyunlearn.store._recounting import recount_statistics, recount_tasks
from pyunlearn.store._stored_statistics import Changed
from pyunlearn.store._stored_words import Dictionary

if TYPE_CHECKING:
    from pyunlearn.store._retraining import TaskSums

log = logging.getLogger("pyunlearn")


@dataclass(frozen=True)
class Before:
    """What a request starts from."""

    dictionary: Dictionary
    statistics: CooccurrenceStatistics
    gone: Sequence[docs.Named]  # documents, as they are before they go or change
    tasks: dict[str, TaskSums] = field(default_factory=dict)  # by field, of heads that keep sums

    @classmethod
    def read(cls, current: Current, gone: Sequence[docs.Named], *, tasks: bool) -> Before:
        """The state before a change, which must not have begun; `tasks`: whether heads are kept."""
        known = _task_sums(current, gone) if tasks else {}
        return cls(current.dictionary(), current.statistics(), gone, known)

    def recount(self, current: Current, come: Sequence[str]) -> Recounted:
        """The dictionary and statistics of the documents as they are stored now."""
        db, statistics = current.db, self.statistics
        if come:
            dictionary = words.read_dictionary(db)
        else:
            bags = [bag for _, bag in self.gone]
            dictionary = words.dictionary_without(db, self.dictionary, bags, statistics.n_documents)
        change = self.dictionary, dictionary, self.gone, come
        changed: Changed | None = recount_statistics(db, statistics, *change)
        if statistics.lacks_contexts():
            parameters = state.read_parameters(db)
            statistics = state.counted_statistics(
                db, parameters, dictionary, current.n_jobs, current.progress
            )
            changed = None
        columns = recount_tasks(db, list(self.tasks.values()), *change)
        return Recounted(dictionary, statistics, changed, columns)


class Recounted(NamedTuple):
    """What documents give as they are stored now."""

    dictionary: Dictionary
    statistics: CooccurrenceStatistics
    changed: Changed | None  # of the statistics; None: all
    task_columns: NDArray[np.intp] | None  # columns of tasks that changed; None: all


def current_model(current: Current) -> Model:
    """The model of the stored state; ends a wait for a refresh first, with its certificate."""
    end_wait(current)
    return current.model()


def end_wait(current: Current) -> None:
    """Learn what waits for a refresh, with a certificate of its own."""
    if state.is_waiting(current.db):
        log.info(
            "the refresh that waited is done first, with a certificate of its own (documents "
            "forgotten before: %d)",
            ledger.n_waiting(current.db),
        )
        refresh(current)


def learn(current: Current, before: Before, come: Sequence[str]) -> None:
    """Topics, heads and index of the documents as they are stored now."""
    settings = settings_in(state.read_parameters(current.db))
    topics = None if LEARNERS[settings.learner].starts_over else current.model().topics
    now = before.recount(current, come)
    current.progress("learning", 0, 0)
    if topics is None or now.changed is None or before.dictionary.words != now.dictionary.words:
        model = Model.learned(now.statistics, settings)
    else:
        model = Model(topics, now.statistics).updated(now.changed.words)
    model.warn(stacklevel=2)
    state.write_model(current.db, model, now.dictionary.keys, now.changed)
    replace_model(current, model, now.dictionary, before.tasks, now.task_columns)


def wait(current: Current, before: Before) -> None:
    """Statistics of the documents as they are stored now; what was learned is deleted."""
    now = before.recount(current, ())
    state.write_waiting(current.db, now.statistics, now.dictionary.keys, now.changed)
    heads.clear(current.db)
    index.clear(current.db)
    current.drop()
    current.keep(now.statistics, now.dictionary)


def refresh(current: Current) -> Certificate:
    """Learn from the statistics what waits for it, and record that with a certificate."""
    db = current.db
    waited, statistics, dictionary = (
        ledger.n_waiting(db),
        current.statistics(),
        current.dictionary(),
    )
    current.progress("learning", 0, 0)
    model = Model.learned(statistics, settings_in(state.read_parameters(db)))
    model.warn(stacklevel=2)
    state.write_model(db, model, dictionary.keys, state.UNCHANGED)
    replace_model(current, model, dictionary)
    return certified(current, "refresh", waited, waited)


def replace_model(
    current: Current,
    model: Model,
    dictionary: Dictionary,
    tasks: Mapping[str, TaskSums] = MappingProxyType({}),
    changed: NDArray[np.intp] | None = None,
) -> None:
    """A stored model becomes the current one, with heads and index of their own.

    Heads are trained on `tasks`, of which the columns `changed` changed, where there are such, else
    on the documents.
    """
    current.keep(model, dictionary)
    names = heads.fields(current.db)
    if names:
        from pyunlearn.store._retraining import retrain
    for name in names:
        current.progress("heads", 0, 0)
        retrain(current, name, tasks.get(name), changed)
    if index.digest_of(current.db) is not None:
        current.progress("indexing", 0, 0)
        index.write(current.db, dictionary, model)


def certified(
    current: Current,
    action: str,
    n_documents: int,
    removed: int,
    comparator: str = EXACT_COMPARATOR,
) -> Certificate:
    """Record a request that is done with its certificate, which is given back."""
    db = current.db
    waiting = state.is_waiting(db)
    listed = [f"head {name}" for name in heads.fields(db)]
    listed += ["index"] if index.digest_of(db) is not None else []
    certificate = Certificate(
        mode="exact",
        epsilon=0.0,
        delta=0.0,
        n_documents_removed=removed,
        n_documents_left=docs.n_documents(db),
        commitment=None,
        parameters=state.read_parameters(db),
        comparator=STATISTICS_COMPARATOR if waiting else comparator,
        covers=WAITING_COVERS if waiting else COVERS,
        not_covered=EXACT_NOT_COVERED + NOT_COVERED,
        dependents=() if waiting else tuple(listed),
    )
    recorded = current.record(action, n_documents, certificate)
    assert recorded is not None
    return recorded


def _task_sums(current: Current, gone: Sequence[docs.Named]) -> dict[str, TaskSums]:
    """The tasks of the heads that keep sums, by field."""
    names = [name for name in heads.fields(current.db) if heads.keeps_sums(current.db, name)]
    if not names:
        return {}
    from pyunlearn.store._retraining import task_sums

    return {name: task_sums(current, name, gone) for name in names}
