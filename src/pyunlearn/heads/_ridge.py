"""Squared loss in closed form: W = (M + N alpha I)^-1 R, from integer statistics or from features.

    L(W) = 1/N sum_t 1/2 |W^T phi_t - y_t|^2 + alpha/2 |W|^2

With phi = E^T x the sums over documents are M = E^T M_xx E and R = E^T M_xy: no document is read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyunlearn._core import gram
from pyunlearn._linalg import cholesky, product, solve
from pyunlearn.heads._task_statistics import SCALE_BITS, TARGET_BITS, TaskStatistics

__all__ = ["feature_sums", "ridge", "statistic_sums"]

F64 = NDArray[np.float64]


def statistic_sums(task: TaskStatistics, rows: F64, num_threads: int) -> tuple[F64, F64]:
    """(M, R) from integer statistics, `rows` = E (n, p): (p, p) and (p, outputs)."""
    second = task.own[:, None].astype(np.float64) * rows + _pair_product(task, rows, num_threads)
    columns = np.ascontiguousarray(rows.T)
    M = np.ldexp(product(columns, second, num_threads), -SCALE_BITS)
    R = np.ldexp(
        product(columns, task.targets.by_word.astype(np.float64), num_threads), -TARGET_BITS
    )
    return (M + M.T) / 2.0, R


def feature_sums(features: F64, targets: F64, num_threads: int) -> tuple[F64, F64]:
    """(M, R) from features (N, p) and targets (N, outputs), summed in their order."""
    columns = np.ascontiguousarray(features.T)
    return product(columns, features, num_threads), product(columns, targets, num_threads)


def ridge(M: F64, R: F64, n_documents: int, alpha: float) -> F64:
    """W, (p, outputs)."""
    return solve(cholesky(M + n_documents * alpha * np.eye(len(M))), R)


def _pair_product(task: TaskStatistics, rows: F64, num_threads: int) -> F64:
    """(M_xx without `own`) @ E, (n, p), as gram_rows gives it with masses of 1."""
    n, width = rows.shape
    stored = task.pairs.rows
    out = np.zeros((n, width))
    padded = np.zeros((n, -(-width // 8) * 8))
    padded[:, :width] = rows
    gram.gram_rows(
        stored.start,
        stored.length,
        stored.indices,
        stored.values,
        np.ones(n, np.int64),
        np.flatnonzero(stored.length).astype(np.int32),
        padded,
        np.empty((num_threads, gram.ROWS_TOGETHER * padded.shape[1])),
        out,
        num_threads,
    )
    return out
