"""Linear algebra whose bits are fixed: products by kernels, factorisations elementwise.

No BLAS, no LAPACK, no NumPy reduction: an entry is one sum in one order, on every machine.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pyunlearn._core import products

__all__ = [
    "WORTH_THREADS",
    "cholesky",
    "column_sums",
    "dot",
    "inverse_factor",
    "norm",
    "ordered_sum",
    "pack",
    "padded",
    "product",
    "product_with",
    "solve",
]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# Multiplications below which threads cost more than they gain, above all on a busy machine.
WORTH_THREADS = 2**20
# A pivot below this share of its diagonal entry is rounding: the column adds no direction.
DEPENDENT = 1e-11


def product(left: F32 | F64, right: F64, num_threads: int) -> F64:
    """``left @ right`` in double precision, (m, p) and (p, q); ValueError for other shapes."""
    if left.shape[1] != right.shape[0]:  # the kernel would read beyond the end
        raise ValueError(f"cannot multiply {left.shape} with {right.shape}")
    return product_with(left, pack(right, num_threads), right.shape[1], num_threads)


def padded(n_columns: int) -> int:
    """The next multiple of 8: kernels read that many columns at a time."""
    return -(-n_columns // 8) * 8


def pack(right: F64, num_threads: int) -> F64:
    """A matrix (p, q) as the product kernel reads it, for several products with it."""
    panels = np.zeros((padded(right.shape[1]) // 8, right.shape[0], 8))
    products.pack(np.ascontiguousarray(right), panels, num_threads)
    return panels


def product_with(left: F32 | F64, panels: F64, width: int, num_threads: int) -> F64:
    """``left @ right`` for a packed matrix with `width` columns, (m, q)."""
    if left.shape[1] != panels.shape[1] or 8 * len(panels) != padded(width):
        raise ValueError(f"cannot multiply {left.shape} with panels {panels.shape} of {width}")
    out = np.empty((left.shape[0], width))
    if left.size * width < WORTH_THREADS:
        num_threads = 1
    multiply = products.multiply_wide if left.dtype == np.float32 else products.multiply
    multiply(np.ascontiguousarray(left), panels, out, num_threads)
    return out


def column_sums(matrix: F64) -> F64:
    """Sums over the rows of a matrix (m, q), one row after the other, (q,)."""
    return product(np.ones((1, len(matrix))), matrix, 1).reshape(-1)


def ordered_sum(values: F64) -> float:
    """Sum of all entries in C order.

    `np.sum` chooses an order of its own, and `sum` rounds otherwise from Python 3.12 on.
    """
    return float(column_sums(values.reshape(-1, 1))[0])


def dot(one: F64, other: F64) -> float:
    """Sum of the products of corresponding entries, in C order."""
    return float(product(one.reshape(1, -1), other.reshape(-1, 1), 1)[0, 0])


def norm(array: F64) -> float:
    """Euclidean norm of all entries."""
    return math.sqrt(dot(array, array))


def cholesky(matrices: F64) -> F64:
    """Lower L with L L^T = each matrix of the last two axes, (..., p, p), positive definite.

    A pivot that rounding made too small is raised: a solution always exists.
    """
    left = np.array(matrices, np.float64)
    factor = np.zeros_like(left)
    for k in range(left.shape[-1]):
        least = np.finfo(float).eps * np.maximum(matrices[..., k, k], np.finfo(float).tiny)
        pivot = np.sqrt(np.maximum(left[..., k, k], least))
        column = left[..., k:, k] / pivot[..., None]
        column[..., 0] = pivot
        factor[..., k:, k] = column
        below = column[..., 1:]
        left[..., k + 1 :, k + 1 :] -= below[..., :, None] * below[..., None, :]
    return factor


def solve(factor: F64, right: F64) -> F64:
    """X with L L^T X = right, for each factor (..., p, p) and right side (..., p, q)."""
    x = np.array(right, np.float64)
    size = factor.shape[-1]
    for k in range(size):
        x[..., k, :] /= factor[..., k, k, None]
        x[..., k + 1 :, :] -= factor[..., k + 1 :, k, None] * x[..., k, None, :]
    for k in range(size - 1, -1, -1):
        x[..., k, :] /= factor[..., k, k, None]
        x[..., :k, :] -= factor[..., k, :k, None] * x[..., k, None, :]
    return x


def inverse_factor(gram: F64) -> F64:
    """Upper T with T^T gram T = identity, (p, p); zero columns where gram has no new direction.

    ``columns @ T`` are the columns that gram speaks of, made orthonormal one after the other.
    """
    size = len(gram)
    left = gram.copy()
    # Gauss with the columns of T as the multipliers: T starts as the identity.
    transform = np.eye(size)
    for k in range(size):
        if left[k, k] <= DEPENDENT * gram[k, k] or gram[k, k] <= 0:
            left[k, :] = left[:, k] = 0.0
            transform[:, k] = 0.0
            continue
        pivot = math.sqrt(left[k, k])
        transform[:, k] /= pivot
        row = left[k, k + 1 :] / pivot
        transform[:, k + 1 :] -= transform[:, k, None] * row
        left[k + 1 :, k + 1 :] -= row[:, None] * row
    return transform
