"""`Model`: topics with the statistics that they were learned from.

What a store works with, and what estimators have in common with it. Nothing here needs
scikit-learn, which takes longer to import than a deletion takes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._digest import MODEL_FORMAT, content_digest
from pyunlearn._documents import USUAL_SCALE_BITS
from pyunlearn._learners import LEARNERS, learn, update
from pyunlearn._learners.topics import Settings, Topics
from pyunlearn.errors import FewerTopicsWarning, InvalidParameterError

# Parameters that are not settings of a learner.
OF_STATISTICS = ("learner", "scale_bits", "weighting", "contexts")

__all__ = ["Model", "new_statistics", "parameters_of", "settings_in"]


@dataclass(frozen=True, eq=False)
class Model:
    """Topics with the statistics that they were learned from; threads are those of the latter."""

    topics: Topics
    statistics: CooccurrenceStatistics

    @classmethod
    def learned(cls, statistics: CooccurrenceStatistics, settings: Settings) -> Self:
        """The model of statistics; with fewer topics when they support fewer."""
        return cls(learn(statistics, settings, statistics.n_jobs), statistics)

    def updated(self, touched: NDArray[np.integer]) -> Self:
        """The model of the same statistics after a change; `touched` as for `update`."""
        words = touched.astype(np.int32)
        topics, _ = update(self.topics, self.statistics, words, self.statistics.n_jobs)
        return type(self)(topics, self.statistics)

    def parameters(self) -> dict[str, Any]:
        """Learner, settings and those of the statistics, as plain values."""
        return parameters_of(self.topics.settings, self.statistics)

    def digest(self) -> str:
        """SHA-256 of the settings that decide topics, the statistics and the topics."""
        settings = self.topics.settings
        num_threads = check.check_n_jobs(self.statistics.n_jobs)
        hashes = np.frombuffer(self.topics.row_hashes(num_threads), np.uint8)
        header = {
            "format": MODEL_FORMAT,
            "learner": settings.learner,
            "settings": settings.deciding(),
            "statistics": self.statistics.digest(),
        }
        return content_digest(header, {**self.topics.digested(), "row_hashes": hashes})

    def warn(self, stacklevel: int) -> None:
        """Give the warnings that there are about the topics; `stacklevel` is that of the caller."""
        topics, wanted = self.topics, self.topics.settings.n_topics
        if topics.n_topics < wanted:
            warnings.warn(
                f"{self.statistics.n_documents} documents remain; they support {topics.n_topics} "
                f"of {wanted} topics",
                FewerTopicsWarning,
                stacklevel=stacklevel + 1,
            )
        if topics.n_unconverged:
            from sklearn.exceptions import ConvergenceWarning

            warnings.warn(
                f"{topics.n_unconverged} of {len(topics.words)} words did not reach the tolerance "
                f"({topics.settings.as_dict()})",
                ConvergenceWarning,
                stacklevel=stacklevel + 1,
            )


def new_statistics(
    settings: Settings, given: Mapping[str, Any], n_words: int, n_jobs: int | None
) -> CooccurrenceStatistics:
    """Empty statistics with what is given, and where that is None, with what suits the learner."""
    weighting, contexts, bits = (given[name] for name in ("weighting", "contexts", "scale_bits"))
    weighting = settings.weighting if weighting is None else weighting
    contexts = settings.contexts() if contexts is None else contexts
    bits = USUAL_SCALE_BITS.get(weighting, 40) if bits is None else bits
    return CooccurrenceStatistics(n_words, bits, weighting, contexts, n_jobs=n_jobs)


def parameters_of(settings: Settings, statistics: CooccurrenceStatistics) -> dict[str, Any]:
    """Learner, settings and those of statistics, as plain values."""
    return {
        "learner": settings.learner,
        **settings.as_dict(),
        "scale_bits": statistics.scale_bits,
        "weighting": statistics.weighting,
        "contexts": statistics.contexts,
    }


def settings_in(parameters: Mapping[str, Any]) -> Settings:
    """The settings among parameters that `parameters_of` gave.

    Raises
    ------
    InvalidParameterError
        No learner has them.
    """
    learner = check.check_choice("learner", parameters.get("learner"), tuple(LEARNERS))
    kind = LEARNERS[learner].settings
    if set(parameters) != {*OF_STATISTICS, *kind.names()}:
        raise InvalidParameterError(f"these are not the parameters of learner={learner!r}")
    return kind.checked(**{name: parameters[name] for name in kind.names()})
