"""Laws of the store: what it holds is always what a new store of the same documents would hold."""

import hashlib
import multiprocessing
import re
import sqlite3
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyunlearn import Certificate, Store, TextRules
from pyunlearn.errors import (
    CorruptStateError,
    DocumentTooLongError,
    DuplicateDocumentError,
    FewerTopicsWarning,
    InvalidInputError,
    InvalidParameterError,
    RecordError,
    StoreBusyError,
    StoreError,
    TooFewAnchorsError,
    UnknownDocumentError,
)
from pyunlearn.store import _database as database
from pyunlearn.store import _ledger as ledger
from pyunlearn.store import _stored_documents as documents
from pyunlearn.store import _stored_words as words

WORDS = ["red", "blue", "green", "dog", "cat", "bird", "piano", "violin", "drum", "rare"]


def make_records(m, seed=0):
    rng = np.random.default_rng(seed)
    theme = rng.integers(0, 3, size=m)
    weights = np.full((3, len(WORDS)), 0.2)
    for topic in range(3):
        weights[topic, 3 * topic : 3 * topic + 3] = 3.0
    weights /= weights.sum(axis=1, keepdims=True)
    return [
        {"id": f"d{i}", "text": " ".join(rng.choice(WORDS, rng.integers(0, 15), p=weights[t]))}
        for i, t in enumerate(theme)
    ]


RECORDS = make_records(40)
MORE = [{**record, "id": "n" + record["id"]} for record in make_records(20, seed=1)]
# The learner whose deletions are incremental: it keeps most in a store.
SETTINGS = {"n_topics": 3, "anchor_min_df": 2, "learner": "anchor"}


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "s", rules=TextRules(min_df=2), n_jobs=1) as opened:
        opened.train(RECORDS, **SETTINGS)
        yield opened


def open_file(store):
    return sqlite3.connect(store._db.path)


def digest(store):
    """What the stored bytes say, not what they say of themselves."""
    result = store.verify()
    assert result.ok, result.problems
    return result.model_stored


def words_of(store):
    return words.read_dictionary(store._db).words


def once(records, **rules):
    """The digests of a store that was made once of some records."""
    given = TextRules(**{"min_df": 2} | rules)
    with tempfile.TemporaryDirectory() as path, Store.open(path, rules=given, n_jobs=1) as store:
        store.train(records, **SETTINGS)
        return store.digest()


# ---- the law ---------------------------------------------------------------------------------


def test_batches_of_counting_change_nothing(store, monkeypatch):
    before = digest(store)
    monkeypatch.setattr(documents.batches, "__defaults__", (50,))
    assert digest(store) == before
    store.add(MORE)
    assert store.digest() == once(RECORDS + MORE)


def test_forgetting_everything_leaves_no_word_and_no_count(store):
    with pytest.warns(FewerTopicsWarning, match="0 documents remain"):
        certificate = store.forget([record["id"] for record in RECORDS])
    assert certificate.n_documents_left == 0
    assert words_of(store) == []
    assert store.topics() == []
    assert store.verify().ok
    with open_file(store) as raw:
        assert raw.execute("SELECT count(*) FROM cooccurrence").fetchone() == (0,)


def test_words_of_forgotten_documents_are_nowhere_in_the_file(tmp_path):
    unique = {"id": "u", "text": "xylographic red xylographic blue", "label": "wombat"}
    with Store.open(tmp_path, n_jobs=1, keep_text=True) as store:
        store.train([*RECORDS, unique], **SETTINGS)
        path = store._db.path
        assert b"xylographic" in path.read_bytes()
        store.forget(["u"])
        store.close()
        assert b"xylographic" not in path.read_bytes()
        assert b"wombat" not in path.read_bytes()


def test_words_enter_and_leave_the_dictionary_with_their_documents(store):
    rare = [record for record in RECORDS if "rare" in record["text"].split()]
    store.forget([record["id"] for record in rare[:-1]])
    assert "rare" not in words_of(store)
    assert store.digest() == once([one for one in RECORDS if one not in rare[:-1]])
    store.add([rare[0], {"id": "new", "text": "novel red"}, {"id": "other", "text": "novel"}])
    assert {"rare", "novel"} <= set(words_of(store))
    assert store.verify().ok


def test_the_digest_is_over_words(store):
    other = [{**one, "text": one["text"].replace("violin", "viola")} for one in RECORDS]
    assert once(RECORDS) == store.digest() != once(other)


