"""What is kept of a request does not testify: no state of before can be confirmed from it."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import LEARNERS, new_model
from test_store_law import tables

from pyunlearn import LinearHeadClassifier, Store, TextRules, TopicRetriever
from pyunlearn.store import _database as database
from pyunlearn.store import _stored_words as words
from pyunlearn.store._state_digest import state_digest

WORDS = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"]
RECORDS = [
    {
        "id": f"d{row}",
        "text": " ".join(np.random.default_rng(row).choice(WORDS, 6 + row % 4)),
        "label": "xy"[row % 2],
    }
    for row in range(16)
]
PARAMETERS = {"n_topics": 2, "core_min_df": 1}


def labels(names):
    return {f"d{row}": names[row % 3] for row in range(9)}


def opened(path):
    store = Store.open(path, rules=TextRules(), keep_text=True, n_jobs=1)
    store.train(RECORDS, **PARAMETERS)
    store.set_labels("kind", labels("pqr"))
    store.fit_head(loss="squared", features="linear")
    store.fit_head("kind")
    store.search("ant bee")
    return store


def digests_of(store):
    """Every digest that the present state of a store has, as text."""
    db = store._db
    model = store._current.model()
    found = {
        store.digest(),
        state_digest(db, words.read_dictionary(db)),
        model.digest(),
        model.statistics.digest(),
        db.get_meta("learned_digest"),
        db.get_meta("index_digest"),
        *(head.digest for head in store.heads().values()),
    }
    for (state,) in db.execute("SELECT state FROM heads"):
        held = json.loads(state)
        found |= {held["scoring"], held.get("task", held["scoring"])}
    return found - {None}


def forms_of(digests):
    """The digests in every form in which they might be written."""
    return [form for one in digests for form in (one.encode(), bytes.fromhex(one))]


def content_of(path):
    """The bytes of every file of a store, and of what it answers."""
    with Store.open(path, create=False, n_jobs=1) as store:
        told = repr((store.ledger(), store.certificates(), store.info(), store.verify()))
        kept = pickle.dumps((store.certificates(), store.ledger(), store._current.model()))
    files = b"".join(file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file())
    return files + told.encode() + kept


REQUESTS = {
    "forget": lambda store: store.forget(["d3"]),
    "forget later": lambda store: (store.forget(["d3"], "later"), store.refresh()),
    "redact": lambda store: store.redact("d3", [RECORDS[3]["text"].split()[0]]),
    "relabel": lambda store: store.set_labels("kind", labels("qpr")),
    "add": lambda store: store.add([{"id": "new", "text": "novel ant fox"}]),
    "fit": lambda store: store.fit(**{**PARAMETERS, "n_topics": 1}),
    "delete head": lambda store: store.delete_head("kind"),
}


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("name", REQUESTS)
def test_no_digest_of_a_state_of_before_is_left_anywhere(tmp_path, name, compacted):
    with opened(tmp_path) as store:
        before = digests_of(store)
        REQUESTS[name](store)
        after = digests_of(store)
        if compacted:
            store.compact()
    content = content_of(tmp_path)
    assert [form for form in forms_of(after) if form in content]  # the search finds what is there
    assert [form for form in forms_of(before - after) if form in content] == []
    assert before - after


def test_no_secret_of_before_is_left(tmp_path):
    with opened(tmp_path) as store:
        secret = store._db.value("SELECT secret FROM ledger ORDER BY seq DESC LIMIT 1")
        assert len(secret) == 32
        assert secret in (tmp_path / database.FILE_NAME).read_bytes()
        store.forget(["d3"])
        assert store._db.value("SELECT count(*) FROM ledger WHERE secret IS NOT NULL") == 1
    assert secret not in (tmp_path / database.FILE_NAME).read_bytes()


def test_a_guess_of_a_forgotten_document_is_confirmed_by_nothing(tmp_path):
    """A dictionary of guesses, the right one among them: the store looks alike for all."""
    with opened(tmp_path / "s") as store:
        store.forget(["d3"])
        store.compact()
    content = content_of(tmp_path / "s")
    for guess in (RECORDS[3]["text"], "ant bee", "fox gnu hen"):
        guessed = [record for record in RECORDS if record["id"] != "d3"]
        guessed.insert(3, {**RECORDS[3], "text": guess})
        with Store.open(tmp_path / guess[:9], rules=TextRules(), keep_text=True) as other:
            other.train(guessed, **PARAMETERS)
            assert [form for form in forms_of(digests_of(other)) if form in content] == []


@pytest.mark.parametrize("learner", LEARNERS)
@given(st.lists(st.integers(0, 59), min_size=2, max_size=2, unique=True))
@settings(max_examples=30)
def test_certificates_of_any_two_documents_differ_in_the_commitment_alone(learner, picks):
    counts = np.random.default_rng(4).poisson(0.8, (60, 15))
    labels = counts[:, 0] > 0
    given_ = []
    for pick in picks:
        model = new_model(3, learner=learner, word_min_df=2, n_jobs=1).fit(counts)
        head = LinearHeadClassifier(model, loss="squared", n_jobs=1).fit(counts, labels)
        certificates = [model.forget(counts[[pick]]), head.refresh()]
        certificates.append(head.forget(counts[[pick]], labels[[pick]]))
        assert model.confirms(certificates[0])
        assert head.confirms(certificates[2])
        given_.append([as_if_noise(one) for one in certificates])
    assert given_[0] == given_[1]


def as_if_noise(certificate):
    assert len(bytes.fromhex(certificate.commitment)) == 32
    # The gradient of a closed form is rounding error, and a bound of it a power of two.
    values = dataclasses.asdict(certificate)
    for name in ("gradient_norm", "distance", "residual_bound", "residual_spent"):
        assert np.frexp(values.pop(name, 1.0))[0] in (0.0, 0.5)
    return {**values, "commitment": None}


@pytest.mark.parametrize("refresh", ["now", "later"])
def test_stores_that_forgot_another_document_keep_the_same_evidence(tmp_path, refresh):
    kept = []
    for one in ("d3", "d8", "d14"):
        with opened(tmp_path / one) as store:
            store.forget([one], refresh)
            store.refresh()
        rows = tables(tmp_path / one)["ledger"]
        told = [(seq, action, n, set(json.loads(detail))) for seq, _, action, n, detail, *_ in rows]
        certificates = [json.loads(text) for _, text in tables(tmp_path / one)["certificates"]]
        kept.append((told, [{**values, "commitment": None} for values in certificates]))
    assert kept[0] == kept[1] == kept[2]


@pytest.mark.parametrize("learner", LEARNERS)
def test_pickles_of_what_forgot_are_those_of_what_never_knew(learner):
    counts = np.random.default_rng(4).poisson(0.8, (60, 15))
    counts[7, [3, 11]] = 0
    counts[:, 14], counts[7, 14] = 0, 5  # a word that only one document has
    labels = np.arange(60) % 3

    def made(rows):
        model = new_model(3, learner=learner, word_min_df=2, n_jobs=1).fit(counts[rows])
        head = LinearHeadClassifier(model, n_jobs=1).fit(counts[rows], labels[rows])
        return model, head, TopicRetriever(model).fit(counts[rows], ids=rows.tolist())

    everything, rest = np.arange(60), np.delete(np.arange(60), 7)
    model, head, index = made(everything)
    model.forget(counts[[7]])
    head.refresh()
    head.forget(counts[[7]], labels[[7]])
    index.refresh()
    index.forget([7])
    for forgot, never in zip((model, head, index), made(rest), strict=True):
        assert forgot.digest() == never.digest()
        assert pickle.dumps(forgot) == pickle.dumps(never)
