"""Likeness of topic proportions, and the best of many, without a loop over documents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIMILARITIES", "jensen_shannon", "similarities", "top_of_rows", "unit_rows"]

SIMILARITIES = ("cosine", "jensen-shannon")

# Entries of a block of query x index x topics: 32 MB.
BLOCK_ENTRIES = 4_000_000

F64 = NDArray[np.float64]


def similarities(kind: str, queries: F64, documents: F64) -> F64:
    """Of topic proportions of queries (q, r) with those of documents (m, r): (q, m)."""
    if kind == "cosine":
        return unit_rows(queries) @ unit_rows(documents).T
    return 1.0 - jensen_shannon(queries, documents)


def unit_rows(vectors: F64) -> F64:
    """Each row divided by its length; a row of zeros stays."""
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    return np.asarray(vectors / np.where(length > 0, length, 1.0))


def jensen_shannon(one: F64, other: F64) -> F64:
    """Divergence in bits of each row of one from each row of the other, (q, m)."""
    from scipy.special import entr

    q, r = one.shape
    out = np.empty((q, len(other)))
    entropy = entr(one).sum(axis=1)[:, None] / 2
    step = max(1, BLOCK_ENTRIES // max(q * r, 1))
    for at in range(0, len(other), step):
        block = other[at : at + step]
        mixed = entr((one[:, None, :] + block[None, :, :]) / 2).sum(axis=2)
        out[:, at : at + step] = mixed - entropy - entr(block).sum(axis=1) / 2
    return np.asarray(np.maximum(out / np.log(2), 0.0))


def top_of_rows(scores: F64, n: int) -> tuple[NDArray[np.intp], F64]:
    """Columns and values of the n <= m largest entries of each row of (q, m), as (q, n).

    Largest first; of equal ones the lowest column.
    """
    q, m = scores.shape
    if n == 0:
        return np.zeros((q, 0), np.intp), np.zeros((q, 0))
    least = np.partition(scores, m - n, axis=1)[:, m - n, None]
    rows, columns = np.nonzero(scores >= least)
    values = scores[rows, columns]
    order = np.lexsort((columns, -values, rows))
    first = np.searchsorted(rows, np.arange(q))
    chosen = order[first[:, None] + np.arange(n)]
    return columns[chosen], values[chosen]
