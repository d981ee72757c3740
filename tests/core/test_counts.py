"""Counting kernels against the integer formula."""

import os
import subprocess
import sys

import numpy as np
import pytest
from core import reference

from pyunlearn._cooccurrence.counting import count_documents
from pyunlearn._core import counts as kernels
from pyunlearn._core import parallel
from pyunlearn._documents import check_documents, document_weights

THREADS = (1, 2, 3, 7)


def corpus(seed, m=30, n=17):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, (m, n)) * (rng.random((m, n)) < 0.3)
    counts[3] = 0
    counts[4] = np.eye(n, dtype=np.int64)[2]
    return counts


def dense(delta, n_words, kept=None):
    """The delta as a matrix over the whole vocabulary; `kept`: the words of its columns."""
    kept = np.arange(n_words) if kept is None else kept
    K = np.zeros((n_words, n_words), np.int64)
    for position, word in enumerate(delta.words):
        part = slice(delta.start[position], delta.start[position + 1])
        columns = delta.indices[part]
        assert (np.diff(columns) > 0).all()
        K[word, kept[delta.places[columns]]] = delta.values[part]
    return K


def counted(counts, threads, weighting="document", kept=None):
    documents = check_documents(counts)
    lengths = documents.in_vocabulary
    weights = document_weights(lengths, 40, weighting)
    place = None
    if kept is not None:
        place = np.full(documents.n_words, -1, np.int32)
        place[kept] = np.arange(len(kept))
    return count_documents(documents, lengths, weights, place, threads)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("weighting", ["document", "token"])
@pytest.mark.parametrize("seed", range(5))
def test_counting_equals_the_integer_formula(seed, weighting, threads):
    counts = corpus(seed)
    delta = counted(counts, threads, weighting)
    _, _, mass, K = reference.statistics(counts, counts.sum(axis=1), 40, weighting)
    assert (dense(delta, 17) == K).all()
    assert (delta.mass == mass[delta.words]).all()
    assert (delta.values > 0).all()
    assert delta.document_frequency.tolist() == (counts > 0).sum(axis=0)[delta.words].tolist()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("seed", range(12))
def test_counting_at_some_columns_equals_those_columns(seed, threads):
    n = 17 if seed % 2 else 300  # a batch of few words is numbered by its own
    counts = np.zeros((30, n), np.int64)
    counts[:, :17] = corpus(seed)
    kept = np.flatnonzero(np.random.default_rng(seed).random(n) < (0, 0.3, 0.7)[seed % 3])
    delta = counted(counts, threads, kept=kept)
    _, _, mass, K = reference.statistics(counts, counts.sum(axis=1), 40, "document")
    expected = np.zeros_like(K)
    expected[:, kept] = K[:, kept]
    assert (dense(delta, n, kept) == expected).all()
    assert (delta.mass == mass[delta.words]).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (40, 1), (3, 600), (200, 300)])
