"""From text to word counts: which words are counted, by the rules of CountVectorizer."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pyunlearn import _params as check
from pyunlearn._counted_texts import CountedTexts, count_runs, counted_together
from pyunlearn._stop_words import ENGLISH
from pyunlearn.errors import InvalidParameterError

__all__ = ["TextCounter", "TextRules"]

MOST_GRAMS = 20
DEFAULT_PATTERN = r"(?u)\b\w\w+\b"


@dataclass(frozen=True)
class TextRules:
    r"""How texts become word counts. The names and meanings are scikit-learn's CountVectorizer's.

    Which words are in the dictionary of a store follows from these rules and the documents that the
    store holds now; it changes with them.

    Parameters
    ----------
    min_df, max_df : int or float, default=1 and 1.0
        Words in fewer, or in more, documents are left out: a number of documents (int), or a share
        of the documents held (float).
    max_features : int or None, default=None
        Of the words that these leave, keep the most frequent by number of occurrences; of equally
        frequent ones, the alphabetically first.
    stop_words : {"english", None}, default=None
        Words to pass over.
    ngram_range : tuple of two int, default=(1, 1)
        Fewest and most successive words that make one word of the dictionary, joined by blanks.
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
    max_df: int | float = 1.0
    max_features: int | None = None
    stop_words: str | None = None
    ngram_range: tuple[int, int] = (1, 1)
    token_pattern: str = DEFAULT_PATTERN
    lowercase: bool = True

    def __post_init__(self) -> None:
        # Plain values, so that equal rules are equal and can be written as JSON.
        plain: dict[str, Any] = {
            "min_df": check.check_min_df("min_df", self.min_df),
            "max_df": check.check_min_df("max_df", self.max_df),
            "ngram_range": _checked_range(self.ngram_range),
        }
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
        find, (least, most) = re.compile(self.token_pattern).findall, self.ngram_range
        passed = _passed(self)

        def analyze(text: str) -> list[str]:
            words = find(text.lower() if self.lowercase else text)
            if passed:
                words = [word for word in words if word not in passed]
            return words if most == 1 else _grams(words, least, most)

        return analyze

    def limits(self, n_documents: int) -> tuple[int, int]:
        """Fewest and most of `n_documents` documents that may hold a word of the dictionary."""
        low, high = self.min_df, self.max_df
        return (
            low if isinstance(low, int) else math.ceil(low * n_documents),
            high if isinstance(high, int) else math.floor(high * n_documents),
        )

    def as_dict(self) -> dict[str, Any]:
        """The rules as values that JSON can hold."""
        return asdict(self)


class TextCounter:
    """Counts all words of texts.

    Parameters
    ----------
    rules : TextRules
        How texts are cut into words.
    """

    def __init__(self, rules: TextRules) -> None:
        self._rules = rules
        self._analyze = rules.analyzer()

    def count(self, texts: Sequence[str]) -> CountedTexts:
        """The words of texts with their counts."""
        rules = self._rules
        if rules.token_pattern != DEFAULT_PATTERN or rules.ngram_range != (1, 1):
            return counted_together(Counter(self._analyze(text)) for text in texts)
        # A match of this pattern is a whole run of word characters, which a kernel finds faster.
        counted = count_runs([text.lower() for text in texts] if rules.lowercase else texts)
        passed = _passed(rules)
        return counted.without(passed) if passed else counted


def _passed(rules: TextRules) -> frozenset[str]:
    return ENGLISH if rules.stop_words else frozenset()


def _grams(words: list[str], least: int, most: int) -> list[str]:
    """Each run of `least` to `most` words, joined by blanks."""
    return [
        " ".join(run)
        for size in range(least, most + 1)
        for run in zip(*(words[at:] for at in range(size)), strict=False)
    ]


def _checked_range(given: Any) -> tuple[int, int]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise InvalidParameterError(
            f"ngram_range must be two integers, such as (1, 2), got {given!r}"
        )
    least = check.check_integer("ngram_range[0]", given[0], 1, MOST_GRAMS)
    return least, check.check_integer("ngram_range[1]", given[1], least, MOST_GRAMS)


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
