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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn.errors import MissingExtraError

__all__ = ["discrete_gaussian", "grid_charge", "require_sampler", "rounding_charge"]


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
