"""Simplex-constrained least squares: optimality, not stored answers."""

import math

import numpy as np
import pytest
from core import reference

from pyunlearn._core import exponentiated, simplex
from pyunlearn._learners.anchor import EG_PANEL, KKT_TOLERANCE, warm_margins

THREADS = (1, 2, 3, 7)


def gram_of(anchors, points):
    """(G, B) of least squares against the rows of `anchors`, G symmetric to the last bit."""
    G = anchors @ anchors.T
    return np.ascontiguousarray((G + G.T) / 2), np.ascontiguousarray(points @ anchors.T)


def rows_on_simplex(rng, k, n, concentration=0.3):
    return rng.dirichlet(np.full(n, concentration), k)


def random_problem(rng, r):
    return rows_on_simplex(rng, r, 60), rows_on_simplex(rng, 300, 60)


def nearly_equal_anchors(rng, r):
    anchors = rows_on_simplex(rng, r, 60)
    for k in range(1, r, 2):
        anchors[k] = anchors[k - 1] + 10.0 ** -rng.integers(3, 6) * rng.standard_normal(60) / 60
    return anchors, rows_on_simplex(rng, 300, 60)


def ill_conditioned(rng, r):
    scales = np.logspace(0, -5, 60)
    return rng.random((r, 60)) * scales, rng.random((300, 60)) * scales


def points_at_anchors(rng, r):
    anchors = rows_on_simplex(rng, r, 60)
    noise = 10.0 ** -rng.integers(3, 17, (300, 1)) * rng.standard_normal((300, 60))
    return anchors, anchors[rng.integers(0, r, 300)] + noise * (rng.random((300, 1)) < 0.5)


def points_on_faces(rng, r):
    anchors = rows_on_simplex(rng, r, 60)
    weights = rng.dirichlet(np.ones(r), 300) * (rng.random((300, r)) < 0.4)
    weights[:, 0] += weights.sum(axis=1) == 0
    return anchors, weights / weights.sum(axis=1, keepdims=True) @ anchors


def equidistant_points(rng, r):
    anchors = np.eye(60)[:r]
    return anchors, np.repeat(rng.integers(0, 2, (300, 1)), 60, axis=1) * rng.random((300, 1))


def points_outside_a_face(rng, r):
    """Weights on a face, pushed out along its normal: multipliers from 0 upwards."""
    anchors, points = points_on_faces(rng, r)
    push = 10.0 ** -rng.integers(0, 17, (300, 1))
    return anchors, points - push * anchors[rng.integers(0, r, 300)]


MAKERS = (
    random_problem,
    nearly_equal_anchors,
    ill_conditioned,
    points_at_anchors,
    points_on_faces,
    equidistant_points,
    points_outside_a_face,
)
every_problem = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
every_size = pytest.mark.parametrize("r", [1, 2, 3, 8, 9, 20])


def problem(make, r, seed=0):
    return gram_of(*make(np.random.default_rng([seed, r]), r))


def solve(G, gram, threads=2, start=None):
    """(weights, steps) of `active_set`, warm from `start` when it is given."""
    r, n = len(G), len(gram)
    tolerance = KKT_TOLERANCE * float(np.diagonal(G).max())
    weights = np.zeros((n, r)) if start is None else start.copy()
    steps = np.zeros(n, np.int32)
    simplex.active_set(
        G, gram, np.arange(n, dtype=np.int32), tolerance, start is not None,
        *warm_margins(G, tolerance), np.empty((threads, r * r + 6 * r)),
        np.empty((threads, r + 1), np.int32), np.empty((threads, r), np.uint8), weights, steps,
        threads,
    )  # fmt: skip
    return weights, steps


def gaps(G, gram, weights):
    """Duality gap sum_k c_k (g_k - min g) of each row, relative to the largest G_kk."""
    gradient = weights @ G - gram
    gap = (weights * (gradient - gradient.min(axis=1, keepdims=True))).sum(axis=1)
    return gap / np.diagonal(G).max()


def objective(G, gram, weights):
    return 0.5 * ((weights @ G) * weights).sum(axis=1) - (weights * gram).sum(axis=1)


@every_problem
@every_size
def test_solutions_satisfy_the_kkt_conditions(make, r):
    G, gram = problem(make, r)
    weights, steps = solve(G, gram)
    assert (steps > 0).all()
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-9)
    assert gaps(G, gram, weights).max() < 1e-11


