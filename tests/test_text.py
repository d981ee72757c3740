"""Laws of the dictionary: the words and counts of scikit-learn's CountVectorizer."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from pyunlearn import TextRules
from pyunlearn.errors import InvalidInputError, InvalidParameterError
from pyunlearn.records import Record
from pyunlearn.text import CandidateWords, Dictionary, TextSpool, renumbered

WORDS = st.sampled_from(["the", "Red", "red", "blue", "x", "öl", "green", "and", "b2b"])
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=12)


def choose(texts, rules):
    candidates = CandidateWords(rules)
    for text in texts:
        candidates.count(text)
    return candidates.choose()[0]


def counts(dictionary, texts):
    table = np.zeros((len(texts), len(dictionary.words)), np.int64)
    for row, text in zip(table, texts, strict=True):
        counted = dictionary.count(text)
        row[counted.columns] = counted.counts
    return table


@given(
    TEXTS,
    st.one_of(st.integers(1, 3), st.floats(0.0, 1.0)),
    st.sampled_from([None, "english"]),
    st.booleans(),
    st.sampled_from([r"(?u)\b\w\w+\b", r"(?u)\b[a-z]+\b", r"(\w)\w*"]),
)
def test_words_and_counts_are_those_of_count_vectorizer(
    texts, min_df, stop_words, lowercase, token_pattern
):
    rules = TextRules(min_df, None, stop_words, token_pattern, lowercase)
    vectorizer = CountVectorizer(
        min_df=min_df, stop_words=stop_words, token_pattern=token_pattern, lowercase=lowercase
    )
    try:
        expected = vectorizer.fit_transform(texts).toarray()
    except ValueError:
        with pytest.raises(InvalidInputError, match="no word is left"):
            choose(texts, rules)
        return
    words = choose(texts, rules)
    assert words == vectorizer.get_feature_names_out().tolist()
    assert np.array_equal(counts(Dictionary(words, rules), texts), expected)


@given(TEXTS, st.integers(1, 5))
def test_max_features_keeps_as_frequent_words_as_count_vectorizer(texts, limit):
    vectorizer = CountVectorizer(max_features=limit)
    try:
        expected = vectorizer.fit_transform(texts).sum(axis=0)
    except ValueError:
        return
    words = choose(texts, TextRules(max_features=limit))
    mine = counts(Dictionary(words, TextRules()), texts).sum(axis=0)
    assert sorted(mine) == sorted(np.asarray(expected).ravel())
    assert words == sorted(words)


def test_max_features_breaks_ties_alphabetically():
    assert choose(["dd cc bb aa", "dd"], TextRules(max_features=3)) == ["aa", "bb", "dd"]


def test_length_counts_words_outside_the_dictionary_but_not_stop_words():
    rules = TextRules(stop_words="english")
    assert Dictionary(["red"], rules).count("the red and unknown words").length == 3


def test_share_becomes_a_number_of_documents_once():
    candidates = CandidateWords(TextRules(min_df=0.3))
    for text in ["red blue", "red", "blue", "green", "red"]:
        candidates.count(text)
    assert candidates.resolved_rules().min_df == 2
    assert candidates.choose()[0] == ["blue", "red"]


def test_word_without_a_string_is_not_counted():
    counted = Dictionary([None, "red"], TextRules()).count("blue red red")
    assert (counted.columns.tolist(), counted.counts.tolist(), counted.length) == ([1], [2], 3)


@given(TEXTS)
def test_spooled_counts_equal_direct_counts(texts):
    candidates = CandidateWords(TextRules(token_pattern=r"\w+"))
    with TextSpool() as spool:
        for number, text in enumerate(texts):
            record = Record(str(number), text, None, "line 1")
            spool.write(record, candidates.count(text))
        try:
            words, columns = candidates.choose()
        except InvalidInputError:
            return
        spooled = list(renumbered(spool.read(), columns))
    dictionary = Dictionary(words, candidates.rules)
    for (record, counted), text in zip(spooled, texts, strict=True):
        direct = dictionary.count(text)
        assert record.text == text
        assert counted.columns.tolist() == direct.columns.tolist()
        assert counted.counts.tolist() == direct.counts.tolist()
        assert counted.length == direct.length


def test_more_words_than_the_first_room_are_counted():
    text = " ".join(f"w{number}" for number in range(5000))
    assert len(choose([text, text], TextRules(min_df=2))) == 5000


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
        type(None),
    }


def test_number_of_documents_from_numpy_is_no_share():
    texts = ["red blue", "red", "blue", "green"]
    assert choose(texts, TextRules(min_df=np.int64(1))) == ["blue", "green", "red"]
    assert choose(texts, TextRules(min_df=np.float32(0.5))) == ["blue", "red"]
