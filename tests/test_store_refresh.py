"""A store that forgets now and learns later: what is left behind, and what refreshes it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_store_heads import RECORDS, assert_verified

from pyunlearn import Store, TextRules, cli
from pyunlearn.errors import (
    CorruptStateError,
    InvalidParameterError,
    StaleModelError,
    StoreError,
    UnknownDocumentError,
)

WORD = RECORDS[9]["text"].lower().split()[0]


def trained(directory, records=RECORDS):
    store = Store.open(directory, rules=TextRules(min_df=1), n_jobs=1)
    store.train(records, n_topics=3, core_min_df=2)
    return store


@pytest.fixture
def store(tmp_path):
    with trained(tmp_path / "s") as opened:
        opened.fit_head()
        opened.search("red blue")
        yield opened


def owners(store):
    return [owner for (owner,) in store._db.execute("SELECT DISTINCT owner FROM arrays")]


def test_nothing_learned_with_the_documents_is_left(store):
    store.forget(["d03", "d07"], refresh="later")
    assert owners(store) == ["statistics"]
    assert store._db.value("SELECT count(*) FROM documents WHERE id IN ('d03', 'd07')") == 0
    assert store.info().n_waiting == 2
    assert store.info().n_topics is None


def test_the_refresh_ends_in_the_state_of_forgetting_at_once(store, tmp_path):
    store.forget(["d03"], refresh="later")
    later = store.forget(["d07", "d08"], refresh="later")
    certificate = store.refresh()
    with trained(tmp_path / "other") as other:
        other.fit_head()
        other.search("red blue")
        other.forget(["d03", "d07", "d08"])
        assert store.digest() == other.digest()
        assert store.heads() == other.heads()
        assert store._db.get_meta("index_digest") == other._db.get_meta("index_digest")
    assert certificate.n_documents_removed == 3
    assert store.certificates()[-2:] == [later, certificate]
    assert store.refresh() is None
    assert_verified(store)


ENDS = {
    "refresh": lambda store: store.refresh(),
    "forget": lambda store: store.forget(["d09"]),
    "redact": lambda store: store.redact("d09", [WORD]),
    "add": lambda store: store.add([{"id": "new", "text": "red dog piano"}]),
    "label": lambda store: store.set_labels("own", {"d09": "x"}),
    "head": lambda store: store.fit_head(loss="squared"),
    "delete head": lambda store: store.delete_head("label"),
    "fit": lambda store: store.fit(n_topics=2, core_min_df=3),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("reopened", [False, True])
def test_every_change_ends_the_wait(store, end, reopened):
    store.forget(["d03"], refresh="later")
    if reopened:
        with Store.open(store._db.directory, n_jobs=1) as again:
            ENDS[end](again)
    else:
        ENDS[end](store)
    assert store.info().n_waiting == 0
    assert_verified(store)


@pytest.mark.parametrize("end", ENDS)
def test_the_request_that_ends_the_wait_leaves_the_certificate_of_the_refresh(store, tmp_path, end):
    store.forget(["d01"])
    store.forget(["d03", "d05"], refresh="later")
    known = len(store.certificates())
    shutil.copytree(store._db.directory, tmp_path / "copy")
    ENDS[end](store)
    certificate = store.certificates()[known]
    assert certificate.n_documents_removed == 2
    assert certificate.n_documents_left == len(RECORDS) - 3
    if end == "fit":
        assert store.confirms(certificate)
    else:
        with Store.open(tmp_path / "copy", n_jobs=1) as copy:
            alone = copy.refresh()
            assert certificate == replace(alone, commitment=certificate.commitment)
            assert copy.confirms(alone)
    actions = [entry.action for entry in store.ledger() if "certificate" in entry.detail]
    assert actions[known] == ("fit" if end == "fit" else "refresh")
    assert len(store.certificates()) == known + 1 + (end in ("forget", "redact"))


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.topics(),
        lambda store: store.predict(["red"]),
        lambda store: store.score(["red"], ["t0"]),
        lambda store: store.verify(),
    ],
)
def test_what_is_gone_is_not_used(store, use):
    store.forget(["d03"], refresh="later")
    with pytest.raises(StaleModelError, match="pyunlearn refresh"):
        use(store)


def test_refused_requests_leave_the_store_waiting_as_it_was(store):
    store.forget(["d03"], refresh="later")
    version = store.info()
    with pytest.raises(UnknownDocumentError):
        store.forget(["d03"], refresh="later")
    with pytest.raises(InvalidParameterError, match="refresh"):
        store.forget(["d04"], refresh="tomorrow")
    assert store.info() == version
    store.refresh()
    assert_verified(store)


def test_a_failure_in_the_refresh_leaves_the_store_waiting(store, monkeypatch):
    store.forget(["d03"], refresh="later")
    before = store.info()
    with monkeypatch.context() as patched:
        patched.setattr("pyunlearn.store._trained_heads.write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.refresh()
    assert store.info() == before
    store.refresh()
    assert_verified(store)


def test_a_store_without_topics_has_nothing_to_refresh(tmp_path):
    with Store.open(tmp_path / "s") as store:
        store.add(RECORDS)
        with pytest.raises(StoreError, match="no topics yet"):
            store.refresh()


@given(st.data())
@settings(max_examples=10)
@pytest.mark.filterwarnings("ignore::pyunlearn.errors.FewerTopicsWarning")
def test_any_mixture_of_now_and_later_ends_alike(tmp_path_factory, data):
    order = data.draw(st.permutations(range(len(RECORDS))))
    cuts = sorted(data.draw(st.lists(st.integers(1, 39), min_size=1, max_size=4)))
    directory = tmp_path_factory.mktemp("mixture")
    with trained(directory / "s") as store, trained(directory / "other") as other:
        for start, end in zip([0, *cuts[:-1]], cuts, strict=True):
            ids = [f"d{row:02}" for row in order[start:end]]
            if ids:
                store.forget(ids, data.draw(st.sampled_from(["now", "later"])))
        store.refresh()
        other.forget([f"d{row:02}" for row in order[: cuts[-1]]])
        assert store.digest() == other.digest()


def test_the_command_line_forgets_now_and_learns_later(store, capsys):
    directory = str(store._db.directory)
    assert cli.main(["forget", "d03", "--later", "--store", directory]) == 0
    assert "pyunlearn refresh --store" in capsys.readouterr().out
    assert cli.main(["topics", "--store", directory]) == 1
    assert "pyunlearn refresh" in capsys.readouterr().err
    assert cli.main(["info", "--store", directory]) == 0
    assert "wait for a refresh; documents forgotten: 1" in capsys.readouterr().out
    assert cli.main(["refresh", "--store", directory, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_documents_removed"] == 1
    assert cli.main(["refresh", "--store", directory]) == 0
    assert "the topics are up to date" in capsys.readouterr().out
    assert cli.main(["verify", "--store", directory]) == 0


def test_statistics_that_were_edited_are_not_learned_from(store):
    store.forget(["d03"], refresh="later")
    mass = np.frombuffer(
        store._db.value("SELECT data FROM arrays WHERE name = 'document_frequency'"), "<i8"
    ).copy()
    mass[0] += 1
    with Store.open(store._db.directory) as other:
        other._db.execute(
            "UPDATE arrays SET data = ? WHERE name = 'document_frequency'", (mass.tobytes(),)
        )
        with pytest.raises(CorruptStateError):
            other.refresh()


def test_certificates_are_confirmed_until_the_next_change(store):
    given = [store.forget(["d01"]), store.forget(["d03"], refresh="later")]
    given.append(store.forget(["d07"], refresh="later"))
    assert [store.confirms(one) for one in given] == [False, False, True]
    given.append(store.refresh())
    assert given[-1].n_documents_removed == 2
    assert [store.confirms(one) for one in given] == [False, False, False, True]
    assert store.certificates() == given
    with Store.open(store._db.directory, n_jobs=1) as again:
        assert again.confirms(given[-1])
        assert not again.confirms(given[-1].public())
