"""Topics learned from all documents of a store."""

from __future__ import annotations

from typing import Any

from pyunlearn.errors import InvalidParameterError, StoreError
from pyunlearn.store import _refreshing as refreshing
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_model as state
from pyunlearn.store._current import Current


def fit(current: Current, learner: str, parameters: dict[str, Any]) -> None:
    """Learn topics with other parameters; ends a wait for a refresh."""
    for name in ("min_df", "n_jobs"):
        if name in parameters:
            raise InvalidParameterError(f"{name} is a matter of Store.open, not of fit")
    rules = docs.read_rules(current.db)
    if rules is None or not docs.n_documents(current.db):
        raise StoreError("the store has no documents; add some before fit")
    model = state.model_to_fit(learner, parameters, int(rules.min_df), current.n_jobs)
    empty = model.new_statistics(docs.n_columns(current.db))
    statistics = docs.count_all(current.db, empty, current.progress)
    current.progress("learning", 0, 0)
    model.fit_statistics(statistics)
    current.progress("saving", 0, 0)
    state.write_model(current.db, model, None)
    if state.n_waiting(current.db):
        certificate = refreshing.end_wait(current, model)
    else:
        certificate = None
        refreshing.replace_model(current, model)
    current.record("fit", statistics.n_documents, certificate)
