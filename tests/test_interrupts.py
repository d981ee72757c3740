"""All or nothing in memory: an exception at any line leaves an object as before, or as after.

KeyboardInterrupt and MemoryError are raised at lines of the package, some of them by default and
every one with PYUNLEARN_EVERY_LINE=1.
"""

import copy
import os
import pickle
import random
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hard_corpora import fewer_topics_allowed
from models import new_model
from sklearn.base import BaseEstimator

import pyunlearn
from pyunlearn import (
    CooccurrenceStatistics,
    LinearHeadClassifier,
    LinearHeadRegressor,
    TopicRetriever,
    _estimator,
    _exclusive,
)
from pyunlearn.heads import _training
from pyunlearn.privacy import release

PACKAGE = str(Path(pyunlearn.__file__).parent)
EVERY_LINE = bool(os.environ.get("PYUNLEARN_EVERY_LINE"))
SAMPLE = 8

rng = np.random.default_rng(5)
COUNTS = rng.poisson(0.6, (60, 24))
LABELS = np.array(["left", "right"])[(COUNTS[:, :4].sum(axis=1) > 2).astype(int)]
VALUES = COUNTS[:, :4].sum(axis=1).astype(float)
FEW, REST = slice(0, 5), slice(5, None)


class Lines:
    """Counts the lines that are run in the package, and raises an error at one of them."""

    def __init__(self, at=None, error=None):
        self.at, self.error, self.seen = at, error, 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)

    def trace(self, frame, event, _):
        code = frame.f_code
        # Python looks at signals after calls and at jumps. In `alone` none lies between the end of
        # the method and the release of the lock, where a trace would see a line.
        if not code.co_filename.startswith(PACKAGE) or code.co_name == "alone":
            return None
        if event == "line":
            self.seen += 1
            if self.seen == self.at:
                raise self.error
        return self.trace


def has_content(one):
    if isinstance(one, BaseEstimator) and not any(name.endswith("_") for name in vars(one)):
        return False
    return not (hasattr(one, "is_stale") and one.is_stale())


def state(value):
    """All that a pickle keeps, and digests, which have to be those of the content."""
    kept = pickle.dumps(value)
    twin = pickle.loads(kept)  # noqa: S301
    for path in ("", "statistics_", "task_", "task_.pairs"):
        one, other = value, twin
        for name in filter(None, path.split(".")):
            one, other = getattr(one, name, None), getattr(other, name, None)
        if hasattr(one, "digest") and has_content(one):
            assert one.digest() == other.digest()
    return kept


def can_be_locked(value):
    """Whether another thread finds the object free."""
    found = []
    lock = _exclusive._lock_of(value)

    def attempt():
        found.append(lock.acquire(blocking=False))
        if found[0]:
            lock.release()

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return found == [True]


def check(make, act):
    """Interrupt `act` on what `make` gives, at lines of it."""
    first = make()
    before = state(first)
    with fewer_topics_allowed(), Lines() as lines:
        act(first)
    after = state(first)
    assert before != after
    random.seed(lines.seen)
    places = range(1, lines.seen + 1)
    if not EVERY_LINE:
        places = random.sample(places, min(SAMPLE, len(places)))
    reached = set()
    for number, at in enumerate(places):
        value = make()
        error = (KeyboardInterrupt, MemoryError)[number % 2]
        with (
            fewer_topics_allowed(),
            pytest.raises(error),
            Lines(at, error),
        ):
            act(value)
        assert can_be_locked(value)
        found = state(value)
        assert found in (before, after), at
        reached.add(found)
        if found == before:
            with fewer_topics_allowed():
                act(value)
            assert state(value) == after
    assert before in reached


def statistics(counts=COUNTS):
    return CooccurrenceStatistics(24, n_jobs=1).add(counts)


STATISTICS = {
    "add": lambda one: one.add(COUNTS[FEW]),
    "add to nothing": lambda one: one.add(COUNTS),
    "remove": lambda one: one.remove(COUNTS[FEW]),
    "merge": lambda one: one.merge(statistics()),
}


@pytest.mark.parametrize("action", STATISTICS)
def test_statistics(action):
    made = CooccurrenceStatistics(24, n_jobs=1) if "nothing" in action else statistics()
    made.digest()
    check(made.copy, STATISTICS[action])


def roomy():
    """Statistics with room, so that rows move in place."""
    made = statistics(COUNTS[5:40])
    made.add(COUNTS[40:])
    made.digest()
    return made


def test_statistics_whose_rows_have_room():
    check(roomy, STATISTICS["add"])
    check(roomy, lambda one: one.remove(COUNTS[5:12]))


MODELS = {
    "fit": lambda one: one.fit(COUNTS[REST]),
    "fit_statistics": lambda one: one.fit_statistics(statistics(COUNTS[REST])),
    "partial_fit": lambda one: one.partial_fit(COUNTS[FEW]),
    "partial_fit later": lambda one: one.partial_fit(COUNTS[FEW], refresh="later"),
    "forget": lambda one: one.forget(COUNTS[FEW]),
    "forget later": lambda one: one.forget(COUNTS[FEW], refresh="later"),
    "refresh": lambda one: one.refresh(),
    "forget while others wait": lambda one: one.forget(COUNTS[10:12]),
    "newton": lambda one: one.forget(COUNTS[FEW], mode="newton"),
}


