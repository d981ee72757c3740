"""The law of the house, for heads: no history of base and task leaves a trace in either."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from models import new_model
from sklearn.base import clone
from tasks import KINDS, base, corpus, new_head, targets

from pyunlearn._documents import check_documents
from pyunlearn.errors import NotInModelError
from pyunlearn.heads._training import new_task

pytestmark = [
    pytest.mark.filterwarnings("ignore::pyunlearn.errors.FewerTopicsWarning"),
    pytest.mark.filterwarnings("ignore::pyunlearn.errors.FewerClassesWarning"),
]
PICKS = st.lists(st.integers(0, 10**6), min_size=1, max_size=6)


def trained_once(head, counts, y):
    """A head of the same kind, trained in one go on the head's base."""
    task = new_task(head.settings_, counts.shape[1], y.shape[1] if y.ndim == 2 else None, 1)
    if len(y):
        task.add(check_documents(counts), y)
    return clone(head).fit_task(task)


class Histories(RuleBasedStateMachine):
    """Base and task change in any order; the head is the one trained once on what they hold."""

    @initialize(
        kind=st.sampled_from(KINDS),
        seed=st.integers(0, 99),
        classes=st.integers(2, 4),
        learner=st.sampled_from(["anchor", "factor"]),
    )
    def train(self, kind, seed, classes, learner):
        self.counts, _ = corpus(seed, m=30, n=16)
        labels = np.random.default_rng(seed).integers(0, classes, 30)
        self.y = targets(kind, labels)
        self.base_documents = list(range(20))
        self.tagged = [(row, self.y[row]) for row in range(8, 26)]
        self.parameters = {"n_topics": 3, "learner": learner, "word_min_df": 2, "n_jobs": 1}
        self.model = new_model(**self.parameters).partial_fit(self.counts[:20])
        self.head = new_head(kind, self.model).fit(self.counts[8:26], self.y[8:26])

    def chosen(self, picks, among):
        places = sorted({pick % len(among) for pick in picks}, reverse=True)
        return [among.pop(place) for place in places]

    @rule(picks=PICKS)
    def base_grows(self, picks):
        rows = [pick % 30 for pick in picks]
        self.model.partial_fit(self.counts[rows])
        self.base_documents += rows
        self.head.refresh()

    @precondition(lambda self: len(self.base_documents) > 1)
    @rule(picks=PICKS, mode=st.sampled_from(["exact", "newton"]))
    def base_shrinks(self, picks, mode):
        picks = picks[: len(self.base_documents) - 1]  # a comparison needs one document
        self.model.forget(self.counts[self.chosen(picks, self.base_documents)])
        self.head.refresh(mode=mode)
        self.head.refresh()

    @rule(picks=PICKS)
    def task_grows(self, picks):
        rows = [pick % 30 for pick in picks]
        self.head.partial_fit(self.counts[rows], self.y[rows])
        self.tagged += [(row, self.y[row]) for row in rows]

    @precondition(lambda self: self.tagged)
    @rule(picks=PICKS)
    def task_shrinks(self, picks):
        rows, y = zip(*self.chosen(picks, self.tagged), strict=True)
        certificate = self.head.forget(self.counts[list(rows)], np.array(y))
        assert certificate.n_task_left == len(self.tagged)

    @precondition(lambda self: self.tagged)
    @rule(picks=PICKS, to=st.integers(0, 29))
    def relabelled(self, picks, to):
        rows, y = zip(*self.chosen(picks, self.tagged), strict=True)
        new = np.array([self.y[to]] * len(rows))
        self.head.relabel(self.counts[list(rows)], np.array(y), new)
        self.tagged += [(row, self.y[to]) for row in rows]

    @rule()
    def base_changes_and_the_task_as_well(self):
        self.model.partial_fit(self.counts[:2])
        self.base_documents += [0, 1]
        self.head.partial_fit(self.counts[:1], self.y[:1])
        self.tagged.append((0, self.y[0]))

    @rule()
    def refused(self):
        before = self.head.digest()
        with pytest.raises(NotInModelError):
            self.head.forget(np.full((1, 16), 99), self.y[:1])
        assert self.head.digest() == before

    @invariant()
    def equals_the_head_trained_once(self):
        base_once = new_model(**self.parameters).partial_fit(self.counts[self.base_documents])
        assert self.model.digest() == base_once.digest()
        rows = [row for row, _ in self.tagged]
        y = np.array([y for _, y in self.tagged]) if rows else self.y[:0]
        once = trained_once(self.head, self.counts[rows], y)
        assert self.head.task_.digest() == once.task_.digest()
        assert self.head.weights_.tobytes() == once.weights_.tobytes()
        assert self.head.prior_.tobytes() == once.prior_.tobytes()
        assert self.head.digest() == once.digest()


Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=8)
TestHistories = Histories.TestCase


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_unlearning_from_the_base_equals_training_on_the_base_without(kind):
    counts, labels = corpus(3)
    y = targets(kind, labels)
    head = new_head(kind, base(counts)).fit(counts, y)
    head.model_.forget(counts[::7])
    certificate = head.refresh()
    once = new_head(kind, base(np.delete(counts, np.s_[::7], axis=0))).fit(counts, y)
    assert head.digest() == once.digest()
    assert head.confirms(certificate)


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_a_correction_equals_training_on_what_is_correct(kind):
    counts, labels = corpus(4)
    y = targets(kind, labels)
    wrong = y.copy()
    wrong[:9] = y[9:18]
    head = new_head(kind, base(counts)).fit(counts, wrong)
    certificate = head.relabel(counts[:9], wrong[:9], y[:9])
    assert head.digest() == new_head(kind, base(counts)).fit(counts, y).digest()
    assert (certificate.action, certificate.n_task_left) == ("relabel", len(y))


@given(st.sampled_from(KINDS), st.integers(0, 99), st.data())
@settings(max_examples=40)
def test_task_documents_leave_one_after_the_other(kind, seed, data):
    counts, labels = corpus(seed, m=24, n=10)
    y = targets(kind, labels)
    if len(np.unique(y)) < 2:
        return
    head = new_head(kind, base(counts)).fit(counts, y)
    order = data.draw(st.permutations(range(24)))
    for row in order[:20]:
        head.forget(counts[[row]], y[[row]])
    left = sorted(order[20:])
    assert head.digest() == trained_once(head, counts[left], y[left]).digest()


def test_the_base_is_free_to_lose_all_its_topics():
    counts, labels = corpus(5)
    for kind in KINDS:
        head = new_head(kind, base(counts)).fit(counts, targets(kind, labels))
        head.model_.forget(counts)
        head.refresh()
        assert head.weights_.shape[0] == 1
        assert np.isfinite(head.weights_).all()
        head.predict(counts)
