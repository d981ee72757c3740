"""The Newton kernels once more in plain Python: equal to the last bit."""

from __future__ import annotations

import math

import numpy as np
from core.reference import lane_dot


def factorise(G):
    """Lower Cholesky factor, or None where a pivot is missing."""
    n = len(G)
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            L[i, j] = (G[i, j] - lane_dot(L[i, :j], L[j, :j])) / L[j, j]
        pivot = G[i, i] - lane_dot(L[i, :i], L[i, :i])
        if not pivot > 1e-14 * G[i, i]:
            return None
        L[i, i] = math.sqrt(pivot)
    return L


def solve(L, x):
    x = np.array(x, np.float64)
    for i in range(len(x)):
        x[i] = (x[i] - lane_dot(L[i, :i], x[:i])) / L[i, i]
    for i in range(len(x) - 1, -1, -1):
        x[i] /= L[i, i]
        x[:i] -= L[i, :i] * x[i]
    return x


def project(c):
    total = threshold = 0.0
    for i, value in enumerate(sorted(c, reverse=True)):
        total += value
        candidate = (total - 1.0) / (i + 1)
        if i > 0 and not value > candidate:
            break
        threshold = candidate
    return np.array([value - threshold if value > threshold else 0.0 for value in c])


def newton_row(G, L, b, c):
    gradient = np.array([lane_dot(G[k], c) - b[k] for k in range(len(c))])
    return project(c - solve(L, gradient))
