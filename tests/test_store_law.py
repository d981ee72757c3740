"""Everything a store keeps is a function of what remains: from text, for every history.

Histories of requests end with the tables of a store that was made once of the documents left; all
but the two that say what was asked and when.
"""

import contextlib
import sqlite3
import warnings

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyunlearn import Store, TextRules
from pyunlearn.errors import FewerClassesWarning, FewerTopicsWarning, PyUnlearnError

WORDS = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "kite", "lark"]
EVIDENCE = {"ledger", "certificates"}
PARAMETERS = {"n_topics": 2, "core_min_df": 1}

texts = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
rules = st.builds(
    TextRules,
    min_df=st.sampled_from([1, 2, 0.3]),
    max_df=st.sampled_from([1.0, 0.6, 4]),
    max_features=st.sampled_from([None, 5]),
    ngram_range=st.sampled_from([(1, 1), (1, 2)]),
)


class Expected:
    """What a store ought to hold, and the requests that led to it."""

    def __init__(self, store, keep_text):
        self.store = store
        self.keep_text = keep_text
        self.documents = {}  # id -> (text, label)
        self.labels = {}  # of the field "kind"
        self.heads = {}
        self.indexed = False

    def add(self, given):
        number = len(self.documents)
        records = {f"d{number + at}-{text[:3]}": (text, label) for at, (text, label) in given}
        records = {one: held for one, held in records.items() if one not in self.documents}
        if records:
            self.store.add(as_records(records))
            self.documents |= records

    def forget(self, picks, refresh):
        ids = {sorted(self.documents)[pick % len(self.documents)] for pick in picks}
        if ids:
            self.store.forget(sorted(ids), refresh)
            for one in ids:
                del self.documents[one]
                self.labels.pop(one, None)

    def redact(self, pick, word):
        one = sorted(self.documents)[pick % len(self.documents)]
        text, label = self.documents[one]
        if word in text.split() and self.keep_text:
            self.store.redact(one, [word])
            # A name is taken out with a blank in its place.
            parts = [part if part != word else " " for part in text.split(" ")]
            self.documents[one] = (self.store_text(one), label)
            assert " ".join(parts).split() == self.documents[one][0].split()

    def store_text(self, one):
        (row,) = self.store._db.execute("SELECT text FROM documents WHERE id = ?", (one,))
        return row[0]

    def relabel(self, values):
        ids = sorted(self.documents)
        self.labels = dict(zip(ids, values, strict=False))
        self.store.set_labels("kind", self.labels)

    def fit_head(self, field, parameters):
        try:
            self.store.fit_head(field, **parameters)
        except PyUnlearnError:
            return  # too few labels
        self.heads[field] = parameters  # in place of a head of before

    def search(self):
        with contextlib.suppress(PyUnlearnError):
            self.store.search("ant bee cat")
        self.indexed = self.indexed or "index" in self.store.info().dependents

    def made_once(self, path, shuffle):
        """A store of what remains, fitted once."""
        items = list(self.documents.items())
        shuffle(items)
        with Store.open(path, rules=self.store._rules, keep_text=self.keep_text, n_jobs=1) as store:
            for at in range(0, len(items), 3):
                store.add(as_records(dict(items[at : at + 3])))
            store.fit(**PARAMETERS)
            if self.labels:
                store.set_labels("kind", self.labels)
            for field, parameters in self.heads.items():
                store.fit_head(field, **parameters)
            if self.indexed:
                store._db.set_meta("index_digest", None)
                store.search("ant bee cat")
            store.compact()
        return tables(path)


def as_records(documents):
    return [
        {"id": one, "text": text, **({} if label is None else {"label": label})}
        for one, (text, label) in documents.items()
    ]


def tables(path):
    """All rows of all tables, in the order in which they are stored."""
    connection = sqlite3.connect(path / "store.sqlite")
    names = [
        name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE sql > ''")
    ]
    found = {
        name: connection.execute(f"SELECT * FROM {name}").fetchall()
        for name in names
        if not name.startswith("ledger_")
    }
    connection.close()
    return found


