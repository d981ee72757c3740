"""The law of the house for a store: heads, index and corrections in any order, and interrupted."""

import copy
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pyunlearn import Store, TextRules
from pyunlearn.errors import FewerClassesWarning, StoreBusyError

pytestmark = [
    pytest.mark.filterwarnings("ignore::pyunlearn.errors.FewerTopicsWarning"),
    pytest.mark.filterwarnings("ignore::pyunlearn.errors.FewerClassesWarning"),
]
WORDS = ["red", "blue", "green", "dog", "cat", "bird", "piano", "violin", "drum"]
# Holds every word, so that every store here chooses the same dictionary; it is never forgotten.
KEPT = {"id": "kept", "text": " ".join(WORDS), "label": None}
PARAMETERS = {"n_topics": 2, "core_min_df": 1}
HEADS = [
    {},
    {"loss": "squared"},
    {"loss": "squared", "features": "proportions"},
    {"features": "word-topic", "alpha": 0.01},
    {"loss": "squared", "task": "regression"},
]
TEXT = st.lists(st.sampled_from(WORDS), min_size=0, max_size=8).map(" ".join)
DOCUMENTS = st.lists(st.tuples(TEXT, st.sampled_from(["1", "2", "3", None])), max_size=4)


def digests(store):
    """All that a store holds besides its history."""
    info = store.info()
    heads = {field: (head.digest, head.classes) for field, head in store.heads().items()}
    return info.digest, info.n_words, heads, store._db.get_meta("index_digest")


class Histories(RuleBasedStateMachine):
    """Requests in any order; the store verifies, and is the one begun with what remains."""

    @initialize(documents=DOCUMENTS, keep_text=st.booleans())
    def begin(self, documents, keep_text):
        self.folder = tempfile.TemporaryDirectory()
        self.keep_text = keep_text
        self.number = 0
        self.held, self.sections, self.heads, self.indexed = {}, {}, {}, False
        records = [KEPT, *self.new_records(documents)]
        self.held = {record["id"]: record for record in records}
        self.store = self.opened("s")
        self.store.train(records, **PARAMETERS)

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    def opened(self, name, n_jobs=1):
        path = Path(self.folder.name) / name
        return Store.open(path, rules=TextRules(), keep_text=self.keep_text, n_jobs=n_jobs)

    def new_records(self, documents):
        records = []
        for text, label in documents:
            self.number += 1
            records.append({"id": f"d{self.number}", "text": text, "label": label})
        return records

    def others(self):
        return [identifier for identifier in self.held if identifier != "kept"]

    @precondition(lambda self: self.number < 40)
    @rule(documents=DOCUMENTS.filter(len))
    def add(self, documents):
        records = self.new_records(documents)
        self.store.add(copy.deepcopy(records))
        self.held.update({record["id"]: record for record in records})

    @precondition(lambda self: self.others())
    @rule(
        picks=st.lists(st.integers(0, 99), min_size=1, max_size=4),
        refresh=st.sampled_from(["now", "later"]),
    )
    def forget(self, picks, refresh):
        ids = sorted({self.others()[pick % len(self.others())] for pick in picks})
        certificate = self.store.forget(ids, refresh)
        for identifier in ids:
            del self.held[identifier]
            self.sections.pop(identifier, None)
        expected = len(self.heads) + self.indexed if refresh == "now" else 0
        assert len(certificate.dependents) == expected

    @rule()
    def refresh(self):
        waited = self.waits()
        assert (self.store.refresh() is not None) == waited
        assert not self.waits()

    def waits(self):
        return self.store.info().n_waiting > 0

    @precondition(lambda self: any(self.held[one]["text"] for one in self.others()))
    @rule(pick=st.integers(0, 99), word=st.integers(0, 99))
    def redact(self, pick, word):
        ids = [one for one in self.others() if self.held[one]["text"]]
        record = self.held[ids[pick % len(ids)]]
        words = record["text"].split()
        gone = words[word % len(words)]
        self.store.redact(record["id"], gone)
        record["text"] = " ".join(one for one in words if one != gone)

    @rule(kind=st.sampled_from(HEADS), field=st.sampled_from(["label", "section"]))
    def fit_head(self, kind, field):
        labels = {one: record["label"] for one, record in self.held.items()}
        if field == "section":
            labels = self.sections
        if len({label for label in labels.values() if label}) > 1:
            self.store.fit_head(field, **kind)
            self.heads[field] = kind

    @rule(values=st.lists(st.sampled_from(["1", "2", "3"]), max_size=6))
    def label(self, values):
        self.sections = dict(zip(self.others(), values, strict=False))
        self.store.set_labels("section", self.sections)

    @precondition(lambda self: self.heads)
    @rule()
    def delete_head(self):
        field = min(self.heads)
        self.store.delete_head(field)
        del self.heads[field]

    @precondition(lambda self: not self.waits())
    @rule()
    def search(self):
        found = self.store.search("red dog", n=99)
        assert {one.id for one in found} == set(self.held)
        self.indexed = True

    @rule(n_jobs=st.integers(1, 3))
    def open_again(self, n_jobs):
        self.store.close()
        self.store = self.opened("s", n_jobs)

    @invariant()
    @precondition(lambda self: not self.waits())
    def equals_a_store_begun_with_what_remains(self):
        result = self.store.verify()
        assert result.ok, result.problems
        with tempfile.TemporaryDirectory(dir=self.folder.name) as name, self.opened(name) as once:
            once.add(copy.deepcopy(list(self.held.values())))
            once.fit(**PARAMETERS)
            if self.indexed:
                once.search("red")
            for field, kind in self.heads.items():
                # A head may have fewer classes left than one can be begun with.
                once.add([{"id": f"more{n}", "text": "red", "label": str(n)} for n in (1, 2)])
                more = {"more1": "1", "more2": "2"} if field == "section" else None
                once.fit_head(field, more, **kind)
                once.forget(["more1", "more2"])
            if self.sections:
                once.set_labels("section", self.sections)
            assert digests(once) == digests(self.store)


