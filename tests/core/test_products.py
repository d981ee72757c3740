"""Products and softmax: their NumPy twins, and one order of operations."""

import numpy as np
import pytest
from core.reference import lane_dot
from hypothesis import given
from hypothesis import strategies as st

from pyunlearn._core import products, softmax
from pyunlearn._documents import check_documents
from pyunlearn._linalg import column_sums, ordered_sum, product

# Rows go by 4 and by 32, columns by 8, inner indices by 256: some of each, and a few more.
SHAPES = st.tuples(st.integers(0, 70), st.integers(0, 600), st.integers(0, 40))


def sequential(left, right):
    """The twin: every entry one accumulator, inner index ascending."""
    out = np.zeros((len(left), right.shape[1]))
    for k in range(left.shape[1]):
        out += left[:, k, None] * right[k]
    return out


@given(SHAPES, st.integers(0, 99), st.sampled_from([1, 2, 3, 7]))
def test_a_product_has_the_bits_of_its_twin(shape, seed, threads):
    m, p, q = shape
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((m, p)), rng.standard_normal((p, q))
    assert product(left, right, threads).tobytes() == sequential(left, right).tobytes()


def test_columns_are_packed_by_eight():
    right = np.arange(33.0).reshape(3, 11)
    panels = np.zeros((2, 3, 8))
    products.pack(right, panels, 2)
    assert panels[0].tolist() == right[:, :8].tolist()
    assert panels[1, :, :3].tolist() == right[:, 8:].tolist()
    assert not panels[1, :, 3:].any()


def test_a_sum_goes_from_left_to_right_in_every_python():
    # From 3.12 on the built-in `sum` gives 1.0.
    assert ordered_sum(np.full(10, 0.1)) == 0.9999999999999999
    assert ordered_sum(np.zeros(0)) == 0.0


def test_columns_are_summed_row_by_row():
    matrix = np.random.default_rng(0).standard_normal((50, 11))
    assert column_sums(matrix).tolist() == sequential(np.ones((1, 50)), matrix)[0].tolist()


@pytest.mark.parametrize("size", [1, 7, 8, 19])
def test_many_small_products_have_the_bits_of_their_twin(size):
    rng = np.random.default_rng(size)
    matrices, vectors = rng.standard_normal((3, size, size)), rng.standard_normal((3, size))
    out = np.empty((3, size))
    products.multiply_each(matrices, vectors, out)
    for matrix, vector, found in zip(matrices, vectors, out, strict=True):
        assert found.tolist() == [lane_dot(row, vector) for row in matrix]


def test_matrices_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"cannot multiply \(2, 3\) with \(4, 5\)"):
        product(np.zeros((2, 3)), np.zeros((4, 5)), 1)


@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 35), st.integers(0, 99))
def test_document_means_are_the_mean_rows_of_the_tokens(m, n, width, seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.7, (m, n))
    rows = rng.standard_normal((n, width))
    documents = check_documents(counts)
    by_threads = []
    for threads in (1, 3):
        out = np.full((m, width), 7.0)
        products.document_means(
            documents.start, documents.columns, documents.counts, rows, out, threads
        )
        by_threads.append(out.tobytes())
    expected = counts @ rows / np.maximum(counts.sum(axis=1), 1)[:, None]
    np.testing.assert_allclose(out, expected, atol=1e-13)
    assert by_threads[0] == by_threads[1]


def softmax_of(scores, threads=1):
    out = np.empty_like(scores)
    softmax.probabilities(scores, out, threads)
    return out


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 300.0])
@pytest.mark.parametrize("outputs", [2, 3, 17])
def test_softmax_of_many_scores(scale, outputs):
    scores = np.random.default_rng(outputs).standard_normal((200, outputs)) * scale
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    expected = shifted / shifted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax_of(scores, 3), expected, rtol=4e-15, atol=1e-300)


def test_one_score_goes_through_the_logistic_function():
    scores = np.concatenate([np.linspace(-800, 800, 4001), [0.0, 1e308, -1e308]])[:, None]
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-scores))
    np.testing.assert_allclose(softmax_of(scores), expected, rtol=4e-15, atol=1e-300)
    assert softmax_of(scores[-3:])[:, 0].tolist() == [0.5, 1.0, 0.0]


@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_curvature_is_the_derivative_of_the_probabilities(outputs):
    rng = np.random.default_rng(0)
    scores, change = rng.standard_normal((2, 30, outputs))
    bent = np.empty_like(scores)
    softmax.curvature(softmax_of(scores), change, bent, 2)
    h = 1e-6
    numeric = (softmax_of(scores + h * change) - softmax_of(scores - h * change)) / (2 * h)
    np.testing.assert_allclose(bent, numeric, atol=1e-9)
