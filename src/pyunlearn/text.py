"""From text to word counts: which words are counted, by the rules of CountVectorizer."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from pyunlearn import _params as check
from pyunlearn.errors import InvalidInputError, InvalidParameterError
from pyunlearn.records import Record

__all__ = ["CandidateWords", "CountedText", "Dictionary", "TextRules", "TextSpool"]


@dataclass(frozen=True)
class TextRules:
    r"""How texts become word counts. The names and meanings are scikit-learn's CountVectorizer's.

    Parameters
    ----------
    min_df : int or float, default=1
        Words in fewer documents are left out: a number of documents (int), or a share of the
        documents of the first `Store.add` (float), which is turned into a number there.
    max_features : int or None, default=None
        Of the words that `min_df` leaves, keep the most frequent by number of occurrences; of
        equally frequent ones, the alphabetically first.
    stop_words : {"english", None}, default=None
        Words to pass over.
    token_pattern : str, default=r"(?u)\b\w\w+\b"
        Regular expression of a word, with at most one group.
    lowercase : bool, default=True
        Whether upper and lower case are the same.

    Raises
    ------
    InvalidParameterError
        A value outside its range, or a pattern that is no regular expression.
    """

    min_df: int | float = 1
    max_features: int | None = None
    stop_words: str | None = None
    token_pattern: str = r"(?u)\b\w\w+\b"
    lowercase: bool = True

    def __post_init__(self) -> None:
        # Plain values, so that equal rules are equal and can be written as JSON.
        plain: dict[str, Any] = {"min_df": check.check_min_df("min_df", self.min_df)}
        if self.max_features is not None:
            plain["max_features"] = check.check_integer("max_features", self.max_features, 1)
        if self.stop_words is not None:
            plain["stop_words"] = str(
                check.check_choice("stop_words", self.stop_words, ("english",))
            )
        if not isinstance(self.lowercase, bool | np.bool_):
            raise InvalidParameterError(f"lowercase must be a bool, got {self.lowercase!r}")
        plain["lowercase"] = bool(self.lowercase)
        plain["token_pattern"] = _checked_pattern(self.token_pattern)
        for name, value in plain.items():
            object.__setattr__(self, name, value)

    def analyzer(self) -> Callable[[str], list[str]]:
        """The function from a text to its words, repeated as often as they occur."""
        vectorizer = CountVectorizer(
            stop_words=self.stop_words, token_pattern=self.token_pattern, lowercase=self.lowercase
        )
        return vectorizer.build_analyzer()  # type: ignore[no-any-return]

    def as_dict(self) -> dict[str, Any]:
        """The rules as values that JSON can hold."""
        return asdict(self)


class CountedText(NamedTuple):
    """Word counts of one text."""

    columns: NDArray[np.int32]  # (u,), ascending
    counts: NDArray[np.int32]  # (u,), > 0
    length: int  # words of the text, those outside the dictionary included


class Dictionary:
    """A fixed choice of words, each with a column.

    Parameters
    ----------
    words : sequence of (str or None)
        The word of each column; None where the string was deleted with its last document.
    rules : TextRules
        How texts are cut into words.
    """

    def __init__(self, words: Sequence[str | None], rules: TextRules) -> None:
        self.words = list(words)
        self._analyze = rules.analyzer()
        self._columns = {word: column for column, word in enumerate(words) if word is not None}

    def count(self, text: str) -> CountedText:
        """Count the words of a text that have a column."""
        tokens = self._analyze(text)
        columns = [self._columns[token] for token in tokens if token in self._columns]
        return _counted(columns, len(tokens))


class CandidateWords:
    """Every word of a first batch of texts with its frequencies, to choose a dictionary from."""

    def __init__(self, rules: TextRules) -> None:
        self.rules = rules
        self.n_documents = 0
        self._analyze = rules.analyzer()
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__
        self._document_frequency = np.zeros(1024, np.int64)
        self._occurrences = np.zeros(1024, np.int64)

    def count(self, text: str) -> CountedText:
        """Count all words of a text, by their numbers in order of first appearance."""
        tokens = self._analyze(text)
        counted = _counted([self._numbers[token] for token in tokens], len(tokens))
        self._make_room()
        self._document_frequency[counted.columns] += 1
        self._occurrences[counted.columns] += counted.counts
        self.n_documents += 1
        return counted

    def resolved_rules(self) -> TextRules:
        """The rules with `min_df` as a number of documents, as CountVectorizer takes a share."""
        if isinstance(self.rules.min_df, int):
            return self.rules
        number = max(1, math.ceil(self.rules.min_df * self.n_documents))
        return replace(self.rules, min_df=number)

    def choose(self) -> tuple[list[str], NDArray[np.int32]]:
        """The dictionary.

        Returns
        -------
        words : list of str
            In alphabetical order, which is the order of the columns.
        columns : ndarray of int32, shape (candidates,)
            Column of each candidate word by its number, -1 for those left out.

        Raises
        ------
        InvalidInputError
            No word is left.
        """
        words = list(self._numbers)
        frequency = self._document_frequency[: len(words)]
        kept = np.flatnonzero(frequency >= self.resolved_rules().min_df).tolist()
        kept.sort(key=words.__getitem__)
        limit = self.rules.max_features
        if limit is not None and len(kept) > limit:
            # The sort is stable, so the alphabetical order decides between equals.
            most = np.argsort(-self._occurrences[kept], kind="stable")[:limit]
            kept = [kept[position] for position in np.sort(most)]
        if not kept:
            raise InvalidInputError(
                f"no word is left for the dictionary: {self.n_documents} documents hold "
                f"{len(words)} different words, none in {self.resolved_rules().min_df} documents "
                "or more; lower min_df, or look at token_pattern and stop_words"
            )
        columns = np.full(len(words), -1, np.int32)
        columns[kept] = np.arange(len(kept), dtype=np.int32)
        return [words[number] for number in kept], columns

    def _make_room(self) -> None:
        size = len(self._document_frequency)
        if len(self._numbers) > size:
            more = np.zeros(max(size, len(self._numbers) - size), np.int64)
            self._document_frequency = np.concatenate((self._document_frequency, more))
            self._occurrences = np.concatenate((self._occurrences, more))


class TextSpool:
    """Counted records on disk, in a file without a name, between two passes over a corpus."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115, closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def write(self, record: Record, counted: CountedText) -> None:
        """Append one record."""
        size = len(counted.columns)
        line = [record.id, record.text, record.label, record.where, size, counted.length]
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.write(counted.columns.tobytes())
        self._file.write(counted.counts.tobytes())

    def read(self) -> Iterator[tuple[Record, CountedText]]:
        """All that was written, in the same order."""
        self._file.seek(0)
        while line := self._file.readline():
            *fields, size, length = json.loads(line)
            columns, counts = (np.frombuffer(self._file.read(4 * size), np.int32) for _ in range(2))
            yield Record(*fields), CountedText(columns, counts, length)


def renumbered(
    counted: Iterable[tuple[Record, CountedText]], columns: NDArray[np.int32]
) -> Iterator[tuple[Record, CountedText]]:
    """Counts by the candidates' numbers as counts by the dictionary's columns."""
    for record, text in counted:
        column = columns[text.columns]
        order = np.argsort(column, kind="stable")
        order = order[column[order] >= 0]
        yield record, CountedText(column[order], text.counts[order], text.length)


def _checked_pattern(pattern: Any) -> str:
    if not isinstance(pattern, str):
        raise InvalidParameterError(
            f"token_pattern {pattern!r} is not a regular expression: it must be a string"
        )
    try:
        groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidParameterError(
            f"token_pattern {pattern!r} is not a regular expression: {error}"
        ) from None
    if groups > 1:
        raise InvalidParameterError(f"token_pattern has {groups} groups; it may have one at most")
    return str(pattern)


def _counted(numbers: list[int], length: int) -> CountedText:
    columns, counts = np.unique(np.array(numbers, np.int32), return_counts=True)
    return CountedText(columns, counts.astype(np.int32), length)
