"""The Gaussian mechanism: how much noise hides a given distance, and what noise hides.

Everything goes through mu = sensitivity / sigma. Noise N(0, sigma^2) on each coordinate makes two
vectors at l2 distance at most `sensitivity` (epsilon, delta)-indistinguishable if and only if

    Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu) <= delta

(Balle and Wang 2018, theorem 8). The left side grows with mu; it is evaluated through its logarithm
so that delta may be as small as the smallest float.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from scipy.optimize import brentq
from scipy.special import erf, erfcx, log_ndtr, ndtr

from pyunlearn import _params as check
from pyunlearn.errors import InvalidParameterError

__all__ = [
    "check_privacy",
    "composed_mu",
    "gaussian_delta",
    "gaussian_epsilon",
    "gaussian_mu",
    "gaussian_sigma",
]

MECHANISMS = ("analytic", "classical")
# Every root is moved to the safe side by this relative amount, far above rounding (1e-10).
SAFETY = 1e-9
# Below this mu a difference of Mills ratios is taken from their derivative.
TINY = 1e-5
MOST_NEGATIVE = -1e9


def check_privacy(epsilon: Any, delta: Any) -> tuple[float, float]:
    """Epsilon > 0 and delta in (0, 1), or InvalidParameterError."""
    epsilon = check.check_positive("epsilon", epsilon)
    delta = check.check_positive("delta", delta)
    if delta >= 1:
        raise InvalidParameterError(f"delta must be below 1, got {delta!r}")
    return epsilon, delta


def gaussian_sigma(
    sensitivity: float, epsilon: float, delta: float, mechanism: str = "analytic"
) -> float:
    """Standard deviation of the noise on each coordinate, rounded up.

    Parameters
    ----------
    sensitivity : float
        Largest l2 distance of the two vectors to hide; 0 needs no noise.
    epsilon, delta : float
        The claim.
    mechanism : {"analytic", "classical"}
        "analytic" is the smallest noise there is. "classical" is
        (sensitivity / epsilon) sqrt(2 ln(1.25 / delta)), the form of most papers, proved for
        epsilon < 1 only.

    Raises
    ------
    InvalidParameterError
        Epsilon, delta or sensitivity out of range, or the classical formula for epsilon >= 1.
    """
    epsilon, delta = check_privacy(epsilon, delta)
    check.check_choice("mechanism", mechanism, MECHANISMS)
    if not 0 <= sensitivity < math.inf:
        raise InvalidParameterError(f"sensitivity must be finite and >= 0, got {sensitivity!r}")
    if mechanism == "classical":
        if epsilon >= 1:
            raise InvalidParameterError(
                f"the classical formula is proved for epsilon < 1, got {epsilon!r}; use "
                "mechanism='analytic'"
            )
        return sensitivity * math.sqrt(2 * math.log(1.25 / delta)) / epsilon * (1 + SAFETY)
    return sensitivity / gaussian_mu(epsilon, delta)


def gaussian_mu(epsilon: float, delta: float) -> float:
    """The largest sensitivity / sigma that is (epsilon, delta)-indistinguishable, rounded down."""
    epsilon, delta = check_privacy(epsilon, delta)
    target = math.log(delta)
    # mu^2 = 2 epsilon is where delta is of order 1/2; double or halve from there.
    low = high = math.sqrt(2 * epsilon)
    while _log_delta(low, epsilon) > target:
        low /= 2
    while _log_delta(high, epsilon) < target:
        high *= 2
    if low == high:
        return low * (1 - SAFETY)
    root = brentq(
        lambda t: _log_delta(math.exp(t), epsilon) - target,
        math.log(low),
        math.log(high),
        xtol=1e-13,
        rtol=1e-13,
    )
    return math.exp(root) * (1 - SAFETY)


def gaussian_delta(mu: float, epsilon: float) -> float:
    """The smallest delta that mu = sensitivity / sigma certifies at this epsilon, rounded up."""
    if mu < 0 or math.isnan(mu):
        raise InvalidParameterError(f"mu must be >= 0, got {mu!r}")
    if epsilon < 0 or math.isnan(epsilon):
        raise InvalidParameterError(f"epsilon must be >= 0, got {epsilon!r}")
    if mu == 0:
        return 0.0
    if mu == math.inf:
        return 1.0
    # The second term is the rounding of the difference in `_log_delta`.
    margin = SAFETY + (8e-15 * epsilon / mu / mu if mu > TINY else 0.0)
    return min(1.0, math.exp(_log_delta(mu, epsilon)) * (1 + margin))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The smallest epsilon that mu = sensitivity / sigma certifies at this delta, rounded up."""
    _, delta = check_privacy(1.0, delta)
    if gaussian_delta(mu, 0.0) <= delta:
        return 0.0
    if mu == math.inf:
        return math.inf
    target = math.log(delta) - math.log1p(SAFETY)

    def excess(epsilon: float) -> float:
        return max(_log_delta(mu, epsilon), MOST_NEGATIVE) - target

    if excess(0.0) <= 0:
        return 0.0
    high = 1.0
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, 0.0, high, xtol=1e-300, rtol=1e-13) * (1 + SAFETY))


def composed_mu(mus: Iterable[float]) -> float:
    """Mu of several releases together: sqrt(sum mu_i^2).

    Each may depend on the ones before it. Put it into `gaussian_delta` or `gaussian_epsilon`.
    """
    return math.hypot(*mus)


def _log_delta(mu: float, epsilon: float) -> float:
    """Logarithm of the left side of the criterion, for mu > 0."""
    upper, lower = mu / 2 - epsilon / mu, -mu / 2 - epsilon / mu
    if upper > 0 and mu <= 1:
        # Phi(upper) - Phi(lower) is a sum of two positive numbers, about twice what is taken off.
        between = float(erf(upper / math.sqrt(2)) + erf(-lower / math.sqrt(2))) / 2
        return math.log(between - math.expm1(epsilon) * float(ndtr(lower)))
    if upper > 0:
        # At least Phi(0) - e^epsilon Phi(-mu): no cancellation to speak of unless mu is tiny.
        log_ratio = epsilon + float(log_ndtr(lower)) - float(log_ndtr(upper))
        return float(log_ndtr(upper)) + math.log(-math.expm1(min(log_ratio, -1e-300)))
    if mu <= TINY:
        return _log_delta_of_tiny(mu, epsilon / mu) - upper * upper / 2
    # Phi(-t) = phi(t) m(t) with the Mills ratio m, and e^epsilon phi(lower) = phi(upper): the two
    # terms share a factor, and what is left is a difference of well-scaled numbers.
    mills = float(erfcx(-upper / math.sqrt(2)) - erfcx(-lower / math.sqrt(2)))
    if mills <= 0:
        return -math.inf
    return math.log(mills / 2) - upper * upper / 2


def _log_delta_of_tiny(mu: float, middle: float) -> float:
    """Logarithm of (m(middle - mu/2) - m(middle + mu/2)) / sqrt(2 pi), m the Mills ratio.

    It is mu times the derivative t m(t) - 1 in the middle, to a relative mu^2.
    """
    if middle > 40:  # the density there is below the smallest float
        return 0.0
    mills = math.sqrt(math.pi / 2) * float(erfcx(middle / math.sqrt(2)))
    return math.log(mu) + math.log(1 - middle * mills) - math.log(2 * math.pi) / 2
