"""Choosing the number of topics: measures over several r from one set of statistics."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn.metrics import coherence, diversity, exclusivity
from pyunlearn.model import AnchorTopicModel

__all__ = ["TopicCount", "compare_n_topics"]


@dataclass(frozen=True)
class TopicCount:
    """Measures of one number of topics; means over topics."""

    n_topics: int
    npmi: float  # of the top 10 words, in the reference or else in the statistics
    diversity: float  # of the top 25 words
    exclusivity: float  # of the top 10 words
    seconds: float  # to learn


def compare_n_topics(
    statistics: CooccurrenceStatistics,
    values: Iterable[int],
    *,
    reference: Any = None,
    **parameters: Any,
) -> list[TopicCount]:
    """Learn from one set of statistics for several r and measure the topics.

    The documents are counted once and not read again. Coherence in the statistics themselves is of
    the training documents: it compares, but flatters; give held-out counts as `reference` if you
    have some.

    Parameters
    ----------
    statistics : CooccurrenceStatistics
        Of the corpus; not changed.
    values : iterable of int
        Numbers of topics to try.
    reference : array-like or sparse matrix of counts, shape (m, n), optional
        For coherence; default the statistics.
    **parameters
        Of `AnchorTopicModel`, such as `learner="refined"`.

    Returns
    -------
    list of TopicCount
        In the order of `values`.

    Raises
    ------
    InvalidParameterError, TooFewAnchorsError
        As for `AnchorTopicModel.fit_statistics`.
    """
    parameters = {
        "scale_bits": statistics.scale_bits,
        "weighting": statistics.weighting,
        **parameters,
    }
    found = []
    for n_topics in values:
        start = time.perf_counter()
        model = AnchorTopicModel(n_topics, **parameters).fit_statistics(statistics)
        seconds = time.perf_counter() - start
        topics = model.components_
        npmi = coherence(topics, statistics if reference is None else reference)
        found.append(
            TopicCount(
                n_topics,
                float(np.nanmean(npmi)),
                diversity(topics),
                float(np.nanmean(exclusivity(topics))),
                seconds,
            )
        )
    return found