labels = st.sampled_from([None, "1", "2"])
dependents = st.lists(
    st.one_of(
        st.tuples(
            st.just("head"),
            st.just("label"),
            st.sampled_from(
                [
                    {"loss": "squared", "features": "linear"},
                    {"loss": "logistic", "features": "word-topic"},
                    {"task": "regression", "features": "linear"},
                    {"task": "regression", "features": "proportions"},
                ]
            ),
        ),
        st.tuples(st.just("relabel"), st.lists(st.sampled_from("xyz"), min_size=2, max_size=9)),
        st.tuples(st.just("head"), st.just("kind"), st.just({"loss": "squared"})),
        st.tuples(st.just("search")),
    ),
    max_size=4,
)
requests = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.tuples(texts, labels), min_size=1, max_size=4)),
        st.tuples(
            st.just("forget"),
            st.lists(st.integers(0, 30), min_size=1, max_size=3),
            st.sampled_from(["now", "later"]),
        ),
        st.tuples(st.just("redact"), st.integers(0, 30), st.sampled_from(WORDS)),
        st.tuples(st.just("relabel"), st.lists(st.sampled_from("xyz"), min_size=2, max_size=9)),
    ),
    max_size=8,
)


def run(expected, history):
    for verb, *given_ in history:
        if verb == "add":
            expected.add(list(enumerate(given_[0])))
        elif verb == "search":
            expected.search()
        elif not expected.documents:
            continue
        elif verb == "head":
            expected.fit_head(*given_)
        else:
            getattr(expected, verb)(*given_)


@given(
    rules,
    st.booleans(),
    st.lists(st.tuples(texts, labels), min_size=6, max_size=12),
    dependents,
    requests,
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_every_table_is_that_of_a_store_made_once(
    tmp_path_factory, rules, keep_text, first, begin, history, chance
):
    path = tmp_path_factory.mktemp("law")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewerTopicsWarning)
        warnings.simplefilter("ignore", FewerClassesWarning)
        with Store.open(path / "a", rules=rules, keep_text=keep_text, n_jobs=1) as store:
            expected = Expected(store, keep_text)
            expected.add(list(enumerate(first)))
            try:
                store.fit(**PARAMETERS)
            except PyUnlearnError:
                return  # nothing to learn from
            run(expected, [*begin, *history])
            store.refresh()
            assert store.verify().ok, store.verify().problems
            store.compact()
            after = tables(path / "a")
            try:
                once = expected.made_once(path / "b", chance.shuffle)
            except PyUnlearnError:
                return  # what is left is too little for a first fit
    assert after.keys() == once.keys() > EVIDENCE
    for name in after.keys() - EVIDENCE:
        assert after[name] == once[name], name


def test_a_word_that_leaves_takes_its_row_along_and_no_other_document_is_read(tmp_path):
    texts = [f"w{a} w{(a + 1) % 9} w{(a * a) % 9} rare{a // 2}" for a in range(40)]
    records = [{"id": f"d{number}", "text": text} for number, text in enumerate(texts)]
    with Store.open(tmp_path / "a", rules=TextRules(min_df=2), n_jobs=1) as store:
        store.train(records, n_topics=2)
        said = []
        store._db._connection.set_trace_callback(said.append)
        store.forget(["d7"])  # `rare3` is in one document now
        store._db._connection.set_trace_callback(None)
        asked = [one for one in said if "FROM documents" in one and "DELETE" not in one]
        assert asked
        assert all("WHERE id = 'd7'" in one for one in asked)
        assert store.verify().ok
        left = [one for one in records if one["id"] != "d7"]
        with Store.open(tmp_path / "b", rules=TextRules(min_df=2), n_jobs=1) as other:
            other.train(left, n_topics=2)
            assert store.digest() == other.digest()


def test_documents_come_back_after_all_of_them_went(tmp_path):
    records = [
        {"id": f"d{number}", "text": text}
        for number, text in enumerate(["red blue red", "blue green red", "green red green", "red"])
    ]
    with Store.open(tmp_path, n_jobs=1) as store, warnings.catch_warnings():
        warnings.simplefilter("ignore", FewerTopicsWarning)
        store.train(records, n_topics=2)
        before = store.digest()
        store.forget([one["id"] for one in records])
        store.add(records)
        assert store.digest() == before
        assert store.verify().ok
