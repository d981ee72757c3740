"""Anchor kernels against their twins, bit for bit."""

import numpy as np
import pytest
from core import reference

from pyunlearn import CooccurrenceStatistics
from pyunlearn._core import anchors as kernels
from pyunlearn._core import gram as gram_kernels
from pyunlearn._learners.anchor_search import padded

THREADS = (1, 2, 3, 7)


class Problem:
    """Statistics of a random corpus with some words masked, as the kernels take them."""

    def __init__(self, seed, masked, m=60, n=50):
        rng = np.random.default_rng(seed)
        counts = rng.integers(0, 4, (m, n)) * (rng.random((m, n)) < 0.2)
        counts[:, 11] = 0
        statistics = CooccurrenceStatistics(n).add(counts)
        self.K = statistics.to_csr().toarray()
        self.keep = (statistics.document_frequency > 0).astype(np.uint8)
        if masked:
            self.keep[::4] = 0
        self.mass = np.where(self.keep, reference.kept_mass(self.K, self.keep), 0)
        self.words = np.flatnonzero(self.mass).astype(np.int32)
        rows = statistics.rows
        self.shape = (rows.start, rows.length, rows.indices, rows.values)

    def anchor_rows(self, anchors):
        return np.array([reference.dense_row(self.K, self.keep, self.mass, a) for a in anchors]).T


@pytest.fixture(params=[(0, False), (0, True), (1, False), (1, True)])
def problem(request):
    return Problem(*request.param)


@pytest.mark.parametrize("threads", THREADS)
def test_kept_mass_is_the_masked_row_sum(problem, threads):
    mass = np.full(len(problem.K), -1)
    kernels.kept_mass(*problem.shape, problem.keep, problem.words, mass, threads)
    expected = np.full(len(problem.K), -1)
    expected[problem.words] = reference.kept_mass(problem.K, problem.keep)[problem.words]
    assert mass.tolist() == expected.tolist()


@pytest.mark.parametrize("threads", THREADS)
def test_squared_norms_equal_their_twin(problem, threads):
    norms = np.full(len(problem.K), -1.0)
    everything = np.arange(len(problem.K), dtype=np.int32)
    kernels.squared_norms(
        *problem.shape, problem.keep, False, problem.mass, everything, norms, threads
    )
    expected = [
        reference.squared_norm(problem.K, problem.keep, problem.mass, word) for word in everything
    ]
    assert norms.tolist() == expected


def test_squared_norms_need_no_mask_when_all_words_are_kept():
    problem = Problem(2, masked=False)
    masked, whole = np.zeros(len(problem.K)), np.zeros(len(problem.K))
    shape = (*problem.shape, problem.keep)
    kernels.squared_norms(*shape, False, problem.mass, problem.words, masked, 2)
    kernels.squared_norms(*shape, True, problem.mass, problem.words, whole, 2)
    assert masked.tobytes() == whole.tobytes()


def test_scatter_row_is_the_normalised_row(problem):
    for word in problem.words[:10]:
        row = np.full(len(problem.K), np.nan)
        kernels.scatter_row(*problem.shape, problem.keep, int(problem.mass[word]), int(word), row)
        expected = reference.dense_row(problem.K, problem.keep, problem.mass, word)
        assert row.tolist() == expected.tolist()


def gram_by_column(problem, anchor_rows, threads):
    gram = np.zeros((len(problem.words), anchor_rows.shape[1]))
    for topic in range(anchor_rows.shape[1]):
        column = np.full(len(problem.words), np.nan)
        gram_kernels.gram_column(
            *problem.shape, problem.mass, problem.words,
            np.ascontiguousarray(anchor_rows[:, topic]), column, threads,
        )  # fmt: skip
        gram[:, topic] = column
    return gram


def gram_by_row(problem, anchor_rows, threads):
    gram = np.full((len(problem.K), anchor_rows.shape[1]), np.nan)
    wide = np.zeros((len(problem.K), padded(anchor_rows.shape[1])))
    wide[:, : anchor_rows.shape[1]] = anchor_rows
    work = np.empty((threads, gram_kernels.ROWS_TOGETHER * wide.shape[1]))
    gram_kernels.gram_rows(
        *problem.shape, problem.mass, problem.words, wide, work, gram, threads,
    )  # fmt: skip
    return gram[problem.words]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("n_topics", [1, 5, 8, 13])
def test_rows_and_columns_of_the_gram_matrix_have_the_same_bits(problem, n_topics, threads):
    anchor_rows = problem.anchor_rows(problem.words[:n_topics])
    by_row = gram_by_row(problem, anchor_rows, threads)
    assert by_row.tobytes() == gram_by_column(problem, anchor_rows, threads).tobytes()
    expected = [
        [reference.gram_entry(problem.K, problem.mass, word, row) for row in anchor_rows.T]
        for word in problem.words
    ]
    assert by_row.tolist() == expected


