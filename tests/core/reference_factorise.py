"""The kernels of the factorisation once more in plain Python: equal to the last bit."""

from __future__ import annotations

import math

import numpy as np


def roots(K, scale, core, word):
    """A row of M over the core, rounded to single precision."""
    return [
        float(np.float32(math.sqrt(float(K[word, column])) * (scale[word] * scale[column])))
        for column in core
    ]


def product(left, right):
    """Every entry one sum in single precision, inner index ascending."""
    out = np.zeros((len(left), right.shape[1]), np.float32)
    for k in range(len(right)):
        out += left[:, k, None] * right[k]
    return out


def descend(residual, cross, inverse, sweeps, weights):
    """Coordinate descent on 1/2 w^T G w - p^T w over w >= 0, residual = p - G w."""
    residual, weights = residual.copy(), weights.copy()
    for _ in range(sweeps):
        for k in range(len(inverse)):
            weight = max(np.float32(0.0), weights[k] + residual[k] * inverse[k])
            residual -= (weight - weights[k]) * cross[k]
            weights[k] = weight
    return weights
