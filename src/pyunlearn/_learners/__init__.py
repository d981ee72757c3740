"""Learners: topics as deterministic functions of the statistics, one dispatch for all of them.

A learner is a class of settings, a class of topics, `learn(statistics, settings)` and
`update(previous, statistics, touched)`, which has the bits of `learn`. A further learner is a new
file and a line of LEARNERS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._learners import anchor, anchor_update, factor
from pyunlearn._learners.topics import Settings, Topics, UpdatePath
from pyunlearn.errors import TooFewAnchorsError

__all__ = ["LEARNERS", "learn", "learn_all", "topics_from_arrays", "update"]


class Learner(NamedTuple):
    """What a learner consists of."""

    settings: type[Settings]
    topics: type[Topics]
    learn: Callable[..., Topics]
    update: Callable[..., tuple[Topics, UpdatePath]]
    starts_over: bool  # an update reads nothing of the topics before it


LEARNERS: Mapping[str, Learner] = {
    one.settings.learner: one
    for one in (
        Learner(factor.FactorSettings, factor.FactorTopics, factor.learn, factor.update, True),
        Learner(
            anchor.AnchorSettings, anchor.AnchorTopics, anchor.learn, anchor_update.update, False
        ),
    )
}


def learn(
    statistics: CooccurrenceStatistics, settings: Settings, n_jobs: int | None = None
) -> Topics:
    """Learn topics from statistics.

    Parameters
    ----------
    statistics : CooccurrenceStatistics
        All that is known of the corpus.
    settings : Settings
        What to learn; its type says by which learner.
    n_jobs : int or None
        Threads; no bit of the result depends on it.

    Returns
    -------
    Topics
        With fewer topics than asked for when the statistics support fewer; see `learn_all`.
    """
    return LEARNERS[settings.learner].learn(statistics, settings, check.check_n_jobs(n_jobs))


def learn_all(
    statistics: CooccurrenceStatistics, settings: Settings, n_jobs: int | None = None
) -> Topics:
    """As many topics as asked for, from statistics; TooFewAnchorsError when they support fewer."""
    topics = learn(statistics, settings, n_jobs)
    if topics.n_topics < settings.n_topics:
        raise TooFewAnchorsError(topics.too_few(statistics))
    return topics


def update(
    previous: Topics,
    statistics: CooccurrenceStatistics,
    touched: NDArray[np.int32],
    n_jobs: int | None = None,
) -> tuple[Topics, UpdatePath]:
    """The topics of changed statistics, equal in every byte to `learn(statistics, ...)`.

    Parameters
    ----------
    previous : Topics
        What was learned before the change.
    statistics : CooccurrenceStatistics
        After the change.
    touched : ndarray of int32
        Ascending; every word of the documents that were added or removed.
    n_jobs : int or None
        Threads.

    Returns
    -------
    Topics, UpdatePath
        The second says which shortcut was possible.
    """
    learner = LEARNERS[previous.settings.learner]
    return learner.update(previous, statistics, touched, check.check_n_jobs(n_jobs))


def topics_from_arrays(settings: Settings, arrays: Mapping[str, NDArray[Any]]) -> Topics:
    """What `Topics.arrays` gave; CorruptStateError for arrays that cannot be topics."""
    return LEARNERS[settings.learner].topics.from_arrays(settings, arrays)
