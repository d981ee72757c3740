"""The statistics of a store in their one form: others tell what was there before."""

from __future__ import annotations

import copy

import numpy as np

from pyunlearn.store import _stored_model as state
from pyunlearn.store import _stored_statistics as tables
from pyunlearn.store._current import Current


def write_anew(current: Current) -> None:
    """Write the statistics with the columns of a store that was made of the documents of now."""
    db = current.db
    if not state.is_fitted(db):
        return
    statistics, dictionary = current.statistics(), current.dictionary()
    columns = statistics.columns_of_now()
    if np.array_equal(statistics.rows.columns, columns):
        if tables.slots_are_dense(db):
            return
        anew = statistics
    elif np.isin(columns, statistics.rows.columns).all():
        anew = copy.deepcopy(statistics)
    else:
        parameters = state.read_parameters(db)
        anew = state.counted_statistics(
            db, parameters, dictionary, current.n_jobs, current.progress
        )
    tables.write_statistics(db, anew, dictionary.keys, None)
    current.drop()