def test_counting_gives_the_same_bytes_with_any_number_of_threads(shape):
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 4, shape) * (rng.random(shape) < 0.2)
    one = counted(counts, 1)
    for threads in THREADS[1:]:
        other = counted(counts, threads)
        for name in ("words", "start", "indices", "values", "mass", "document_frequency"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_a_small_batch_is_counted_over_its_own_words():
    counts = np.zeros((2, 1000), np.int64)
    counts[:, [7, 400, 999]] = [[1, 2, 0], [0, 1, 3]]
    delta = counted(counts, 2)
    assert delta.words.tolist() == [7, 400, 999]
    assert (dense(delta, 1000) == reference.statistics(counts, [3, 4])[3]).all()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("parts", [(0, 17), (0, 5, 5, 17), (3, 9, 12)])
def test_entries_by_word_are_those_of_a_stable_sort(parts, threads):
    documents = check_documents(corpus(0))
    chosen = [
        entry
        for entry in np.argsort(documents.columns, kind="stable")
        if parts[0] <= documents.columns[entry] < parts[-1]
    ]
    sizes = np.bincount(documents.columns[chosen], minlength=17)
    entries, owners = np.empty(len(chosen), np.int64), np.empty(len(chosen), np.int32)
    kernels.sort_by_word(
        documents.start,
        documents.columns,
        np.array(parts),
        np.cumsum(sizes) - sizes,
        entries,
        owners,
        threads,
    )
    assert entries.tolist() == chosen
    assert owners.tolist() == documents.entry_rows()[chosen].tolist()


def pattern(counts, weights, threads):
    """Outputs of `count_pattern`."""
    documents = check_documents(counts)
    n = documents.n_words
    by_word = [
        [
            (entry, document)
            for entry, document in enumerate(documents.entry_rows())
            if documents.columns[entry] == word
        ]
        for word in range(n)
    ]
    entries = np.array([entry for word in by_word for entry, _ in word], np.int64)
    owners = np.array([document for word in by_word for _, document in word], np.int32)
    word_start = np.concatenate(([0], np.cumsum([len(word) for word in by_word])))
    lower, upper = np.zeros((threads, n), np.int32), np.zeros(n, np.int64)
    mass, status = np.zeros(n, np.int64), np.zeros(n, np.int32)
    kernels.count_pattern(
        documents.start,
        documents.columns,
        documents.counts,
        np.arange(n, dtype=np.int32),
        documents.counts,
        np.asarray(weights, np.int64),
        documents.in_vocabulary,
        word_start,
        entries,
        owners,
        np.zeros((threads, n), np.uint8),
        lower,
        upper,
        mass,
        status,
        threads,
    )
    return lower.sum(axis=0), upper, mass, status


@pytest.mark.parametrize("threads", THREADS)
def test_pattern_gives_row_sizes_and_masses(threads):
    counts = corpus(8)
    weights = np.random.default_rng(0).integers(0, 5, len(counts))
    K = reference.cooccurrence(counts, weights)
    lower, upper, mass, status = pattern(counts, weights, threads)
    assert lower.tolist() == [(K[i, :i] > 0).sum() for i in range(len(K))]
    assert upper.tolist() == [(K[i, i:] > 0).sum() for i in range(len(K))]
    assert (mass == K.sum(axis=1)).all()
    assert not status.any()


def test_overflow_is_a_status_and_not_a_wrong_number():
    counts = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]])
    _, _, mass, status = pattern(counts, [2**61, 2**61 - 1, 0], 2)
    assert mass[0] == 2**62 - 1
    assert not status.any()
    assert pattern(counts, [2**61, 2**61, 0], 2)[3].tolist() == [1, 1, 0]


@pytest.mark.parametrize("threads", THREADS)
def test_mirror_completes_a_symmetric_matrix(threads):
    rng = np.random.default_rng(2)
    n = 700  # more than two blocks of columns
    upper = np.triu(rng.integers(1, 9, (n, n)) * (rng.random((n, n)) < 0.02))
    K = upper + np.triu(upper, 1).T
    length = (K > 0).sum(axis=1)
    start = np.concatenate(([0], np.cumsum(length)))
    upper_start = start[1:] - (upper > 0).sum(axis=1)
    indices, values = np.full(start[-1], -1, np.int32), np.full(start[-1], -1, np.int64)
    for row in range(n):
        columns = np.flatnonzero(upper[row])
        indices[upper_start[row] : start[row + 1]] = columns
        values[upper_start[row] : start[row + 1]] = upper[row, columns]
    kernels.mirror(
        start[:-1], upper_start, start[1:], np.zeros(n, np.int64), indices, values, threads
    )
    assert (indices == np.nonzero(K)[1]).all()
    assert (values == K[np.nonzero(K)]).all()


def test_documents_without_pairs_leave_no_entry():
    delta = counted(np.array([[0, 0, 0], [0, 1, 0]]), 2)
    assert len(delta.values) == 0
    assert not delta.mass.any()
    assert delta.n_documents == 2


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_threads_at_hand_are_the_processors_that_openmp_may_use(limit):
    code = "from pyunlearn._core import parallel; print(parallel.effective_num_threads())"
    environment = {**os.environ, "OMP_NUM_THREADS": str(limit)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    )
    mask = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count())
    assert int(found.stdout) == (min(limit, len(mask)) if parallel.openmp_enabled() else 1)