@every_problem
@every_size
def test_the_answer_is_a_fixed_function_of_problem_and_support(make, r):
    G, gram = problem(make, r)
    weights, _ = solve(G, gram)
    for row in range(0, 300, 10):
        support = np.flatnonzero(weights[row]).tolist()
        assert weights[row].tolist() == reference.solve_on_support(G, gram[row], support).tolist()


@every_size
def test_active_set_equals_its_twin(r):
    G, gram = problem(random_problem, r)
    weights, _ = solve(G, gram)
    for row in range(100):
        expected = reference.active_set(G, gram[row], KKT_TOLERANCE * np.diagonal(G).max())
        assert weights[row].tolist() == expected.tolist()


@every_problem
@pytest.mark.parametrize("threads", THREADS[1:])
def test_active_set_does_not_depend_on_threads(make, threads):
    G, gram = problem(make, 9)
    one, many = solve(G, gram, 1), solve(G, gram, threads)
    assert one[0].tobytes() == many[0].tobytes()
    assert one[1].tobytes() == many[1].tobytes()


def neighbours(G, gram, rng, size):
    """Optima of the problem moved a little: the warm starts of a deletion."""
    scale = size * np.diagonal(G).max()
    return solve(G, gram + scale * rng.standard_normal(gram.shape))[0]


def adversarial_starts(G, gram, rng):
    """Supports that are almost right, and supports that are not."""
    best = solve(G, gram)[0]
    n, r = best.shape
    yield "the answer", best
    yield "everywhere", np.full((n, r), 1.0 / r)
    yield "nowhere", np.zeros((n, r))
    yield "not numbers", np.full((n, r), np.nan)
    yield "random", rng.dirichlet(np.ones(r), n) * (rng.random((n, r)) < 0.5)
    yield "a vertex", np.eye(r)[rng.integers(0, r, n)]
    one_more = best.copy()
    one_more[np.arange(n), rng.integers(0, r, n)] += 1e-3
    yield "one more", one_more
    one_less = best.copy()
    one_less[np.arange(n), best.argmax(axis=1)] = 0.0
    yield "one less", one_less
    smallest = np.where(best > 0, best, np.inf).argmin(axis=1)
    without_smallest = best.copy()
    without_smallest[np.arange(n), smallest] = 0.0
    yield "without the smallest", without_smallest
    for size in (1e-2, 1e-6, 1e-10, 1e-14):
        yield f"neighbour {size}", neighbours(G, gram, rng, size)


@every_problem
@every_size
@pytest.mark.parametrize("seed", range(3))
def test_a_warm_start_ends_in_the_bits_of_a_cold_one(make, r, seed):
    G, gram = problem(make, r, seed)
    cold, _ = solve(G, gram)
    for name, start in adversarial_starts(G, gram, np.random.default_rng(seed)):
        warm, steps = solve(G, gram, start=start)
        different = np.flatnonzero((warm != cold).any(axis=1))
        assert len(different) == 0, f"{name}: rows {different}, steps {steps[different]}"
        assert warm.tobytes() == cold.tobytes()


def test_warm_starts_of_well_posed_problems_are_trusted():
    G, gram = problem(random_problem, 9)
    _, steps = solve(G, gram, start=solve(G, gram)[0])
    assert (steps == 0).mean() > 0.95


def test_one_topic_takes_all_weight():
    weights, _ = solve(np.array([[0.3]]), np.array([[0.1], [0.0], [5.0]]))
    assert weights.tolist() == [[1.0], [1.0], [1.0]]


def test_two_topics_split_by_the_closed_form():
    anchors = np.array([[1.0, 0.0], [0.0, 1.0]])
    points = np.array([[0.25, 0.75], [2.0, -1.0], [0.5, 0.5], [-3.0, 0.0]])
    weights, _ = solve(*gram_of(anchors, points))
    assert weights.tolist() == [[0.25, 0.75], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]


def test_no_rows_are_solved_in_no_steps():
    weights, steps = solve(np.eye(3), np.zeros((0, 3)))
    assert weights.shape == (0, 3)
    assert len(steps) == 0


# ---- exponentiated gradient ---------------------------------------------------------------


