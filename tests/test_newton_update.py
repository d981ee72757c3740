"""U_base: what the Newton update keeps, what it recomputes, where it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from pyunlearn import AnchorTopicModel, CooccurrenceStatistics, load
from pyunlearn._learners import learn
from pyunlearn._learners.anchor import AnchorSettings, AnchorTopics, recover
from pyunlearn._learners.anchor_newton import anchors_unchanged, newton_update
from pyunlearn._learners.anchor_search import anchor_gram
from pyunlearn.datasets import make_separable
from pyunlearn.errors import AnchorVanishedError

SETTINGS = AnchorSettings(n_topics=4, anchor_min_df=0.05)


@pytest.fixture(scope="module")
def corpus():
    return make_separable(2000, 60, 4, p=0.2, concentration=0.3, length=20).X


def relearn_with_anchors(topics: AnchorTopics, statistics) -> AnchorTopics:
    """The exact learner with the anchors of `topics`."""
    step = newton_update(topics, statistics, 1)
    word_topic, converged = np.zeros_like(step.word_topic), step.converged.copy()
    G = anchor_gram(step.gram, step.anchors)
    recover(step.settings, G, step.gram, step.words, False, word_topic, converged, 1)
    return replace(step, word_topic=word_topic, converged=converged, hashes=None)


def trained(X):
    statistics = CooccurrenceStatistics(X.shape[1]).add(X)
    return learn(statistics, SETTINGS), statistics


def test_the_update_is_a_function_of_statistics_and_anchors(corpus):
    topics, statistics = trained(corpus)
    statistics.remove(corpus[:50])
    retrained, _ = trained(corpus[50:])
    assert (retrained.anchors == topics.anchors).all()
    first, second = newton_update(topics, statistics), newton_update(retrained, statistics)
    assert first.word_topic == pytest.approx(second.word_topic, abs=1e-12)


def test_two_updates_are_one(corpus):
    topics, statistics = trained(corpus)
    halfway = newton_update(topics, statistics.remove(corpus[:30]))
    statistics.remove(corpus[30:60])
    assert newton_update(halfway, statistics).word_topic == pytest.approx(
        newton_update(topics, statistics).word_topic, abs=1e-12
    )


def test_gram_is_that_of_the_exact_learner_bit_for_bit(corpus):
    topics, statistics = trained(corpus)
    retrained, _ = trained(corpus[50:])
    updated = newton_update(topics, statistics.remove(corpus[:50]))
    for name in ("keep", "mass", "norms", "gram", "anchors"):
        assert (getattr(updated, name) == getattr(retrained, name)).all()


def test_the_step_is_near_the_exact_solution_but_is_not_it(corpus):
    topics, statistics = trained(corpus)
    statistics.remove(corpus[:50])
    A_newton = newton_update(topics, statistics).word_distributions().T
    A_exact = relearn_with_anchors(topics, statistics).word_distributions().T
    assert 0 < np.linalg.norm(A_newton - A_exact) < 0.1


def test_rows_are_distributions_and_anchors_are_vertices(corpus):
    topics, statistics = trained(corpus)
    updated = newton_update(topics, statistics.remove(corpus[:500]))
    assert (updated.word_topic >= 0).all()
    assert updated.word_topic[updated.words].sum(axis=1) == pytest.approx(1.0)
    assert updated.word_topic[updated.anchors] == pytest.approx(np.eye(4), abs=1e-10)


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_bits_do_not_depend_on_threads(corpus, n_jobs):
    topics, statistics = trained(corpus)
    statistics.remove(corpus[:50])
    alone, together = (newton_update(topics, statistics, jobs) for jobs in (1, n_jobs))
    assert (alone.word_topic == together.word_topic).all()


def test_words_without_documents_left_leave_the_topics(corpus):
    rare = np.zeros((1, corpus.shape[1]), np.int64)
    absent = np.flatnonzero(corpus.sum(axis=0) == 0)
    rare[0, :3] = 2
    narrow = corpus.toarray()
    narrow[:, 0] = 0
    topics, statistics = trained(np.vstack([narrow, rare]))
    updated = newton_update(topics, statistics.remove(rare))
    assert (updated.word_topic[[0, *absent]] == 0).all()


def test_an_anchor_that_vanishes_is_refused_and_names_the_exact_mode(corpus):
    topics, statistics = trained(corpus)
    anchor = int(topics.anchors[1])
    holding = np.flatnonzero(corpus[:, [anchor]].toarray().ravel())
    statistics.remove(corpus[holding])
    with pytest.raises(AnchorVanishedError, match=rf"word {anchor} .*mode='exact'"):
        newton_update(topics, statistics)


def test_dependent_anchor_rows_are_refused():
    # After the removal the two anchors only ever stand beside each other's companions.
    twin = np.array([[1, 0, 2, 2], [0, 1, 2, 2]])
    apart = np.array([[3, 0, 1, 0], [0, 3, 0, 1]])
    statistics = CooccurrenceStatistics(4).add(np.vstack([twin, apart]))
    topics = learn(statistics, AnchorSettings(n_topics=2, anchor_min_df=1))
    forced = newton_update(topics, statistics)
    object.__setattr__(forced, "anchors", np.array([0, 1], np.int32))
    with pytest.raises(AnchorVanishedError, match="combination"):
        newton_update(forced, statistics.remove(apart))


def test_learning_anew_after_a_newton_update_gives_the_exact_digest(corpus):
    model = AnchorTopicModel(4, anchor_min_df=0.05).fit(corpus)
    model.statistics_.remove(corpus[:50])
    model.topics_ = newton_update(model.topics_, model.statistics_)
    model.take_as_learned()
    exact = AnchorTopicModel(4, anchor_min_df=0.05).fit(corpus[50:])
    assert model.topics_.newton
    assert model.digest() != exact.digest()
    assert model.fit_statistics(model.statistics_).digest() == exact.digest()


def test_the_mark_of_a_newton_step_survives_saving(corpus, tmp_path):
    model = AnchorTopicModel(4, anchor_min_df=0.05).fit(corpus)
    assert not model.topics_.newton
    model.topics_ = newton_update(model.topics_, model.statistics_)
    model.take_as_learned()
    model.save(tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").topics_.newton


def test_whether_retraining_would_choose_the_same_anchors_is_told(corpus):
    topics, statistics = trained(corpus)
    assert anchors_unchanged(topics, statistics)
    anchor = int(topics.anchors[0])
    holding = np.flatnonzero(corpus[:, [anchor]].toarray().ravel())
    assert not anchors_unchanged(topics, statistics.remove(corpus[holding[1:]]))