def test_what_was_forgotten_can_be_added_again_and_counts_as_before(store):
    before = store.digest()
    store.forget(["d1", "d2", "d3"])
    store.add(RECORDS[1:4])
    assert store.digest() == before
    with pytest.warns(FewerTopicsWarning):
        store.forget([record["id"] for record in RECORDS])
    assert words_of(store) == []
    store.add(RECORDS)
    assert store.digest() == before


def test_forget_reads_no_other_document(store):
    with open_file(store) as raw:
        raw.execute("UPDATE documents SET words = 'x', counts = 'yy' WHERE id <> 'd3'")
    raw.close()
    with Store.open(store._db.directory, create=False) as other:
        other.forget(["d3"])
        assert other.digest() == once([one for one in RECORDS if one["id"] != "d3"])


def test_words_that_are_new_with_an_addition_are_looked_for_in_no_other_document(store):
    with open_file(store) as raw:
        raw.execute("UPDATE documents SET words = 'x', counts = 'yy'")
    raw.close()
    new = [{"id": f"n{at}", "text": "novel red novel"} for at in range(2)]
    with Store.open(store._db.directory, create=False) as other:
        other.add(new)
        assert "novel" in words_of(other)
        assert other.digest() == once(RECORDS + new)


def test_topics_and_info_read_no_statistics(store):
    with open_file(store) as raw:
        raw.execute("UPDATE cooccurrence SET entries = 'x'")
        raw.execute("UPDATE documents SET words = 'x'")
    raw.close()
    with Store.open(store._db.directory, create=False) as other:
        assert [len(topic.words) for topic in other.topics(2)] == [2, 2, 2]
        assert {topic.representative for topic in other.topics()} <= set(WORDS)
        assert other.info().n_topics == 3


# ---- certificates and ledger --------------------------------------------------------------------


def test_forget_hands_out_and_keeps_a_certificate(store):
    certificate = store.forget(["d1", "d2"])
    assert store.confirms(certificate)
    assert (certificate.n_documents_removed, certificate.n_documents_left) == (2, 38)
    assert store.certificates() == [certificate]
    assert Certificate.from_json(certificate.to_json()) == certificate


def test_a_certificate_is_of_no_other_store(store, tmp_path):
    certificate = store.forget(["d1"])
    with Store.open(tmp_path / "other", rules=TextRules(min_df=2), n_jobs=1) as other:
        assert not other.confirms(certificate)
        other.train([one for one in RECORDS if one["id"] != "d1"], **SETTINGS)
        assert other.digest() == store.digest()
        assert not other.confirms(certificate)
    assert store.confirms(certificate)


def test_ledger_records_every_request_and_no_id(store):
    store.forget(["d1"])
    store.add(MORE)
    entries = store.ledger()
    assert [(e.action, e.n_documents) for e in entries] == [
        ("add", 40),
        ("fit", 40),
        ("forget", 1),
        ("add", 20),
    ]
    assert [set(entry.detail) for entry in entries] == [
        {"commitment"},
        {"commitment"},
        {"commitment", "certificate"},
        {"commitment"},
    ]
    assert [e.previous for e in entries[1:]] == [e.hash for e in entries[:-1]]
    rows = store._db.execute("SELECT time, action, n_documents, detail FROM ledger").fetchall()
    kept = rows + store.certificates()
    assert not re.findall(r"\bn?d\d+\b", repr(kept))


