"""Words in texts, found by a hash table, against a dictionary."""

from itertools import pairwise

import pytest
from core import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from pyunlearn import _counted_texts

LETTERS = st.sampled_from("abcdefgh_0é\u0939\U0001d7d8 -\n\ud800")
TEXTS = st.lists(st.text(st.one_of(LETTERS, st.characters()), max_size=60), max_size=6)


def counted(texts):
    found = _counted_texts.count_runs(texts)
    assert found.start.tolist()[0] == 0
    pairs = list(zip(found.numbers.tolist(), found.counts.tolist(), strict=True))
    parts = [pairs[first:last] for first, last in pairwise(found.start.tolist())]
    return found.words, [dict(part) for part in parts]


# With 1 all words have one place in the table, with 3 many have.
@pytest.mark.parametrize("multiplier", [_counted_texts.MULTIPLIER, 1, 3], ids=["random", "1", "3"])
@settings(max_examples=100)
@given(TEXTS)
def test_words_and_counts_are_those_of_a_dictionary(multiplier, texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_counted_texts, "MULTIPLIER", multiplier)
        assert counted(texts) == reference.count_runs(texts)


@pytest.mark.parametrize("n_words", [1, 2, 1000, 30_000])
def test_a_table_that_is_full_is_made_again_larger(n_words):
    words = [chr(0x4E00 + at // 200) + chr(0x4E00 + at % 200) for at in range(n_words)]
    texts = [" ".join(words), " ".join(reversed(words)), words[-1]]
    assert counted(texts) == reference.count_runs(texts)
