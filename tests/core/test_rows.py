"""Checked addition and subtraction of rows against dense matrices."""

import numpy as np
import pytest
from core import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from pyunlearn._cooccurrence.counting import count_documents
from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._core import rows as kernels
from pyunlearn._documents import check_documents, document_weights

THREADS = (1, 2, 3, 7)
N_WORDS = 40


def batch(seed, m=6, n=N_WORDS):
    """A delta over few of the words, and its dense matrix."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((m, n), np.int64)
    words = rng.choice(n, int(rng.integers(1, 9)), replace=False)
    counts[:, words] = rng.integers(0, 3, (m, len(words)))
    documents = check_documents(counts)
    weights = document_weights(documents.in_vocabulary, 40, "document")
    delta = count_documents(documents, weights, 1)
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
            delta.start,
            delta.indices,
            missing,
            2,
        )
        assert (missing == ((dense(rows) == 0) & (K > 0)).sum(axis=1)[delta.words]).all()


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
    empty = count_documents(documents, np.zeros(2, np.int64), 1)
    for content in (None, batch(1)[0]):
        if content is not None:
            rows.add(content, 1)
        before = dense(rows)
        rows.add(empty, 2)
        assert rows.first_uncovered(empty, 2) is None
        rows.subtract(empty, 2)
        assert (dense(rows) == before).all()
