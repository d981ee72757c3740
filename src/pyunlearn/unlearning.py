"""Bring learned topics up to date after the statistics changed."""

from __future__ import annotations

from pyunlearn.learner import TopicParameters, learn
from pyunlearn.statistics import CooccurrenceStatistics

__all__ = ["relearn"]


def relearn(
    previous: TopicParameters, statistics: CooccurrenceStatistics, n_jobs: int | None = None
) -> TopicParameters:
    """The topics of the changed statistics: from the statistics alone, never from a corpus."""
    return learn(statistics, previous.settings, n_jobs)
