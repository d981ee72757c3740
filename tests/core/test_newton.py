"""The Newton step: twin, optimality of the projection, independence of the start and of threads."""

import numpy as np
import pytest
from core import reference_newton as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyunlearn._core import newton

finite = st.floats(-10, 10, allow_subnormal=False)
vectors = st.integers(1, 40).flatmap(lambda n: arrays(np.float64, n, elements=finite))


def problem(seed, rows=30, r=11):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(60, 0.2), r)
    Q = rng.dirichlet(np.full(60, 0.2), rows)
    start = rng.dirichlet(np.ones(r), rows)
    lower = np.tril(P @ P.T)
    return lower + np.tril(lower, -1).T, Q @ P.T, start


def step(G, gram, start, threads=1, rows=None):
    factor, C = np.empty_like(G), start.copy()
    assert newton.factorise(G, factor) == -1
    rows = np.arange(len(gram), dtype=np.int32) if rows is None else rows
    newton.newton_rows(G, factor, gram, rows, np.empty((threads, 2 * len(G))), C, threads)
    return C


def project(vector):
    rows = np.array([vector])
    newton.project_rows(rows, np.empty((1, len(vector))), 1)
    return rows[0]


@pytest.mark.parametrize("r", [1, 2, 7, 8, 9, 16, 33])
def test_the_step_equals_its_twin_bit_for_bit(r):
    G, gram, start = problem(r, r=r)
    L = reference.factorise(G)
    factor = np.empty_like(G)
    newton.factorise(G, factor)
    assert (factor == L).all()
    expected = [reference.newton_row(G, L, b, c) for b, c in zip(gram, start, strict=True)]
    assert (step(G, gram, start) == expected).all()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_bits_do_not_depend_on_threads(threads):
    G, gram, start = problem(0, rows=200)
    assert (step(G, gram, start, threads) == step(G, gram, start)).all()


def test_only_the_given_rows_are_written():
    G, gram, start = problem(1)
    some = np.array([3, 17], np.int32)
    C = step(G, gram, start, rows=some)
    untouched = np.setdiff1d(np.arange(len(C)), some)
    assert (C[untouched] == start[untouched]).all()
    assert (C[some] == step(G, gram, start)[some]).all()


def test_the_step_forgets_its_start():
    G, gram, start = problem(2)
    elsewhere = np.roll(start, 3, axis=0)
    assert step(G, gram, start) == pytest.approx(step(G, gram, elsewhere), abs=1e-9)


def test_the_step_is_the_projected_unconstrained_optimum():
    G, gram, start = problem(3)
    optimum = np.linalg.solve(G, gram.T).T
    assert step(G, gram, start) == pytest.approx(np.array([project(z) for z in optimum]), abs=1e-9)


@settings(max_examples=300)
@given(vectors)
def test_projection_meets_its_optimality_conditions(vector):
    c = project(vector)
    assert (c >= 0).all()
    assert c.sum() == pytest.approx(1.0)
    # x - c is one number on the support and at most that number off it.
    normal = vector - c
    assert normal[c > 0] == pytest.approx(normal[c > 0].max(), abs=1e-9)
    assert normal.max() <= normal[c > 0].max() + 1e-9


@given(vectors)
def test_projection_equals_its_twin(vector):
    assert (project(vector) == reference.project(vector)).all()


@given(vectors, st.integers(0, 2**32 - 1))
def test_projection_increases_no_distance(vector, seed):
    other = np.random.default_rng(seed).normal(size=len(vector))
    apart = np.linalg.norm(project(vector) - project(other))
    assert apart <= np.linalg.norm(vector - other) * (1 + 1e-9) + 1e-12


@given(vectors)
def test_projection_commutes_with_permutation(vector):
    order = np.random.default_rng(0).permutation(len(vector))
    assert (project(vector[order]) == project(vector)[order]).all()


@given(st.integers(1, 30).flatmap(lambda n: st.integers(0, n - 1).map(lambda k: (n, k))))
def test_vertices_are_their_own_projection(shape):
    n, k = shape
    assert (project(np.eye(n)[k]) == np.eye(n)[k]).all()


def test_dependent_anchor_rows_are_reported():
    G = np.array([[1.0, 0.5, 1.0], [0.5, 1.0, 0.5], [1.0, 0.5, 1.0]])
    assert newton.factorise(G, np.empty_like(G)) == 2
