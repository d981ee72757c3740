r"""Word counts of some texts at once; and the words `\b\w\w+\b` of texts, cut by a kernel."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyunlearn._core.words import count_words

__all__ = ["CountedTexts", "count_runs", "counted_together"]

ASCII, UNICODE = 128, 0x110000
# A text seldom has more different words than one in so many characters; if so, room is made.
CHARACTERS_A_WORD = 8
# At random, so that nobody can write words that all have one place in the hash table.
MULTIPLIER = int.from_bytes(os.urandom(8), "little") | 1


class CountedTexts(NamedTuple):
    """Word counts of m texts."""

    words: list[str]  # different ones of all texts, each of which is in one
    start: NDArray[np.int64]  # (m + 1,), where the entries of each text begin
    numbers: NDArray[np.int32]  # (nnz,), of the word of each entry
    counts: NDArray[np.int32]  # (nnz,), > 0

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Words of each text, repeated ones as often as they occur, (m,)."""
        sums = np.concatenate(([0], np.cumsum(self.counts, dtype=np.int64)))
        return np.diff(sums[self.start])

    def without(self, passed: Container[str]) -> CountedTexts:
        """The same without some words."""
        stay = np.array([word not in passed for word in self.words], np.bool_)
        kept = stay[self.numbers]
        return CountedTexts(
            list(compress(self.words, stay)),
            np.concatenate(([0], np.cumsum(kept)))[self.start],
            (np.cumsum(stay, dtype=np.int32) - 1)[self.numbers[kept]],
            self.counts[kept],
        )


def counted_together(texts: Iterable[Mapping[str, int]]) -> CountedTexts:
    """Texts of which each was counted by itself."""
    words: dict[str, int] = {}
    found = list(texts)
    sizes = [len(one) for one in found]
    entries = (words.setdefault(word, len(words)) for one in found for word in one)
    numbers = np.fromiter(entries, np.int32, sum(sizes))
    counts = chain.from_iterable(one.values() for one in found)
    return CountedTexts(
        list(words),
        np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))),
        numbers,
        np.fromiter(counts, np.int32, sum(sizes)),
    )


def count_runs(texts: Sequence[str]) -> CountedTexts:
    r"""The words `\b\w\w+\b`: two or more successive word characters."""
    joined = "".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4")
    codes = codes.astype(np.uint32, copy=False)
    start = np.concatenate(([0], np.cumsum([len(one) for one in texts], dtype=np.int64)))
    is_of_word = _word_characters(ASCII if joined.isascii() else UNICODE)
    words, counts = np.empty((2, len(codes) // 2 + 1), np.int32)
    entry_start = np.empty(len(texts) + 1, np.int64)
    n_words, bits = -1, (len(codes) // CHARACTERS_A_WORD).bit_length()
    while n_words < 0:
        bits += 1
        slots = np.full(1 << bits, -1, np.int32)
        last, first, end = np.empty((3, 1 << bits - 1), np.int64)
        n_words = count_words(
            *(codes, start, is_of_word, MULTIPLIER, slots, last),
            *(first, end, entry_start, words, counts),
        )
    size = entry_start[-1]
    spans = zip(first[:n_words].tolist(), end[:n_words].tolist(), strict=True)
    found = [joined[begin:stop] for begin, stop in spans]
    return CountedTexts(found, entry_start, words[:size].copy(), counts[:size].copy())


@cache
def _word_characters(size: int) -> NDArray[np.uint8]:
    """Which code points below `size` are word characters."""
    characters = np.arange(size, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    are = np.zeros(size, np.uint8)
    for run in re.finditer(r"\w+", characters):
        are[run.start() : run.end()] = 1
    return are
