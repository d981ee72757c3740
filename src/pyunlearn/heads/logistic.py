"""Logistic loss: Newton's method from zero to a fixed gradient norm, in one order of operations.

    L(W) = 1/N sum_t loss(W^T phi_t, y_t) + alpha/2 |W|^2

loss is the cross-entropy of the softmax of q scores, for two classes of the logistic function of
one score. Each Newton system is solved by preconditioned conjugate gradients (Nocedal and Wright
2006, chapter 7); steps are halved until the gradient shrinks. L is strongly convex, so

    |W - W*| <= |grad L(W)| / alpha                                     for every W.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn._core import softmax
from pyunlearn._ordered import cholesky, dot, norm, product, solve

__all__ = ["LogisticLoss", "Solution", "minimise", "newton_step", "removal_step"]

F64 = NDArray[np.float64]

FORCING = 0.1  # a Newton system is solved to this share of the gradient, later to less
MAX_CONJUGATE = 10_000
MAX_HALVINGS = 60
# Third derivative of the loss of one document, |D3[s, s, v]| <= 2 CURVATURE_CHANGE |s|^2 |v|: for
# one score |d/ds p(1 - p)| <= 1/4 as in Guo et al. 2020 (the maximum is 0.0963); for the softmax
# the third cumulant is at most range(v) var(s) <= sqrt(2) |v| |s|^2 / 2.
CURVATURE_CHANGE = (0.25, 2.0**0.5 / 4.0)


@dataclass(frozen=True, eq=False)
class Solution:
    """A head and how near it is to the optimum."""

    weights: F64  # (p, q)
    gradient_norm: float
    steps: int


class LogisticLoss:
    """L over features (N, p) and one-hot targets (N, q); q = 1 for two classes."""

    def __init__(self, features: F64, targets: F64, alpha: float, num_threads: int) -> None:
        self.features, self.targets, self.alpha = features, targets, alpha
        self.columns = np.ascontiguousarray(features.T)
        self.num_threads = num_threads
        self.shape = (features.shape[1], targets.shape[1])
        self._gram: F64 | None = None

    @property
    def n_documents(self) -> int:
        """N."""
        return len(self.features)

    @property
    def gram(self) -> F64:
        """1/N sum_t phi_t phi_t^T, (p, p)."""
        if self._gram is None:
            total = product(self.columns, self.features, self.num_threads)
            self._gram = total / self.n_documents
        return self._gram

    def gradient(self, weights: F64) -> tuple[F64, F64]:
        """Gradient (p, q), and the probabilities (N, q) that it was made of."""
        scores = product(self.features, weights, self.num_threads)
        probability = np.empty_like(scores)
        softmax.probabilities(scores, probability, self.num_threads)
        total = product(self.columns, probability - self.targets, self.num_threads)
        return total / self.n_documents + self.alpha * weights, probability

    def curved(self, probability: F64, direction: F64) -> F64:
        """Hessian times a direction (p, q)."""
        change = product(self.features, direction, self.num_threads)
        bent = np.empty_like(change)
        softmax.curvature(probability, change, bent, self.num_threads)
        total = product(self.columns, bent, self.num_threads)
        return total / self.n_documents + self.alpha * direction

    def preconditioner(self, probability: F64) -> F64:
        """Cholesky factors (q, p, p) of mean(p_c (1 - p_c)) gram + alpha I, one an output."""
        spread = probability * (1.0 - probability)
        mean = product(np.ones((1, len(spread))), spread, 1)[0] / self.n_documents
        return cholesky(mean[:, None, None] * self.gram + self.alpha * np.eye(self.shape[0]))


def minimise(loss: LogisticLoss, tolerance: float, max_iter: int) -> Solution:
    """The optimum to a gradient norm of `tolerance`, from zero; `max_iter` Newton steps at most."""
    weights = np.zeros(loss.shape)
    if not loss.n_documents:
        return Solution(weights, 0.0, 0)
    gradient, probability = loss.gradient(weights)
    size = norm(gradient)
    for step in range(max_iter):
        if size <= tolerance:
            return Solution(weights, size, step)
        forcing = min(FORCING, size)
        direction = _solve_newton(loss, probability, gradient, forcing)
        length = 1.0
        for _ in range(MAX_HALVINGS):
            moved = weights - length * direction
            gradient_there, probability_there = loss.gradient(moved)
            size_there = norm(gradient_there)
            if size_there <= (1.0 - 1e-4 * length) * size:
                break
            length /= 2.0
        else:
            return Solution(weights, size, step)  # rounding: no smaller gradient can be computed
        weights, gradient, probability, size = moved, gradient_there, probability_there, size_there
    return Solution(weights, size, max_iter)


def newton_step(loss: LogisticLoss, weights: F64, tolerance: float) -> Solution:
    """One full Newton step from `weights` (U_head, the paper's algorithm 2)."""
    gradient, probability = loss.gradient(weights)
    size = norm(gradient)
    if size > 0:
        forcing = min(1.0, 0.1 * tolerance / size)
        weights = weights - _solve_newton(loss, probability, gradient, forcing)
    return Solution(weights, norm(loss.gradient(weights)[0]), 1)


def removal_step(
    loss: LogisticLoss, removed: LogisticLoss, weights: F64, tolerance: float
) -> tuple[Solution, float]:
    """Newton step that takes out documents (Guo et al. 2020), and a bound on what it leaves.

    `loss` is that of the remaining documents, `weights` were (nearly) optimal with the removed
    ones. The step goes along H^-1 of the gradient that the removed documents had; the gradient that
    remains of it is at most

        c rho |Phi|_2 |step| |Phi step| / N + error of the linear system,

    rho the largest |phi_t|, with an upper bound of |Phi|_2.
    """
    k, N = removed.n_documents, loss.n_documents
    # N grad L_F(W) = (N + k) grad L_S(W) - k grad L_removed(W), the penalty counted with each.
    pull = -(k / N) * removed.gradient(weights)[0]
    size = norm(pull)
    if size == 0:
        return Solution(weights, norm(loss.gradient(weights)[0]), 1), 0.0
    probability = loss.gradient(weights)[1]
    step = _solve_newton(loss, probability, pull, min(1.0, 0.1 * tolerance / size))
    moved = weights - step
    unsolved = norm(loss.curved(probability, step) - pull)
    constant = CURVATURE_CHANGE[0 if loss.shape[1] == 1 else 1]
    along = norm(product(loss.features, step, loss.num_threads))
    bound = constant * _row_norm(loss.features) * _spectral_bound(loss.gram, N) * norm(step) * along
    solution = Solution(moved, norm(loss.gradient(moved)[0]), 1)
    return solution, bound / N + unsolved


def _row_norm(features: F64) -> float:
    return float(np.sqrt((features * features).sum(axis=1).max())) * (1 + 1e-12)


def _spectral_bound(gram: F64, n_documents: int) -> float:
    """Upper bound of |Phi|_2: the largest row sum of |Phi^T Phi| bounds its largest eigenvalue."""
    return float(np.sqrt(n_documents * np.abs(gram).sum(axis=1).max())) * (1 + 1e-12)


def _solve_newton(loss: LogisticLoss, probability: F64, right: F64, forcing: float) -> F64:
    """Direction d with |H d - right| <= forcing |right|, by preconditioned conjugate gradients."""
    factors = loss.preconditioner(probability)

    def eased(residual: F64) -> F64:
        return np.ascontiguousarray(solve(factors, residual.T[:, :, None])[:, :, 0].T)

    goal = forcing * norm(right)
    found = np.zeros_like(right)
    residual = right.copy()
    along = eased(residual)
    direction, power = along, dot(residual, along)
    for _ in range(min(MAX_CONJUGATE, 10 * right.size)):
        if norm(residual) <= goal:
            break
        image = loss.curved(probability, direction)
        bend = dot(direction, image)
        if bend <= 0:  # rounding: the residual is as small as it gets
            break
        length = power / bend
        found = found + length * direction
        residual = residual - length * image
        along = eased(residual)
        before, power = power, dot(residual, along)
        direction = along + (power / before) * direction
    return found
