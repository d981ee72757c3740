"""EM fold-in against its twin, bit for bit."""

import numpy as np
import pytest
from core import reference
from scipy import sparse

from pyunlearn._core import infer
from pyunlearn._documents import check_documents
from pyunlearn._fold_in import work_space

THREADS = (1, 2, 3, 7)


def topics(seed, n=40, r=6):
    rng = np.random.default_rng(seed)
    A = rng.dirichlet(np.full(n, 0.1), r).T.copy()
    A[7] = 0.0
    return A


def documents(seed, m=25, n=40):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, (m, n)) * (rng.random((m, n)) < 0.2)
    counts[0] = 0
    counts[1] = 3 * np.eye(n, dtype=np.int64)[7]  # a word that no topic has
    return sparse.csr_array(counts)


def proportions(counts, A, start, tolerance, max_iter, threads):
    theta, steps = start.copy(), np.zeros(len(start), np.int32)
    room = work_space(check_documents(counts), A.shape[1], threads)
    infer.proportions(
        counts.indptr.astype(np.int64), counts.indices.astype(np.int32),
        counts.data.astype(np.int32), A, tolerance, max_iter,
        room, theta, steps, threads,
    )  # fmt: skip
    return theta, steps


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("r", [1, 2, 6, 8, 11])
def test_fold_in_equals_its_twin(r, threads):
    counts, A = documents(1), topics(2, r=r)
    start = np.random.default_rng(3).dirichlet(np.ones(r), 25)
    theta, steps = proportions(counts, A, start, 1e-6, 60, threads)
    for document in range(25):
        row = slice(counts.indptr[document], counts.indptr[document + 1])
        expected, iterations = reference.fold_in(
            counts.indices[row], counts.data[row], A, 1e-6, 60, start[document]
        )
        assert theta[document].tolist() == expected.tolist()
        assert steps[document] == iterations


def log_likelihood(counts, A, theta):
    mixed = np.where(A.sum(axis=1) > 0, theta @ A.T, 1.0)
    return (counts.toarray() * np.log(mixed)).sum(axis=1)


def test_more_steps_never_lower_the_likelihood():
    counts, A = documents(4), topics(5) + 1e-9
    start = np.full((25, 6), 1 / 6)
    likelihoods = [
        log_likelihood(counts, A, proportions(counts, A, start, 1e-300, steps, 2)[0])
        for steps in (1, 2, 5, 20, 100)
    ]
    assert (np.diff(likelihoods, axis=0) >= -1e-9).all()


def test_proportions_sum_to_one_and_unknown_documents_keep_their_start():
    counts, A = documents(6), topics(7)
    start = np.random.default_rng(8).dirichlet(np.ones(6), 25)
    theta, _ = proportions(counts, A, start, 1e-8, 300, 2)
    np.testing.assert_allclose(theta.sum(axis=1), 1.0, atol=1e-12)
    assert theta[:2].tolist() == start[:2].tolist()


def test_no_documents_and_no_words_are_fine():
    empty = sparse.csr_array((2, 40), dtype=np.int64)
    start = np.full((2, 6), 1 / 6)
    assert proportions(empty, topics(1), start, 1e-6, 10, 2)[0].tolist() == start.tolist()
