"""How far the topics can move when k documents are removed: explicit constants in place of O(.).

S is the corpus, F what remains; c_i is the mass of word i in documents, M the sum, p_i = c_i / M.
A document has mass at most 1. k_i is the mass that word i loses, sum k_i <= k, t_i = k_i / c_i.
The anchor words are fixed. All constants are those of S; step 5 needs its constant a for F too.

1. *Rows.* Qbar_i^S = (1 - t_i) Qbar_i^F + t_i D_i for some distribution D_i, hence
   |Qbar_i^F - Qbar_i^S|_2 <= sqrt(2) t_i =: d_i. The anchor rows together move by
   d_A = sqrt(sum_s d_s^2) in Frobenius norm.
2. *Recovery.* lambda and Lambda are the extreme eigenvalues of the anchor Gram matrix. Strong
   convexity and the two variational inequalities give |C_i^F - C_i^S|_2 <= min(sqrt(2), e_i),
   simplex: e_i = (1/lambda) [sqrt(2) d_A + sqrt(Lambda) (max_s d_s + d_i)],
   newton:  e_i = [d_A + sqrt(Lambda) (d_A / sqrt(lambda) + d_i)] / (lambda - sqrt(Lambda) d_A);
   "newton" is the projection of the unconstrained optimum z_i. The residual is at most 1,
   |z_i^F| <= |z_i^S| + e_i <= 1 / sqrt(lambda) + e_i, and a projection increases no distance.
3. *Topics.* The columns of A are J_k / pi_k with J_ik = p_i C_ik. The changes of J and of pi are
   both at most sum_i |p_i^F - p_i^S| + sum_i p_i e_i in l2, and sum_i |p_i^F - p_i^S| <= 2k/M, so
   |A^F - A^S|_F <= (2 / pi_min) [2k/M + sum_i p_i e_i].
4. *Any k documents.* sum_s k_s <= k, so max_s d_s <= d_A <= sqrt(2) k / min_s c_s; and
   sum_i p_i d_i = sqrt(2) sum_i k_i / M <= sqrt(2) k / M. Valid for k < min_s c_s.
5. *Correlation.* R = A^+ Q (A^+)^T with |A^+|_2 <= 1/a and |Q|_2 <= max_i p_i, and Wedin's
   |A_F^+ - A_S^+|_F <= |A^F - A^S|_F / a^2, give
   |R^F - R^S|_F <= sqrt(2) k / (M a^2) + 2 max_i p_i |A^F - A^S|_F / a^3.

What computed numbers differ from exact ones by is bounded as well, and added.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._learners.anchor import AnchorTopics
from pyunlearn.errors import InvalidInputError
from pyunlearn.privacy._constants import ROUNDING, Constants, measure

__all__ = ["Sensitivity", "removal_bound", "sensitivity_bound", "worst_case"]


@dataclass(frozen=True)
class Sensitivity:
    """A bound on what a removal changes, with every step of it (numbers as in the module).

    Attributes
    ----------
    n_removed : int
        Documents removed, k.
    anchor_rows, anchor_row_max : float
        Step 1: d_A and max_s d_s.
    word_rows : float
        sum_i p_i d_i.
    recovery_change : float
        Step 2: sum_i p_i min(sqrt(2), e_i).
    share_change : float
        Step 3: bound on sum_i |p_i^F - p_i^S|.
    computed_change : float
        What solver tolerance and rounding add to `recovery_change`, for S and F together.
    topics : float
        Bound on |A^F - A^S|_F; infinite when an anchor word could vanish.
    correlation : float
        Step 5: bound on |R^F - R^S|_F.
    """

    n_removed: int
    anchor_rows: float
    anchor_row_max: float
    word_rows: float
    recovery_change: float
    share_change: float
    computed_change: float
    topics: float
    correlation: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def sensitivity_bound(
    statistics: CooccurrenceStatistics,
    topics: AnchorTopics,
    k: int,
    *,
    recovery: str = "simplex",
    constants: Constants | None = None,
) -> Sensitivity:
    """The bound for any k documents of the corpus.

    Parameters
    ----------
    statistics : CooccurrenceStatistics
        T(S).
    topics : AnchorTopics
        What was learned from it.
    k : int
        Documents that may be removed, from 0 to all.
    recovery : {"simplex", "newton"}
        Whether C is the constrained optimum (`learn`) or the projected Newton step
        (`newton_update`).
    constants : Constants, optional
        Declared constants, used after a check that they hold; default the measured ones.

    Raises
    ------
    InvalidParameterError
        k out of range, or a model that the bound does not speak of (see `measure`).
    FloorsError
        The declared constants do not hold.
    """
    k = check.check_integer("k", k, 0, statistics.n_documents)
    measured = measure(statistics, topics, recovery)
    if constants is not None:
        constants.check(measured)
    return worst_case(constants or measured, k)


def worst_case(constants: Constants, k: int) -> Sensitivity:
    """The bound for any k documents, from the constants alone (step 4)."""
    anchor = math.sqrt(2) * k / constants.anchor_mass if constants.anchor_mass > 0 else math.inf
    share = min(1.0, k / constants.total_mass)
    word = math.sqrt(2) * share
    # min(sqrt(2), .) is concave, so the mean over words is at most its value at the mean.
    change = float(_recovery_change(constants, anchor, anchor, word))
    fixed = k < constants.anchor_mass
    return _assemble(constants, k, (anchor, anchor, word, change, 2 * share), fixed)


def removal_bound(
    statistics: CooccurrenceStatistics,
    topics: AnchorTopics,
    removed: CooccurrenceStatistics,
    *,
    recovery: str = "simplex",
) -> Sensitivity:
    """The bound for one removal at hand: from the masses that it takes away.

    Parameters
    ----------
    statistics : CooccurrenceStatistics
        T(S), before the removal.
    topics : AnchorTopics
        What was learned from it.
    removed : CooccurrenceStatistics
        Statistics of the removed documents alone.
    recovery : {"simplex", "newton"}
        As for `sensitivity_bound`.

    Raises
    ------
    InvalidInputError
        The removed documents are not contained in the statistics.
    InvalidParameterError
        A model that the bound does not speak of (see `measure`).
    """
    constants = measure(statistics, topics, recovery)
    mass, lost = statistics.word_mass, removed.word_mass
    if (
        removed.n_words != statistics.n_words
        or removed.scale_bits != statistics.scale_bits
        or removed.n_documents > statistics.n_documents
        or np.any(lost > mass)
    ):
        raise InvalidInputError("the removed documents are not contained in the statistics")
    row_change = math.sqrt(2) * lost / np.maximum(mass, 1)
    anchors = row_change[topics.anchors]
    total = float(sum(mass.tolist()))  # the sum of masses may not fit int64
    share = mass / total
    norm, largest = float(np.linalg.norm(anchors)), float(anchors.max())
    steps = (
        norm,
        largest,
        float(share @ row_change),
        float(share @ _recovery_change(constants, norm, largest, row_change)),
        2 * float(sum(lost.tolist())) / total,
    )
    fixed = bool(np.all(lost[topics.anchors] < mass[topics.anchors]))
    return _assemble(constants, removed.n_documents, steps, fixed)


def _recovery_change(constants: Constants, anchor_norm: float, anchor_max: float, word: Any) -> Any:
    """min(sqrt(2), e_i) of step 2, for one d_i or an array of them."""
    smallest, root = constants.gram_min, math.sqrt(constants.gram_max)
    if constants.recovery == "simplex":
        moved = math.sqrt(2) * anchor_norm + root * (anchor_max + word)
        curvature = smallest
    else:
        start = anchor_norm / math.sqrt(smallest) if smallest > 0 else math.inf
        moved = anchor_norm + root * (start + word)
        curvature = smallest - root * anchor_norm
    if curvature <= 0:
        return np.full(np.shape(word), math.sqrt(2))
    return np.minimum(math.sqrt(2), moved / curvature)


def _assemble(
    constants: Constants,
    k: int,
    steps: tuple[float, float, float, float, float],
    anchors_remain: bool,
) -> Sensitivity:
    """Steps 3 and 5; nothing changes, not even rounding, when nothing is removed."""
    if k == 0:
        return Sensitivity(0, *(0.0,) * 8)
    anchor_norm, anchor_max, word, change, share = steps
    computed = 2 * constants.row_error + ROUNDING * constants.n_words
    topics = correlation = math.inf
    if anchors_remain and constants.topic_share > 0:
        # Two distributions are at most sqrt(2) apart, whatever happens.
        topics = min(
            2 / constants.topic_share * (share + change + computed),
            math.sqrt(2 * constants.n_topics),
        )
        if constants.topics_min > 0:
            inverse = 1 / constants.topics_min
            joint = share / math.sqrt(2) + ROUNDING * constants.n_words
            correlation = inverse**2 * (joint + 2 * constants.word_share * topics * inverse)
    return Sensitivity(
        k, anchor_norm, anchor_max, word, change, share, computed, topics, correlation
    )
