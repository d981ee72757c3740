"""`Constants`: what the sensitivity bound depends on, measured or declared, and their checks."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import COUNT_LIMIT
from pyunlearn._learners.anchor import KKT_TOLERANCE, AnchorTopics
from pyunlearn._learners.topics import Topics
from pyunlearn.errors import CorruptStateError, FloorsError, InvalidParameterError

__all__ = ["ROUNDING", "Constants", "measure", "require_anchors"]

RECOVERIES = ("simplex", "newton")
# Unit roundoff times a generous constant, for sums and Cholesky solves of n or r^2 terms.
ROUNDING = 2.0**-49
FLOORS = ("total_mass", "anchor_mass", "gram_min", "topic_share", "topics_min")
CEILINGS = ("gram_max", "word_share", "row_error")
SHARES = ("topic_share", "word_share")
LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Constants:
    """What the bound depends on. Masses are in documents.

    Attributes
    ----------
    n_words, n_topics : int
        n and r.
    recovery : {"simplex", "newton"}
        Which rows of C: the constrained optimum, or the projected Newton step.
    total_mass : float
        M, the mass of all words.
    anchor_mass : float
        Smallest mass of an anchor word.
    gram_min, gram_max : float
        Extreme eigenvalues lambda and Lambda of G, the Gram matrix of the anchor rows.
    topic_share : float
        Smallest topic probability pi_k.
    word_share : float
        Largest word probability p_i.
    topics_min : float
        Smallest singular value of A.
    row_error : float
        l2 distance of a computed row of C from the exact one: stopping rule and rounding.
    declared : bool
        Whether these are round numbers to hold the data against, or the data's own.
    """

    n_words: int
    n_topics: int
    recovery: str
    total_mass: float
    anchor_mass: float
    gram_min: float
    gram_max: float
    topic_share: float
    word_share: float
    topics_min: float
    row_error: float
    declared: bool = False

    def rounded(self) -> Constants:
        """Floors rounded down and ceilings rounded up to powers of two, for declaration.

        Corpora that differ in few documents nearly always declare the same; only constants that
        were chosen without looking at the data do so with certainty.
        """
        floors = {name: _power_below(getattr(self, name)) for name in FLOORS}
        ceilings = {name: _power_above(getattr(self, name)) for name in CEILINGS}
        return Constants(
            self.n_words, self.n_topics, self.recovery, **floors, **ceilings, declared=True
        )

    def check(self, measured: Constants) -> None:
        """Raise FloorsError, naming each, unless measured constants are within these."""
        broken = [
            f"{name} is {getattr(measured, name)}, declared {getattr(self, name)}"
            for name in ("n_words", "n_topics", "recovery")
            if getattr(self, name) != getattr(measured, name)
        ]
        for names, sign, word in ((FLOORS, 1, "least"), (CEILINGS, -1, "most")):
            broken += [
                f"{name} is {getattr(measured, name):.3g}, declared at {word} "
                f"{getattr(self, name):.3g}"
                for name in names
                if not sign * getattr(measured, name) >= sign * getattr(self, name)
            ]
        if broken:
            raise FloorsError(
                f"the declared constants do not hold: {'; '.join(broken)}. Delete with "
                "mode='exact', withdraw what was released under them, and declare anew"
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Constants:
        """What `as_dict` gave; CorruptStateError or InvalidParameterError for anything else."""
        if not isinstance(values, dict) or set(values) != {one.name for one in fields(cls)}:
            raise CorruptStateError("declared constants: the fields are not those of this version")
        sizes = {
            name: check.check_between(name, values[name], 0.0, 1.0 if name in SHARES else LARGEST)
            for name in FLOORS + CEILINGS
        }
        return cls(
            check.check_integer("n_words", values["n_words"], 1, COUNT_LIMIT),
            check.check_integer("n_topics", values["n_topics"], 1, COUNT_LIMIT),
            check.check_choice("recovery", values["recovery"], RECOVERIES),
            **sizes,
            declared=check.check_bool("declared", values["declared"]),
        )


def measure(
    statistics: CooccurrenceStatistics, topics: Topics, recovery: str = "simplex"
) -> Constants:
    """The constants of a learned model.

    Raises
    ------
    InvalidParameterError
        The bound does not speak of weighting="token" (a document's mass is not at most 1), of
        min_df above 1 (a deletion can push words out of the model), of a model without topics, or
        of one with words whose solver stopped short.
    """
    check.check_choice("recovery", recovery, RECOVERIES)
    topics = require_anchors(topics)
    _refuse_uncovered(statistics, topics)
    eigenvalues = np.linalg.eigvalsh(topics.anchor_gram)
    mass = topics.mass.astype(np.float64) / 2.0**statistics.scale_bits
    total = float(mass.sum())
    A, shares = topics.word_distributions(), topics.proportions()
    slack = ROUNDING * topics.n_topics
    gram_min = max(0.0, float(eigenvalues[0] - slack * eigenvalues[-1]))
    gram_max = float(eigenvalues[-1] * (1 + slack))
    return Constants(
        n_words=statistics.n_words,
        n_topics=topics.n_topics,
        recovery=recovery,
        total_mass=total,
        anchor_mass=float(mass[topics.anchors].min()),
        gram_min=gram_min,
        gram_max=gram_max,
        topic_share=float(shares.min()),
        word_share=float(mass.max() / total),
        topics_min=max(0.0, float(np.linalg.svd(A, compute_uv=False)[-1]) - slack),
        row_error=_row_error(topics, recovery, gram_min, gram_max),
    )


def require_anchors(topics: Topics) -> AnchorTopics:
    """The topics; InvalidParameterError unless they are those of `AnchorTopicModel`."""
    if not isinstance(topics, AnchorTopics):
        raise InvalidParameterError(
            "the sensitivity bound is for AnchorTopicModel, these topics are of the learner "
            f"{topics.settings.learner!r}; mode='exact' needs no bound"
        )
    return topics


def _refuse_uncovered(statistics: CooccurrenceStatistics, topics: AnchorTopics) -> None:
    instead = "mode='exact' needs no bound"
    if statistics.weighting != "document":
        raise InvalidParameterError(
            "the sensitivity bound needs weighting='document', the statistics have "
            f"{statistics.weighting!r}; {instead}"
        )
    if topics.settings.min_df != 1:
        raise InvalidParameterError(
            f"the sensitivity bound needs min_df=1, the model has {topics.settings.min_df}: a "
            f"deletion could push words out of the model; {instead}"
        )
    if topics.n_topics == 0:
        raise InvalidParameterError("the model has no topics: fit it on documents first")
    if topics.n_unconverged:
        raise InvalidParameterError(
            f"the solver stopped short for {topics.n_unconverged} words; raise "
            "max_iter and fit again"
        )


def _row_error(topics: AnchorTopics, recovery: str, smallest: float, largest: float) -> float:
    """Distance of a computed row of C from the exact one, from strong convexity."""
    if smallest <= 0:
        return math.sqrt(2)
    n, r = topics.word_topic.shape
    rounding = ROUNDING * (n + r * r) * largest / smallest
    if recovery == "newton":
        # No stopping rule; the row before its projection may be as long as 1 / sqrt(lambda).
        stopping, rounding = 0.0, rounding / math.sqrt(min(1.0, smallest))
    elif topics.settings.solver == "eg":
        # A duality gap g leaves 1/2 lambda |c - c*|^2 <= g.
        stopping = math.sqrt(2 * topics.settings.tol / smallest)
    else:
        # Multipliers off by t are those of the exact solution for a b_i off by t an entry.
        stopping = math.sqrt(r) * KKT_TOLERANCE * largest / smallest
    return float(min(math.sqrt(2), rounding + stopping))


def _power_below(value: float) -> float:
    return math.ldexp(0.5, math.frexp(value)[1]) if value > 0 else 0.0


def _power_above(value: float) -> float:
    below = _power_below(value)
    return below if below == value else 2 * below