def test_ledger_is_append_only(store):
    for statement in ("DELETE FROM ledger", "UPDATE ledger SET action = 'add'"):
        with open_file(store) as raw, pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(statement)
        raw.close()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE ledger SET n_documents = 39 WHERE seq = 2", "entry 2 of the ledger"),
        ("DELETE FROM ledger WHERE seq = 1", "entry 1 of the ledger"),
        ("DELETE FROM ledger WHERE seq = 2", "entry 2 of the ledger"),
        ("DELETE FROM ledger WHERE seq = 3", "last entry of the ledger"),
        ("DELETE FROM certificates", "entry 3 of the ledger and its certificate"),
        ("UPDATE ledger SET detail = '{' WHERE seq = 3", "entry 3 of the ledger is damaged"),
        ("DELETE FROM documents WHERE id = 'd3'", "stored statistics are not"),
        ("UPDATE documents SET length = 99 WHERE id = 'd3'", "words of document 'd3' are damaged"),
        ("UPDATE words SET word = 'other' WHERE word = 'red'", "has the key of another"),
        ("UPDATE words SET n_documents = 9 WHERE word = 'red'", "words of the store"),
        ("DELETE FROM words WHERE word = 'red'", "words of the store"),
        ("UPDATE documents SET counts = zeroblob(length(counts))", "are damaged"),
        ("UPDATE documents SET words = zeroblob(length(words))", "are damaged"),
        ("UPDATE ledger SET secret = zeroblob(32) WHERE seq = 3", "last entry of the ledger"),
        ("UPDATE ledger SET secret = NULL", "last entry of the ledger"),
        ("UPDATE ledger SET secret = zeroblob(32) WHERE seq = 1", "still have their secrets"),
        (
            "UPDATE meta SET value = replace(value, '1', '2') WHERE key = 'digests'",
            "digest that is stored",
        ),
        ("UPDATE cooccurrence SET entries = 'x' WHERE word > 0", "damaged"),
        ("DELETE FROM cooccurrence WHERE word > 0", "damaged"),
        (
            "UPDATE arrays SET data = zeroblob(length(data)) WHERE name = 'gram'",
            "damaged",
        ),
        ("UPDATE arrays SET data = zeroblob(length(data)) WHERE name = 'word_mass'", "damaged"),
        ("DELETE FROM arrays WHERE name = 'document_frequency'", "damaged"),
        (
            "UPDATE meta SET value = '41' WHERE key = 'n_documents'",
            "number of documents is another",
        ),
    ],
)
def test_verify_tells_what_was_tampered_with(store, statement, problem):
    store.forget(["d9"])
    with open_file(store) as raw:
        raw.execute("DROP TRIGGER ledger_keeps_entries")
        raw.execute("DROP TRIGGER ledger_keeps_values")
        raw.execute(statement)
    raw.close()
    result = store.verify()
    assert not result.ok
    assert problem in "\n".join(result.problems)


def test_verify_tells_of_a_text_that_is_not_that_of_its_words(tmp_path):
    with Store.open(tmp_path, n_jobs=1, keep_text=True) as store:
        store.train(RECORDS, **SETTINGS)
        assert store.verify().ok
        with open_file(store) as raw:
            raw.execute("UPDATE documents SET text = text || ' red' WHERE id = 'd3'")
        raw.close()
        assert store.verify().problems == ("the words of document 'd3' are not those of its text",)


@pytest.fixture(scope="module")
def shared_directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("shared")
    with Store.open(directory, n_jobs=1) as store:
        store.train(RECORDS, **SETTINGS)
    return directory


