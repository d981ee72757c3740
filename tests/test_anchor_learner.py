"""The learner: a function of the statistics that finds the topics which made the documents."""

import numpy as np
import pytest
from core import reference
from hard_corpora import as_allowed, assert_same_model, learner_parameters, pools, trained_once
from hypothesis import given, settings

from pyunlearn import CooccurrenceStatistics
from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._learners import learn
from pyunlearn._learners.anchor import KKT_TOLERANCE, AnchorSettings

N_TOPICS = 5


def separable_topics(seed, n_words=40):
    """A (n_words, 5) in which word k belongs to topic k alone."""
    rng = np.random.default_rng(seed)
    A = rng.dirichlet(np.full(n_words, 0.3), N_TOPICS).T
    A[:N_TOPICS] = np.eye(N_TOPICS) * 0.15
    A[N_TOPICS:] *= 0.85 / A[N_TOPICS:].sum(axis=0)
    return A


def sampled(A, m, seed, length=60):
    rng = np.random.default_rng(seed)
    proportions = rng.dirichlet(np.full(N_TOPICS, 0.3), m)
    return np.array([rng.multinomial(length, A @ row) for row in proportions])


def learned(counts, **options):
    statistics = CooccurrenceStatistics(counts.shape[1]).add(counts)
    return learn(statistics, AnchorSettings(**{"n_topics": N_TOPICS} | options))


def word_given_topic(parameters):
    joint = parameters.mass[:, None] * parameters.word_topic
    return joint / joint.sum(axis=0)


def error_against(A, parameters):
    """Mean l1 distance of the topics, matched by their anchors' own order."""
    found = word_given_topic(parameters)
    distances = np.abs(A[:, :, None] - found[:, None, :]).sum(axis=0)
    return np.mean([distances[k].min() for k in range(N_TOPICS)])


@pytest.mark.parametrize("solver", ["active-set", "eg"])
@pytest.mark.parametrize("seed", range(3))
def test_separable_topics_are_recovered_and_better_with_more_documents(seed, solver):
    A = separable_topics(seed)
    errors = []
    for m in (300, 3000, 30_000):
        found = learned(sampled(A, m, seed), anchor_min_df=0.05, solver=solver, tol=1e-5)
        errors.append(error_against(A, found))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.08


