"""The factorisation: twins, optimality of the descent, independence of threads."""

import numpy as np
import pytest
from core import reference_factorise as reference
from core.reference import lane_dot, lane_sum
from scipy.optimize import nnls

from pyunlearn import CooccurrenceStatistics
from pyunlearn._core import factorise
from pyunlearn.refined import Roots, cross_product, eighth_root_scale

THREADS = [1, 2, 3, 7]


def corpus(seed, m=40, n=30):
    counts = np.random.default_rng(seed).poisson(0.3, (m, n))
    return CooccurrenceStatistics(n).add(counts)


def problem(seed, rows=20, r=11):
    rng = np.random.default_rng(seed)
    factors = np.zeros((rows, -(-r // 8) * 8))
    factors[:, :r] = rng.random((rows, r)) * (rng.random((rows, r)) < 0.6)
    target = np.zeros_like(factors)
    target[:, :r] = rng.normal(size=(rows, r))
    cross = cross_product(factors, 1)
    cross[np.diag_indices(r)] += 0.1
    return factors, target, cross


@pytest.mark.parametrize("seed", range(4))
def test_roots_equal_their_twin_bit_for_bit(seed):
    statistics = corpus(seed)
    K, scale = statistics.to_csr().toarray(), eighth_root_scale(statistics.word_mass)
    core = np.flatnonzero(statistics.word_mass)[::2].astype(np.int32)
    words = np.arange(len(K), dtype=np.int32)
    found = Roots.of(statistics.rows, scale, core, words, 2)
    for word in words:
        columns, values = reference.roots(K, scale, core, word)
        row = slice(found.start[word], found.start[word + 1])
        assert found.columns[row].tolist() == columns
        assert found.values[row].tolist() == values
        assert found.sums[word] == lane_sum(values)
        assert found.squares[word] == lane_dot(values, values)


@pytest.mark.parametrize("r", [1, 7, 8, 9, 16, 33])
def test_products_equal_their_twins_bit_for_bit(r):
    statistics = corpus(r)
    core = np.flatnonzero(statistics.word_mass).astype(np.int32)
    roots = Roots.of(
        statistics.rows, eighth_root_scale(statistics.word_mass), core, core, num_threads=1
    )
    factors = problem(r, len(core), r)[0]
    product = roots.times(factors, 1)
    by_vector = roots.times_vector(np.ascontiguousarray(factors[:, 0]), 1)
    for row, (first, last) in enumerate(zip(roots.start, roots.start[1:], strict=False)):
        expected = reference.product(roots.columns[first:last], roots.values[first:last], factors)
        assert (product[row] == expected).all()
        vector = factors[:, 0][roots.columns[first:last]]
        assert by_vector[row] == lane_dot(vector, roots.values[first:last])
    assert (cross_product(factors, 1) == reference.cross_product(factors)).all()


@pytest.mark.parametrize("r", [1, 7, 8, 9, 16])
def test_the_descent_equals_its_twin_bit_for_bit(r):
    factors, target, cross = problem(r, r=r)
    weights = factors.copy()
    factorise.descend(target, cross, r, 3, weights, 1)
    expected = [reference.descend(p, cross, r, 3, w) for p, w in zip(target, factors, strict=True)]
    assert (weights == expected).all()
    assert not weights[:, r:].any()


def test_the_descent_ends_at_the_non_negative_least_squares_solution():
    factors, target, cross = problem(3, rows=60, r=6)
    weights = np.zeros_like(factors)
    factorise.descend(target, cross, 6, 2000, weights, 1)
    L = np.linalg.cholesky(cross[:6, :6])
    for p, w in zip(target, weights, strict=True):
        np.testing.assert_allclose(w[:6], nnls(L.T, np.linalg.solve(L, p[:6]))[0], atol=1e-10)


@pytest.mark.parametrize("threads", THREADS)
def test_bits_do_not_depend_on_threads(threads):
    statistics = corpus(0, 200, 150)
    core = np.flatnonzero(statistics.word_mass).astype(np.int32)
    scale = eighth_root_scale(statistics.word_mass)
    results = []
    for number in (1, threads):
        roots = Roots.of(statistics.rows, scale, core, core, number)
        factors, target, cross = problem(1, len(core))
        weights = factors.copy()
        factorise.descend(target, cross, 11, 2, weights, number)
        arrays = (roots.values, roots.sums, roots.times(factors, number), weights)
        arrays += (roots.squares, roots.times_vector(roots.dense(0), number))
        results.append([a.tobytes() for a in (*arrays, cross_product(factors, number))])
    assert results[0] == results[1]


def test_nothing_to_do_is_done():
    statistics = CooccurrenceStatistics(5)
    none = np.zeros(0, np.int32)
    roots = Roots.of(statistics.rows, np.zeros(5), none, np.arange(5, dtype=np.int32), 2)
    assert len(roots.values) == 0
    assert roots.times(np.zeros((0, 8)), 2).tolist() == np.zeros((5, 8)).tolist()
    assert cross_product(np.zeros((0, 8)), 2).tolist() == np.zeros((8, 8)).tolist()
