"""Names are taken out of documents as they are written, whatever the tokens of the store."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_store_heads import assert_verified

from pyunlearn import Store, TextRules
from pyunlearn.errors import InvalidInputError
from pyunlearn.store import _stored_documents as documents
from pyunlearn.store import _stored_words as words
from pyunlearn.store._redaction import without_names
from pyunlearn.text import TextCounter

OTHERS = [{"id": f"x{i}", "text": "red blue green red dog"} for i in range(4)]
NAMES = [
    ("O'Brien", "We met o'brien there", "We met   there"),
    ("Anne-Marie", "ANNE-MARIE, Anne-Maries", " , Anne-Maries"),
    ("Jose\u0301", "We met Jos\u00e9 (JOSE\u0301) and Jose", "We met   ( ) and Jose"),
    ("Jos\u00e9", "We met Jose\u0301 there", "We met   there"),
    (
        "\u0130brahim",
        "Yesterday \u0130brahim and \u0130BRAH\u0130M",
        "Yesterday   and \u0130BRAH\u0130M",
    ),
    ("\uae40", "\uc774\ub984 \uae40 \uc528 \uae40\uce58", "\uc774\ub984   \uc528 \uae40\uce58"),
    ("Li5@x.org", "write Li5@x.org. Li5@x.orgs", "write  . Li5@x.orgs"),
    ("Anna Maria Weiss", "so Anna\n Maria Weiss, Maria Weiss", "so  , Maria Weiss"),
    (
        "\u0905\u0928\u093f\u0924\u093e",
        "\u0905\u0928\u093f\u0924\u093e \u0939\u0948",
        "  \u0939\u0948",
    ),
    (
        "Anna",
        "Anna's car; Annabel, ANNA (anna) Hanna anna_b",
        " 's car; Annabel,   ( ) Hanna anna_b",
    ),
    ("Wei\u00df", "Herr WEISS", "Herr  "),
    (
        "\u039d\u03af\u03ba\u03bf\u03c2",
        "\u039d\u03af\u03ba\u03bf\u03c2, \u039d\u038a\u039a\u039f\u03a3!",
        " ,  !",
    ),
    ("C++", "C++ and C++17", "  and  17"),
]


def held(store, one="a"):
    ((_, counted),) = documents.read_some(store._db, [one])
    return documents.read_text(store._db, one), counted.keys.tolist(), counted.length


def opened(directory, text, **options):
    store = Store.open(directory, n_jobs=1, **options)
    store.train([{"id": "a", "text": text}, *OTHERS], n_topics=1)
    return store


@pytest.mark.parametrize(("name", "text", "left"), NAMES)
def test_a_name_is_taken_out_of_the_text_as_it_is_written(tmp_path, name, text, left):
    with opened(tmp_path, text, keep_text=True) as store:
        store.redact("a", name)
        kept, keys, length = held(store)
        assert kept == left
        counted = TextCounter(TextRules()).count([left])
        assert keys == sorted(map(words.key_of, counted.words))
        assert [length] == counted.lengths.tolist()
        with pytest.raises(InvalidInputError, match="nothing was redacted"):
            store.redact("a", name)
        assert_verified(store)


@pytest.mark.parametrize("pattern", [r"(?u)\b\w\w+\b", r"[a-z]+", r"#(\w+)", r"(?u)\S+"])
def test_what_a_token_is_does_not_matter(tmp_path, pattern):
    rules = TextRules(token_pattern=pattern)
    text = "#red #blue red O'Brien, #Anna (Anna) #bc aa bb"
    store = Store.open(tmp_path, n_jobs=1, rules=rules, keep_text=True)
    with store:
        store.train([{"id": f"d{row}", "text": text} for row in range(4)], n_topics=1)
        store.redact("d1", ["O'Brien", "anna"])
        assert held(store, "d1")[0] == "#red #blue red  , #  ( ) #bc aa bb"
        assert_verified(store)


def test_case_counts_where_the_store_counts_it(tmp_path):
    rules = TextRules(lowercase=False)
    with opened(tmp_path, "Anna anna", keep_text=True, rules=rules) as store:
        store.redact("a", "Anna")
        assert held(store)[0] == "  anna"


@pytest.mark.parametrize("absent", ["Ann", "Mari", "e-Marie", "Anne-Mari\u00e9", "zebra"])
@pytest.mark.parametrize("keep_text", [True, False])
def test_nothing_changes_unless_every_name_is_found(tmp_path, absent, keep_text):
    with opened(tmp_path, "Anne-Marie Jose\u0301 red", keep_text=keep_text) as store:
        before = (held(store), store.info(), store.ledger())
        with pytest.raises(InvalidInputError, match="nothing was redacted"):
            store.redact("a", ["red", absent])
        assert (held(store), store.info(), store.ledger()) == before
        assert_verified(store)


@pytest.mark.parametrize("names", [[], "", [" "], None, 5, [3], b"red", ["red", None]])
def test_what_is_no_name_is_refused(tmp_path, names):
    with opened(tmp_path, "red", keep_text=True) as store, pytest.raises(InvalidInputError):
        store.redact("a", names)


def test_names_within_names_and_beside_them(tmp_path):
    with opened(tmp_path, "red Anna Anna Weiss Weiss Anna Weiss", keep_text=True) as store:
        store.redact("a", ["Weiss", "Anna Weiss"])
        assert held(store)[0].split() == ["red", "Anna"]
    with opened(tmp_path / "b", "red Anna Anna Weiss Weiss blue", keep_text=True) as store:
        store.redact("a", "Anna Weiss")
        assert held(store)[0].split() == ["red", "blue"]


@pytest.mark.parametrize("name", ["O'Brien", "Anne-Marie", "\uae40", "Anna Weiss", "Li5@x.org"])
def test_without_texts_a_name_must_be_one_counted_word(tmp_path, name):
    with opened(tmp_path, f"red {name} Anna WEISS weiss") as store:
        with pytest.raises(InvalidInputError, match=r"keep_text=False.*Forget the document"):
            store.redact("a", name)
        _, _, length = held(store)
        store.redact("a", ["Weiss", "anna"])
        assert held(store)[2] == length - 3 - ("Anna" in name) - ("Weiss" in name)
        assert_verified(store)


def test_without_texts_no_name_is_taken_out_of_several_words(tmp_path):
    rules, text = TextRules(ngram_range=(1, 2)), "red Anna Weiss blue"
    said = r"ngram_range=\(1, 2\); nothing was redacted"
    with (
        opened(tmp_path, text, rules=rules) as store,
        pytest.raises(InvalidInputError, match=said),
    ):
        store.redact("a", "anna")
    with opened(tmp_path / "b", text, rules=rules, keep_text=True) as store:
        store.redact("a", "anna")
        assert words.key_of("red weiss") in held(store)[1]
        assert_verified(store)


def test_an_empty_text_holds_no_name(tmp_path):
    with opened(tmp_path, "", keep_text=True) as store:
        with pytest.raises(InvalidInputError, match="nothing was redacted"):
            store.redact("a", "anna")
        assert_verified(store)


def test_composed_and_decomposed_names_are_one_word_of_the_counts(tmp_path):
    with opened(tmp_path, "red Jos\u00e9 blue") as store:
        store.redact("a", unicodedata.normalize("NFD", "JOS\u00c9"))
        assert held(store)[2] == 2


def test_what_was_redacted_is_recorded_nowhere(tmp_path):
    with opened(tmp_path, "red Xylograph Quincunx-Pettifog", keep_text=True) as store:
        certificate = store.redact("a", ["xylograph", "Quincunx-Pettifog"])
        shown = repr((certificate, store.ledger(), store.info(), held(store))).lower()
        store.compact()
        content = store._db.path.read_bytes().lower()
        for word in ("xylograph", "quincunx", "pettifog"):
            assert word not in shown
            assert word.encode() not in content


@given(
    st.text("aA\u00e9e\u0301\u0130i'- \uae40\u0939\u093f\u00df", min_size=1, max_size=6),
    st.text("aA\u00e9e\u0301\u0130i'- \uae40\u0939\u093f\u00df", max_size=12),
)
def test_a_name_among_blanks_is_found_in_every_form(name, text):
    name, text = name.strip(), text.strip()
    if not name or unicodedata.combining(name[0]):
        return
    for form in ("NFC", "NFD"):
        around = f"{text} {unicodedata.normalize(form, name)} {text}"
        left, n_found = without_names(around, [name], True)
        assert n_found == 1
        assert len(left) <= len(around) + 3
        assert without_names(left, [name], True) == (left, 0)
