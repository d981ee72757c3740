"""Deletion capacity: how many documents a release of a given accuracy can cover, and the count.

With sigma(k) the noise that hides a change of Delta(k), the error of a release of d numbers is at
most sigma(k) (sqrt(d) + sqrt(2 ln(1/beta))) with probability 1 - beta. The capacity is the largest
k for which that is at most alpha. At common sizes it is 0: then mode="exact" is the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import MASS_LIMIT
from pyunlearn._learners.anchor import AnchorTopics
from pyunlearn.errors import CapacityExceededError, CorruptStateError, InvalidParameterError
from pyunlearn.privacy._constants import LARGEST, Constants, measure
from pyunlearn.privacy._mechanism import MECHANISMS, check_privacy, gaussian_sigma
from pyunlearn.privacy._sensitivity import Sensitivity, worst_case

__all__ = [
    "Budget",
    "Capacity",
    "deletion_capacity",
    "head_sensitivity",
    "paper_rate",
    "stopping_sensitivity",
]

TARGETS = ("base", "head")


@dataclass(frozen=True)
class Capacity:
    """Answer of `deletion_capacity`.

    Attributes
    ----------
    n_documents : int
        The largest k with error at most alpha; 0 when not even one document is covered.
    error_of_one : float
        The error bound for k = 1, to be compared with alpha.
    rate : float
        The paper's rate at the same sizes with constant 1; see `paper_rate`.
    """

    n_documents: int
    error_of_one: float
    rate: float


def deletion_capacity(
    constants: Constants,
    epsilon: float,
    delta: float,
    *,
    alpha: float = 0.01,
    beta: float = 0.1,
    target: str = "base",
    mechanism: str = "analytic",
    regularization: float | None = None,
    row_norm: float = 1.0,
    n_outputs: int = 1,
    softmax: bool = False,
    head_share: float | None = None,
) -> Capacity:
    """The largest number of documents that (epsilon, delta)-unlearning covers at an error alpha.

    Parameters
    ----------
    constants : Constants
        Of the model, see `measure`.
    epsilon, delta : float
        The claim.
    alpha, beta : float, default=0.01, 0.1
        Frobenius error of the noised A (or head), not exceeded with probability 1 - beta.
    target : {"base", "head"}
        The topics A, or the weights of a logistic head on linear features and a constant.
    mechanism : {"analytic", "classical"}
        See `gaussian_sigma`.
    regularization, row_norm, n_outputs, softmax
        For target="head": see `head_sensitivity`.
    head_share : float, optional
        The paper's q for target="head"; default its smallest value 1/r.

    Raises
    ------
    InvalidParameterError
        A parameter out of range.
    """
    check_privacy(epsilon, delta)
    check.check_choice("target", target, TARGETS)
    check.check_positive("alpha", alpha)
    if not 0 < check.check_positive("beta", beta) < 1:
        raise InvalidParameterError(f"beta must be in (0, 1), got {beta!r}")
    size, per_unit = constants.n_words * constants.n_topics, 1.0
    if target == "head":
        if regularization is None:
            raise InvalidParameterError("target='head' needs the head's regularization")
        size = (constants.n_topics + 1) * check.check_integer("n_outputs", n_outputs, 1)
        per_unit = head_sensitivity(1.0, regularization, row_norm, n_outputs, softmax)
    unit = gaussian_sigma(per_unit, epsilon, delta, mechanism)
    length = math.sqrt(size) + math.sqrt(2 * math.log(1 / beta))

    def error(k: int) -> float:
        return worst_case(constants, k).topics * unit * length

    most = math.ceil(constants.total_mass)
    rate = paper_rate(
        constants.total_mass,
        constants.n_words,
        constants.n_topics,
        target=target,
        head_share=head_share,
    )
    return Capacity(_largest(lambda k: error(k) <= alpha, most), error(1), rate)


def paper_rate(
    n_documents: float,
    n_words: int,
    n_topics: int,
    *,
    target: str = "base",
    head_share: float | None = None,
    constant: float = 1.0,
) -> float:
    """The paper's capacity up to logarithms: its constants are not explicit, so `constant` is.

    Base: constant m / (r^2 sqrt(n r)). Head: constant m q / (r sqrt(n r)) with q in [1/r, 1], in
    our reading the smallest probability of a topic that the head uses (`head_share`, default 1/r).
    `constant` stands for what depends on separability, condition of R, imbalance, epsilon and
    delta.
    """
    check.check_choice("target", target, TARGETS)
    rate = constant * n_documents / (n_topics * math.sqrt(n_words * n_topics))
    if target == "base":
        return rate / n_topics
    share = 1.0 / n_topics if head_share is None else head_share
    if not 1.0 / n_topics <= share <= 1:
        raise InvalidParameterError(f"head_share must be in [1/n_topics, 1], got {head_share!r}")
    return rate * share


def head_sensitivity(
    topics: float,
    regularization: float,
    row_norm: float = 1.0,
    n_outputs: int = 1,
    softmax: bool = False,
) -> float:
    """Change of logistic weights when A changes by at most `topics` in Frobenius norm.

    |w_F - w_S| <= (1/lambda) (1 + rho |w| / 4) max_i |A_F,i - A_S,i|, with |w| <= rho / lambda at
    the optimum; n_outputs independent heads change by sqrt(n_outputs) times that. One softmax over
    all outputs: (1/lambda) (sqrt(2) + rho |W| / 2), with |W| <= sqrt(2) rho / lambda.

    Parameters
    ----------
    topics : float
        Bound on |A_F - A_S|_F.
    regularization : float
        lambda of lambda/2 |w|^2 beside the mean loss.
    row_norm : float, default=1.0
        rho, the largest l2 norm of a row of A_F or A_S.
    n_outputs : int, default=1
        Weight vectors.
    softmax : bool, default=False
        Whether they are one softmax (three or more classes), not logistic functions one by one.
    """
    strength = check.check_positive("regularization", regularization)
    rho = check.check_positive("row_norm", row_norm)
    if softmax:
        return math.sqrt(2) * (1 + rho * rho / (2 * strength)) / strength * topics
    return math.sqrt(n_outputs) * (1 + rho * rho / (4 * strength)) / strength * topics


def stopping_sensitivity(tolerance: float, regularization: float) -> float:
    """Distance of two heads that both stopped at gradient norm `tolerance`: 2 tau / lambda.

    Each is within tau / lambda of the optimum of its objective, the same for both when the head
    was trained again on the updated topics. It does not depend on the corpus.
    """
    strength = check.check_positive("regularization", regularization)
    return 2 * check.check_positive("tolerance", tolerance) / strength


@dataclass(frozen=True)
class Budget:
    """What was promised when noise was fixed, and how much of it is used; saved with the model.

    Attributes
    ----------
    epsilon, delta : float
        The claim of each release.
    capacity : int
        Documents that releases cover.
    constants : Constants
        Declared; the sensitivity follows from them and the capacity.
    mechanism : {"analytic", "classical"}
        See `gaussian_sigma`.
    used : int
        Documents deleted against the capacity so far.
    mu_released : float
        mu of all releases so far together, see `composed_mu`.
    n_releases : int
        Number of those.
    """

    epsilon: float
    delta: float
    capacity: int
    constants: Constants
    mechanism: str = "analytic"
    used: int = 0
    mu_released: float = 0.0
    n_releases: int = 0

    @classmethod
    def declare(
        cls,
        constants: Constants,
        epsilon: float,
        delta: float,
        capacity: int,
        n_documents: int,
        mechanism: str = "analytic",
    ) -> Budget:
        """A fresh budget.

        Raises
        ------
        InvalidParameterError
            Epsilon or delta out of range, or a capacity outside 1..n_documents.
        """
        check_privacy(epsilon, delta)
        check.check_choice("mechanism", mechanism, MECHANISMS)
        gaussian_sigma(1.0, epsilon, delta, mechanism)
        capacity = check.check_integer("capacity", capacity, 1, n_documents)
        return cls(float(epsilon), float(delta), capacity, constants, mechanism)

    @property
    def left(self) -> int:
        """Documents that may still be deleted."""
        return self.capacity - self.used

    @property
    def sensitivity(self) -> Sensitivity:
        """What the noise has to hide: the change by as many documents as the capacity."""
        return worst_case(self.constants, self.capacity)

    def spend(self, n_documents: int, measured: Constants) -> Budget:
        """The budget after a deletion; `measured` are the constants after it.

        Raises
        ------
        CapacityExceededError
            More documents than are left.
        FloorsError
            The declared constants do not hold after the deletion.
        """
        if n_documents > self.left:
            raise CapacityExceededError(
                f"{n_documents} documents to delete, {self.left} left of a capacity of "
                f"{self.capacity}: the noise would not hide more. Use mode='exact', which has no "
                "limit, and withdraw what was released"
            )
        self.constants.check(measured)
        return replace(self, used=self.used + n_documents)

    def after_newton(
        self, n_documents: int, statistics: CooccurrenceStatistics, topics: AnchorTopics
    ) -> Budget:
        """The budget after a deletion by a Newton step; statistics and topics are those after it.

        Errors as for `spend`.
        """
        return self.spend(n_documents, measure(statistics, topics, "newton"))

    def released(self, mu: float) -> Budget:
        """The budget after one more release."""
        return replace(
            self,
            mu_released=math.hypot(self.mu_released, mu),
            n_releases=self.n_releases + 1,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a header."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Budget:
        """What `as_dict` gave; CorruptStateError or InvalidParameterError for anything else."""
        if not isinstance(values, dict) or set(values) != {one.name for one in fields(cls)}:
            raise CorruptStateError("budget: the fields are not those of this version")
        constants = Constants.from_dict(values["constants"])
        declared = {name: values[name] for name in ("epsilon", "delta", "capacity", "mechanism")}
        budget = cls.declare(constants, **declared, n_documents=MASS_LIMIT)
        return replace(
            budget,
            used=check.check_integer("used", values["used"], 0, budget.capacity),
            mu_released=check.check_between("mu_released", values["mu_released"], 0.0, LARGEST),
            n_releases=check.check_integer("n_releases", values["n_releases"], 0, MASS_LIMIT),
        )


def _largest(holds: Callable[[int], bool], most: int) -> int:
    """The largest k in 0..most for which a monotone condition holds; it holds for 0."""
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
