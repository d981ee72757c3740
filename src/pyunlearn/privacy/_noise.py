"""Gaussian noise that is safe to publish: drawn on a grid, from the operating system's generator.

Floating-point Gaussians leak through their low bits (Mironov 2012; Jin et al. 2021). Here values
are rounded to multiples of 2^-g and the noise is the discrete Gaussian on that grid, sampled with
exact rational arithmetic by OpenDP. Two charges make the claim that of the continuous mechanism:

* rounding moves each of d values by at most 2^-(g+1), two vectors by at most sqrt(d) 2^-g further
  apart: added to the sensitivity;
* with s = sigma 2^g >= 4, one draw is within 1 / (24 s^2) in total variation of a continuous
  Gaussian rounded to the grid (midpoint rule, |h''| integrated over h = exp(-x^2 / 2 s^2)), which
  is a function of the continuous mechanism: (1 + e^epsilon) d / (24 s^2), taken off delta.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn.errors import InvalidParameterError, MissingExtraError
from pyunlearn.privacy._mechanism import gaussian_sigma

__all__ = [
    "GRID_SHARE",
    "calibrated",
    "discrete_gaussian",
    "grid_charge",
    "noised",
    "require_sampler",
    "rounding_charge",
]

# The share of delta that replacing the continuous by the discrete Gaussian may cost.
GRID_SHARE = 2.0**-20


def rounding_charge(size: int, grid_bits: int) -> float:
    """What rounding to multiples of 2^-grid_bits adds to the l2 distance of two vectors."""
    return math.ldexp(math.sqrt(size), -grid_bits)


def grid_charge(size: int, sigma: float, epsilon: float, grid_bits: int) -> float:
    """What the discrete Gaussian in place of the continuous one adds to delta."""
    if sigma == 0:
        return 0.0
    log_steps = math.log(sigma) + grid_bits * math.log(2)
    if log_steps < math.log(4):
        return 1.0
    exponent = math.log(size / 24) + math.log1p(math.exp(min(epsilon, 700.0))) - 2 * log_steps
    return math.exp(min(0.0, exponent))


def calibrated(
    moved: Mapping[str, float],
    sizes: Mapping[str, int],
    epsilon: float,
    delta: float,
    grid_bits: int,
    mechanism: str = "analytic",
) -> tuple[dict[str, float], dict[str, float]]:
    """Noise of each array on the grid, and the sensitivity that it is charged for.

    `moved` are the l2 distances to hide. With q arrays, each takes 1 / sqrt(q) of mu.

    Raises
    ------
    InvalidParameterError
        The grid is too coarse for this delta.
    """
    charged = {
        name: value + rounding_charge(sizes[name], grid_bits) if value > 0 else 0.0
        for name, value in moved.items()
    }
    share, target = math.sqrt(len(charged)), delta * (1 - GRID_SHARE)
    sigma = {
        name: gaussian_sigma(value * share, epsilon, target, mechanism)
        for name, value in charged.items()
    }
    spent = sum(grid_charge(sizes[name], sigma[name], epsilon, grid_bits) for name in sigma)
    if spent > delta * GRID_SHARE:
        raise InvalidParameterError(
            f"delta={delta:g} with epsilon={epsilon:g} is finer than a grid of 2^-{grid_bits} can "
            "certify; use a larger delta or a smaller epsilon"
        )
    return sigma, charged


def noised(
    values: NDArray[np.float64],
    sigma: float,
    grid_bits: int,
    random: np.random.Generator | None,
) -> NDArray[np.float64]:
    """Values with noise: on the grid, or from a generator for tests."""
    if random is None:
        return discrete_gaussian(values, sigma, grid_bits)
    return values + sigma * random.standard_normal(values.shape)


def require_sampler() -> Any:
    """OpenDP's prelude; MissingExtraError when it is not installed."""
    try:
        import opendp.prelude as dp
    except ImportError:
        raise MissingExtraError(
            "a certified release draws its noise with OpenDP, which is not installed; install it "
            "with: pip install 'pyunlearn[privacy]'. (A seeded release needs no OpenDP and is not "
            "certified)"
        ) from None
    return dp


def discrete_gaussian(
    values: NDArray[np.float64], sigma: float, grid_bits: int
) -> NDArray[np.float64]:
    """Values rounded to multiples of 2^-grid_bits plus discrete Gaussian noise on that grid.

    Rounding the sum to the nearest float is a function of it, and reveals nothing more.
    """
    dp = require_sampler()
    if sigma == 0:
        return values.copy()
    flat = np.ascontiguousarray(values, np.float64).ravel()
    dp.enable_features("contrib")
    domain = dp.vector_domain(dp.atom_domain(T=float, nan=False), size=len(flat))
    draw = dp.m.make_gaussian(domain, dp.l2_distance(T=float), scale=sigma, k=-grid_bits)
    return np.array(draw(flat.tolist()), np.float64).reshape(values.shape)
