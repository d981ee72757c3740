"""Several threads on one object, and children made by fork."""

import copy
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from models import new_model

from pyunlearn import LinearHeadClassifier, TopicRetriever

COUNTS = np.random.default_rng(0).poisson(0.6, (60, 40))
LABELS = np.array(["left", "right"])[(COUNTS[:, :6].sum(axis=1) > 3).astype(int)]
ROUNDS = 12


def together(*actions):
    """Each action over and over, in a thread of its own, until the first is done."""
    errors, done = [], threading.Event()

    def run(action, rounds):
        try:
            while rounds or (rounds is None and not done.is_set()):
                action()
                rounds = rounds - 1 if rounds else rounds
        except BaseException as error:
            errors.append(error)
        finally:
            if rounds is not None:
                done.set()

    threads = [
        threading.Thread(target=run, args=(action, None if number else ROUNDS))
        for number, action in enumerate(actions)
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []


def fitted(learner, counts):
    return new_model(3, learner=learner, word_min_df=2, n_jobs=1).fit(counts)


@pytest.mark.parametrize("learner", ["anchor", "factor"])
def test_threads_see_states_that_some_order_of_requests_has(learner):
    states = [fitted(learner, COUNTS), fitted(learner, COUNTS[5:])]
    digests = {one.digest() for one in states}
    sizes = {(5, len(COUNTS) - 5)}
    proportions = {one.transform(COUNTS).tobytes() for one in states}
    pickles = {pickle.dumps(one) for one in states}
    model = fitted(learner, COUNTS)

    def change():
        certificate = model.forget(COUNTS[:5])
        assert (certificate.n_documents_removed, certificate.n_documents_left) in sizes
        model.partial_fit(COUNTS[:5])

    def read():
        assert model.digest() in digests
        assert model.transform(COUNTS).tobytes() in proportions
        assert model.components_.shape == (3, 40)

    def kept():
        assert pickle.dumps(model) in pickles
        assert copy.deepcopy(model).digest() in digests

    together(change, read, kept)
    assert model.digest() == states[0].digest()
    assert model.statistics_.digest() == states[0].statistics_.digest()


def test_threads_on_statistics():
    held = fitted("anchor", COUNTS).statistics_
    other = held.copy()
    digests = {held.digest(), fitted("anchor", COUNTS[5:]).statistics_.digest()}

    def change():
        held.remove(COUNTS[:5])
        held.add(COUNTS[:5])

    def read():
        assert held.digest() in digests
        assert pickle.loads(pickle.dumps(held)).digest() in digests  # noqa: S301
        assert held.to_csr().sum() > 0

    together(change, read, lambda: other.merge(held), lambda: held.copy().merge(other))
    assert held.digest() in digests


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_threads_on_a_head_and_an_index_of_one_base(loss):
    base = fitted("anchor", COUNTS)
    head = LinearHeadClassifier(base, loss=loss, n_jobs=1).fit(COUNTS, LABELS)
    index = TopicRetriever(base).fit(COUNTS)
    digests = {head.digest()}
    head.forget(COUNTS[:5], LABELS[:5])
    digests.add(head.digest())
    head.partial_fit(COUNTS[:5], LABELS[:5])

    def change():
        head.forget(COUNTS[:5], LABELS[:5])
        head.partial_fit(COUNTS[:5], LABELS[:5])

    def change_index():
        index.forget([3])
        index.add(COUNTS[[3]], [3])

    def read():
        assert head.digest() in digests
        assert len(head.predict(COUNTS)) == 60
        assert pickle.loads(pickle.dumps(head)).digest() in digests  # noqa: S301
        assert len(index.query(COUNTS[:2], 5)[0]) == 2
        assert len(index.rank(head, "left")[0]) == 10

    together(change, change_index, read, base.digest, lambda: base.refresh())
    assert head.is_fresh()
    assert index.is_fresh()


FORK = """
import os, sys, threading, warnings
import numpy as np
warnings.simplefilter("ignore")
from pyunlearn import LinearHeadClassifier, TopicModel
from pyunlearn.errors import ForkedError
X = np.random.default_rng(0).poisson(0.5, (300, 60))
model = TopicModel(n_topics=5, n_jobs=2).fit(X)
head = LinearHeadClassifier(model, n_jobs=2).fit(X, X[:, 0] > 0)
def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def works():
    digest = model.digest()
    model.transform(X[:50])
    head.predict(X)
    model.forget(X[:5])
    head.refresh()
    model.partial_fit(X[:5])
    assert model.digest() == digest
    TopicModel(n_topics=5, n_jobs=2).fit(X)
assert in_child(works) == 0
from pyunlearn._exclusive import _lock_of
held, end = threading.Event(), threading.Event()
def hold():
    with _lock_of(model.statistics_):
        held.set()
        end.wait()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
def is_refused():
    try:
        model.forget(X[:5])
    except ForkedError:
        return
    raise AssertionError("a model that another thread was at work in was used")
try:
    assert in_child(is_refused) == 0
finally:
    end.set()
    thread.join()
assert in_child(works) == 0
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_works_or_refuses_and_never_waits():
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.stdout == "done\n", found.stderr
