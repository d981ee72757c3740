"""Contexts: the words that have a column in the statistics, by the documents that hold them.

Contexts are a function of the documents. The statistics also keep columns of words that are
somewhat rarer, so that contexts can change without the documents: that is room, not content.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check

__all__ = [
    "ALL",
    "CORE",
    "Contexts",
    "checked_contexts",
    "context_threshold",
    "core_threshold",
    "room_threshold",
    "share_as_number",
    "words_in",
]

ALL, CORE = "all", "core"
# Of so few documents all columns are kept: they take little room.
FEW_DOCUMENTS = 1024

Contexts = str | int | float


def checked_contexts(value: Any) -> Contexts:
    """The rule after validation: "all", "core", a number of documents, or a share of them."""
    if isinstance(value, str):
        return check.check_choice("contexts", value, (ALL, CORE))
    return check.check_min_df("contexts", value)


def context_threshold(contexts: Contexts, n_documents: int) -> int:
    """Documents that must hold a word for it to be a context; 0: all words are."""
    if contexts == ALL:
        return 0
    if contexts == CORE:
        return core_threshold(n_documents)
    assert not isinstance(contexts, str)
    return share_as_number(contexts, n_documents)


def room_threshold(contexts: Contexts, n_documents: int, few: int = FEW_DOCUMENTS) -> int:
    """Documents that must hold a word for its column to be kept; 0: all are, of fewer than `few`.

    Three quarters of the threshold of contexts at the power of two below the number of documents:
    so it does not tell how many there were, and two fifths of them can go.
    """
    if contexts == ALL or n_documents < max(few, 1):
        return 0
    power = 1 << (n_documents.bit_length() - 1)
    return max(context_threshold(contexts, power) * 3 // 4, 1)


def words_in(frequency: NDArray[np.int64], threshold: int) -> NDArray[np.int32]:
    """Words in at least so many documents, ascending; for 0 all words."""
    return np.flatnonzero(frequency >= threshold).astype(np.int32)


def core_threshold(n_documents: int) -> int:
    """0.6 sqrt(m), from 10,000 documents on 0.6 % of them, at least 1.

    The noise of a word's row depends on the number of its documents, not on their share; in large
    corpora the share keeps the number of words, hence the time, from growing.
    """
    return max(math.ceil(0.6 * max(math.sqrt(n_documents), n_documents / 100)), 1)


def share_as_number(threshold: int | float, n_documents: int) -> int:
    """Documents that a threshold stands for: a number (int), or a share of all (float)."""
    if isinstance(threshold, float):
        # 0.07 of 100 documents are 7, though 0.07 * 100 is more.
        threshold = math.ceil(round(threshold * n_documents, 6))
    return max(threshold, 1)