def descend(G, gram, tolerance, max_iter, threads=2, rows=None):
    r, n = len(G), len(gram)
    rows = np.arange(n, dtype=np.int32) if rows is None else rows
    weights, gap, steps = np.zeros((n, r)), np.zeros(n), np.zeros(n, np.int32)
    panels = np.pad(G, ((0, 0), (0, -r % EG_PANEL)))
    exponentiated.exponentiated_gradient(
        panels, gram, rows, tolerance, max_iter, np.empty((threads, 7 * panels.shape[1])),
        weights, gap, steps, threads,
    )  # fmt: skip
    return weights, gap, steps


@every_problem
@every_size
def test_exponentiated_gradient_keeps_its_promise(make, r):
    G, gram = problem(make, r)
    tolerance = 1e-6 * np.diagonal(G).max()
    weights, gap, steps = descend(G, gram, tolerance, 3000)
    assert (gap[steps >= 0] <= tolerance).all()
    assert (gap[steps < 0] > tolerance).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(gap, gaps(G, gram, weights) * np.diagonal(G).max(), atol=1e-14)
    excess = objective(G, gram, weights) - objective(G, gram, solve(G, gram)[0])
    assert (excess <= gap + 1e-14).all()


@pytest.mark.parametrize("make", [random_problem, ill_conditioned, points_at_anchors])
def test_exponentiated_gradient_converges_where_the_problem_is_well_posed(make):
    G, gram = problem(make, 9)
    _, _, steps = descend(G, gram, 1e-9 * np.diagonal(G).max(), 2000)
    assert (steps >= 0).all()


def test_exponentiated_gradient_never_raises_the_objective():
    G, gram = problem(points_on_faces, 9)
    values = [objective(G, gram, descend(G, gram, 1e-300, steps)[0]) for steps in range(40)]
    assert (np.diff(values, axis=0) <= 1e-14).all()


@every_problem
@pytest.mark.parametrize("r", [1, 2, 9, 31, 32, 33, 50])
def test_exponentiated_gradient_equals_its_twin(make, r):
    G, gram = problem(make, r)
    weights, gap, steps = descend(G, gram, 1e-8 * np.diagonal(G).max(), 40)
    for row in range(0, 300, 30):
        expected, expected_gap, expected_steps = reference.exponentiated_gradient(
            G, gram[row], 1e-8 * np.diagonal(G).max(), 40
        )
        assert weights[row].tolist() == expected.tolist()
        assert (gap[row], steps[row]) == (expected_gap, expected_steps)


@pytest.mark.parametrize("threads", THREADS[1:])
def test_exponentiated_gradient_does_not_depend_on_threads(threads):
    G, gram = problem(points_on_faces, 9)
    one, many = descend(G, gram, 1e-9, 200, 1), descend(G, gram, 1e-9, 200, threads)
    assert [a.tobytes() for a in one] == [a.tobytes() for a in many]


def test_exponentiated_gradient_of_a_row_does_not_depend_on_the_other_rows():
    G, gram = problem(points_on_faces, 9)
    weights, gap, steps = descend(G, gram, 1e-9, 200)
    rows = np.array([250, 3, 77], np.int32)
    alone = descend(G, gram, 1e-9, 200, rows=rows)
    for found, expected in zip(alone, (weights, gap, steps), strict=True):
        assert found[rows].tobytes() == expected[rows].tobytes()
        assert not np.delete(found, rows, axis=0).any()


def test_exponentiated_gradient_keeps_weights_that_can_come_back():
    weights, _, _ = descend(*problem(points_at_anchors, 9), 0.0, 1000)
    assert weights.min() > 0.5e-100
    assert weights.min() < 2e-100


def test_exponentiated_gradient_has_an_exponential_of_full_range():
    """From the middle of a segment a step takes the weights to 1 : e^x."""
    x = np.concatenate([-np.logspace(-20, 2.36, 200), [-0.0, -200.0, -707.0, -1e5, -1e300]])
    weights, _, _ = descend(np.eye(2), np.stack([np.zeros_like(x), x], axis=1), 0.0, 1)
    expected = [max(math.exp(one), 2e-100) for one in x.tolist()]
    np.testing.assert_allclose(weights[:, 1] / weights[:, 0], expected, rtol=2e-15)
