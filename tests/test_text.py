"""Laws of the dictionary: the words and counts of scikit-learn's CountVectorizer."""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

from pyunlearn import Store, TextRules
from pyunlearn._stop_words import ENGLISH
from pyunlearn.errors import InvalidInputError, InvalidParameterError, PyUnlearnError, StoreError
from pyunlearn.store import _stored_documents as documents
from pyunlearn.store import _stored_words as words
from pyunlearn.text import TextCounter

WORDS = st.sampled_from(["the", "Red", "red", "blue", "x", "öl", "green", "and", "b2b"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=12)


def kept(texts, rules, later=()):
    """Words, counts and lengths that a store has of texts, those of `later` added afterwards."""
    with tempfile.TemporaryDirectory() as path, Store.open(path, rules=rules) as store:
        for part in (texts, later):
            add(store, part)
        return held(store)


def changed(texts, rules, gone, later):
    """As `kept`, after topics were learned and some texts forgotten; None if no word has topics."""
    with tempfile.TemporaryDirectory() as path, Store.open(path, rules=rules, n_jobs=1) as store:
        add(store, texts)
        try:
            store.fit(1, core_min_df=1)
        except PyUnlearnError:
            return None
        add(store, later)
        store.forget(f"{at:04}" for at in gone)
        assert store.verify().ok
        return held(store)


def add(store, texts):
    number = store.info().n_documents
    if texts:
        store.add({"id": f"{number + at:04}", "text": one} for at, one in enumerate(texts))


def held(store):
    dictionary = words.read_dictionary(store._db)
    batch = documents.as_one(list(documents.read_all(store._db)), dictionary)
    return dictionary.words, batch.documents.to_csr().toarray(), batch.lengths


def choose(texts, rules):
    return kept(texts, rules)[0]


@given(
    TEXTS,
    TEXTS,
    st.one_of(st.integers(1, 3), st.floats(0.0, 1.0)),
    st.one_of(st.integers(1, 9), st.floats(0.0, 1.0)),
    st.sampled_from([None, "english"]),
    st.booleans(),
    st.sampled_from([r"(?u)\b\w\w+\b", r"(?u)\b[a-z]+\b", r"(\w)\w*"]),
    st.sampled_from([(1, 1), (1, 2), (2, 3)]),
)
@settings(max_examples=60)
@pytest.mark.filterwarnings("ignore:Your stop_words may be inconsistent")
def test_words_and_counts_are_those_of_count_vectorizer(
    texts, later, min_df, max_df, stop_words, lowercase, token_pattern, ngram_range
):
    rules = {
        "min_df": min_df,
        "max_df": max_df,
        "stop_words": stop_words,
        "token_pattern": token_pattern,
        "lowercase": lowercase,
        "ngram_range": ngram_range,
    }
    vectorizer = CountVectorizer(**rules)
    found, counts, lengths = kept(texts, TextRules(**rules), later)
    analyze = vectorizer.build_analyzer()
    assert lengths.tolist() == [len(analyze(text)) for text in texts + later]
    try:
        expected = vectorizer.fit_transform(texts + later).toarray()
    except ValueError:
        assert found == []
        return
    assert found == vectorizer.get_feature_names_out().tolist()
    assert np.array_equal(counts, expected)


# Half of the characters are those that decide where a word of the default pattern ends.
CHARACTERS = st.one_of(st.characters(), st.sampled_from("aZ0_ é²ß\u0301\u212aİ.'-\n\x1c\x85"))


ANY_TEXT = st.one_of(st.text(CHARACTERS, max_size=30), st.lists(WORDS).map(" ".join))


@given(
    st.lists(ANY_TEXT, max_size=4),
    st.sampled_from([None, "english"]),
    st.booleans(),
    st.sampled_from([r"(?u)\b\w\w+\b", r"\w+", r"(?a)\b\w\w+\b", r"(a)?\w", r"a|(b)"]),
    st.sampled_from([(1, 1), (1, 2), (2, 4), (3, 3)]),
)
@settings(max_examples=300)
def test_any_text_is_cut_into_the_words_of_count_vectorizer(
    texts, stop_words, lowercase, token_pattern, ngram_range
):
    rules = {
        "stop_words": stop_words,
        "lowercase": lowercase,
        "token_pattern": token_pattern,
        "ngram_range": ngram_range,
    }
    analyze, own = CountVectorizer(**rules).build_analyzer(), TextRules(**rules)
    expected = [analyze(text) for text in texts]
    assert [own.analyzer()(text) for text in texts] == expected
    counted = TextCounter(own).count(texts)
    assert counted.lengths.tolist() == [len(words) for words in expected]
    found = [counted.words[number] for number in counted.numbers.tolist()]
    pairs = list(zip(found, counted.counts.tolist(), strict=True))
    parts = [pairs[first:last] for first, last in pairwise(counted.start.tolist())]
    assert parts == [list(Counter(words).items()) for words in expected]
    assert set(counted.words) == set(found)


def test_reading_and_cutting_text_does_not_wait_for_scikit_learn():
    code = (
        "import sys; from pyunlearn import records, text; "
        "text.TextCounter(text.TextRules(stop_words='english')).count(['the red']); "
        "sys.exit(bool({'scipy', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_common_words_are_those_of_scikit_learn():
    assert ENGLISH == ENGLISH_STOP_WORDS


@given(TEXTS, st.integers(1, 5))
@settings(max_examples=30)
def test_max_features_keeps_the_words_that_count_vectorizer_finds_most_often(texts, limit):
    everything, limited = CountVectorizer(), CountVectorizer(max_features=limit)
    try:
        times = everything.fit_transform(texts).sum(axis=0)
    except ValueError:
        return
    words_found = everything.get_feature_names_out().tolist()
    order = np.lexsort((words_found, -np.asarray(times).ravel()))
    found, counts, _ = kept(texts, TextRules(max_features=limit))
    assert found == sorted(words_found[at] for at in order[:limit])
    # Of equally frequent words CountVectorizer chooses others.
    assert sorted(counts.sum(axis=0)) == sorted(limited.fit_transform(texts).toarray().sum(axis=0))


@given(
    TEXTS,
    TEXTS,
    st.sets(st.integers(0, 11), min_size=1),
    st.one_of(st.integers(1, 3), st.floats(0.0, 0.5)),
    st.one_of(st.integers(4, 9), st.floats(0.5, 1.0)),
    st.sampled_from([None, "english"]),
    st.sampled_from([(1, 1), (1, 2)]),
)
@settings(max_examples=30)
@pytest.mark.filterwarnings("ignore::pyunlearn.errors.FewerTopicsWarning")
def test_words_and_counts_after_deletions_are_those_of_count_vectorizer(
    texts, later, picks, min_df, max_df, stop_words, ngram_range
):
    rules = {"min_df": min_df, "max_df": max_df, "stop_words": stop_words}
    rules |= {"ngram_range": ngram_range}
    gone = {pick % len(texts) for pick in picks}
    found = changed(texts, TextRules(**rules), gone, later)
    assume(found is not None)
    left = [text for at, text in enumerate(texts) if at not in gone] + later
    vectorizer = CountVectorizer(**rules)
    try:
        expected = vectorizer.fit_transform(left)
    except ValueError:
        assert (found[0], found[1].shape) == ([], (len(left), 0))
        return
    assert found[0] == vectorizer.get_feature_names_out().tolist()
    assert np.array_equal(found[1], expected.toarray())


def test_max_features_breaks_ties_alphabetically():
    assert choose(["dd cc bb aa", "dd"], TextRules(max_features=3)) == ["aa", "bb", "dd"]


def test_length_counts_words_outside_the_dictionary_but_not_stop_words():
    counted = TextCounter(TextRules(stop_words="english")).count(["the red and unknown words"])
    assert counted.lengths.tolist() == [3]


def test_no_word_left_is_said_with_what_to_change(tmp_path):
    with Store.open(tmp_path, rules=TextRules(min_df=3)) as store:
        store.add([{"id": "a", "text": "red blue"}, {"id": "b", "text": "red"}])
        with pytest.raises(InvalidInputError, match="2 different words, none in 3 to 2 documents"):
            store.fit(2)


def test_more_words_than_the_first_room_are_counted():
    text = " ".join(f"w{number}" for number in range(5000))
    assert len(choose([text, text], TextRules(min_df=2))) == 5000


def test_texts_that_are_stored_together_keep_their_counts_as_narrow_as_each_allows(tmp_path):
    texts = ["", "red", "red " * 255, "red " * 256 + "blue", "", "red " * 65536, "blue"]
    with Store.open(tmp_path) as store:
        add(store, texts)
        sql = "SELECT length(words), length(counts) FROM documents ORDER BY id"
        assert store._db.execute(sql).fetchall() == [
            *[(0, 0), (8, 1), (8, 1), (16, 4), (0, 0), (8, 4), (8, 1)]
        ]
        found, counts, lengths = held(store)
        assert found == ["blue", "red"]
        assert counts.tolist() == [[text.count("blue"), text.count("red")] for text in texts]
        assert lengths.tolist() == counts.sum(axis=1).tolist()


def test_keys_are_made_from_the_words():
    assert words.key_of("red") == words.key_of("red") != words.key_of("Red")
    assert -(2**63) <= words.key_of("blue") < 2**63


def test_two_words_with_one_key_are_refused_and_nothing_changes(tmp_path, monkeypatch):
    with Store.open(tmp_path) as store:
        store.add([{"id": "a", "text": "red"}])
        monkeypatch.setattr(words, "key_of", lambda word: words.KEY_BYTES)
        store.add([{"id": "b", "text": "blue"}])
        with pytest.raises(StoreError, match="same key"):
            store.add([{"id": "c", "text": "green"}])
        assert store.info().n_documents == 2
        assert words.read_dictionary(store._db).words == ["blue", "red"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"min_df": 0}, "min_df must be at least 1"),
        ({"min_df": 1.5}, "min_df as a share"),
        ({"min_df": True}, "min_df must be an integer"),
        ({"max_features": 0}, "max_features"),
        ({"stop_words": "klingon"}, "stop_words"),
        ({"token_pattern": "("}, "not a regular expression"),
        ({"token_pattern": None}, "not a regular expression"),
        ({"token_pattern": b"a"}, "not a regular expression"),
        ({"token_pattern": re.compile("a")}, "not a regular expression"),
        ({"token_pattern": "a{99999999999}"}, "not a regular expression"),
        ({"stop_words": ""}, "stop_words"),
        ({"min_df": float("nan")}, "min_df as a share"),
        ({"token_pattern": "(a)(b)"}, "2 groups"),
        ({"lowercase": 1}, "lowercase must be a bool"),
        ({"max_df": 0}, "max_df must be at least 1"),
        ({"max_df": 1.5}, "max_df as a share"),
        ({"ngram_range": 2}, "ngram_range must be two integers"),
        ({"ngram_range": (2, 1)}, "ngram_range[1] must be"),
        ({"ngram_range": (0, 1)}, "ngram_range[0] must be"),
        ({"ngram_range": (1, 2.0)}, "ngram_range[1] must be an integer"),
        ({"ngram_range": (1, 1000)}, "ngram_range[1] must be"),
    ],
)
def test_bad_rules_are_refused(rules, message):
    with pytest.raises(InvalidParameterError, match=re.escape(message)):
        TextRules(**rules)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"min_df": np.int64(1)}, {"min_df": 1}),
        ({"min_df": np.uint8(3)}, {"min_df": 3}),
        ({"min_df": np.float32(0.5)}, {"min_df": 0.5}),
        ({"min_df": np.float64(1)}, {"min_df": 1.0}),
        ({"max_features": np.int64(2)}, {"max_features": 2}),
        ({"stop_words": np.str_("english")}, {"stop_words": "english"}),
        ({"token_pattern": np.str_("a+")}, {"token_pattern": "a+"}),
        ({"lowercase": np.bool_(False)}, {"lowercase": False}),
        ({"max_df": np.int64(4)}, {"max_df": 4}),
        ({"ngram_range": [np.int64(1), 2]}, {"ngram_range": (1, 2)}),
    ],
)
def test_rules_of_numpy_values_are_the_rules_of_plain_ones(given, plain):
    rules = TextRules(**given)
    assert rules == TextRules(**plain)
    assert repr(rules) == repr(TextRules(**plain))
    assert TextRules(**json.loads(json.dumps(rules.as_dict()))) == rules
    assert {type(value) for value in rules.as_dict().values()} <= {
        int,
        float,
        str,
        bool,
        tuple,
        type(None),
    }


def test_number_of_documents_from_numpy_is_no_share():
    texts = ["red blue", "red", "blue", "green"]
    assert choose(texts, TextRules(min_df=np.int64(1))) == ["blue", "green", "red"]
    assert choose(texts, TextRules(min_df=np.float32(0.5))) == ["blue", "red"]
