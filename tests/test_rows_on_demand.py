"""Rows that are read when they are needed: no difference to rows that are all there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyunlearn import CooccurrenceStatistics
from pyunlearn._cooccurrence.rows import Block
from pyunlearn._cooccurrence.rows_on_demand import RowsOnDemand

N_WORDS = 12


class Source:
    """Rows of statistics in parts of three, backwards; which rows were read."""

    def __init__(self, rows):
        self.rows, self.read_words = rows, []

    def read(self, words):
        self.read_words += words.tolist()
        for at in range(0, len(words), 3):
            part = words[at : at + 3][::-1].astype(np.int32)
            entries = [
                slice(self.rows.start[word], self.rows.start[word] + self.rows.length[word])
                for word in part
            ]
            length = self.rows.length[part]
            arrays = (
                np.cumsum(length) - length,
                length.copy(),
                np.concatenate([self.rows.indices[one] for one in entries]),
                np.concatenate([self.rows.values[one] for one in entries]),
            )
            yield Block(arrays, np.arange(len(part), dtype=np.int32), part)


def pair(counts, contexts):
    """Statistics, and the same with rows that stand elsewhere."""
    stats = CooccurrenceStatistics(N_WORDS, contexts=contexts).add(counts)
    source = Source(stats.copy().rows)
    other = CooccurrenceStatistics(N_WORDS, contexts=contexts)
    rows = RowsOnDemand(N_WORDS, stats.rows.columns.copy(), source)
    mass, frequency = stats.word_mass.copy(), stats.document_frequency.copy()
    other.restore(rows, mass, frequency, stats.n_documents)
    hashes = stats.copy().row_hashes()
    other.restore_row_hashes(hashes)
    return stats, other, source


def step(stats, kind, seed):
    rng = np.random.default_rng(seed)
    if kind == "add":
        counts = rng.poisson(0.3, (2, stats.n_words))
        stats.add_part(counts, counts.sum(axis=1) + 1)
    elif kind == "renumber":
        kept = rng.random(stats.n_words) < 0.8
        columns = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        stats.renumber(columns, int(kept.sum()) + 1)
    else:
        some = rng.integers(0, stats.n_words, 3)
        stats.rows.need(np.unique(some))
        stats.digest()


@settings(max_examples=150)
@given(
    st.integers(0, 99),
    st.sampled_from(["all", 3]),
    st.lists(
        st.tuples(st.sampled_from(["add", "renumber", "look"]), st.integers(0, 99)), max_size=6
    ),
)
def test_any_changes_end_in_the_statistics_of_rows_that_are_there(seed, contexts, steps):
    counts = np.random.default_rng(seed).poisson(0.5, (20, N_WORDS))
    stats, other, _ = pair(counts, contexts)
    assert other.digest() == stats.digest()
    for kind, number in steps:
        step(stats, kind, number)
        step(other, kind, number)
        assert other.digest() == stats.digest()
    found = [array.tolist() for array in other.rows.to_arrays()]
    assert found == [array.tolist() for array in stats.rows.to_arrays()]


def test_a_deletion_reads_the_rows_of_its_words_only():
    counts = np.random.default_rng(0).poisson(0.5, (30, N_WORDS))
    counts[0] = [2, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]
    stats, other, source = pair(counts, "all")
    assert other.digest() == stats.digest()
    assert source.read_words == []
    assert other.remove(counts[:1]).digest() == stats.remove(counts[:1]).digest()
    assert sorted(source.read_words) == [0, 7]


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_rows_stay_in_memory_from_the_second_pass_on(passes):
    counts = np.random.default_rng(0).poisson(0.5, (30, N_WORDS))
    _, other, source = pair(counts, "all")
    words = np.arange(N_WORDS, dtype=np.int32)
    for _ in range(passes):
        blocks = list(other.rows.blocks(words))
        assert sorted(np.concatenate([one.words for one in blocks])) == words.tolist()
    assert len(source.read_words) == min(passes, 2) * N_WORDS