Histories.TestCase.settings = settings(max_examples=25, stateful_step_count=10, deadline=None)
TestHistories = Histories.TestCase


# ---- crashes ---------------------------------------------------------------------------------

REQUESTS = {
    "add": lambda store: store.add([{"id": "new", "text": "red dog drum", "label": "1"}]),
    "fit": lambda store: store.fit(n_topics=3, core_min_df=1),
    "forget": lambda store: store.forget(["d3", "d4"]),
    "forget later": lambda store: store.forget(["d3", "d4"], "later"),
    "refresh": lambda store: store.refresh(),
    "redact": lambda store: store.redact("d5", "dog"),
    "set_labels": lambda store: store.set_labels("section", {"d1": "a", "d2": "b"}),
    "fit_head": lambda store: store.fit_head("label", loss="squared", alpha=0.1),
    "fit_head with labels": lambda store: store.fit_head("other", {"d1": "a", "d2": "b"}),
    "delete_head": lambda store: store.delete_head("section"),
    "search": lambda store: store.search("red"),
}


def dump(store):
    return "\n".join(store._db._connection.iterdump())


@pytest.mark.parametrize("request_name", REQUESTS)
def test_an_interruption_anywhere_leaves_the_store_as_it_was_or_done(tmp_path, request_name):
    """The n-th statement fails, for every n; then the same request runs through."""
    request = REQUESTS[request_name]
    texts = [" ".join(WORDS[(row * step + row) % 9] for step in range(5)) for row in range(12)]
    records = [
        {"id": f"d{row}", "text": text + " dog", "label": str(row % 2)}
        for row, text in enumerate(texts)
    ]
    with Store.open(tmp_path / "s", rules=TextRules(), keep_text=True, n_jobs=1) as store:
        store.train([KEPT, *records], **PARAMETERS)
        store.set_labels("section", {f"d{row}": "xyz"[row % 3] for row in range(9)})
        store.fit_head("section", loss="squared")
        if request_name != "search":
            store.search("red")
        if request_name == "refresh":
            store.forget(["d7"], "later")
        before, interrupted = dump(store), set()
        execute, execute_many = store._db.execute, store._db.execute_many
        left = [0]

        def counted(run):
            def wrapped(*arguments):
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
                return run(*arguments)

            return wrapped

        statement, finished = 0, False
        while not finished:
            left[0] = statement
            store._db.execute, store._db.execute_many = map(counted, (execute, execute_many))
            try:
                request(store)
                finished = True
            except KeyboardInterrupt:
                store._db.execute, store._db.execute_many = execute, execute_many
                assert not store._db._connection.in_transaction
                interrupted.add(dump(store))
            store._db.execute, store._db.execute_many = execute, execute_many
            statement += 1 + statement // 20
        done = dump(store)
        store.refresh()
        assert store.verify().ok
        assert before in interrupted
        assert interrupted <= {before, done} != {before}


def test_a_failing_commit_leaves_the_store_as_it_was(tmp_path):
    with Store.open(tmp_path / "s", rules=TextRules(), n_jobs=1, busy_seconds=0) as store:
        records = [{"id": f"d{row}", "text": "red blue dog", "label": row} for row in "12"]
        store.train([KEPT, *records], **PARAMETERS)
        store.fit_head()
        before = digests(store)
        reader = sqlite3.connect(store._db.path)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM documents").fetchone()
        with pytest.raises(StoreBusyError):
            store.forget(["d1"])
        reader.close()
        assert digests(store) == before
        with pytest.warns(FewerClassesWarning):
            store.forget(["d1"])
        assert store.verify().ok
