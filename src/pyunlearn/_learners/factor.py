"""The learner of `TopicModel`: topics by a factorisation that some core words decide."""

from __future__ import annotations

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
    learned_basis,
    recovered,
    topics_of,
)
from pyunlearn._learners.kept_words import mass_of_model, words_in_documents
from pyunlearn._learners.topics import F32, F64, Settings, Topics, UpdatePath
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
    weights: F32  # (n, r'), W: all the rest follows from it
    central: NDArray[np.int32]  # (r',), one core word a topic
    topical: F64  # (n,), mass that topics explain; what is left of a word's mass is background

    @classmethod
    def of_weights(
        cls,
        settings: FactorSettings,
        mass: NDArray[np.int64],
        core: NDArray[np.int32],
        weights: F32,
    ) -> Self:
        """Topics from what was fitted."""
        found = topics_of(weights, mass, core)
        central = found.representatives
        return cls(settings, mass, found.word_topic, core, weights, central, found.topical)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays that a saved model needs, by name."""
        return {"mass": self.mass, "core": self.core, "weights": self.weights}

    @classmethod
    def from_arrays(cls, settings: FactorSettings, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` gave; CorruptStateError for arrays that cannot be topics."""
        outside.check_names(arrays, ("mass", "core", "weights"))
        mass, core, weights = (arrays[name] for name in ("mass", "core", "weights"))
        n, r = mass.size, weights.shape[-1] if weights.ndim else 0
        outside.check_mass(mass, n)
        outside.check_words("core", core, core.size, n)
        outside.require((np.diff(core) > 0).all(), "core", "not in order")
        outside.require(r <= min(settings.n_topics, core.size), "weights", f"of {r} topics")
        outside.check_array("weights", weights, np.float32, (n, r))
        # So that no sum of fourth powers is infinite.
        amounts = ((weights >= 0) & (weights <= MOST_WEIGHT)).all()
        outside.require(amounts, "weights", "no amounts")
        outside.require(not weights[mass == 0].any(), "weights", "of words without mass")
        outside.require(weights[core].any(axis=0).all(), "weights", "a topic without core words")
        return cls.of_weights(settings, mass, core, weights)

    def refuse_other(self, statistics: CooccurrenceStatistics, num_threads: int) -> None:
        """Raise CorruptStateError where the topics are surely not of these statistics."""
        mass = mass_of_model(statistics, self.settings.min_df)
        threshold = self.settings.word_threshold(statistics.n_documents)
        outside.require(
            context_threshold(statistics.contexts, statistics.n_documents) <= threshold,
            "contexts",
            "they leave out words that decide topics",
        )
        outside.check_same("mass", self.mass, mass)
        outside.check_same("core", self.core, words_in_documents(statistics, threshold, mass))

    def digested(self) -> dict[str, NDArray[Any]]:
        """The arrays that a digest covers besides the rows of words."""
        return {"core": self.core}

    def hashed_rows(self) -> NDArray[Any]:
        """What a digest covers of each word, (n, ...)."""
        return self.weights

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


# The fourth power of W / s, s at least 2^-8, times a million words is a finite number.
MOST_WEIGHT = 2.0**96


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
    weights = np.zeros((len(mass), basis.factors.shape[1]), np.float32)
    weights[core] = basis.factors
    weights[others] = recovered(statistics.rows, mass, others, basis, num_threads)
    return FactorTopics.of_weights(settings, mass, core, weights)


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
