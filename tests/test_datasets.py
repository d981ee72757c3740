"""Synthetic corpora follow the model they say."""

import numpy as np
import pytest

from pyunlearn import AnchorTopicModel
from pyunlearn.datasets import make_separable
from pyunlearn.errors import InvalidParameterError

SMALL = {"n_documents": 200, "n_words": 40, "n_topics": 4}


def test_shapes_types_and_canonical_form():
    corpus = make_separable(**SMALL, n_anchor=2, length=(3, 9))
    X = corpus.X
    assert X.shape == (200, 40)
    assert (X.dtype, X.indices.dtype, X.indptr.dtype) == (np.int32, np.int32, np.int32)
    assert X.has_canonical_format
    assert (X.data > 0).all()
    assert 3 <= X.sum(axis=1).min() <= X.sum(axis=1).max() <= 9


def test_equal_seeds_give_equal_corpora():
    first, second, other = (make_separable(**SMALL, seed=seed) for seed in (1, 1, 2))
    assert (first.X != second.X).nnz == 0
    assert (first.X != other.X).nnz > 0


def test_anchor_words_are_exclusive_and_have_probability_p():
    corpus = make_separable(**SMALL, n_anchor=3, p=0.07)
    for topic, anchors in enumerate(corpus.anchors):
        assert (corpus.topics[anchors, topic] == 0.07).all()
        assert np.delete(corpus.topics[anchors], topic, axis=1).sum() == 0
    assert corpus.topics.sum(axis=0) == pytest.approx(1.0)


@pytest.mark.parametrize("prior", ["dirichlet", "logistic-normal"])
def test_documents_follow_the_truth(prior):
    corpus = make_separable(60_000, 12, 3, prior=prior, imbalance=3.0, correlation=0.4, length=10)
    X = corpus.X.toarray().astype(float)
    pairs = (X.T @ X - np.diag(X.sum(axis=0))) / (10 * 9 * len(X))
    truth = corpus.topics @ corpus.correlation @ corpus.topics.T
    assert np.abs(pairs - truth).sum() < 0.02
    assert X.sum(axis=0) / X.sum() == pytest.approx(corpus.topics @ corpus.proportions, abs=0.005)


def test_imbalance_is_the_ratio_of_the_extreme_proportions():
    proportions = make_separable(**SMALL, imbalance=5.0).proportions
    assert proportions.max() / proportions.min() == pytest.approx(5.0)
    assert proportions.sum() == pytest.approx(1.0)


def test_neighbouring_topics_correlate_when_asked_to():
    apart, near = (
        make_separable(**SMALL, prior="logistic-normal", correlation=rho) for rho in (0.0, 0.9)
    )
    assert near.correlation[0, 1] > apart.correlation[0, 1]
    assert np.linalg.cond(near.correlation) > np.linalg.cond(apart.correlation)


def test_chunks_join_to_a_whole_corpus(monkeypatch):
    monkeypatch.setattr("pyunlearn.datasets.CHUNK_TOKENS", 700)
    corpus = make_separable(**SMALL)
    assert corpus.X.shape == (200, 40)
    assert (corpus.X.sum(axis=1) == 50).all()


def test_the_learner_finds_the_anchors_of_a_large_corpus():
    corpus = make_separable(30_000, 60, 3, p=0.2, concentration=0.2, length=30)
    model = AnchorTopicModel(3, anchor_min_df=0.1).fit(corpus.X)
    assert set(model.anchors_) == set(corpus.anchors.ravel())
    order = np.argsort(model.anchors_)[np.argsort(np.argsort(corpus.anchors.ravel()))]
    assert np.abs(model.components_[order].T - corpus.topics).max() < 0.01


@pytest.mark.parametrize(
    "change",
    [
        {"n_documents": 0},
        {"n_topics": 40},
        {"p": 1.0},
        {"p": 0.0},
        {"n_anchor": 0},
        {"imbalance": 0.5},
        {"prior": "uniform"},
        {"correlation": 1.0},
        {"length": 0},
        {"length": (5, 4)},
        {"concentration": -1.0},
    ],
)
def test_bad_parameters_are_refused(change):
    with pytest.raises(InvalidParameterError):
        make_separable(**{**SMALL, **change})
