"""Deletions with refresh="later": clean statistics at once, one refresh for several requests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import LEARNERS, new_model
from tasks import corpus

from pyunlearn import LinearHeadClassifier, TopicRetriever
from pyunlearn.errors import InvalidParameterError, NotInModelError, StaleHeadError, StaleModelError
from pyunlearn.privacy import release


def fitted(counts, learner="anchor"):
    return new_model(3, learner=learner, word_min_df=2, n_jobs=1).fit(counts)


@pytest.mark.parametrize("learner", LEARNERS)
@given(cuts=st.lists(st.integers(0, 30), max_size=3), now_in_between=st.booleans())
@settings(max_examples=15)
def test_a_refresh_ends_in_the_model_that_never_saw_the_documents(learner, cuts, now_in_between):
    counts, _ = corpus(2)
    model = fitted(counts, learner)
    edges = [0, *sorted(cuts), 40]
    for start, end in itertools.pairwise(edges):
        if start < end:
            model.forget(counts[start:end], refresh="later")
    if now_in_between:
        ended = model.forget(counts[40:45])
        assert (ended.n_documents_removed, ended.n_documents_left) == (45, 35)
        assert ended.model_before is None
    certificate = model.refresh()
    left = counts[45:] if now_in_between else counts[40:]
    once = fitted(left, learner)
    assert model.digest() == once.digest() == certificate.model_after
    assert model.components_.tobytes() == once.components_.tobytes()
    if not now_in_between:
        assert (certificate.n_documents_removed, certificate.model_before) == (40, None)


def test_statistics_are_clean_before_the_refresh():
    counts, _ = corpus()
    model = fitted(counts)
    before = model.digest()
    certificate = model.forget(counts[:10], refresh="later")
    assert model.statistics_.digest() == fitted(counts[10:]).statistics_.digest()
    assert certificate.statistics_after == model.statistics_.digest()
    assert (certificate.model_before, certificate.model_after) == (before, None)
    assert "until `refresh`" in certificate.covers


@pytest.mark.parametrize(
    "use",
    [
        lambda model, counts: model.components_,
        lambda model, counts: model.transform(counts),
        lambda model, counts: model.top_words(),
        lambda model, counts: model.digest(),
        lambda model, counts: model.save("never-written"),
        lambda model, counts: release(model, 1.0, 1e-6, capacity=1),
        lambda model, counts: LinearHeadClassifier(model).fit(counts, counts[:, 0] > 1),
        lambda model, counts: TopicRetriever(model).fit(counts),
    ],
)
def test_stale_topics_are_not_used(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    counts, _ = corpus()
    model = fitted(counts)
    model.forget(counts[:2], refresh="later")
    assert model.is_stale()
    with pytest.raises(StaleModelError, match=r"call refresh\(\)"):
        use(model, counts)
    assert not list(tmp_path.iterdir())
    model.refresh()
    assert not model.is_stale()


def test_heads_and_indexes_of_a_stale_base_are_stale():
    counts, labels = corpus()
    model = fitted(counts)
    head, index = (
        LinearHeadClassifier(model, n_jobs=1).fit(counts, labels),
        TopicRetriever(model).fit(counts),
    )
    model.forget(counts[:2], refresh="later")
    for use in (lambda: head.predict(counts), lambda: index.query(counts[:1])):
        with pytest.raises(StaleHeadError):
            use()
    digest = head.task_.digest()
    with pytest.raises(StaleModelError):
        head.refresh()
    assert head.task_.digest() == digest
    model.refresh()
    head.refresh()
    assert head.digest() == LinearHeadClassifier(model, n_jobs=1).fit(counts, labels).digest()


def test_additions_do_not_end_the_wait_without_a_certificate():
    counts, _ = corpus()
    model = fitted(counts[:60])
    model.forget(counts[:5], refresh="later")
    with pytest.raises(StaleModelError, match=r"call it first"):
        model.partial_fit(counts[60:])
    assert model.statistics_.n_documents == 55
    model.partial_fit(counts[60:], refresh="later")
    certificate = model.refresh()
    assert model.digest() == fitted(counts[5:]).digest() == certificate.model_after
    assert (certificate.n_documents_removed, certificate.n_documents_left) == (5, 75)


def test_additions_wait_as_well():
    counts, _ = corpus()
    model = new_model(3, word_min_df=2, learner="anchor", n_jobs=1)
    model.partial_fit(counts[:20], refresh="later").partial_fit(counts[20:], refresh="later")
    with pytest.raises(StaleModelError):
        model.transform(counts)
    certificate = model.refresh()
    assert (certificate.n_documents_removed, certificate.topic_alignment) == (0, {})
    assert model.digest() == fitted(counts).digest()
    model.partial_fit(counts[:5], refresh="later")
    assert model.is_stale()
    model.forget(counts[:5])
    assert model.digest() == fitted(counts).digest()


def test_a_refresh_without_need_changes_nothing():
    counts, _ = corpus()
    model = fitted(counts)
    certificate = model.refresh()
    assert certificate.model_before == certificate.model_after == fitted(counts).digest()
    assert certificate.n_documents_removed == 0


def test_requests_that_are_refused_leave_the_model_waiting_as_it_was():
    counts, _ = corpus()
    model = fitted(counts)
    model.forget(counts[:2], refresh="later")
    digest = model.statistics_.digest()
    with pytest.raises(NotInModelError):
        model.forget(np.full((1, 24), 99), refresh="later")
    with pytest.raises(InvalidParameterError, match="newton"):
        model.forget(counts[2:3], mode="newton")
    with pytest.raises(InvalidParameterError, match="refresh"):
        model.forget(counts[2:3], refresh="tomorrow")
    assert model.statistics_.digest() == digest
    assert model.refresh().n_documents_removed == 2


@pytest.mark.parametrize("learner", LEARNERS)
def test_certificates_pair_the_topics_of_before_and_after(learner):
    counts, _ = corpus(7)
    model = fitted(counts, learner)
    before = model.components_
    pairs = model.forget(counts[:8]).topic_alignment
    assert sorted(pairs["before"]) == sorted(pairs["after"]) == [0, 1, 2]
    overlap = [
        np.minimum(before[one], model.components_[other]).sum()
        for one, other in zip(pairs["before"], pairs["after"], strict=True)
    ]
    assert min(overlap) > 0.6
    if pairs["overlap"] is not None:
        np.testing.assert_allclose(pairs["overlap"], overlap)


def test_a_notebook_can_show_a_model_that_waits():
    counts, _ = corpus(2)
    model = fitted(counts)
    model.forget(counts[:2], refresh="later")
    assert not hasattr(model, "components_")
    assert "AnchorTopicModel" in model._repr_html_()
