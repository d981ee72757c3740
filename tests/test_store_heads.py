"""Heads, index and corrections of a store: every deletion reaches them, in the same transaction."""

import json

import numpy as np
import pytest

from pyunlearn import Store, TextRules, cli
from pyunlearn.errors import (
    CorruptStateError,
    FewerClassesWarning,
    InvalidInputError,
    InvalidParameterError,
    StoreError,
    UnknownDocumentError,
)
from pyunlearn.store import _stored_documents as documents
from pyunlearn.store import _stored_words as words

THEMES = [["red", "blue", "green"], ["dog", "cat", "bird"], ["piano", "violin", "drum"]]
KINDS = [
    {},
    {"loss": "squared"},
    {"loss": "squared", "features": "word-topic"},
    {"features": "proportions"},
]


def make_records(m, seed=0):
    rng = np.random.default_rng(seed)
    records = []
    for row in range(m):
        theme = int(rng.integers(3))
        words = rng.choice(THEMES[theme] + THEMES[(theme + 1) % 3][:1] + ["Rare"], 8)
        label = f"t{theme}" if rng.random() < 0.8 else None
        records.append({"id": f"d{row:02}", "text": " ".join(words), "label": label})
    return records


RECORDS = make_records(40)
TEXTS = [record["text"] for record in RECORDS]


@pytest.fixture(params=[False, True], ids=["counts", "texts"])
def store(request, tmp_path):
    with Store.open(tmp_path / "s", rules=TextRules(), keep_text=request.param, n_jobs=1) as opened:
        opened.train(RECORDS, n_topics=3, core_min_df=2)
        yield opened


def test_numbers_and_booleans_of_json_are_labels(store):
    stars = {f"d{row:02}": row / 4 for row in range(20)}
    head = store.fit_head("stars", labels=stars, loss="squared", task="regression")
    assert head.n_documents == 20
    store.fit_head("kept", labels={f"d{row:02}": row % 2 == 0 for row in range(20)})
    assert store.heads()["kept"].classes == ["false", "true"]
    assert_verified(store)


def test_a_label_that_is_no_number_is_named_by_its_document(store):
    with pytest.raises(InvalidInputError, match=r"'d01'.* not a number") as caught:
        store.fit_head(
            "stars", labels={"d00": "4", "d01": "secret"}, loss="squared", task="regression"
        )
    assert "secret" not in str(caught.value)


def assert_verified(store):
    """Heads and index are, byte for byte, those of the documents held; on disk as well."""
    result = store.verify()
    assert result.ok, result.problems
    with Store.open(store._db.directory, n_jobs=2) as again:
        assert again.verify().ok


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_forgetting_reaches_heads_and_index(store, kind):
    before = store.fit_head(**kind)
    store.search("red blue")
    for ids in (["d03"], ["d04", "d05", "d06"]):
        certificate = store.forget(ids)
        assert_verified(store)
        assert store.confirms(certificate)
    assert store.heads()["label"].digest != before.digest
    assert certificate.dependents == ("head label", "index")
    assert store.certificates()[-1] == certificate
    assert not {one.id for one in store.search("red blue", n=40)} & {"d03", "d04", "d05", "d06"}


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_additions_and_another_fit_reach_heads_and_index(store, kind):
    store.fit_head(**kind)
    store.search("red blue")
    store.add({**record, "id": "n" + record["id"]} for record in make_records(9, seed=1))
    assert_verified(store)
    store.fit(n_topics=2, core_min_df=2)
    assert_verified(store)
    store.forget(["nd01", "d01"])
    assert_verified(store)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_head_of_a_store_predicts_without_reading_documents(store, kind):
    store.fit_head(**kind)
    labels = [record["label"] or "t0" for record in RECORDS]
    store._db.execute("DELETE FROM head_pairs")
    assert store.score(TEXTS, labels) > 0.7
    assert store.predict(TEXTS[:2]) == store.predict(TEXTS)[:2]


def test_a_field_of_its_own_is_forgotten_with_its_documents(store):
    store.set_labels("section", {f"d{row:02}": ["even", "odd"][row % 2] for row in range(30)})
    head = store.fit_head("section", loss="squared")
    assert (head.classes, head.n_documents) == (["even", "odd"], 30)
    store.forget(["d00", "d35"])
    assert store.heads()["section"].n_documents == 29
    assert store._db.value("SELECT count(*) FROM labels WHERE id = 'd00'") == 0
    store.set_labels("section", {"d01": "even", "d02": "odd"})
    assert store.heads()["section"].n_documents == 2
    assert_verified(store)


