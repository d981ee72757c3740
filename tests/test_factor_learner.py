"""The learner of TopicModel: what it says, what it finds, what deletion leaves."""

import numpy as np
import pytest
from core.reference_factor import factor_topics
from hard_corpora import (
    as_allowed,
    assert_same_model,
    fewer_topics_allowed,
    learner_parameters,
    pools,
    trained_once,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from models import new_model

from pyunlearn import CooccurrenceStatistics, TopicModel, load
from pyunlearn._learners import learn
from pyunlearn._learners.anchor import AnchorSettings
from pyunlearn._learners.factor import FactorSettings
from pyunlearn.datasets import make_separable
from pyunlearn.errors import InvalidParameterError, TooFewAnchorsError
from pyunlearn.privacy import release

factor = learner_parameters().map(lambda chosen: as_allowed(chosen | {"learner": "factor"}))


@pytest.fixture(scope="module")
def corpus():
    return make_separable(3000, 120, 6, n_anchor=5, p=0.05, concentration=0.1)


@settings(max_examples=150)
@given(pools(30, 40), factor)
def test_everything_learned_is_what_it_says(pool, parameters):
    model = trained_once(parameters, pool.counts, pool.lengths)
    found = model.topics_
    assert found.n_topics <= parameters["n_topics"]
    assert len(set(found.representatives.tolist())) == found.n_topics
    assert set(found.representatives.tolist()) <= set(found.core.tolist()) <= set(found.words)
    assert (found.word_topic >= 0).all()
    assert (found.topical >= 0).all()
    assert not found.topical[found.mass == 0].any()
    np.testing.assert_allclose(found.word_topic.sum(axis=1), found.topical > 0, atol=1e-12)
    if found.n_topics:
        np.testing.assert_allclose(model.components_.sum(axis=1), 1.0, atol=1e-12)
        np.testing.assert_allclose(model.topic_proportions_.sum(), 1.0, atol=1e-12)


@settings(max_examples=100)
@given(pools(24, 40), factor, st.data())
def test_deletion_leaves_the_model_of_what_remains(pool, parameters, data):
    m = len(pool.counts)
    gone = data.draw(st.sets(st.integers(0, m - 1), min_size=1))
    left = [document for document in range(m) if document not in gone]
    model = trained_once(parameters, pool.counts, pool.lengths)
    with fewer_topics_allowed():
        model.forget(pool.counts[list(gone)], pool.lengths[list(gone)])
    assert_same_model(model, trained_once(parameters, pool.counts[left], pool.lengths[left]))


@pytest.mark.parametrize("background", [0.0, 0.5])
@pytest.mark.parametrize("n_topics", [3, 6, 11])
def test_the_learner_equals_its_twin_in_plain_numpy(corpus, background, n_topics):
    frequent = int(np.median((corpus.X > 0).sum(axis=0)))
    model = TopicModel(
        n_topics, background=background, core_min_df=frequent, n_updates=9, contexts="all"
    ).fit(corpus.X)
    core = model.topics_.core
    assert n_topics < len(core) < corpus.X.shape[1]
    K = model.statistics_.to_csr().toarray().astype(float)
    expected = factor_topics(K, core, n_topics, background, 9)
    np.testing.assert_allclose(model.components_.T, expected, atol=2e-6)


@pytest.mark.parametrize("background", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("n_updates", [1, 20, 500, 3000])
def test_topics_that_die_out_are_left_out(background, n_updates):
    # Two groups of words that never meet, and nothing else: more topics have nothing to fit.
    counts = np.zeros((60, 8), np.int64)
    counts[:30, :4] = np.random.default_rng(0).integers(1, 4, (30, 4))
    counts[30:, 4:] = np.random.default_rng(1).integers(1, 4, (30, 4))
    statistics = CooccurrenceStatistics(8, weighting="token").add(counts)
    settings = FactorSettings(n_topics=7, core_min_df=1, background=background, n_updates=n_updates)
    found = learn(statistics, settings)
    assert np.isfinite(found.word_topic).all()
    assert (found.proportions() > 1e-9).all()


@pytest.mark.parametrize("r", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_topics_that_share_no_word_are_all_found(r, seed):
    rng = np.random.default_rng(seed)
    theme = rng.integers(0, r, 60 * r)
    counts = np.zeros((60 * r, 5 * r), np.int64)
    for document, topic in enumerate(theme):
        counts[document, 5 * topic : 5 * topic + 5] = rng.poisson(2.0, 5)
    components = TopicModel(r, core_min_df=1).fit(counts).components_
    owner = components.reshape(r, r, 5).sum(axis=2)
    np.testing.assert_allclose(np.sort(owner, axis=1)[:, -1], 1.0, atol=1e-9)
    assert sorted(owner.argmax(axis=1)) == list(range(r))


def test_the_correlation_of_topics_counts_masses_beyond_64_bits(corpus):
    statistics = CooccurrenceStatistics(120, weighting="token").add(corpus.X)
    once = TopicModel(6).fit_statistics(statistics.copy())
    while 2 * int(statistics.word_mass.max()) < 2**62:
        statistics.merge(statistics.copy())
    many = TopicModel(6, core_min_df=1).fit_statistics(statistics)
    assert sum(statistics.word_mass.tolist()) > 2**63
    assert many.topic_correlation_.sum() == pytest.approx(once.topic_correlation_.sum(), rel=0.2)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_no_bit(corpus, threads):
    one = TopicModel(6, n_jobs=1).fit(corpus.X)
    assert_same_model(one, TopicModel(6, n_jobs=threads).fit(corpus.X))


def test_the_order_of_documents_changes_no_bit(corpus):
    model = TopicModel(6).fit(corpus.X)
    turned = TopicModel(6).fit(corpus.X[::-1])
    assert_same_model(model, turned)


def test_topics_that_are_there_are_found(corpus):
    model = TopicModel(6, background=0.0).fit(corpus.X)
    overlap = np.minimum(model.components_[:, None], corpus.topics.T[None]).sum(axis=2)
    assert sorted(overlap.argmax(axis=1)) == list(range(6))
    assert overlap.max(axis=1).min() > 0.6


def test_a_deletion_keeps_the_topics(corpus):
    model = TopicModel(6).fit(corpus.X)
    before = model.components_
    model.forget(corpus.X[:20])
    overlap = np.minimum(before[:, None], model.components_[None]).sum(axis=2)
    assert sorted(overlap.argmax(axis=1)) == list(range(6))
    assert overlap.max(axis=1).min() > 0.9


def test_the_numbering_of_words_does_not_matter(corpus):
    order = np.random.default_rng(0).permutation(corpus.X.shape[1])
    model = TopicModel(6).fit(corpus.X)
    renumbered = TopicModel(6).fit(corpus.X.toarray()[:, order])
    assert order[renumbered.representatives_].tolist() == model.representatives_.tolist()
    np.testing.assert_allclose(renumbered.components_, model.components_[:, order], atol=5e-6)


def test_a_saved_model_is_the_same_model(corpus, tmp_path):
    model = TopicModel(6).fit(corpus.X)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.digest() == model.digest()
    assert again.components_.tobytes() == model.components_.tobytes()


def test_settings_of_the_learner_are_part_of_the_digest(corpus):
    digests = {
        TopicModel(6, **other).fit(corpus.X).digest()
        for other in ({}, {"background": 0.6}, {"n_updates": 31}, {"core_min_df": 2})
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"core_min_df": 0},
        {"core_min_df": 1.5},
        {"background": -0.1},
        {"background": 2.1},
        {"background": np.nan},
        {"background": "none"},
        {"n_updates": 0},
        {"n_updates": 2.5},
    ],
)
def test_settings_out_of_range_are_refused(corpus, wrong):
    with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
        TopicModel(6, **wrong).fit(corpus.X)


@pytest.mark.parametrize("of_anchor", ["solver", "anchor_cleanup", "anchor_min_df", "learner"])
def test_the_model_has_no_parameter_of_the_other_learner(of_anchor):
    with pytest.raises(TypeError, match=of_anchor):
        TopicModel(6, **{of_anchor: 1})


def test_more_topics_than_words_are_refused():
    counts = np.random.default_rng(0).poisson(1.0, (30, 5))
    with pytest.raises(TooFewAnchorsError, match="5 words decide the topics"):
        TopicModel(6).fit(counts)


def test_newton_mode_and_releases_are_refused_and_change_nothing(corpus):
    model = TopicModel(6).fit(corpus.X)
    before = model.digest()
    with pytest.raises(InvalidParameterError, match="AnchorTopicModel"):
        model.forget(corpus.X[:1], mode="newton")
    with pytest.raises(InvalidParameterError, match="AnchorTopicModel"):
        release(model, 1.0, 1e-6, capacity=1, seed=0)
    assert model.digest() == before


@pytest.mark.parametrize(
    ("settings", "m", "documents"),
    [
        (AnchorSettings(), 2000, 20),
        (AnchorSettings(), 100, 1),
        (FactorSettings(), 2000, 27),
        (FactorSettings(), 10_000, 60),
        (FactorSettings(), 1_000_000, 6000),
    ],
)
def test_default_thresholds_are_those_of_the_learner(settings, m, documents):
    assert settings.word_threshold(m) == documents


def test_a_share_of_the_documents_is_not_rounded_up_by_its_binary_form():
    for share, m, documents in ((0.07, 100, 7), (0.29, 100, 29), (0.071, 100, 8), (1.0, 3, 3)):
        for chosen in (AnchorSettings(anchor_min_df=share), FactorSettings(core_min_df=share)):
            assert chosen.word_threshold(m) == documents


def test_large_corpora_in_copies_have_the_same_topics(corpus):
    once = CooccurrenceStatistics(120, weighting="token")
    for _ in range(4):
        once.add(corpus.X)
    twice = once.copy().merge(once)
    assert once.n_documents > 10_000
    small, large = (TopicModel(6).fit_statistics(one) for one in (once, twice))
    assert small.topics_.core.tolist() == large.topics_.core.tolist()
    np.testing.assert_allclose(small.components_, large.components_, atol=5e-6)


def test_the_default_weighting_is_that_of_the_learner_or_of_the_statistics(corpus):
    for learner, weighting in (("anchor", "document"), ("factor", "token")):
        assert new_model(2, learner=learner).fit(corpus.X).statistics_.weighting == weighting
    statistics = CooccurrenceStatistics(120).add(corpus.X)
    assert TopicModel(2).fit_statistics(statistics).statistics_.weighting == "document"
    with pytest.raises(InvalidParameterError, match="give both the same"):
        TopicModel(2, weighting="token").fit_statistics(statistics)