@settings(max_examples=40)
@given(word=st.integers(0, 9), position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_no_edited_row_of_counts_passes(shared_directory, word, position, bit):
    with Store.open(shared_directory, create=False, n_jobs=1) as store, store._db.writing():
        rows = store._db.execute("SELECT word, entries FROM cooccurrence").fetchall()
        word, entries = rows[word % len(rows)]
        edited = bytearray(entries)
        edited[position % len(edited)] ^= 1 << bit
        update = "UPDATE cooccurrence SET entries = ? WHERE word = ?"
        store._db.execute(update, (edited, word))
        assert not store.verify().ok
        with pytest.raises(CorruptStateError):
            _ = store._current.statistics().rows.arrays
        store._current.drop()
        store._db.execute(update, (entries, word))


@pytest.fixture(scope="module")
def directory_with_certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    with Store.open(directory, n_jobs=1) as store:
        store.train(RECORDS, **SETTINGS)
        store.forget(["d1"])
        store.forget(["d2", "d3"])
    with sqlite3.connect(directory / database.FILE_NAME) as raw:
        raw.execute("DROP TRIGGER ledger_keeps_values")
    raw.close()
    return directory


def test_a_ledger_entry_holds_the_hash_of_its_certificate(store):
    text = store.forget(["d1"]).to_json()
    named = store.ledger()[-1].detail["certificate"]
    assert named == hashlib.sha256(text.encode()).hexdigest()


@settings(max_examples=60)
@given(seq=st.integers(3, 4), position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_no_edited_certificate_passes(directory_with_certificates, seq, position, bit):
    with Store.open(directory_with_certificates, create=False, n_jobs=1) as store:
        flip_bit(store, "certificates", "certificate", seq, position, bit)
        result = store.verify()
        assert f"entry {seq} of the ledger and its certificate" in "\n".join(result.problems)
        with pytest.raises(CorruptStateError, match=f"entry {seq} "):
            store.certificates()
        flip_bit(store, "certificates", "certificate", seq, position, bit)
        assert len(store.certificates()) == 2


@settings(max_examples=60)
@given(
    column=st.sampled_from(["time", "action", "detail", "previous", "hash"]),
    seq=st.integers(1, 4),
    position=st.integers(0, 10**6),
    bit=st.integers(0, 7),
)
def test_no_edited_row_of_the_ledger_passes(
    directory_with_certificates, column, seq, position, bit
):
    with Store.open(directory_with_certificates, create=False, n_jobs=1) as store:
        flip_bit(store, "ledger", column, seq, position, bit)
        problems = "\n".join(store.verify().problems)
        assert "of the ledger does not follow" in problems
        flip_bit(store, "ledger", column, seq, position, bit)


def flip_bit(store, table, column, seq, position, bit):
    select = f"SELECT CAST({column} AS BLOB) FROM {table} WHERE seq = ?"
    with store._db.writing():
        edited = bytearray(store._db.value(select, (seq,)))
        edited[position % len(edited)] ^= 1 << bit
        update = f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE seq = ?"
        store._db.execute(update, (edited, seq))


def test_a_certificate_that_no_entry_names_is_told(store):
    store.forget(["d1"])
    with open_file(store) as raw:
        raw.execute("INSERT INTO certificates SELECT 2, certificate FROM certificates")
    raw.close()
    assert store.verify().problems == (
        "entry 2 of the ledger and its certificate do not belong together",
    )


def test_chain_of_hashes_covers_every_field():
    entry = (1, "2026-01-01", "add", 3, "{}", ledger.START)
    others = [(*entry[:i], "other", *entry[i + 1 :]) for i in range(len(entry))]
    assert len({ledger._hash(*fields) for fields in [entry, *others]}) == len(entry) + 1


# ---- refusals -----------------------------------------------------------------------------------

REFUSALS = {
    "unknown id": (UnknownDocumentError, "'nobody'", lambda s: s.forget(["d1", "nobody"])),
    "forgotten id": (UnknownDocumentError, "'gone'", lambda s: s.forget(["gone"])),
    "id twice": (DuplicateDocumentError, "'d1' stands", lambda s: s.forget(["d1", "d1"])),
    "no ids": (InvalidInputError, "no ids", lambda s: s.forget([])),
    "known id": (DuplicateDocumentError, "record 1: id 'd1'", lambda s: s.add(RECORDS[1:2])),
    "id twice in an addition": (
        DuplicateDocumentError,
        "record 2: id 'new'",
        lambda s: s.add([{"id": "new", "text": "red"}] * 2),
    ),
    "bad record": (RecordError, "record 2", lambda s: s.add([MORE[0], {"id": "x"}])),
    "no records": (InvalidInputError, "no records", lambda s: s.add([])),
    "too long": (
        DocumentTooLongError,
        "document 'long' has 1100000 tokens",
        lambda s: s.add([{"id": "long", "text": "red " * 1_100_000}]),
    ),
    "too many topics": (TooFewAnchorsError, "n_topics=99", lambda s: s.fit(n_topics=99)),
    "no topics": (InvalidParameterError, "n_topics", lambda s: s.fit(n_topics=0)),
    "fractional topics": (InvalidParameterError, "n_topics", lambda s: s.fit(n_topics=4.0)),
    "min_df of fit": (InvalidParameterError, "min_df", lambda s: s.fit(min_df=3)),
    "unknown parameter": (InvalidParameterError, "'colour'", lambda s: s.fit(colour=3)),
}


@pytest.mark.parametrize(("error", "message", "act"), REFUSALS.values(), ids=REFUSALS)
def test_refused_request_changes_nothing(store, error, message, act):
    before = (digest(store), store.info(), store.ledger())
    with pytest.raises(error, match=message):
        act(store)
    assert (digest(store), store.info(), store.ledger()) == before
    assert digest(store) == before[0]


def test_failure_while_writing_leaves_disk_and_memory_as_before(store, monkeypatch):
    before = digest(store)

    def fail(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(documents, "delete", fail)
        with pytest.raises(OSError, match="disk full"):
            store.forget(["d1"])
    assert digest(store) == before
    store.forget(["d1"])
    assert store.digest() == once([one for one in RECORDS if one["id"] != "d1"])


def test_failed_first_addition_leaves_an_empty_store(tmp_path):
    with Store.open(tmp_path) as store:
        with pytest.raises(TooFewAnchorsError):
            store.train(RECORDS, n_topics=99)
        assert store.info().n_documents == store.info().n_columns == 0
    with Store.open(tmp_path, exist_ok=False, rules=TextRules(min_df=3)) as store:
        assert store.train(RECORDS, **SETTINGS) == 40


def test_requests_before_fit_are_refused(tmp_path):
    with Store.open(tmp_path) as store:
        with pytest.raises(StoreError, match="no documents"):
            store.fit()
        store.add(RECORDS)
        for act in (lambda: store.forget(["d1"]), store.topics, store.verify):
            with pytest.raises(StoreError, match="call fit first"):
                act()


def test_closed_store_is_refused(store):
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.info()


def test_rules_are_fixed_by_the_first_addition(store):
    directory = store._db.directory
    with pytest.raises(InvalidParameterError, match="begun with TextRules"):
        Store.open(directory, rules=TextRules(min_df=3))
    with pytest.raises(InvalidParameterError, match="keep_text=False"):
        Store.open(directory, keep_text=True)
    with pytest.raises(StoreError, match="holds a store already"):
        Store.open(directory, exist_ok=False)
    with pytest.raises(InvalidParameterError, match="begun with TextRules"):
        Store.open(directory, rules=TextRules(min_df=0.5))


# ---- files --------------------------------------------------------------------------------------


def test_store_of_another_version_is_refused_by_both_versions(store):
    store._db.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreError, match="version 7; this program reads version 5"):
        Store.open(store._db.directory)


@pytest.mark.parametrize("create", [True, False])
def test_file_that_is_no_store_is_refused(tmp_path, create):
    file = tmp_path / database.FILE_NAME
    file.write_bytes(b"not SQLite at all " * 100)
    with pytest.raises(CorruptStateError, match="not the file of a store"):
        Store.open(tmp_path, create=create)
    file.unlink()
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE other (x)")
    raw.close()
    with pytest.raises(CorruptStateError, match="not a store of pyunlearn"):
        Store.open(tmp_path, create=create)


def test_truncated_store_is_an_error(store):
    path = store._db.path
    store.close()
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises((CorruptStateError, StoreError)), Store.open(path.parent) as other:
        other.verify()


def test_store_that_does_not_exist_is_made_only_when_asked_for(tmp_path):
    with pytest.raises(StoreError, match="no store at"):
        Store.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_directory_that_cannot_be_made_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="is a file"):
        Store.open(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot make the directory"):
        Store.open(tmp_path / "file" / "below")


# ---- several processes --------------------------------------------------------------------------


def test_second_writer_is_refused_after_a_wait_and_nothing_changes(store):
    before = digest(store)
    with (
        Store.open(store._db.directory, busy_seconds=0.05) as other,
        store._db.writing(),
        pytest.raises(StoreBusyError, match="another process"),
    ):
        other.forget(["d1"])
    assert digest(store) == before


@pytest.mark.parametrize("refresh", ["now", "later"])
def test_threads_that_are_none_are_no_damage_of_the_store(store, refresh):
    store.forget(["d1"], refresh=refresh)
    with (
        Store.open(store._db.directory, n_jobs=0) as other,
        pytest.raises(InvalidParameterError, match="n_jobs"),
    ):
        other.forget(["d2"])


def _forget_in_another_process(directory):
    with Store.open(directory, n_jobs=1) as store:
        store.forget(["d5"])


def test_store_sees_what_another_process_forgot(store):
    store.forget(["d1"])
    process = multiprocessing.get_context("spawn").Process(
        target=_forget_in_another_process, args=(store._db.directory,)
    )
    process.start()
    process.join()
    assert process.exitcode == 0
    store.forget(["d2"])
    gone = {"d1", "d2", "d5"}
    remaining = [record for record in RECORDS if record["id"] not in gone]
    assert store.digest() == once(remaining)


def _die_in_the_middle(directory):
    import os

    store = Store.open(directory, n_jobs=1)
    words.subtract = lambda *_: os._exit(9)
    store.forget(["d5"])


def test_killed_request_leaves_the_state_before(store):
    before = digest(store)
    process = multiprocessing.get_context("spawn").Process(
        target=_die_in_the_middle, args=(store._db.directory,)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    assert digest(store) == before