def test_numbers_as_labels(store):
    store.set_labels("year", {f"d{row:02}": str(1990 + row) for row in range(30)})
    for parameters in ({"loss": "logistic"}, {"tol": 1e-3}, {"alpha": -1.0}):
        with pytest.raises(InvalidParameterError):
            store.fit_head("year", task="regression", **parameters)
    with pytest.raises(InvalidParameterError):
        store.fit_head("year", task="ranking")
    found = store.fit_head("year", task="regression")
    assert (found.parameters["task"], found.parameters["loss"]) == ("regression", "squared")
    store.forget(["d00"])
    assert_verified(store)
    assert all(isinstance(one, float) for one in store.predict(TEXTS[:3], "year"))
    store.set_labels("word", {"d02": "no number"})
    with pytest.raises(InvalidInputError, match="not a number"):
        store.fit_head("word", loss="squared", task="regression")


def test_a_deleted_head_leaves_nothing(store):
    store.fit_head(loss="squared")
    store.delete_head("label")
    assert store.heads() == {}
    assert store._db.value("SELECT count(*) FROM head_pairs") == 0
    assert store._db.value("SELECT count(*) FROM arrays WHERE owner LIKE 'head %'") == 0
    assert_verified(store)


def test_deletion_is_never_refused_for_what_a_head_has_left(store):
    store.fit_head()
    with pytest.warns(FewerClassesWarning):
        store.forget([record["id"] for record in RECORDS if record["label"] in ("t0", "t1")])
    assert store.heads()["label"].classes == ["t2"]
    assert store.predict(["dog"]) == ["t2"]
    with pytest.warns(FewerClassesWarning):
        store.forget([record["id"] for record in RECORDS if record["label"] == "t2"])
    for call in (lambda: store.predict(["dog"]), lambda: store.score(["dog"], ["t2"])):
        with pytest.raises(StoreError, match="no document"):
            call()
    assert_verified(store)


def test_a_failed_deletion_leaves_heads_and_index_as_they_were(store, monkeypatch):
    store.fit_head(loss="squared")
    store.search("red")
    before = (store.heads(), store._db.get_meta("index_digest"))

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pyunlearn.store._stored_index.write", fail)
    with pytest.raises(KeyboardInterrupt):
        store.forget(["d01"])
    monkeypatch.undo()
    assert (store.heads(), store._db.get_meta("index_digest")) == before
    assert_verified(store)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE arrays SET data = zeroblob(length(data)) WHERE name = 'weights'",
        "UPDATE arrays SET data = zeroblob(length(data)) WHERE name = 'prior'",
        "UPDATE arrays SET data = zeroblob(length(data)) WHERE name = 'own'",
        "UPDATE arrays SET data = zeroblob(length(data)) WHERE name = 'totals'",
        "DELETE FROM head_pairs WHERE word = 1",
        "UPDATE heads SET state = replace(state, 't1', 't7')",
        "UPDATE heads SET state = '{}'",
        "UPDATE heads SET parameters = 'nonsense'",
        "UPDATE arrays SET data = zeroblob(length(data)) WHERE owner = 'index'",
    ],
)
def test_a_changed_head_or_index_is_found(store, change):
    store.fit_head(loss="squared")
    store.search("red")
    assert store._db.execute(change).rowcount
    store._current.drop()
    assert not store.verify().ok
    if "index" in change:
        with pytest.raises(CorruptStateError):
            store.search("red")
    else:
        if any(name in change for name in ("weights", "prior", "UPDATE heads")):
            with pytest.raises(CorruptStateError):
                store.predict(["red"])
        if any(name in change for name in ("own", "totals", "head_pairs", "nonsense", "t7")):
            # Sums that a deletion starts from; weights are learned anew.
            with pytest.raises(CorruptStateError, match="delete it"):
                store.forget(["d01"])
            store.delete_head("label")
        store.forget(["d01"])
        assert store.verify().ok


def test_a_store_predicts_texts_of_unknown_words_by_its_task(tmp_path):
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(30)]
    records = [
        {
            "id": f"d{i}",
            "text": " ".join(rng.choice(words, 12)),
            "label": "ham" if i % 8 else "spam",
        }
        for i in range(60)
    ]
    prices = {f"d{i}": 100 + i % 3 for i in range(60)}
    with Store.open(tmp_path / "s", rules=TextRules(), n_jobs=1) as store:
        store.train(records, n_topics=3, core_min_df=2)
        for features in ("word-topic", "proportions"):
            store.fit_head(features=features)
            store.fit_head("price", prices, task="regression", features=features)
            assert store.predict(["qqq zzz", ""]) == ["ham", "ham"]
            assert store.predict(["qqq zzz", ""], "price") == pytest.approx([101] * 2)
        store.forget(record["id"] for record in records if prices[record["id"]] != 102)
        assert store.predict(["qqq zzz"], "price") == pytest.approx([102])
        assert store.predict(["qqq zzz"]) == ["ham"]
        assert store.verify().ok


