"""The law reaches memory: arrays and pickles after a deletion are those of what remains."""

import copy
import io
import pickle
import weakref

import joblib
import numpy as np
import pytest
from hard_corpora import assert_same_model, fewer_topics_allowed, learner_parameters, pools
from hypothesis import given, settings
from hypothesis import strategies as st
from models import LEARNERS, new_model

from pyunlearn import (
    CooccurrenceStatistics,
    LinearHeadClassifier,
    LinearHeadRegressor,
    TopicRetriever,
)

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
        assert pickle.dumps(twin) == pickle.dumps(once)
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


def headed(model, counts, labels, values, rows):
    """Heads of each kind and an index over documents with the numbers `rows`."""
    documents, names = counts[rows], [f"d{row}" for row in rows]
    return [
        LinearHeadClassifier(model, n_jobs=1).fit(documents, labels[rows]),
        LinearHeadClassifier(model, loss="squared", n_jobs=1).fit(documents, labels[rows]),
        LinearHeadRegressor(model, n_jobs=1).fit(documents, values[rows]),
        TopicRetriever(model).fit(documents, names),
    ]


@settings(max_examples=10)
@given(st.data())
def test_pickles_of_equal_heads_and_indexes_are_equal(data):
    labels = np.array(["left", "right", "up"])[COUNTS.sum(axis=1) % 3]
    values = COUNTS[:, :2].astype(float)
    gone = data.draw(st.lists(st.integers(0, 59), min_size=1, max_size=40, unique=True))
    left = [row for row in range(60) if row not in set(gone)]
    learner = data.draw(st.sampled_from(LEARNERS))
    refresh = data.draw(st.sampled_from(["now", "later"]))
    with fewer_topics_allowed():
        model = new_model(3, learner=learner, word_min_df=2, n_jobs=1).fit(COUNTS)
        history = headed(model, COUNTS, labels, values, list(range(60)))
        model.forget(COUNTS[gone], refresh=refresh)
        if refresh == "later":
            model.refresh()
        for head, y in zip(history, (labels, labels, values), strict=False):
            head.forget(COUNTS[gone], y[gone])
        history[3].refresh().forget([f"d{row}" for row in gone])
        once = new_model(3, learner=learner, word_min_df=2, n_jobs=1).partial_fit(COUNTS[left])
    for one, other in zip(history, headed(once, COUNTS, labels, values, left), strict=True):
        assert one.digest() == other.digest()
        assert pickle.dumps(one) == pickle.dumps(other)
        assert dumped(one) == dumped(other)
        assert pickle.dumps(copy.deepcopy(one)) == pickle.dumps(other)
        twin = pickle.loads(pickle.dumps(one))  # noqa: S301
        assert twin.digest() == other.digest()
        assert twin.is_fresh()
        assert pickle.dumps(twin) == pickle.dumps(other)


@pytest.mark.parametrize("learner", LEARNERS)
def test_nothing_of_former_topics_is_kept_while_deletions_wait(learner):
    model = new_model(4, learner=learner, word_min_df=2).fit(COUNTS)
    former = [model.topics_.word_topic, model.topics_.mass]
    model.forget(COUNTS[:5], refresh="later")
    kept = pickle.dumps(model)
    assert all(array.tobytes() not in kept for array in former)
    other = new_model(4, learner=learner, word_min_df=2)
    other.partial_fit(COUNTS[5:], refresh="later")._waiting = 5
    assert kept == pickle.dumps(other)
    gone = [weakref.ref(array) for array in former]
    del former
    assert all(array() is None for array in gone)
