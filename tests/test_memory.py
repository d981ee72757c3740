"""The law reaches memory: arrays and pickles after a deletion are those of what remains."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
from hard_corpora import assert_same_model, fewer_topics_allowed, learner_parameters, pools
from hypothesis import given, settings
from hypothesis import strategies as st
from models import LEARNERS, new_model

from pyunlearn import CooccurrenceStatistics

COUNTS = np.random.default_rng(0).poisson(0.5, (60, 24))


def dumped(value):
    """The bytes of a joblib dump."""
    file = io.BytesIO()
    joblib.dump(value, file)
    return file.getvalue()


def room(statistics):
    """Mask of the places in the arrays that no row owns."""
    start, length, indices, _ = statistics.rows.arrays
    free = np.ones(len(indices), bool)
    for first, size in zip(start.tolist(), length.tolist(), strict=True):
        free[first : first + size] = False
    return free


@settings(max_examples=60)
@given(pools(16, 30), st.lists(st.integers(0, 15), max_size=24))
def test_no_place_that_a_row_gave_up_holds_an_entry(pool, toggled):
    m = len(pool.counts)
    statistics = CooccurrenceStatistics(pool.counts.shape[1])
    held = set()
    for document in (one % m for one in toggled):
        row = pool.counts[[document]], pool.lengths[[document]]
        if document in held:
            statistics.remove(*row)
        else:
            statistics.add(*row)
        held ^= {document}
        _, _, indices, values = statistics.rows.arrays
        free = room(statistics)
        assert not indices[free].any()
        assert not values[free].any()


@settings(max_examples=40)
@given(pools(12, 20), st.data())
def test_pickles_of_equal_statistics_are_equal(pool, data):
    gone = data.draw(st.sets(st.integers(0, len(pool.counts) - 1)))
    left = [one for one in range(len(pool.counts)) if one not in gone]
    n_words = pool.counts.shape[1]
    history = CooccurrenceStatistics(n_words)
    for document in range(len(pool.counts)):
        history.add(pool.counts[[document]], pool.lengths[[document]])
    if gone:
        history.remove(pool.counts[list(gone)], pool.lengths[list(gone)])
    once = CooccurrenceStatistics(n_words)
    if left:
        once.add(pool.counts[left], pool.lengths[left])
    assert pickle.dumps(history) == pickle.dumps(once)
    assert dumped(history) == dumped(once)
    for twin in (pickle.loads(pickle.dumps(history)), copy.deepcopy(history)):  # noqa: S301
        assert twin.digest() == once.digest()
        if left:
            assert twin.remove(pool.counts[left], pool.lengths[left]).n_documents == 0


@settings(max_examples=25)
@given(pools(16, 24), learner_parameters(), st.data())
def test_pickles_of_equal_models_are_equal(pool, parameters, data):
    gone = data.draw(st.sets(st.integers(0, len(pool.counts) - 1), min_size=1))
    left = [one for one in range(len(pool.counts)) if one not in gone]
    if not left:
        return
    with fewer_topics_allowed():
        model = new_model(**parameters)
        model.partial_fit(pool.counts, lengths=pool.lengths).digest()
        model.forget(pool.counts[list(gone)], pool.lengths[list(gone)])
        once = new_model(**parameters)
        once.partial_fit(pool.counts[left], lengths=pool.lengths[left])
        assert pickle.dumps(model) == pickle.dumps(once)
        twin = pickle.loads(pickle.dumps(model))  # noqa: S301
        assert_same_model(twin, once)
        twin.partial_fit(pool.counts[list(gone)], lengths=pool.lengths[list(gone)])
        once.partial_fit(pool.counts[list(gone)], lengths=pool.lengths[list(gone)])
        assert_same_model(twin, once)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_pickled_model_that_waits_still_waits(learner):
    model = new_model(4, learner=learner, word_min_df=2).fit(COUNTS)
    model.forget(COUNTS[:5], refresh="later")
    twin = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert twin.is_stale()
    assert twin.refresh().n_documents_removed == model.refresh().n_documents_removed == 5
    assert_same_model(twin, model)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_shallow_copy_has_the_same_topics(learner):
    model = new_model(4, learner=learner, word_min_df=2).fit(COUNTS)
    model.forget(COUNTS[:5])
    twin = copy.copy(model)
    assert not twin.is_stale()
    assert twin.digest() == model.digest()