def test_labels_are_given_by_ids_of_numpy_too(tmp_path):
    with Store.open(tmp_path / "s", rules=TextRules(), n_jobs=1) as store:
        records = [{"id": row, "text": "red blue dog"} for row in range(6)]
        store.train(records, n_topics=1, core_min_df=1)
        assert store.set_labels("section", {np.str_("0"): "a", 1: "b", np.int64(2): "b"}) == 3
        assert store.fit_head("section").n_documents == 3


# ---- search ----------------------------------------------------------------------------------


def test_search_finds_the_documents_of_a_theme(store):
    for similarity in ("cosine", "jensen-shannon"):
        found = store.search("piano violin drum", n=5, similarity=similarity)
        texts = {record["id"]: record["text"] for record in RECORDS}
        assert all("piano" in texts[one.id] or "drum" in texts[one.id] for one in found)
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_search_refuses_what_it_cannot_do(store):
    for text in ("zebra", "", None):
        with pytest.raises(InvalidInputError):
            store.search(text)
    with pytest.raises(InvalidParameterError):
        store.search("red", n=0)
    with pytest.raises(InvalidParameterError):
        store.search("red", similarity="dot")
    with pytest.warns(UserWarning, match="remain"):
        store.forget([record["id"] for record in RECORDS])
    before = store.ledger(), store.info()
    with pytest.raises(StoreError, match="no documents"):
        store.search("red")
    assert (store.ledger(), store.info()) == before


@pytest.mark.parametrize("text", ["zebra", ""])
def test_a_search_that_is_refused_writes_no_index(store, text):
    before = store.ledger(), store.info()
    with pytest.raises(InvalidInputError):
        store.search(text)
    assert (store.ledger(), store.info()) == before


# ---- corrections -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS[:2], ids=str)
def test_redacted_words_leave_document_model_and_heads(store, kind):
    store.fit_head(**kind)
    store.search("red")
    text = TEXTS[7]
    word = text.split()[0].lower()
    certificate = store.redact("d07", [word])
    assert_verified(store)
    ((_, bag),) = documents.read_some(store._db, ["d07"])
    assert words.key_of(word) not in bag.keys
    assert bag.length == sum(one.lower() != word for one in text.split())
    kept = documents.read_text(store._db, "d07")
    assert kept is None or word not in kept.lower().split()
    assert store.confirms(certificate)
    assert certificate.dependents == ("head label", "index")
    assert certificate.n_documents_left == 40


def test_a_word_that_is_nowhere_else_loses_its_string(store):
    store.add([{"id": "only", "text": "red " * 9 + "blue"}])
    for record in RECORDS:
        if "rare" in record["text"].lower():
            store.redact(record["id"], "rare")
    assert "rare" not in words.read_dictionary(store._db).words
    assert b"rare" not in store._db.path.read_bytes().lower().replace(b"quarrel", b"")


def test_nothing_of_what_was_deleted_is_in_a_compacted_file(tmp_path):
    with Store.open(tmp_path / "s", rules=TextRules(), keep_text=True, n_jobs=1) as store:
        store.train(
            (
                {"id": f"person{d}x", "text": f"red blue dog secret{d}x", "label": f"kind{d % 9}x"}
                for d in range(3000)
            ),
            n_topics=2,
        )
        store.set_labels("own", {f"person{d}x": f"tag{d}x" for d in range(0, 3000, 50)})
        store.fit_head(loss="squared")
        store.search("red")
        gone, redacted = range(0, 3000, 2), range(1, 3000, 500)
        for d in redacted:
            store.redact(f"person{d}x", f"Secret{d}x")
        store.forget(f"person{d}x" for d in gone)
        store.compact()
        assert store.verify().ok
        content = store._db.path.read_bytes()
    assert [d for d in redacted if b"secret%dx" % d in content] == []
    for name in (b"person", b"secret", b"tag"):
        assert [d for d in gone if name + b"%dx" % d in content] == []


def test_redactions_that_are_refused(store):
    before = store.verify()
    with pytest.raises(UnknownDocumentError):
        store.redact("nobody", ["red"])
    with pytest.raises(InvalidInputError, match="nothing was redacted"):
        store.redact("d07", ["nowhere"])
    with pytest.raises(InvalidInputError):
        store.redact("d07", [])
    assert store.verify() == before