@pytest.mark.parametrize("cleanup", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_anchor_words_are_found(seed, cleanup):
    found = learned(sampled(separable_topics(seed), 30_000, seed), anchor_cleanup=cleanup)
    assert sorted(found.anchors) == list(range(N_TOPICS))


def exact_statistics(A, seed, total=10**9):
    """Integer K close to A R A^T, as if from infinitely many documents."""
    rng = np.random.default_rng(seed)
    R = rng.dirichlet(np.full(N_TOPICS**2, 1.0)).reshape(N_TOPICS, N_TOPICS)
    R = (R + R.T) / 2 + np.eye(N_TOPICS) / N_TOPICS
    Q = A @ (R / R.sum()) @ A.T
    return np.rint((Q + Q.T) / 2 * total).astype(np.int64)


def test_topics_of_an_exactly_separable_matrix_are_exact():
    A = separable_topics(1)
    K = exact_statistics(A, 2)
    statistics = CooccurrenceStatistics(len(K))
    rows, columns = np.nonzero(K)
    indptr = np.searchsorted(rows, np.arange(len(K) + 1)).astype(np.int64)
    every = np.arange(len(K), dtype=np.int32)
    stored = CooccurrenceRows.from_arrays(indptr, columns.astype(np.int32), K[rows, columns], every)
    statistics.restore(stored, K.sum(axis=1), np.full(len(K), 100), 100)
    found = learn(statistics, AnchorSettings(n_topics=N_TOPICS))
    assert error_against(A, found) < 1e-4


def dense_rows(parameters, statistics):
    K = statistics.to_csr().toarray() * (parameters.keep > 0)
    return (
        K
        / np.where(parameters.mass > 0, parameters.mass, 1)[:, None]
        * (parameters.mass > 0)[:, None]
    )


@settings(max_examples=300)
@given(pools(30, 40), learner_parameters())
def test_everything_learned_is_what_it_says(pool, parameters):
    model = trained_once(as_allowed(parameters | {"learner": "anchor"}), pool.counts, pool.lengths)
    found, Q = model.topics_, dense_rows(model.topics_, model.statistics_)
    scale = max(1.0, float((Q * Q).sum(axis=1).max()))
    for name in ("norms", "pivots", "gram", "factor", "word_topic"):
        assert np.isfinite(getattr(found, name)).all(), name
    assert len(set(found.anchors.tolist())) == found.n_topics <= parameters["n_topics"]
    assert set(found.anchors.tolist()) <= set(found.candidates.tolist()) <= set(found.words)
    assert (found.pivots > 0).all()
    assert found.converged.all()
    np.testing.assert_allclose(found.norms, (Q * Q).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(found.gram, Q @ Q[found.anchors].T, atol=1e-12)
    assert (found.word_topic >= 0).all()
    sums = found.word_topic.sum(axis=1)
    expected = (found.mass > 0) * (found.n_topics > 0)
    np.testing.assert_allclose(sums, expected, atol=1e-6)
    if found.n_topics:
        G = found.anchor_gram
        gradient = (found.word_topic @ G - found.gram)[found.words]
        gap = found.word_topic[found.words] * (gradient - gradient.min(axis=1, keepdims=True))
        assert gap.sum(axis=1).max() <= 1e-9 * scale


@settings(max_examples=100)
@given(pools(30, 30), learner_parameters())
def test_threads_change_no_bit(pool, parameters):
    one = trained_once(parameters | {"n_jobs": 1}, pool.counts, pool.lengths)
    for n_jobs in (2, 3, 7):
        many = trained_once(parameters | {"n_jobs": n_jobs}, pool.counts, pool.lengths)
        assert_same_model(many, one)


@pytest.mark.parametrize("n_jobs", [2, 3, 7])
@pytest.mark.parametrize("solver", ["active-set", "eg"])
def test_threads_change_no_bit_of_a_larger_model(solver, n_jobs):
    counts = sampled(separable_topics(3, 400), 2000, 3)
    options = {"n_topics": 12, "solver": solver, "max_iter": 50, "word_min_df": 3}
    options["learner"] = "anchor"
    assert_same_model(
        trained_once(options | {"n_jobs": n_jobs}, counts, None),
        trained_once(options | {"n_jobs": 1}, counts, None),
    )


def test_anchors_are_those_of_gram_schmidt():
    counts = sampled(separable_topics(4, 80), 2000, 4)
    found = learned(counts, n_topics=20, anchor_min_df=1)
    statistics = CooccurrenceStatistics(80).add(counts)
    assert found.anchors.tolist() == reference.greedy_anchors(dense_rows(found, statistics), 20)


def test_recovery_is_the_twins_optimum():
    counts = sampled(separable_topics(5, 80), 500, 5)
    found = learned(counts, n_topics=8, anchor_min_df=5)
    G = found.anchor_gram
    for word in found.words[::4]:
        expected = reference.active_set(G, found.gram[word], KKT_TOLERANCE * G.diagonal().max())
        assert found.word_topic[word].tolist() == expected.tolist()


def test_ties_go_to_the_lowest_word():
    counts = np.array([np.roll([2, 2, 0, 0, 0, 0], shift) for shift in range(0, 6, 2)])
    found = learned(np.vstack([counts] * 3), n_topics=3)
    assert found.anchors.tolist() == [0, 2, 4]


def test_clean_up_never_shrinks_the_simplex():
    for seed in range(20):
        counts = np.random.default_rng(seed).poisson(0.5, (60, 30))
        plain, cleaned = (learned(counts, anchor_cleanup=flag) for flag in (False, True))
        volumes = [np.linalg.det(found.anchor_gram) for found in (plain, cleaned)]
        assert volumes[1] >= volumes[0] * (1 - 1e-9)


@pytest.mark.parametrize(("share", "least"), [(0.1, 3), (0.099, 3), (0.0, 1), (1.0, 30), (4, 4)])
def test_anchors_stand_in_enough_documents(share, least):
    counts = np.random.default_rng(1).poisson(0.2, (30, 20))
    counts[:, 0] += 1
    found = learned(counts, n_topics=20, anchor_min_df=share)
    frequency = (counts > 0).sum(axis=0)
    assert found.candidates.tolist() == np.flatnonzero(frequency >= least).tolist()


def test_min_df_masks_words_as_if_they_were_unknown():
    counts = np.random.default_rng(2).poisson(0.15, (40, 30))
    kept = (counts > 0).sum(axis=0) >= 5
    masked = learned(counts, min_df=5)
    statistics = CooccurrenceStatistics(int(kept.sum())).add(counts[:, kept], counts.sum(axis=1))
    alone = learn(statistics, AnchorSettings(n_topics=N_TOPICS, min_df=5))
    assert (masked.keep > 0).tolist() == kept.tolist()
    assert masked.mass[kept].tolist() == alone.mass.tolist()
    assert np.flatnonzero(kept)[alone.anchors].tolist() == masked.anchors.tolist()
    np.testing.assert_allclose(masked.word_topic[kept], alone.word_topic, atol=1e-9)
    assert not masked.word_topic[~kept].any()
