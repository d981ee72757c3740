"""The index of topic proportions: what is near, what is refused, and deletion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine, jensenshannon
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tasks import base, corpus

from pyunlearn import LinearHeadClassifier, TopicModel, TopicRetriever
from pyunlearn._similarity import top_of_rows
from pyunlearn.errors import (
    DuplicateDocumentError,
    InvalidInputError,
    InvalidParameterError,
    StaleHeadError,
    StaleHeadWarning,
    UnknownDocumentError,
)

COUNTS, LABELS = corpus()
NAMES = np.array([f"d{row:02}" + "x" * (row % 5) for row in range(80)])


def index(**parameters):
    return TopicRetriever(base(COUNTS), **parameters).fit(COUNTS, ids=NAMES)


@given(st.integers(1, 6), st.integers(1, 30), st.integers(0, 99), st.data())
@settings(max_examples=200)
def test_the_top_is_that_of_a_stable_sort(q, m, seed, data):
    n = data.draw(st.integers(0, m))
    scores = np.random.default_rng(seed).integers(0, 4, (q, m)).astype(float)
    rows, best = top_of_rows(scores, n)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :n]
    assert rows.tolist() == expected.tolist()
    assert best.tolist() == np.take_along_axis(scores, expected, axis=1).tolist()


@pytest.mark.parametrize("similarity", ["cosine", "jensen-shannon"])
def test_scores_are_the_similarities_of_topic_proportions(similarity, monkeypatch):
    monkeypatch.setattr("pyunlearn._similarity.BLOCK_ENTRIES", 50)
    found = index(similarity=similarity)
    ids, scores = found.query(COUNTS[:4], 80)
    theta = found.model_.transform(COUNTS)
    for query in range(4):
        for name, score in zip(ids[query], scores[query], strict=True):
            other = theta[NAMES.tolist().index(name)]
            if similarity == "cosine":
                expected = 1 - cosine(theta[query], other)
            else:
                expected = 1 - jensenshannon(theta[query], other, base=2) ** 2
            assert score == pytest.approx(expected, abs=1e-7)
    assert (np.diff(scores, axis=1) <= 0).all()


def test_a_document_is_not_among_those_like_it():
    found = index()
    ids, scores = found.similar(["d03xxx", "d04xxxx"], 79)
    assert "d03xxx" not in ids[0]
    assert "d03xxx" in ids[1]
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("features", ["linear", "proportions"])
def test_a_head_ranks_by_its_scores(features):
    found = index()
    head = LinearHeadClassifier(found.model_, features=features).fit(COUNTS, LABELS)
    ids, scores = found.rank(head, label=2, n=5)
    by_head = head.decision_function(COUNTS)[:, 2]
    order = np.argsort(-by_head, kind="stable")[:5]
    np.testing.assert_allclose(scores, by_head[order], atol=1e-10)
    assert ids.tolist() == NAMES[order].tolist()


def test_a_head_of_two_classes_ranks_either():
    found = index()
    head = LinearHeadClassifier(found.model_).fit(COUNTS, LABELS == 1)
    best, worst = found.rank(head, n=80), found.rank(head, label=False, n=80)
    np.testing.assert_allclose(best[1], -worst[1][::-1])


@pytest.mark.parametrize("learner", ["anchor", "factor"])
@given(st.lists(st.integers(0, 79), unique=True, min_size=1, max_size=30), st.integers(0, 40))
@settings(max_examples=20)
def test_no_history_leaves_a_trace(learner, forget, again):
    left = np.setdiff1d(np.arange(80), forget)
    found = TopicRetriever(base(COUNTS, learner)).fit(COUNTS, ids=NAMES).forget(NAMES[forget])
    assert (
        found.digest() == TopicRetriever(found.model_).fit(COUNTS[left], ids=NAMES[left]).digest()
    )
    back = forget[: again % (len(forget) + 1)]
    if back:
        found.add(COUNTS[back], NAMES[back])
        left = np.concatenate([left, back])
    found.model_.forget(COUNTS[forget])
    found.refresh()
    once = base(np.delete(COUNTS, forget, axis=0), learner)
    assert found.digest() == TopicRetriever(once).fit(COUNTS[left], ids=NAMES[left]).digest()


def test_a_forgotten_document_is_never_found():
    found = index().forget(NAMES[:40])
    ids, _ = found.query(COUNTS[:40], 40)
    assert not set(ids.ravel()) & set(NAMES[:40])


def test_a_stale_index_refuses_or_warns():
    found = index()
    found.model_.forget(COUNTS[:3])
    for call in (
        lambda: found.query(COUNTS[:1]),
        lambda: found.similar("d05"),
        lambda: found.add(COUNTS[:1], ["new"]),
    ):
        with pytest.raises(StaleHeadError, match="refresh"):
            call()
    found.set_params(on_stale="warn")
    with pytest.warns(StaleHeadWarning):
        found.query(COUNTS[:1])


def test_refusals_change_nothing():
    found = index()
    before = found.digest()
    for error, call in (
        (UnknownDocumentError, lambda: found.forget(["d05", "nobody"])),
        (UnknownDocumentError, lambda: found.similar([5])),
        (DuplicateDocumentError, lambda: found.forget(["d05", "d05"])),
        (DuplicateDocumentError, lambda: found.add(COUNTS[:1], ["d05"])),
        (DuplicateDocumentError, lambda: found.add(COUNTS[:2], ["n", "n"])),
        (InvalidInputError, lambda: found.add(COUNTS[:2], ["n"])),
        (InvalidInputError, lambda: found.add(COUNTS[:1], [7])),
        (InvalidInputError, lambda: found.add(COUNTS[:1], [None])),
        (InvalidInputError, lambda: found.forget([])),
        (InvalidInputError, lambda: found.query(COUNTS[:, :-1])),
        (InvalidInputError, lambda: found.fit(COUNTS[:, :-1])),
        (InvalidParameterError, lambda: found.query(COUNTS, 0)),
        (
            InvalidParameterError,
            lambda: found.rank(LinearHeadClassifier(base(COUNTS)).fit(COUNTS, LABELS)),
        ),
        (InvalidParameterError, lambda: found.rank(_head(found), label="x")),
        (InvalidParameterError, lambda: found.rank(_head(found))),
    ):
        with pytest.raises(error):
            call()
        assert found.digest() == before


def _head(found):
    return LinearHeadClassifier(found.model_).fit(COUNTS, LABELS)


def test_parameters_are_checked_and_clones_share_the_base():
    with pytest.raises(InvalidParameterError):
        TopicRetriever(base(COUNTS), similarity="dot").fit(COUNTS)
    with pytest.raises(InvalidParameterError):
        TopicRetriever(LinearHeadClassifier(base(COUNTS))).fit(COUNTS)
    with pytest.raises(NotFittedError):
        TopicRetriever(TopicModel()).fit(COUNTS)
    found = index()
    assert clone(found).model is found.model
    with pytest.raises(NotFittedError):
        found.forget(NAMES).query(COUNTS)
