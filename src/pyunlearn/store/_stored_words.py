"""The words of a store with their frequencies, and the dictionary that follows from them.

The key of a word is made from the word itself, so that no key tells when a word came in.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyunlearn._counted_texts import CountedTexts
from pyunlearn.errors import (
    CorruptStateError,
    InvalidInputError,
    InvalidParameterError,
    StoreError,
)
from pyunlearn.store._database import Database
from pyunlearn.store._key_places import KeyPlaces
from pyunlearn.text import TextRules

KEY_BYTES = 8


class Bag(NamedTuple):
    """All words of one document, those outside the dictionary included."""

    keys: NDArray[np.int64]  # (u,), ascending
    counts: NDArray[np.int32]  # (u,), > 0
    length: int  # words of the text, repeated ones as often as they occur


class Dictionary:
    """The words that have a column, in alphabetical order.

    Parameters
    ----------
    words : sequence of str
        Ascending.
    keys : ndarray of int64, shape (n,)
        Their keys.
    """

    def __init__(self, words: Sequence[str], keys: NDArray[np.int64]) -> None:
        self.words = list(words)
        self.keys = keys
        self._digest: str | None = None
        self._places = KeyPlaces(keys)

    def __len__(self) -> int:
        return len(self.words)

    def digest(self) -> str:
        """SHA-256 of the words, hexadecimal."""
        if self._digest is None:
            text = json.dumps(self.words, ensure_ascii=False)
            self._digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return self._digest

    def columns(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """The column of each key, -1 for words outside."""
        return self._places.of(keys)


class NewWords:
    """Words of documents on their way in, with what they add to the frequencies."""

    def __init__(self) -> None:
        self._numbers = _Numbers()
        self._frequencies = np.zeros((2, 0), np.int64)  # documents and occurrences by number

    def bags(self, texts: CountedTexts) -> list[Bag]:
        """The bags of some texts, whose words are counted as those of so many documents more."""
        numbers = np.array([self._numbers[word] for word in texts.words], np.int64)[texts.numbers]
        self._make_room()
        np.add.at(self._frequencies[0], numbers, 1)
        np.add.at(self._frequencies[1], numbers, texts.counts.astype(np.int64))  # 50 times faster
        keys = np.array(self._numbers.keys_made)[numbers]
        bags = []
        for (first, last), length in zip(
            pairwise(texts.start.tolist()), texts.lengths.tolist(), strict=True
        ):
            order = np.argsort(keys[first:last]) + first
            bags.append(Bag(keys[order], texts.counts[order], length))
        return bags

    def write(self, db: Database) -> None:
        """Add the frequencies to those of the store.

        Raises
        ------
        StoreError
            Two different words have one key, which nobody has seen yet.
        """
        keys, words = np.array(self._numbers.keys_made), list(self._numbers)
        order = np.argsort(keys)  # in the order of the table, which SQLite writes faster
        columns = [column[order].tolist() for column in (keys, *self._frequencies[:, : len(keys)])]
        rows = zip(columns[0], map(words.__getitem__, order.tolist()), *columns[1:], strict=True)
        written = db.execute_many(
            "INSERT INTO words VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
            "n_documents = n_documents + excluded.n_documents, "
            "n_occurrences = n_occurrences + excluded.n_occurrences WHERE word = excluded.word",
            rows,
        )
        if written < len(keys):
            raise StoreError("two different words have the same key; leave out one of them")

    def _make_room(self) -> None:
        known, size = self._frequencies.shape[1], len(self._numbers)
        if known < size:
            more = np.zeros((2, size), np.int64)
            self._frequencies = np.concatenate((self._frequencies, more), axis=1)


class _Numbers(dict[str, int]):
    """Words by number, in the order of arrival, which nothing keeps; a new word gets the next."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_made = array("q")

    def __missing__(self, word: str) -> int:
        number = len(self)
        self.keys_made.append(key_of(word))
        self[word] = number
        return number


