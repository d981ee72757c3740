"""Logistic loss: Newton's method from zero to a fixed gradient norm, in one order of operations.

    L(W) = 1/N sum_t loss(W^T phi_t, y_t) + alpha/2 |W|^2

loss is the cross-entropy of the softmax of q scores, for two classes of the logistic function of
one score. Each Newton system is solved by conjugate gradients (Nocedal and Wright 2006, chapter 7),
preconditioned by the inverses of the Hessian's blocks, one an output; steps are halved until the
gradient shrinks. L is strongly convex, so

    |W - W*| <= |grad L(W)| / alpha                                     for every W.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn._core import products, softmax
from pyunlearn._linalg import (
    WORTH_THREADS,
    cholesky,
    column_sums,
    dot,
    norm,
    pack,
    product,
    product_with,
    solve,
)

__all__ = ["LogisticLoss", "Solution", "minimise", "newton_step", "removal_step"]

F64 = NDArray[np.float64]

FORCING = 0.1  # a Newton system is solved to this share of the gradient, later to less
SMALLEST_FORCING = 1e-8
MAX_CONJUGATE = 10_000
# Blocks of the Hessian are inverted anew when the last search took more steps than this.
RENEWED_AFTER = 20
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
        # Threads that wait for each other cost more than so little work.
        small = features.size * targets.shape[1] < WORTH_THREADS
        self.num_threads = 1 if small else num_threads
        self.panels = pack(features, self.num_threads)
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
            self._gram = self._second_moments(self.columns)
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
        """Inverses (q, p, p) of the Hessian's blocks, one an output.

        A block is 1/N sum_t p_tc (1 - p_tc) phi_t phi_t^T + alpha I.
        """
        spread = np.ascontiguousarray((probability * (1.0 - probability)).T)
        blocks = np.stack([self._second_moments(self.columns * weight) for weight in spread])
        identity = np.eye(self.shape[0])
        factors = cholesky(blocks + self.alpha * identity)
        inverses = solve(factors, np.broadcast_to(identity, factors.shape))
        return np.ascontiguousarray(inverses + inverses.transpose(0, 2, 1)) / 2.0

    def _second_moments(self, columns: F64) -> F64:
        """1/N columns @ features, (p, p)."""
        total = product_with(columns, self.panels, self.shape[0], self.num_threads)
        return total / self.n_documents


def minimise(loss: LogisticLoss, tolerance: float, max_iter: int) -> Solution:
    """The optimum to a gradient norm of `tolerance`, from zero; `max_iter` Newton steps at most."""
    weights = np.zeros(loss.shape)
    if not loss.n_documents:
        return Solution(weights, 0.0, 0)
    gradient, probability = loss.gradient(weights)
    size = norm(gradient)
    systems = NewtonSystems(loss)
    for step in range(max_iter):
        if size <= tolerance:
            return Solution(weights, size, step)
        # No more than the last step needs, and than rounding allows.
        forcing = max(min(FORCING, size), 0.5 * tolerance / size, SMALLEST_FORCING)
        direction = systems.solve(probability, gradient, forcing)
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
        weights = weights - NewtonSystems(loss).solve(probability, gradient, forcing)
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
    step = NewtonSystems(loss).solve(probability, pull, min(1.0, 0.1 * tolerance / size))
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


class NewtonSystems:
    """Newton systems of one loss, solved by preconditioned conjugate gradients.

    A softmax does not change when all its scores do: in a direction that is the same for all
    outputs H is alpha I. That part is solved at once, and kept out of the search for the rest.
    """

    def __init__(self, loss: LogisticLoss) -> None:
        self.loss = loss
        self.steps = RENEWED_AFTER + 1

    def solve(self, probability: F64, right: F64, forcing: float) -> F64:
        """Direction d with |H d - right| <= forcing |right|."""
        if self.steps > RENEWED_AFTER:
            self.inverses = self.loss.preconditioner(probability)
        common = _common(right.T)[:, None]
        goal = forcing * norm(right)
        found = np.zeros_like(right) + common / self.loss.alpha
        residual = right - common
        along = self._eased(residual)
        direction, power = along, dot(residual, along)
        self.steps = 0
        while norm(residual) > goal and self.steps < min(MAX_CONJUGATE, 10 * right.size):
            image = self.loss.curved(probability, direction)
            bend = dot(direction, image)
            if bend <= 0:  # rounding: the residual is as small as it gets
                break
            length = power / bend
            found = found + length * direction
            residual = residual - length * image
            along = self._eased(residual)
            before, power = power, dot(residual, along)
            direction = along + (power / before) * direction
            self.steps += 1
        return found

    def _eased(self, residual: F64) -> F64:
        along = np.empty((len(self.inverses), len(residual)))
        products.multiply_each(self.inverses, np.ascontiguousarray(residual.T), along)
        return np.ascontiguousarray((along - _common(along)).T)


def _common(by_output: F64) -> F64:
    """Mean over the outputs of a softmax, (p,); 0 for one score, of which no part is redundant."""
    if len(by_output) == 1:
        return np.zeros(by_output.shape[1])
    return column_sums(by_output) / len(by_output)
