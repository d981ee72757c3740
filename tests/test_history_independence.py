"""The law of the house: no history of additions and deletions leaves a trace."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hard_corpora import (
    KINDS,
    assert_same_model,
    fewer_topics_allowed,
    learner_parameters,
    make_pool,
    pools,
    trained_once,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from models import new_model

from pyunlearn import CooccurrenceStatistics, TopicModel, load
from pyunlearn.errors import NotInModelError

PROFILE = settings().max_examples  # 100, or what --hypothesis-profile says
LEARNERS = {
    "anchor": {"learner": "anchor"},
    "anchor, cleaned up": {"learner": "anchor", "anchor_cleanup": True},
    "factor": {"learner": "factor"},
}
CHOICES = st.lists(st.integers(0, 10**6), min_size=1, max_size=8)


class Histories(RuleBasedStateMachine):
    """Any sequence of steps; after each, the model is the one trained once on what remains."""

    @initialize(pool=pools(), parameters=learner_parameters(), first=CHOICES)
    def train(self, pool, parameters, first):
        self.pool, self.parameters = pool, parameters
        self.model = new_model(**parameters)
        self.present: list[int] = []
        self.add(first)

    def counts(self, documents):
        return self.pool.counts[documents], self.pool.lengths[documents]

    @rule(choices=CHOICES)
    def add(self, choices):
        documents = [choice % len(self.pool.counts) for choice in choices]
        counts, lengths = self.counts(documents)
        with fewer_topics_allowed():
            self.model.partial_fit(counts, lengths=lengths)
        self.present += documents

    @precondition(lambda self: self.present)
    @rule(choices=CHOICES)
    def unlearn(self, choices):
        places = sorted({choice % len(self.present) for choice in choices}, reverse=True)
        self.forget([self.present.pop(place) for place in places])

    @precondition(lambda self: self.present)
    @rule()
    def unlearn_everything(self):
        self.forget(self.present)
        self.present = []

    @precondition(lambda self: self.present)
    @rule(choices=CHOICES, other=CHOICES)
    def unlearn_twice_and_refresh(self, choices, other):
        for part in (choices, other):
            places = sorted({choice % len(self.present) for choice in part}, reverse=True)
            counts, lengths = self.counts([self.present.pop(place) for place in places])
            self.model.forget(counts, lengths, refresh="later")
            if not self.present:
                break
        with fewer_topics_allowed():
            self.model.refresh()

    def forget(self, documents):
        counts, lengths = self.counts(documents)
        with fewer_topics_allowed():
            certificate = self.model.forget(counts, lengths=lengths)
        assert self.model.confirms(certificate)

    @rule(choices=CHOICES)
    def merge(self, choices):
        documents = [choice % len(self.pool.counts) for choice in choices]
        statistics = self.model.statistics_
        other = CooccurrenceStatistics(
            statistics.n_words, statistics.scale_bits, statistics.weighting, statistics.contexts
        )
        statistics.merge(other.add(*self.counts(documents)))
        self.present += documents
        with fewer_topics_allowed():
            self.model.refresh()

    @rule()
    def refused_deletion(self):
        before = self.model.digest()
        with pytest.raises(NotInModelError):
            self.model.forget(np.ones((len(self.present) + 1, self.pool.counts.shape[1]), np.int64))
        assert self.model.digest() == before

    @rule()
    def save_and_load(self):
        with tempfile.TemporaryDirectory() as folder:
            path, twin_path = Path(folder) / "model", Path(folder) / "twin"
            self.model.save(path)
            self.trained_once().save(twin_path)
            assert path.read_bytes() == twin_path.read_bytes()
            self.model = load(path, n_jobs=self.parameters["n_jobs"])

    def trained_once(self):
        return trained_once(self.parameters, *self.counts(self.present))

    @invariant()
    def equals_the_model_trained_once(self):
        assert_same_model(self.model, self.trained_once())


Histories.TestCase.settings = settings(max_examples=4 * PROFILE, stateful_step_count=12)
TestHistories = Histories.TestCase


@settings(max_examples=8 * PROFILE)
@given(pools(24, 40), learner_parameters(), st.data())
def test_unlearning_equals_fitting_without(pool, parameters, data):
    m = len(pool.counts)
    forget = data.draw(st.lists(st.integers(0, m - 1), unique=True, min_size=1))
    remain = np.setdiff1d(np.arange(m), forget)
    with fewer_topics_allowed():
        model = new_model(**parameters).partial_fit(pool.counts, lengths=pool.lengths)
        model.forget(pool.counts[forget], pool.lengths[forget])
    assert_same_model(model, trained_once(parameters, pool.counts[remain], pool.lengths[remain]))


@settings(max_examples=2 * PROFILE)
@given(pools(24, 30), learner_parameters(("eg",)), st.data())
def test_the_law_holds_for_exponentiated_gradient(pool, parameters, data):
    m = len(pool.counts)
    forget = data.draw(st.lists(st.integers(0, m - 1), unique=True, min_size=1))
    remain = np.setdiff1d(np.arange(m), forget)
    with fewer_topics_allowed():
        model = new_model(**parameters).partial_fit(pool.counts, lengths=pool.lengths)
        model.forget(pool.counts[forget], pool.lengths[forget])
    assert_same_model(model, trained_once(parameters, pool.counts[remain], pool.lengths[remain]))


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("min_df", [1, 3])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_documents_leave_one_at_a_time(kind, min_df, learner):
    pool = make_pool(kind, 5, 60, 45)
    parameters = {
        "n_topics": 6,
        "word_min_df": 0.05,
        "min_df": min_df,
        "n_jobs": 1,
        **LEARNERS[learner],
    }
    with fewer_topics_allowed():
        model = new_model(**parameters).partial_fit(pool.counts, lengths=pool.lengths)
        for first in range(0, 60, 3):
            model.forget(pool.counts[first : first + 3], pool.lengths[first : first + 3])
            left = trained_once(parameters, pool.counts[first + 3 :], pool.lengths[first + 3 :])
            assert_same_model(model, left)
    assert model.statistics_.n_documents == model.n_topics_ == 0


def zipf_corpus(seed, m=300, n=200, topics=8):
    """Counts with frequent and rare words, so that deletions touch few anchors."""
    rng = np.random.default_rng(seed)
    words = rng.dirichlet(np.full(n, 0.05), topics)
    proportions = rng.dirichlet(np.full(topics, 0.2), m)
    return np.array([rng.multinomial(40, row @ words) for row in proportions])


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("seed", range(4))
def test_single_deletions_and_additions_in_a_larger_corpus(seed, learner):
    counts = zipf_corpus(seed)
    parameters = {"n_topics": 8, "word_min_df": 0.02, "n_jobs": 1, **LEARNERS[learner]}
    model = new_model(**parameters).fit(counts)
    gone: list[int] = []
    for document in np.random.default_rng(seed).permutation(300)[:15]:
        model.forget(counts[[document]])
        gone.append(int(document))
        assert_same_model(model, trained_once(parameters, np.delete(counts, gone, axis=0), None))
    for _ in range(10):
        model.partial_fit(counts[[gone.pop()]])
        assert_same_model(model, trained_once(parameters, np.delete(counts, gone, axis=0), None))


@pytest.mark.parametrize("learner", ["anchor", "factor"])
def test_a_vanished_anchor_word_leaves_no_trace(learner):
    counts = zipf_corpus(9)
    parameters = {"n_topics": 6, "word_min_df": 0.02, "learner": learner}
    model = new_model(**parameters).fit(counts)
    for _ in range(6):
        anchor = model.topics_.representatives[0]
        holders = np.flatnonzero(counts[:, anchor])
        model.forget(counts[holders])
        counts = np.delete(counts, holders, axis=0)
        assert model.statistics_.document_frequency[anchor] == 0
        assert not model.word_topic_[anchor].any()
        assert_same_model(model, trained_once(parameters, counts, None))


@pytest.mark.parametrize("learner", ["anchor", "factor"])
def test_words_cross_min_df_in_both_directions(learner):
    counts = zipf_corpus(11, m=80, n=60)
    parameters = {"n_topics": 4, "word_min_df": 2, "min_df": 5, "learner": learner}
    model = new_model(**parameters).fit(counts)
    kept = model.topics_.mass > 0
    model.forget(counts[:30])
    assert kept.sum() > (model.topics_.mass > 0).sum()
    assert_same_model(model, trained_once(parameters, counts[30:], None))
    model.partial_fit(counts[:30])
    assert ((model.topics_.mass > 0) == kept).all()
    assert_same_model(model, trained_once(parameters, counts, None))


def test_fit_on_the_remaining_documents_gives_the_same_digest():
    counts = zipf_corpus(12)
    model = TopicModel(n_topics=8).fit(counts)
    certificate = model.forget(counts[::7])
    fresh = TopicModel(n_topics=8).fit(np.delete(counts, np.s_[::7], axis=0))
    assert model.digest() == fresh.digest()
    assert model.confirms(certificate)
    assert_same_model(model, fresh)


def test_a_loaded_model_unlearns_like_the_one_that_was_saved(tmp_path):
    counts = zipf_corpus(13)
    TopicModel(n_topics=8).fit(counts).save(tmp_path / "model")
    model = load(tmp_path / "model")
    model.forget(counts[:5])
    assert_same_model(model, TopicModel(n_topics=8).fit(counts[5:]))


def test_deletion_never_reads_the_corpus():
    counts = zipf_corpus(14)
    forget, remain = counts[:10].copy(), counts[10:].copy()
    model = TopicModel(n_topics=8).fit(counts)
    counts[:] = -1
    del counts
    model.forget(forget)
    assert_same_model(model, TopicModel(n_topics=8).fit(remain))