def key_of(word: str) -> int:
    """The first 64 bits of the SHA-256 of a word, as a signed integer."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:KEY_BYTES], "little", signed=True)


def totals(bags: Sequence[Bag]) -> Iterator[tuple[int, int, int]]:
    """Key, documents and occurrences of each word of some documents, by ascending key."""
    keys, at = np.unique(np.concatenate([bag.keys for bag in bags]), return_inverse=True)
    n_occurrences = np.zeros(len(keys), np.int64)
    counts = np.concatenate([bag.counts for bag in bags], dtype=np.int64)
    np.add.at(n_occurrences, at, counts)
    n_documents = np.bincount(at, minlength=len(keys))
    yield from zip(keys.tolist(), n_documents.tolist(), n_occurrences.tolist(), strict=True)


def subtract(db: Database, bags: Sequence[Bag]) -> None:
    """Take the words of documents out of the frequencies; delete those that nobody holds."""
    gone = list(totals(bags))
    db.execute_many(
        "UPDATE words SET n_documents = n_documents - ?, n_occurrences = n_occurrences - ? "
        "WHERE key = ?",
        ((n_documents, n_occurrences, key) for key, n_documents, n_occurrences in gone),
    )
    db.execute_many(
        "DELETE FROM words WHERE key = ? AND n_documents = 0", ((key,) for key, _, _ in gone)
    )


def read_rules(db: Database) -> TextRules | None:
    """The rules of the dictionary, None before the first addition."""
    rules = db.get_meta("text_rules")
    try:
        return None if rules is None else TextRules(**rules)
    except (TypeError, InvalidParameterError) as error:
        raise CorruptStateError(f"{db.path}: the rules are damaged ({error})") from None


def rules_of(db: Database) -> TextRules:
    """The rules of a store that was begun."""
    rules = read_rules(db)
    if rules is None:
        raise CorruptStateError(f"{db.path}: the rules are missing")
    return rules


def write_rules(db: Database, rules: TextRules) -> None:
    """Fix the rules of a new store."""
    db.set_meta("text_rules", rules.as_dict())


def read_dictionary(db: Database) -> Dictionary:
    """The dictionary of the documents that the store holds now."""
    rules = rules_of(db)
    sql = "SELECT key, word FROM words WHERE n_documents BETWEEN ? AND ?"
    values = list(rules.limits(db.get_meta("n_documents", 0)))
    if rules.max_features is not None:
        sql += " ORDER BY n_occurrences DESC, word LIMIT ?"
        values.append(rules.max_features)
    # SQLite compares the UTF-8 of words, which is the order of their code points, as in Python.
    rows = db.execute(f"SELECT key, word FROM ({sql}) ORDER BY word", values).fetchall()
    if not all(isinstance(word, str) for _, word in rows):
        raise CorruptStateError(f"{db.path}: a word is no text")
    return Dictionary([word for _, word in rows], np.array([key for key, _ in rows], np.int64))


def dictionary_without(
    db: Database, before: Dictionary, bags: Sequence[Bag], n_before: int
) -> Dictionary:
    """The dictionary of now, after some documents went, of `n_before` that there were.

    Only the words of these are looked at, where the rules allow for it.
    """
    rules, n_now = rules_of(db), int(db.get_meta("n_documents", 0))
    if rules.max_features is not None or rules.limits(n_now) != rules.limits(n_before):
        return read_dictionary(db)
    low, high = rules.limits(n_now)
    found: dict[int, str] = {}
    touched = np.unique(np.concatenate([bag.keys for bag in bags]))
    sql = "SELECT word FROM words WHERE key = ? AND n_documents BETWEEN ? AND ?"
    for key in touched.tolist():
        word = db.value(sql, (key, low, high))
        if isinstance(word, str):
            found[key] = word
    columns = before.columns(touched)
    known = columns >= 0
    inside = np.isin(touched, list(found))
    if not (known ^ inside).any():
        return before
    gone = set(touched[known & ~inside].tolist())
    pairs = [
        pair for pair in zip(before.words, before.keys.tolist(), strict=True) if pair[1] not in gone
    ]
    pairs += [(found[key], key) for key in touched[inside & ~known].tolist()]
    pairs.sort()
    return Dictionary([word for word, _ in pairs], np.array([key for _, key in pairs], np.int64))


def document_frequencies(db: Database, dictionary: Dictionary) -> NDArray[np.int64]:
    """Documents with each word of a dictionary, (n,)."""
    rows = db.execute("SELECT key, n_documents FROM words").fetchall()
    keys, numbers = np.array(rows, np.int64).reshape(-1, 2).T
    columns, found = dictionary.columns(keys), np.zeros(len(dictionary), np.int64)
    found[columns[columns >= 0]] = numbers[columns >= 0]
    return found


def refuse_no_words(db: Database, dictionary: Dictionary) -> None:
    """InvalidInputError when the rules leave no word to learn topics from."""
    if len(dictionary):
        return
    rules, m = rules_of(db), int(db.get_meta("n_documents", 0))
    low, high = rules.limits(m)
    n_words = int(db.value("SELECT count(*) FROM words"))
    raise InvalidInputError(
        f"no word is left for the dictionary: {m} documents hold {n_words} different words, none "
        f"in {low} to {high} documents (min_df={rules.min_df}, max_df={rules.max_df}); change "
        "these, or look at token_pattern and stop_words"
    )


def words_of(db: Database, bag: Bag) -> list[str]:
    """The words of a bag, in its order; CorruptStateError if one is not in the table."""
    found = [db.value("SELECT word FROM words WHERE key = ?", (key,)) for key in bag.keys.tolist()]
    if None in found:
        raise CorruptStateError(f"{db.path}: a document holds a word that is not stored")
    return found


def frequencies(db: Database) -> dict[int, tuple[int, int]]:
    """Documents and occurrences of each word by key, as they are stored."""
    rows = db.execute("SELECT key, n_documents, n_occurrences FROM words")
    return {key: (n_documents, n_occurrences) for key, n_documents, n_occurrences in rows}


def wrong_keys(db: Database) -> int:
    """Words whose key is not made from them."""
    rows = db.execute("SELECT key, word FROM words").fetchall()
    return sum(not isinstance(word, str) or key_of(word) != key for key, word in rows)