def test_words_are_redacted_in_any_case_and_counted(store):
    word = TEXTS[7].split()[0]
    store.redact("d07", [word.upper(), word.lower()])
    assert words.key_of(word.lower()) not in documents.read_some(store._db, ["d07"])[0][1].keys
    assert_verified(store)


def test_a_redaction_does_not_warn_of_topics_that_stay(tmp_path):
    texts = ["aa bb", "aa bb", "cc dd ee"]
    with Store.open(tmp_path / "s", rules=TextRules(), n_jobs=1) as store:
        records = [{"id": f"d{row}", "text": text} for row, text in enumerate(texts)]
        store.train(records, n_topics=2, core_min_df=1)
        store.redact("d2", ["ee"])
        assert_verified(store)


# ---- refusals --------------------------------------------------------------------------------


def test_heads_that_are_refused(store):
    before = store.verify()
    for error, call in (
        (InvalidParameterError, lambda: store.fit_head(alpha=-1.0)),
        (InvalidParameterError, lambda: store.fit_head(depth=2)),
        (InvalidInputError, lambda: store.fit_head("nobody's")),
        (InvalidInputError, lambda: store.set_labels("label", {"d01": "x"})),
        (StoreError, lambda: store.set_labels("section", {"nobody": "x"})),
        (StoreError, lambda: store.predict(["red"])),
        (StoreError, lambda: store.delete_head("label")),
        (InvalidInputError, lambda: store.set_labels("", {"d01": "x"})),
        (InvalidInputError, lambda: store.set_labels("section", {"d01": None})),
        (InvalidInputError, lambda: store.set_labels("section", {None: "x"})),
        (InvalidInputError, lambda: store.set_labels("section", {("d01",): "x"})),
        (InvalidInputError, lambda: store.fit_head("section", {"d01": "x", "d02": "x"})),
    ):
        with pytest.raises(error):
            call()
    store.fit_head()
    for texts in ([], "red", [None]):
        with pytest.raises(InvalidInputError):
            store.predict(texts)
    assert store._db.value("SELECT count(*) FROM labels") == 0
    assert store.verify().model_stored == before.model_stored


# ---- the command line ------------------------------------------------------------------------


def run_json(capsys, *arguments):
    status = cli.main([*arguments, "--json"])
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    return json.loads(printed.out)


def test_the_whole_path_on_the_command_line(tmp_path, capsys):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    where = ["--store", str(tmp_path / "s")]
    run_json(capsys, "fit", str(corpus), *where, "--topics", "3", "--core-min-df", "2")
    head = run_json(capsys, "head", "fit", *where, "--loss", "squared")
    assert head["classes"] == ["t0", "t1", "t2"]
    tagged = tmp_path / "tagged.jsonl"
    tagged.write_text(
        "".join(
            json.dumps({"id": f"d{row:02}", "text": TEXTS[row], "even": row % 2}) + "\n"
            for row in range(20)
        )
    )
    run_json(capsys, "head", "fit", *where, "--label", "even", "--labels", str(tagged))
    assert len(run_json(capsys, "head", "list", *where)["heads"]) == 2
    found = run_json(capsys, "head", "score", str(corpus), *where)
    assert found["score"] > 0.7
    predictions = run_json(capsys, "head", "predict", str(tagged), *where, "--label", "even")
    assert len(predictions["predictions"]) == 20
    assert run_json(capsys, "search", "red", "blue", *where, "--top", "3")["found"][2]["id"]
    certificate = run_json(capsys, "forget", "d01", *where)
    assert set(certificate["dependents"]) == {"head even", "head label", "index"}
    word = TEXTS[2].split()[0].lower()
    assert run_json(capsys, "redact", "d02", word, *where)["n_documents_removed"] == 0
    assert run_json(capsys, "verify", *where)["ok"]
    assert run_json(capsys, "info", *where)["dependents"] == ["head even", "head label", "index"]
    run_json(capsys, "head", "delete", *where, "--label", "even")


@pytest.mark.parametrize(
    "arguments",
    [["head", "fit"], ["head", "list"], ["head", "score"], ["head", "predict"], ["search", "red"]],
    ids=" ".join,
)
def test_tables_for_people(tmp_path, capsys, arguments):
    with Store.open(tmp_path / "s", n_jobs=1) as store:
        store.train(RECORDS, n_topics=3, core_min_df=2)
        store.fit_head()
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    more = [str(corpus)] if arguments[-1] in ("score", "predict") else []
    assert cli.main([*arguments, *more, "--store", str(tmp_path / "s")]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip()
    assert printed.err == ""
