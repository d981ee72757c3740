"""A document without some of its words: in its counts, and in its text where that is kept."""

from __future__ import annotations

import re
from collections.abc import Set

import numpy as np

from pyunlearn.dictionary import CountedText, TextRules

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
    found: set[str] = set()
    parts, end = [], 0
    for match in re.finditer(rules.token_pattern, text):
        group = 1 if match.re.groups else 0
        token = match.group(group)
        if rules.lowercase:
            token = token.lower()
        if token in words:
            found.add(token)
            parts += [text[end : match.start(group)], " "]
            end = match.end(group)
    return "".join(parts) + text[end:], found
