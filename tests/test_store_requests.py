"""What requests take: NumPy's values as Python's own; a store that cannot be written answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pyunlearn import Store
from pyunlearn.errors import (
    DuplicateDocumentError,
    InvalidInputError,
    InvalidParameterError,
    StaleModelError,
    StoreError,
)

TEXTS = ["red blue red", "blue green red", "green red green", "red blue blue green"] * 2
RECORDS = [{"id": i, "text": text, "label": i % 2} for i, text in enumerate(TEXTS)]


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "s", n_jobs=1) as opened:
        opened.train(RECORDS, n_topics=2)
        yield opened


# ---- values out of NumPy ---------------------------------------------------------------------

PARAMETERS = [
    ("factor", "n_topics", np.int64(2)),
    ("factor", "background", np.float32(0.25)),
    ("factor", "background", Fraction(1, 4)),
    ("factor", "core_min_df", np.int32(1)),
    ("factor", "core_min_df", np.float64(0.5)),
    ("factor", "n_updates", np.uint8(8)),
    ("factor", "scale_bits", np.int64(30)),
    ("factor", "weighting", np.str_("token")),
    ("anchor", "anchor_min_df", np.int64(1)),
    ("anchor", "solver", np.str_("eg")),
    ("anchor", "anchor_cleanup", np.bool_(True)),
    ("anchor", "max_iter", np.int16(500)),
    ("anchor", "tol", np.float32(1e-6)),
]


@pytest.mark.parametrize(("learner", "name", "value"), PARAMETERS)
def test_parameters_out_of_numpy_are_those_of_python(store, learner, name, value):
    as_python = float(value) if isinstance(value, Fraction) else value.item()
    digests = []
    for given in (value, as_python):
        store.fit(**{"n_topics": 2, name: given}, learner=learner)
        assert store.verify().ok
        digests.append((store.info().digest, store.info().parameters))
    assert digests[0] == digests[1]
    assert json.loads(json.dumps(digests[0][1])) == digests[0][1]


@pytest.mark.parametrize(
    ("learner", "name"),
    [("anchor", name) for name in ("core_min_df", "background", "n_updates")]
    + [
        ("factor", name)
        for name in ("anchor_min_df", "solver", "anchor_cleanup", "tol", "max_iter")
    ],
)
def test_parameters_of_the_other_learner_are_refused(store, learner, name):
    before = store.info()
    with pytest.raises(InvalidParameterError, match=f"{name} is a parameter of learner="):
        store.fit(2, learner=learner, **{name: 1})
    assert store.info() == before


@pytest.mark.parametrize(
    "parameters",
    [
        {"learner": "refined"},
        {"learner": None},
        {"colour": 3},
        {"n_topics": [2]},
        {"n_topics": np.bool_(True)},
        {"n_topics": np.array([2, 3])},
        {"background": object()},
        {"background": np.nan},
        {"core_min_df": "two"},
        {"n_updates": 2.5},
        {"weighting": 3},
        {"scale_bits": "forty"},
        {"contexts": "some"},
    ],
)
def test_parameters_of_another_type_are_refused(store, parameters):
    before = store.info()
    with pytest.raises(InvalidParameterError):
        store.fit(**parameters)
    assert store.info() == before


IDS = [
    2,
    np.int64(2),
    "2",
    np.str_("2"),
    [2],
    np.array([2]),
    np.array(2, np.uint8),
    np.array(["2"]),
    np.array([2], object),
    (2,),
    {2},
    (np.int32(one) for one in [2]),
]


@pytest.mark.parametrize("ids", IDS, ids=repr)
@pytest.mark.parametrize("refresh", ["now", "later"])
def test_ids_are_strings_or_integers_of_any_kind(tmp_path, ids, refresh):
    ids = iter([np.int32(2)]) if hasattr(ids, "gi_frame") else ids
    with Store.open(tmp_path / "s", n_jobs=1) as store:
        store.train(RECORDS, n_topics=2)
        store.forget(ids, refresh)
        left = [one for (one,) in store._db.execute("SELECT id FROM documents ORDER BY id")]
    assert left == ["0", "1", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    "ids",
    [
        None,
        2.0,
        True,
        np.bool_(True),
        b"2",
        [b"2"],
        [None],
        [2.0],
        [[2]],
        np.array([2.5]),
        [],
        "\ud800",
    ],
)
def test_what_is_no_id_is_refused(store, ids):
    before = store.info()
    with pytest.raises(InvalidInputError):
        store.forget(ids)
    assert store.info() == before


def test_an_id_twice_in_two_types_is_refused(store):
    with pytest.raises(DuplicateDocumentError):
        store.forget([2, "2"])
    with pytest.raises(DuplicateDocumentError):
        store.fit_head("own", {2: "a", "2": "b", 3: "a"})


@pytest.mark.parametrize("first", [3, 520, 999])
def test_an_id_that_comes_again_in_a_long_addition_is_named_with_its_place(store, first):
    before = store.info()
    records = [{"id": f"n{i}", "text": TEXTS[i % 4]} for i in range(1200)]
    records[1000]["id"] = records[first]["id"]
    said = re.escape(f"record 1001: id 'n{first}'")
    with pytest.raises(DuplicateDocumentError, match=said):
        store.add(records)
    assert store.info() == before


@pytest.mark.parametrize(
    "kind", [np.int64, np.uint8, np.bool_, np.float32, np.float64, np.str_, bool]
)
def test_labels_out_of_numpy_are_those_of_python(store, kind):
    labels = {np.int64(i): kind(i % 2) for i in range(8)}
    classes = store.fit_head("own", labels).classes
    plain = {np.bool_: bool, bool: bool, np.str_: str, np.int64: int, np.uint8: int}.get(
        kind, float
    )
    expected = sorted(
        str(plain(one)) if plain is not bool else str(one > 0).lower() for one in (0, 1)
    )
    assert classes == expected
    assert store.set_labels("own", labels) == 8
    assert store.score(TEXTS, np.array([kind(i % 2) for i in range(8)]), "own") >= 0.5
    assert store.verify().ok


def test_parameters_of_heads_out_of_numpy(store):
    store.fit_head(alpha=np.float32(0.5), max_iter=np.int64(50), loss=np.str_("squared"))
    assert store.verify().ok


@pytest.mark.parametrize(
    "labels", [None, 5, [1, 2], {1: None}, {1: [1]}, {1.5: "a"}, {1: np.nan}, {1: "\ud800"}]
)
def test_what_are_no_labels_is_refused(store, labels):
    before = store.info()
    with pytest.raises(InvalidInputError):
        store.set_labels("own", labels)
    assert store.info() == before


@pytest.mark.parametrize(
    "labels", [None, 5, "ab", ["a"], ["a", None], ["a", "b", "c"], [1, np.nan]]
)
def test_labels_to_score_by_are_checked(store, labels):
    store.fit_head()
    with pytest.raises(InvalidInputError):
        store.score(["red", "blue"], labels)


@pytest.mark.parametrize("texts", [None, 5, "red", [], [3], [None]])
def test_texts_are_checked(store, texts):
    store.fit_head()
    with pytest.raises(InvalidInputError):
        store.predict(texts)


@pytest.mark.parametrize("field", [None, 5, "", [], b"own", "\ud800"])
def test_what_is_no_field_is_refused(store, field):
    before = store.info()
    for act in (store.fit_head, store.delete_head, lambda field: store.set_labels(field, {1: "a"})):
        with pytest.raises(InvalidInputError):
            act(field)
    assert store.info() == before


@pytest.mark.parametrize("n", [0, -1, 2.5, None, "2", True])
def test_numbers_of_words_and_documents_are_checked(store, n):
    with pytest.raises(InvalidParameterError):
        store.topics(n)
    with pytest.raises(InvalidParameterError):
        store.search("red", n)
    assert len(store.topics(np.int64(2))[0].words) == 2
    assert len(store.search("red", np.int64(2))) == 2


def test_rules_of_another_type_are_refused(tmp_path):
    with pytest.raises(InvalidParameterError, match="TextRules"):
        Store.open(tmp_path, rules={"min_df": 2})


# ---- stores that cannot be written -----------------------------------------------------------


@contextmanager
def without_permissions(directory):
    """The directory as one that this process cannot write."""
    nobody = 65534
    directory.chmod(0o555)
    (directory / "store.sqlite").chmod(0o444)
    if os.geteuid() == 0:
        os.seteuid(nobody)
    try:
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        directory.chmod(0o755)
        (directory / "store.sqlite").chmod(0o644)


@pytest.fixture
def directory():
    """A store with a head and without an index, where others may enter."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions of another kind")
    above = Path(tempfile.mkdtemp())
    above.chmod(0o755)
    with Store.open(above / "s", n_jobs=1) as store:
        store.train(RECORDS, n_topics=2)
        store.fit_head()
    yield above / "s"
    shutil.rmtree(above)