def test_gram_entries_are_inner_products_of_normalised_rows(problem):
    normalised = np.array(
        [reference.dense_row(problem.K, problem.keep, problem.mass, word) for word in problem.words]
    )
    gram = gram_by_column(problem, problem.anchor_rows(problem.words), 2)
    np.testing.assert_allclose(gram, normalised @ normalised.T, rtol=1e-12)


def factorise(gram, norms, anchors, threads):
    factor, residual, pivots = np.zeros_like(gram), norms.copy(), []
    for topic, anchor in enumerate(anchors):
        pivots.append(float(residual[anchor]))
        kernels.cholesky_step(gram, anchor, topic, pivots[-1], factor, residual, threads)
    return factor, residual, pivots


@pytest.mark.parametrize("threads", THREADS)
def test_cholesky_steps_equal_their_twin(threads):
    rng = np.random.default_rng(3)
    rows = rng.random((80, 20))
    anchors = [5, 0, 79, 33, 12, 60, 61, 7, 8, 9]
    gram, norms = np.ascontiguousarray(rows @ rows[anchors].T), (rows * rows).sum(axis=1)
    factor, residual, pivots = factorise(gram, norms, anchors, threads)
    twin_factor, twin_residual = np.zeros_like(gram), norms.copy()
    for topic, anchor in enumerate(anchors):
        reference.cholesky_step(gram, anchor, topic, pivots[topic], twin_factor, twin_residual)
    assert factor.tobytes() == twin_factor.tobytes()
    assert residual.tobytes() == twin_residual.tobytes()


def test_residuals_are_squared_distances_from_the_span():
    rng = np.random.default_rng(4)
    rows = rng.random((30, 12))
    anchors = [3, 17, 25, 0]
    gram, norms = np.ascontiguousarray(rows @ rows[anchors].T), (rows * rows).sum(axis=1)
    factor, residual, _ = factorise(gram, norms, anchors, 2)
    inside = rows[anchors].T
    outside = rows.T - inside @ np.linalg.lstsq(inside, rows.T, rcond=None)[0]
    np.testing.assert_allclose(residual, (outside * outside).sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(factor @ factor[anchors].T, gram, atol=1e-12)


@pytest.mark.parametrize("threads", THREADS)
def test_following_known_pivots_gives_the_factor_and_who_would_have_won(threads):
    rng = np.random.default_rng(5)
    rows = rng.random((40, 9))
    words = np.arange(100, 140, dtype=np.int32)
    anchors = [7, 0, 39, 12]
    gram, norms = np.ascontiguousarray(rows @ rows[anchors].T), (rows * rows).sum(axis=1)
    norms[20] = norms[7]  # an equal residual loses to a lower word at step 0 only
    norms[5] = norms[7]
    factor, _, pivots = factorise(gram, norms, anchors, 1)
    chosen = np.arange(40, dtype=np.int32)[::-1].copy()
    followed, wins = np.zeros_like(gram), np.zeros(40, np.int32)
    kernels.follow_pivots(
        gram[chosen], norms[chosen], words, chosen, words[anchors], np.array(anchors, np.int32),
        np.array(pivots), 4, with_anchors(followed, factor, anchors), wins, threads,
    )  # fmt: skip
    assert followed.tobytes() == factor.tobytes()
    assert wins.tolist() == [first_win(gram, norms, factor, anchors, pivots, row) for row in chosen]


def with_anchors(followed, factor, anchors):
    """The anchors' own rows of L must stand before other rows can follow."""
    followed[anchors] = factor[anchors]
    return followed


def first_win(gram, norms, factor, anchors, pivots, row):
    residual = norms[row]
    for step, (anchor, pivot) in enumerate(zip(anchors, pivots, strict=True)):
        if residual > pivot or (residual == pivot and row < anchor):
            return step
        residual = residual - factor[row, step] * factor[row, step]
    return len(anchors)


@pytest.mark.parametrize("threads", THREADS)
def test_kernels_take_empty_arrays(threads):
    none, zeros = np.zeros(0, np.int32), np.zeros(3, np.int64)
    shape = (zeros, zeros, none, np.zeros(0, np.int64))
    keep = np.zeros(3, np.uint8)
    everything = np.arange(3, dtype=np.int32)
    mass, norms = np.zeros(3, np.int64), np.zeros(3)
    kernels.kept_mass(*shape, keep, everything, mass, threads)
    kernels.squared_norms(*shape, keep, True, mass, everything, norms, threads)
    gram_kernels.gram_column(*shape, mass, none, norms, np.zeros(0), threads)
    gram_kernels.gram_rows(
        *shape, mass, none, np.zeros((3, 0)), np.zeros((threads, 0)), np.zeros((3, 0)), threads
    )
    kernels.cholesky_step(np.zeros((0, 1)), 0, 0, 1.0, np.zeros((0, 1)), np.zeros(0), threads)
    assert not mass.any()
    assert not norms.any()
