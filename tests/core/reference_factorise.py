"""The kernels of the factorisation once more in plain Python: equal to the last bit."""

from __future__ import annotations

import math

import numpy as np
from core.reference import lane_dot


def roots(K, scale, core, word):
    """(columns, values) of a row of M over the core, zeros of K left out."""
    entries = [
        (place, math.sqrt(float(K[word, column])) * (scale[word] * scale[column]))
        for place, column in enumerate(core)
        if K[word, column]
    ]
    return [place for place, _ in entries], [value for _, value in entries]


def product(columns, values, factors):
    """A row of M times the factors, columns ascending."""
    total = np.zeros(factors.shape[1])
    for column, value in zip(columns, values, strict=True):
        total += factors[column] * value
    return total


def cross_product(factors):
    """H^T H, row by row."""
    total = np.zeros((factors.shape[1], factors.shape[1]))
    for row in factors:
        total += np.outer(row, row)
    return total


def descend(target, cross, n_topics, sweeps, weights):
    """Coordinate descent on 1/2 w^T G w - p^T w over w >= 0."""
    weights = weights.copy()
    for _ in range(sweeps):
        for k in range(n_topics):
            gradient = target[k] - lane_dot(weights, cross[k])
            weights[k] = max(0.0, weights[k] + gradient / cross[k, k])
    return weights
