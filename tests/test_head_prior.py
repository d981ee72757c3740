"""A document without a word that the base knows is predicted by the task alone."""

import numpy as np
import pytest
from tasks import KINDS, base, corpus, new_head, targets

from pyunlearn import LinearHeadClassifier, TopicRetriever
from pyunlearn._documents import check_documents
from pyunlearn.errors import FewerClassesWarning, FewerTopicsWarning, StaleHeadWarning

COUNTS, LABELS = corpus()
KNOWN = COUNTS.copy()
KNOWN[:, -2:] = 0  # two words that the base never sees
BLANK = np.zeros((2, 24), int)  # no token, and only such words
BLANK[1, -2:] = 3, 1
CLASSIFIERS = [kind for kind in KINDS if kind[2] == "classification"]
REGRESSORS = [kind for kind in KINDS if kind[2] == "regression"]


def shares(y):
    return np.unique(y, return_counts=True)[1] / len(y)


def assert_prior(head, y):
    """What the head says of blank documents is a plain function of the targets of its task."""
    if y.ndim == 2:
        np.testing.assert_allclose(head.predict(BLANK), [y.mean(axis=0)] * 2, atol=1e-9)
        return
    labels, expected = np.unique(y), shares(y)
    assert head.prior_.tolist() == expected.tolist()
    assert head.predict(BLANK).tolist() == [labels[np.argmax(expected)]] * 2
    scores = head.decision_function(BLANK)
    if head.loss == "logistic":
        assert head.predict_proba(BLANK).tolist() == [expected.tolist()] * 2
        expected = np.log(expected)
    if len(labels) == 2:
        expected = expected[1] - expected[0]
    np.testing.assert_allclose(scores, np.array([expected] * 2), rtol=1e-12)


@pytest.mark.parametrize("learner", ["anchor", "factor"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_blank_documents_get_the_prior_after_every_change(kind, classes, learner):
    y = targets(kind, LABELS % classes)
    head = new_head(kind, base(KNOWN, learner)).fit(COUNTS[:60], y[:60])
    assert_prior(head, y[:60])
    head.partial_fit(COUNTS[60:], y[60:])
    assert_prior(head, y)
    head.forget(COUNTS[:15], y[:15])
    assert_prior(head, y[15:])
    head.relabel(COUNTS[20:30], y[20:30], y[:10])
    changed = np.concatenate([y[15:20], y[:10], y[30:]])
    assert_prior(head, changed)
    head.model_.forget(KNOWN[:20])
    head.refresh()
    assert_prior(head, changed)


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_one_known_word_is_enough_to_be_scored(kind):
    head = new_head(kind, base(KNOWN)).fit(COUNTS, targets(kind, LABELS))
    known = BLANK.copy()
    known[:, :8] = 1
    scores = head.raw_scores(check_documents(known))
    assert (scores != head.raw_scores(check_documents(BLANK))).all()


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_where_the_base_has_lost_all_documents_every_document_is_blank(kind):
    y = targets(kind, LABELS)
    head = new_head(kind, base(KNOWN)).fit(COUNTS, y)
    with pytest.warns(FewerTopicsWarning):
        head.model_.forget(KNOWN)
    head.refresh()
    assert_prior(head, y)
    assert (head.predict(COUNTS) == head.predict(BLANK[:1])).all()


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_a_stale_head_that_warns_knows_the_words_of_before(kind):
    y = targets(kind, LABELS)
    head = new_head(kind, base(KNOWN), on_stale="warn").fit(COUNTS, y)
    before = head.predict(np.vstack([COUNTS, BLANK]))
    head.model_.fit(COUNTS)  # knows the last two words
    with pytest.warns(StaleHeadWarning):
        assert (head.predict(np.vstack([COUNTS, BLANK])) == before).all()


@pytest.mark.parametrize("kind", CLASSIFIERS, ids="-".join)
def test_a_single_class_that_is_left_is_the_prediction(kind):
    y = targets(kind, LABELS)
    head = new_head(kind, base(KNOWN)).fit(COUNTS, y)
    with pytest.warns(FewerClassesWarning):
        head.forget(COUNTS[y != y[0]], y[y != y[0]])
    assert head.prior_.tolist() == [1.0]
    assert head.predict(BLANK).tolist() == [y[0]] * 2


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_an_index_ranks_blank_documents_by_the_prior(kind):
    model = base(KNOWN)
    y = targets(kind, LABELS)
    y = y[:, :1] if y.ndim == 2 else y == y[0]
    head = new_head(kind, model).fit(COUNTS, y)
    both = np.vstack([COUNTS, BLANK])
    ids, scores = TopicRetriever(model).fit(both).rank(head, n=len(both))
    asked = (
        head.predict(both)[:, 0] if y.ndim == 2 else head.raw_scores(check_documents(both))[:, -1]
    )
    np.testing.assert_array_equal(scores, asked[ids])


def test_a_prior_of_sums_is_exact_in_units_of_2_to_the_minus_32():
    model, y = base(KNOWN), np.array([0.1, 0.2, 0.7] + [1e-3] * 77)
    heads = [new_head(REGRESSORS[0], model).fit(COUNTS, y)]
    heads.append(new_head(REGRESSORS[0], model).fit(COUNTS[40:], y[40:]))
    heads[1].partial_fit(COUNTS[:40][::-1], y[:40][::-1])
    expected = sum(round(one * 2**32) for one in y.tolist()) / 2**32 / 80
    assert [head.prior_.tolist() for head in heads] == [[expected]] * 2


def test_documents_of_unknown_words_are_scored_by_the_majority():
    y = np.arange(80) % 20 > 0
    head = LinearHeadClassifier(base(KNOWN)).fit(COUNTS, y)
    assert head.score(np.zeros((40, 24), int), y[:40]) == 0.95
