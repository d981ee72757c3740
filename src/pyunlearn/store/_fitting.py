"""Topics learned from all documents of a store."""

from __future__ import annotations

from typing import Any

from pyunlearn._learners import learn_all
from pyunlearn._model import Model, settings_in
from pyunlearn.errors import InvalidParameterError, StoreError
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _revising as revising
from pyunlearn.store import _stored_documents as docs
from pyunlearn.store import _stored_model as state
from pyunlearn.store import _stored_words as words
from pyunlearn.store._current import Current


def fit(current: Current, learner: str, parameters: dict[str, Any]) -> None:
    """Learn topics with other parameters; ends a wait for a refresh."""
    for name in ("min_df", "n_jobs"):
        if name in parameters:
            raise InvalidParameterError(f"{name} is a matter of Store.open, not of fit")
    db = current.db
    if not docs.n_documents(db):
        raise StoreError("the store has no documents; add some before fit")
    waited = ledger.n_waiting(db)
    dictionary = words.read_dictionary(db)
    words.refuse_no_words(db, dictionary)
    complete = state.parameters_to_fit(learner, parameters)
    statistics = state.counted_statistics(
        db, complete, dictionary, current.n_jobs, current.progress
    )
    current.progress("learning", 0, 0)
    model = Model(learn_all(statistics, settings_in(complete), current.n_jobs), statistics)
    model.warn(stacklevel=2)
    current.progress("saving", 0, 0)
    state.write_model(db, model, dictionary.keys, None)
    revising.replace_model(current, model, dictionary)
    if waited:
        revising.certified(current, "fit", statistics.n_documents, waited)
    else:
        current.record("fit", statistics.n_documents)
