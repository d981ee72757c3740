"""The factorisation once more, in plain NumPy with BLAS: equal up to rounding."""

from __future__ import annotations

import numpy as np


def factor_topics(K, core, n_topics, background, n_updates):
    """p(word | topic), (n, r), from K (n, n) and the core's columns."""
    mass = K.sum(axis=1)
    scale = np.where(mass > 0, np.maximum(mass, 1) ** -0.125, 0.0)
    M = np.sqrt(K[:, core]) * np.outer(scale, scale[core])
    inner = M[core]
    total = inner.sum()
    expected = inner.sum(axis=1) / np.sqrt(total)
    H = start(inner, seeds(inner - background * np.outer(expected, expected), n_topics))
    for _ in range(n_updates):
        gradient = inner @ H - background * np.outer(expected, expected @ H)
        H = (H + 3 * descend(gradient, H.T @ H, 2, H)) / 4
    share = M.sum(axis=1) / np.sqrt(total)
    W = M @ H - background * np.outer(share, expected @ H)
    W = descend(W, H.T @ H, 10, np.zeros_like(W))
    W[core] = H
    pairs = (W / np.where(scale > 0, scale, 1.0)[:, None]) ** 2
    joint = pairs * pairs.sum(axis=0)
    return joint / joint.sum(axis=0)


def seeds(M, n_topics):
    """Rows farthest from the span of those before."""
    basis = np.zeros((0, len(M)))
    found = []
    for _ in range(n_topics):
        far = M - (M @ basis.T) @ basis
        found.append(int(np.argmax((far**2).sum(axis=1))))
        basis = np.vstack([basis, far[found[-1]] / np.linalg.norm(far[found[-1]])])
    return found


def start(M, words):
    """Rows of M as columns, of the size of M."""
    H = M[:, words].copy()
    for topic, word in enumerate(words):
        H[word, topic] = max(H[word, topic], np.linalg.norm(M[word]))
    H *= np.sqrt((H * (M @ H)).sum(axis=0)) / (H * H).sum(axis=0)
    return H * np.sqrt((H * (M @ H)).sum() / ((H.T @ H) ** 2).sum())


def descend(p, G, sweeps, weights):
    """Coordinate descent on 1/2 w^T G w - p^T w with w >= 0, all rows at once."""
    weights = weights.copy()
    for _ in range(sweeps):
        for k in range(len(G)):
            weights[:, k] = np.maximum(0, weights[:, k] + (p[:, k] - weights @ G[:, k]) / G[k, k])
    return weights