def test_a_store_that_cannot_be_written_answers(directory):
    content = (directory / "store.sqlite").read_bytes()
    with without_permissions(directory), Store.open(directory, n_jobs=1) as store:
        assert len(store.topics()) == 2
        assert store.info().n_documents == len(RECORDS)
        assert store.verify().ok
        assert [entry.action for entry in store.ledger()] == ["add", "fit", "head"]
        assert store.certificates() == []
        assert len(store.predict(["red red"])) == 1
        found = [store.search("green", n=3), store.search("green", n=3)]
        assert store.info().dependents == ("head label",)
        for act in (lambda: store.forget(2), lambda: store.add([{"id": "x", "text": "red"}])):
            with pytest.raises(StoreError, match=r"store\.sqlite"):
                act()
    assert (directory / "store.sqlite").read_bytes() == content
    with Store.open(directory, n_jobs=1) as store:
        assert found == [store.search("green", n=3)] * 2
        assert "index" in store.info().dependents


def test_a_search_answers_while_another_process_writes(store):
    with Store.open(store._db.directory, n_jobs=1, busy_seconds=0.01) as other:
        with store._db.writing():
            found = other.search("green")
        assert "index" not in other.info().dependents
        assert other.search("green") == found
        assert "index" in other.info().dependents


def test_a_search_does_not_end_a_wait(store):
    store.forget(2, "later")
    with pytest.raises(StaleModelError):
        store.search("red")
    assert store.info().n_waiting == 1