def model_for(action, learner, counts=COUNTS):
    model = new_model(3, learner=learner, word_min_df=2, n_jobs=1, weighting="document")
    model.fit(counts).digest()
    if action in ("refresh", "forget while others wait"):
        model.forget(counts[FEW], refresh="later")
    return model


@pytest.mark.parametrize("action", MODELS)
@pytest.mark.parametrize("learner", ["anchor", "factor"])
def test_models(action, learner):
    if action == "newton" and learner == "factor":
        return
    made = model_for(action, learner)
    check(lambda: copy.deepcopy(made), MODELS[action])


@pytest.mark.parametrize("learner", ["anchor", "factor"])
@pytest.mark.parametrize("refresh", ["now", "later"])
def test_models_with_their_first_documents(learner, refresh):
    def make():
        return new_model(3, learner=learner, word_min_df=2, n_jobs=1)

    check(make, lambda one: one.partial_fit(COUNTS, refresh=refresh))


def test_models_with_a_budget():
    made = model_for("newton", "anchor")
    claim = {"capacity": 10, "mode": "newton", "sensitivity": 1e-3, "correlation": False}
    release(made, 1.0, 1e-6, seed=0, **claim)
    check(lambda: copy.deepcopy(made), MODELS["forget"])
    check(lambda: copy.deepcopy(made), MODELS["fit"])


BASE = model_for("fit", "anchor")
HEADS = {
    "logistic": (LinearHeadClassifier(BASE, n_jobs=1), LABELS, "left"),
    "squared": (LinearHeadClassifier(BASE, loss="squared", n_jobs=1), LABELS, "left"),
    "regression": (LinearHeadRegressor(BASE, n_jobs=1), VALUES, 0.0),
}
REQUESTS = {
    "fit": lambda head, y, new: head.fit(COUNTS[REST], y[REST]),
    "partial_fit": lambda head, y, new: head.partial_fit(COUNTS[FEW], y[FEW]),
    "forget": lambda head, y, new: head.forget(COUNTS[FEW], y[FEW]),
    "forget newton": lambda head, y, new: head.forget(COUNTS[:1], y[:1], mode="newton"),
    "relabel": lambda head, y, new: head.relabel(COUNTS[FEW], y[FEW], np.full(5, new)),
    "refresh": lambda head, y, new: head.refresh(),
}


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("kind", HEADS)
def test_heads(kind, request_):
    head, y, new = HEADS[kind]
    made = copy.copy(head).fit(COUNTS, y)
    if request_ == "refresh":
        made = copy.deepcopy(made)
        made.model_.forget(COUNTS[FEW])
    check(lambda: copy.deepcopy(made), lambda one: REQUESTS[request_](one, y, new))


INDEXES = {
    "fit": lambda index: index.fit(COUNTS[REST]),
    "add": lambda index: index.add(COUNTS[FEW], range(100, 105)),
    "forget": lambda index: index.forget([3, 4]),
    "refresh": lambda index: index.refresh(),
}


@pytest.mark.parametrize("action", INDEXES)
def test_indexes(action):
    made = copy.deepcopy(TopicRetriever(BASE).fit(COUNTS))
    if action == "refresh":
        made.model_.forget(COUNTS[FEW])
    check(lambda: copy.deepcopy(made), INDEXES[action])


def fails(*_, **__):
    raise MemoryError("no memory to learn with")


def check_undo(make, act):
    """A request that fails by itself, and an interrupt on top of it, also while it is undone."""
    before = state(make())
    first = make()
    with pytest.raises(MemoryError), Lines() as lines:
        act(first)
    assert state(first) == before
    places = range(1 if EVERY_LINE else max(1, lines.seen - 24), lines.seen + 1)
    for at in places:
        value = make()
        with pytest.raises(KeyboardInterrupt), Lines(at, KeyboardInterrupt):
            act(value)
        assert state(value) == before, at


@pytest.mark.parametrize("action", ["partial_fit", "forget"])
def test_an_interrupted_undo_is_ended_by_the_next_use(action, monkeypatch):
    made = model_for(action, "anchor")
    monkeypatch.setattr(_estimator, "update", fails)
    check_undo(lambda: copy.deepcopy(made), MODELS[action])


@pytest.mark.parametrize("request_", ["partial_fit", "forget", "relabel"])
@pytest.mark.parametrize("kind", ["squared", "logistic"])
def test_and_so_is_that_of_a_head(kind, request_, monkeypatch):
    head, y, new = HEADS[kind]
    made = copy.copy(head).fit(COUNTS, y)
    monkeypatch.setattr(_training.Trainer, "_solve", fails)
    check_undo(lambda: copy.deepcopy(made), lambda one: REQUESTS[request_](one, y, new))
