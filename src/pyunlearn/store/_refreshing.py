"""Topics, heads and index of a store learned again, after forgetting with refresh="later"."""

from __future__ import annotations

import logging
from typing import Any

from pyunlearn._estimator import BaseTopicModel
from pyunlearn.certificates import EXACT_NOT_COVERED, Certificate
from pyunlearn.store import _dependents as dependents
from pyunlearn.store import _stored_model as state
from pyunlearn.store._coverage import COVERS, NOT_COVERED
from pyunlearn.store._current import Current

log = logging.getLogger("pyunlearn")


def current_model(current: Current) -> BaseTopicModel:
    """The model of the stored state; ends a wait for a refresh first, with its certificate."""
    waiting = state.n_waiting(current.db)
    if waiting:
        log.info(
            "the refresh that waited is done first, with a certificate of its own (documents "
            "forgotten before: %d)",
            waiting,
        )
        refresh(current)
    return current.model()


def refresh(current: Current) -> Certificate:
    """Learn from the statistics what waits for it, and record that with a certificate."""
    db = current.db
    statistics = current.statistics()
    current.progress("learning", 0, 0)
    model = state.learned_model(db.get_meta("model_parameters"), statistics, current.n_jobs)
    model.warn_if_fewer()
    state.write_model(db, model, ())
    certificate = end_wait(current, model)
    current.record("refresh", certificate.n_documents_removed, certificate)
    return certificate


def end_wait(current: Current, model: BaseTopicModel) -> Certificate:
    """Replace what waits by a model with its heads and index; the certificate of that."""
    db = current.db
    removed, before = state.n_waiting(db), db.get_meta("before_waiting")
    listed = replace_model(current, model)
    return Certificate(
        mode="exact",
        epsilon=0.0,
        delta=0.0,
        n_documents_removed=removed,
        n_documents_left=model.statistics_.n_documents,
        statistics_before=before["statistics"],
        statistics_after=model.statistics_.digest(),
        model_before=before["model"],
        model_after=model.digest(),
        parameters=model.topics_.settings.as_dict(),
        covers=COVERS,
        not_covered=EXACT_NOT_COVERED + NOT_COVERED,
        dependents=listed,
    )


def replace_model(current: Current, model: BaseTopicModel) -> dict[str, Any]:
    """A stored model becomes the current one; what becomes of heads and index."""
    current.db.set_meta("n_waiting", 0)
    current.keep(model)
    return dependents.rebuild(current, model)
