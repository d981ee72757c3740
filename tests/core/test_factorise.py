"""The factorisation: twins, optimality of the descent, independence of threads."""

import numpy as np
import pytest
from core import reference_factorise as reference
from scipy.optimize import nnls

from pyunlearn import CooccurrenceStatistics
from pyunlearn._core import factorise
from pyunlearn._learners.factorisation import (
    Basis,
    Factorisation,
    Roots,
    cross_product,
    eighth_root_scale,
    recovered,
    seed_words,
    single_product,
)

THREADS = [1, 2, 3, 7]


def corpus(seed, m=40, n=30):
    counts = np.random.default_rng(seed).poisson(0.3, (m, n))
    return CooccurrenceStatistics(n).add(counts)


def roots_of(statistics, threads=2):
    core = np.flatnonzero(statistics.word_mass).astype(np.int32)
    scale = eighth_root_scale(statistics.word_mass)[core]
    return Roots.of(statistics.rows, core, scale, threads)


def singles(rng, *shape):
    return rng.random(shape, np.float32)


def problem(seed, rows=20, r=11):
    """Weights, p - G w for some p, and G."""
    rng = np.random.default_rng(seed)
    weights = singles(rng, rows, r) * (rng.random((rows, r)) < 0.6)
    cross = cross_product(weights, 1)
    cross[np.diag_indices(r)] += np.float32(0.1)
    residual = rng.normal(size=(rows, r)).astype(np.float32) - weights @ cross
    return weights, residual, cross


def descended(weights, residual, cross, sweeps, threads=1):
    weights, inverse = weights.copy(), np.float32(1.0) / np.diagonal(cross)
    factorise.descend(cross, inverse, sweeps, residual.copy(), weights, threads)
    return weights


@pytest.mark.parametrize("seed", range(4))
def test_roots_equal_their_twin_bit_for_bit(seed):
    statistics = corpus(seed)
    K, scale = statistics.to_csr().toarray(), eighth_root_scale(statistics.word_mass)
    core = np.flatnonzero(statistics.word_mass)[::2].astype(np.int32)
    found = Roots.of(statistics.rows, core, scale[core], 2)
    for at, word in enumerate(core):
        values = reference.roots(K, scale, core, word)
        assert found.values[at].tolist() == values
        assert found.sums[at] == sum(value for value in values if value)
        assert found.squares[at] == sum(value * value for value in values if value)


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 16), (37, 600, 17), (70, 1100, 50)])
def test_products_equal_their_twin_bit_for_bit(shape):
    rows, inner, width = shape
    rng = np.random.default_rng(0)
    left, right = singles(rng, rows, inner), singles(rng, inner, width)
    for threads in THREADS:
        found = single_product(left, right, threads)
        assert found.tobytes() == reference.product(left, right).tobytes()


@pytest.mark.parametrize("r", [1, 31, 32, 33])
def test_words_are_fitted_as_rows_of_dense_products(r):
    statistics = corpus(3)
    K, scale = statistics.to_csr().toarray(), eighth_root_scale(statistics.word_mass)
    words = np.flatnonzero(statistics.word_mass).astype(np.int32)
    core, rng = words[::2].copy(), np.random.default_rng(r)
    basis = Basis(core, scale[core], singles(rng, len(core), r), np.full(r, 0.01))
    rows = np.array([reference.roots(K, scale, core, word) for word in words], np.float32)
    residual = reference.product(rows, basis.factors)
    sums = np.array([sum(value for value in row.tolist() if value) for row in rows])
    residual -= np.outer(sums, basis.common).astype(np.float32)
    nothing = np.zeros_like(residual)
    expected = descended(nothing, residual, cross_product(basis.factors, 1), 10)
    for some in (words, words[3:9].copy()):
        for threads in THREADS:
            found = recovered(statistics.rows, statistics.word_mass, some, basis, threads)
            assert found.tobytes() == expected[np.searchsorted(words, some)].tobytes()


@pytest.mark.parametrize("r", [1, 7, 8, 9, 16, 33])
def test_the_descent_equals_its_twin_bit_for_bit(r):
    weights, residual, cross = problem(r, r=r)
    inverse = np.float32(1.0) / np.diagonal(cross)
    expected = [
        reference.descend(p, cross, inverse, 3, w) for p, w in zip(residual, weights, strict=True)
    ]
    assert (descended(weights, residual, cross, 3) == expected).all()


def test_the_descent_ends_at_the_non_negative_least_squares_solution():
    weights, residual, cross = problem(3, rows=60, r=6)
    found = descended(weights, residual, cross, 2000)
    L = np.linalg.cholesky(cross.astype(float))
    for p, w in zip(residual + weights @ cross, found, strict=True):
        np.testing.assert_allclose(w, nnls(L.T, np.linalg.solve(L, p))[0], atol=1e-4)


@pytest.mark.parametrize("background", [0.0, 0.375, 1.0])
def test_seeds_are_the_farthest_words_one_after_the_other(background):
    roots = roots_of(corpus(5, 300, 90))
    expected = roots.sums / np.sqrt(roots.sums.sum())
    left = roots.values - background * np.outer(expected, expected)
    span = np.zeros((0, len(left)))
    for seed in seed_words(roots, expected, Factorisation(25, background, 1), 2):
        far = left - (left @ span.T) @ span
        distance = (far**2).sum(axis=1)
        assert distance[seed] == pytest.approx(distance.max())
        span = np.vstack([span, far[seed] / np.sqrt(distance[seed])])
    assert len(span) == 25


@pytest.mark.parametrize("threads", THREADS)
def test_bits_do_not_depend_on_threads(threads):
    statistics = corpus(0, 200, 150)
    results = []
    for number in (1, threads):
        roots = roots_of(statistics, number)
        weights, residual, cross = problem(1, len(roots.sums))
        arrays = (roots.values, roots.sums, roots.squares, roots.times(weights, number))
        arrays += (descended(weights, residual, cross, 2, number), cross_product(weights, number))
        results.append([a.tobytes() for a in arrays])
    assert results[0] == results[1]


def test_nothing_to_do_is_done():
    statistics = CooccurrenceStatistics(5)
    none, words = np.zeros(0, np.int32), np.arange(5, dtype=np.int32)
    roots = Roots.of(statistics.rows, none, np.zeros(0), 2)
    assert roots.values.shape == (0, 0)
    assert roots.times(np.zeros((0, 3), np.float32), 2).shape == (0, 3)
    assert cross_product(np.zeros((0, 3), np.float32), 2).tolist() == np.zeros((3, 3)).tolist()
    roots = Roots.of(statistics.rows, words, np.zeros(5), 2)
    assert not roots.values.any()
    assert not roots.sums.any()
