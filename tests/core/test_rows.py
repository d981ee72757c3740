"""Checked addition and subtraction of rows against dense matrices."""

from itertools import pairwise

import numpy as np
import pytest
from core import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from pyunlearn._cooccurrence.counting import count_documents
from pyunlearn._cooccurrence.rows import CooccurrenceRows, check_rows
from pyunlearn._core import rows as kernels
from pyunlearn._documents import check_documents, document_weights
from pyunlearn.errors import CorruptStateError

THREADS = (1, 2, 3, 7)
N_WORDS = 40


def batch(seed, m=6, n=N_WORDS):
    """A delta over few of the words, and its dense matrix."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((m, n), np.int64)
    words = rng.choice(n, int(rng.integers(1, 9)), replace=False)
    counts[:, words] = rng.integers(0, 3, (m, len(words)))
    documents = check_documents(counts)
    lengths = documents.in_vocabulary
    weights = document_weights(lengths, 40, "document")
    delta = count_documents(documents, lengths, weights, None, 1)
    return delta, reference.cooccurrence(counts, weights).astype(np.int64)


def dense(rows):
    K = np.zeros((rows.n_words, rows.n_words), np.int64)
    for word in range(rows.n_words):
        columns, values = rows.row(word)
        assert (np.diff(columns) > 0).all()
        assert (values > 0).all()
        K[word, columns] = values
    return K


@settings(max_examples=100)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12), st.data())
def test_any_additions_and_subtractions_equal_the_dense_sum(seeds, data):
    rows, total = CooccurrenceRows(N_WORDS), np.zeros((N_WORDS, N_WORDS), np.int64)
    for seed in seeds:
        delta, K = batch(seed)
        rows.add(delta, 2)  # takes the arrays over, so every delta serves once
        total += K
        assert (dense(rows) == total).all()
    for seed in data.draw(st.permutations(seeds)):
        delta, K = batch(seed)
        assert rows.first_uncovered(delta, 2) is None
        rows.subtract(delta, 2)
        total -= K
        assert (dense(rows) == total).all()
    assert rows.nnz == 0


@pytest.mark.parametrize("threads", THREADS)
def test_rows_do_not_depend_on_threads(threads):
    one, many = CooccurrenceRows(N_WORDS), CooccurrenceRows(N_WORDS)
    for seed in range(10):
        one.add(batch(seed)[0], 1)
        many.add(batch(seed)[0], threads)
    for seed in range(0, 10, 2):
        one.subtract(batch(seed)[0], 1)
        many.subtract(batch(seed)[0], threads)
    assert [a.tobytes() for a in one.to_arrays()] == [a.tobytes() for a in many.to_arrays()]


def test_first_uncovered_names_a_word_that_would_turn_negative():
    rows = CooccurrenceRows(N_WORDS)
    rows.add(batch(1)[0], 1)
    delta, K = batch(2)
    word = rows.first_uncovered(delta, 2)
    assert (dense(rows)[word] < K[word]).any()
    assert CooccurrenceRows(N_WORDS).first_uncovered(delta, 2) is not None


def test_check_subtraction_marks_exactly_the_rows_that_are_short():
    rows = CooccurrenceRows(N_WORDS)
    for seed in (3, 4):
        rows.add(batch(seed)[0], 1)
    held = dense(rows)
    for seed in range(3, 30):
        delta, K = batch(seed)
        status = np.zeros(len(delta.words), np.int32)
        kernels.check_subtraction(
            rows.start,
            rows.length,
            rows.indices,
            rows.values,
            delta.words,
            delta.places,
            delta.start,
            delta.indices,
            delta.values,
            status,
            2,
        )
        assert ((status != 0) == (held < K).any(axis=1)[delta.words]).all()


def test_count_missing_counts_the_columns_not_held():
    rows = CooccurrenceRows(N_WORDS)
    for seed in (3, 4, 5):
        rows.add(batch(seed)[0], 1)
    for seed in range(5, 20):
        delta, K = batch(seed)
        missing = np.zeros(len(delta.words), np.int64)
        kernels.count_missing(
            rows.start,
            rows.length,
            rows.indices,
            delta.words,
            delta.places,
            delta.start,
            delta.indices,
            missing,
            2,
        )
        assert (missing == ((dense(rows) == 0) & (K > 0)).sum(axis=1)[delta.words]).all()


def as_csr(K):
    rows, columns = np.nonzero(K)
    indptr = np.concatenate(([0], np.cumsum((K != 0).sum(axis=1))))
    return [indptr, columns.astype(np.int32), K[rows, columns]]


@pytest.mark.parametrize("threads", THREADS)
def test_rows_that_are_canonical_pass_and_give_their_sums(threads):
    for seed in range(20):
        K = batch(seed)[1]
        assert check_rows(*as_csr(K), len(K), threads).tolist() == K.sum(axis=1).tolist()
    assert check_rows(*as_csr(np.zeros((3, 3), np.int64)), 3, threads).tolist() == [0, 0, 0]


@settings(max_examples=300)
@given(st.data())
def test_any_change_of_rows_is_refused_or_canonical(data):
    arrays = as_csr(batch(data.draw(st.integers(0, 50)))[1])
    array = arrays[data.draw(st.integers(0, 2))]
    if not len(array):
        return
    at = data.draw(st.integers(0, len(array) - 1))
    info = np.iinfo(array.dtype)
    near = st.integers(-1, N_WORDS + 1)
    array[at] = data.draw(
        st.one_of(near, st.sampled_from([info.min, info.max, 2**30, info.max // 2]))
    )
    indptr, indices, values = arrays
    steps = np.diff(indptr.astype(object))
    inside = indptr[0] == 0 and indptr[-1] == len(indices) and (steps >= 0).all()
    parts = [slice(*edge) for edge in pairwise(indptr.tolist())] if inside else []
    canonical = inside and all(
        (np.diff(indices[part], prepend=-1) > 0).all()
        and (indices[part] < N_WORDS).all()
        and (values[part] > 0).all()
        and sum(values[part].tolist()) < 2**62
        for part in parts
    )
    if canonical:
        sums = [sum(values[part].tolist()) for part in parts]
        assert check_rows(*arrays, N_WORDS, 2).tolist() == sums
    else:
        with pytest.raises(CorruptStateError):
            check_rows(*arrays, N_WORDS, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda indptr, indices, values: (indptr[:0], indices, values),
        lambda indptr, indices, values: (indptr.astype(np.int32), indices, values),
        lambda indptr, indices, values: (indptr.astype(np.float64), indices, values),
        lambda indptr, indices, values: (indptr, indices.astype(np.int64), values),
        lambda indptr, indices, values: (indptr, indices, values.astype(np.float64)),
        lambda indptr, indices, values: (indptr, indices, values.view(np.uint64)),
        lambda indptr, indices, values: (indptr, indices[:, None], values),
        lambda indptr, indices, values: (indptr, indices[:-1], values),
        lambda indptr, indices, values: (indptr, indices, values[:-1]),
        lambda indptr, indices, values: (indptr[:2], indices, values),
        lambda indptr, indices, values: (indptr, indices, np.repeat(values, 2)[::2]),
    ],
)
def test_rows_of_other_types_or_sizes_are_refused(change):
    with pytest.raises(CorruptStateError):
        check_rows(*change(*as_csr(batch(1)[1])), N_WORDS, 1)


def test_a_sum_may_reach_all_but_the_limit():
    arrays = [np.array([0, 2, 2]), np.array([0, 1], np.int32), np.array([2**61, 2**61 - 1])]
    assert check_rows(*arrays, 2, 1).tolist() == [2**62 - 1, 0]
    arrays[2][1] += 1
    with pytest.raises(CorruptStateError, match="row 0"):
        check_rows(*arrays, 2, 1)


def test_a_copy_is_independent():
    rows = CooccurrenceRows(N_WORDS)
    rows.add(batch(1)[0], 1)
    twin, before = rows.copy(), dense(rows)
    twin.add(batch(2)[0], 1)
    twin.subtract(batch(1)[0], 1)
    assert (dense(rows) == before).all()
    assert (dense(twin) == batch(2)[1]).all()


def test_copy_rows_copies_the_rows_asked_for():
    rows = CooccurrenceRows(N_WORDS)
    for seed in range(6):
        rows.add(batch(seed)[0], 1)
    words = np.array([1, 5, 6, 30], np.int32)
    target = np.cumsum(rows.length[words]) - rows.length[words]
    indices = np.empty(rows.length[words].sum(), np.int32)
    values = np.empty(len(indices), np.int64)
    kernels.copy_rows(
        rows.start, rows.length, rows.indices, rows.values, words, target, indices, values, 2
    )
    assert indices.tolist() == np.concatenate([rows.row(w)[0] for w in words]).tolist()
    assert values.tolist() == np.concatenate([rows.row(w)[1] for w in words]).tolist()


def test_empty_deltas_change_nothing():
    rows = CooccurrenceRows(N_WORDS)
    documents = check_documents(np.zeros((2, N_WORDS), np.int64))
    none = np.zeros(2, np.int64)
    empty = count_documents(documents, none, none, None, 1)
    for content in (None, batch(1)[0]):
        if content is not None:
            rows.add(content, 1)
        before = dense(rows)
        rows.add(empty, 2)
        assert rows.first_uncovered(empty, 2) is None
        rows.subtract(empty, 2)
        assert (dense(rows) == before).all()


def pairs_status(K, threads):
    indptr, indices, values = as_csr(K)
    place, status = np.empty(len(K), np.int64), np.zeros(len(K), np.int32)
    start, length = indptr[:-1], np.diff(indptr)
    kernels.check_pairs(start, length, indices, values, place, status, threads)
    return status


@pytest.mark.parametrize("threads", THREADS)
def test_pairs_are_symmetric_with_an_even_diagonal(threads):
    n = 300  # more than one block of columns
    rng = np.random.default_rng(threads)
    half = np.triu(rng.integers(1, 9, (n, n)) * (rng.random((n, n)) < 0.1))
    K = half + half.T
    assert not pairs_status(K, threads).any()
    assert not pairs_status(0 * K, threads).any()
    for _ in range(60):
        changed = K.copy()
        i, j = rng.integers(0, n, 2)
        changed[i, j] = rng.choice(np.setdiff1d(np.arange(9), [K[i, j]]))
        sound = (changed == changed.T).all() and not (np.diagonal(changed) % 2).any()
        assert pairs_status(changed, threads).any() != sound
