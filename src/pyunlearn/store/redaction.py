"""A document without some of its words: in its counts, and in its text where that is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

import numpy as np

from pyunlearn.text import CountedText, TextRules

__all__ = ["redacted_text", "without_words"]


def without_words(counted: CountedText, columns: Set[int]) -> CountedText:
    """The counts without some columns; the length is less by their tokens."""
    kept = ~np.isin(counted.columns, sorted(columns))
    gone = int(counted.counts[~kept].sum())
    return CountedText(counted.columns[kept], counted.counts[kept], counted.length - gone)


def redacted_text(text: str, rules: TextRules, words: Set[str]) -> tuple[str, set[str]]:
    """The text without every token that is one of the words, and the words that were found.

    Tokens are those that the rules' pattern finds, in lower case where the rules say so.
    """
    searched = text
    origin: Sequence[int] = range(len(text))
    if rules.lowercase:
        # A letter may be two in lower case: where each came from.
        searched = text.lower()
        origin = [at for at, letter in enumerate(text) for _ in letter.lower()]
    found: set[str] = set()
    parts, end = [], 0
    for match in re.finditer(rules.token_pattern, searched):
        first, last = match.span(1 if match.re.groups else 0)
        if searched[first:last] in words and first < last:
            found.add(searched[first:last])
            parts += [text[end : origin[first]], " "]
            end = origin[last - 1] + 1
    return "".join(parts) + text[end:], found
