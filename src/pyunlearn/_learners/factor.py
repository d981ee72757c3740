"""The learner of `TopicModel`: topics by a factorisation that some core words decide."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.contexts import (
    CORE,
    context_threshold,
    core_threshold,
    share_as_number,
)
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import COUNT_LIMIT, MASS_LIMIT
from pyunlearn._learners import from_outside as outside
from pyunlearn._learners.factorisation import (
    Factorisation,
    eighth_root_scale,
    learned_basis,
    recovered,
    topics_of,
)
from pyunlearn._learners.kept_words import mass_of_model, words_in_documents
from pyunlearn._learners.topics import F64, Settings, Topics, UpdatePath
from pyunlearn._linalg import ordered_sum
from pyunlearn.errors import InvalidParameterError

__all__ = ["FactorSettings", "FactorTopics", "learn", "update"]


@dataclass(frozen=True, eq=False)
class FactorSettings(Settings):
    """Settings of the factorisation.

    Parameters
    ----------
    n_topics : int
        Topics r to look for.
    core_min_df : int, float or None
        Words in this many documents (int), or in this share of them (float), decide the topics.
        None are 0.6 sqrt(m) of m documents, from 10,000 documents on 0.6 %.
    min_df : int
        Words in fewer documents are left out of the model.
    background : float
        Share of what independent words would show that is taken off, 0 to 2.
    n_updates : int
        Updates of the factorisation.
    """

    learner: ClassVar[str] = "factor"
    weighting: ClassVar[str] = "token"

    n_topics: int = 20
    min_df: int = 1
    core_min_df: int | float | None = None
    background: float = 0.375
    n_updates: int = 16

    @classmethod
    def checked(cls, **settings: Any) -> Self:
        """Settings after validation; raises InvalidParameterError."""
        core_min_df = settings["core_min_df"]
        if core_min_df is not None:
            core_min_df = check.check_min_df("core_min_df", core_min_df)
        return cls(
            n_topics=check.check_integer("n_topics", settings["n_topics"], 1, COUNT_LIMIT),
            min_df=check.check_integer("min_df", settings["min_df"], 1, MASS_LIMIT),
            core_min_df=core_min_df,
            background=check.check_between("background", settings["background"], 0.0, 2.0),
            n_updates=check.check_integer("n_updates", settings["n_updates"], 1, 10_000),
        )

    def contexts(self) -> str | int | float:
        """The words that decide topics."""
        return CORE if self.core_min_df is None else self.core_min_df

    def word_threshold(self, n_documents: int) -> int:
        """Documents that must hold a core word, at least 1."""
        if self.core_min_df is not None:
            return share_as_number(self.core_min_df, n_documents)
        return core_threshold(n_documents)


@dataclass(frozen=True, eq=False)
class FactorTopics(Topics):
    """Topics of a factorisation: each explains a part of the mass of its words."""

    settings: FactorSettings
    core: NDArray[np.int32]  # (q,), words that decided the topics, ascending
    central: NDArray[np.int32]  # (r',), one core word a topic
    topical: F64  # (n,), mass that topics explain; what is left of a word's mass is background

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays that a saved model needs, by name."""
        return {name: getattr(self, name) for name in ARRAYS}

    @classmethod
    def from_arrays(cls, settings: FactorSettings, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` gave; CorruptStateError for arrays that cannot be topics."""
        outside.check_names(arrays, ARRAYS)
        named: dict[str, Any] = dict(arrays)
        topics = cls(settings, **named)
        topics._check()
        return topics

    def _check(self) -> None:
        n, r = self.mass.size, self.central.size
        # So that their sum is finite.
        outside.check_amounts("topical", self.topical, (n,), sys.float_info.max / (n + 1))
        self._check_common(r, self.topical > 0)
        outside.require(not self.topical[self.mass == 0].any(), "topical", "of words without mass")
        outside.check_words("core", self.core, self.core.size, n)
        outside.check_words("central", self.central, r, n)
        outside.require(np.isin(self.central, self.core).all(), "central", "not all in the core")

    def refuse_other(self, statistics: CooccurrenceStatistics, num_threads: int) -> None:
        """Raise CorruptStateError where the topics are surely not of these statistics."""
        mass = mass_of_model(statistics, self.settings.min_df)
        threshold = self.settings.word_threshold(statistics.n_documents)
        outside.check_same("mass", self.mass, mass)
        outside.check_same("core", self.core, words_in_documents(statistics, threshold, mass))

    def digested(self) -> dict[str, NDArray[Any]]:
        """The arrays that a digest covers besides `word_topic`."""
        return {"representatives": self.central, "topical": self.topical}

    @property
    def representatives(self) -> NDArray[np.int32]:
        """For each topic a core word that is frequent in it and found in few others, (r',)."""
        return self.central

    def too_few(self, statistics: CooccurrenceStatistics) -> str:
        """Why there are fewer topics than asked for, and what to do."""
        settings, m, core = self.settings, statistics.n_documents, len(self.core)
        sizes = f"n_samples = {m}, n_features = {statistics.n_words}"
        if core < settings.n_topics:
            given = settings.core_min_df
            by = "the default core_min_df" if given is None else f"core_min_df={given}"
            return (
                f"n_topics={settings.n_topics}, but {core} words decide the topics (in >= "
                f"{settings.word_threshold(m)} documents, by {by}); {sizes}. "
                # As many topics as words leave some topics without a word of their own.
                f"{self._way_out(statistics, (core + 1) // 2, 'core_min_df')}"
            )
        return (
            f"n_topics={settings.n_topics}, but {self.n_topics} topics were found: the others had "
            f"no words of their own left after {settings.n_updates} updates; {sizes}. How many are "
            "left depends on n_topics, so asking for the number found may find fewer still. Try "
            f"more documents, another core_min_df or n_topics={max(self.n_topics // 2, 1)}"
        )

    def explained_mass(self) -> F64:
        """Mass of each word that topics explain, (n,), in units of K."""
        return self.topical

    def joint(self) -> F64:
        """p(word, topic) of the part that topics explain, (n, r')."""
        total = ordered_sum(self.topical)
        return (self.topical / (total if total > 0 else 1.0))[:, None] * self.word_topic


ARRAYS = ("mass", "word_topic", "core", "central", "topical")


def learn(
    statistics: CooccurrenceStatistics, settings: FactorSettings, num_threads: int
) -> FactorTopics:
    """Topics of statistics; no bit depends on the number of threads."""
    mass = mass_of_model(statistics, settings.min_df)
    threshold = settings.word_threshold(statistics.n_documents)
    if context_threshold(statistics.contexts, statistics.n_documents) > threshold:
        raise InvalidParameterError(
            f"contexts={statistics.contexts!r} leaves out words that decide topics (in >= "
            f"{threshold} documents); leave it out, or raise core_min_df as well"
        )
    core = words_in_documents(statistics, threshold, mass)
    options = Factorisation(settings.n_topics, settings.background, settings.n_updates)
    basis = learned_basis(statistics.rows, mass, core, options, num_threads)
    others = np.setdiff1d(np.flatnonzero(mass).astype(np.int32), core, assume_unique=True)
    unscaled = np.zeros((len(mass), basis.factors.shape[1]))
    unscaled[core] = basis.factors / eighth_root_scale(mass)[core][:, None]
    unscaled[others] = recovered(statistics.rows, mass, others, basis, num_threads)
    found = topics_of(unscaled, core)
    return FactorTopics(
        settings, mass, found.word_topic, core, found.representatives, found.topical
    )


def update(
    previous: FactorTopics,
    statistics: CooccurrenceStatistics,
    touched: NDArray[np.int32],
    num_threads: int,
) -> tuple[FactorTopics, UpdatePath]:
    """Topics of changed statistics. A factorisation depends on every word: learned in full."""
    start = time.perf_counter()
    topics = learn(statistics, previous.settings, num_threads)
    path = UpdatePath("full", touched_words=len(touched), words_solved=len(topics.words))
    path.seconds["learn"] = time.perf_counter() - start
    return topics, path
