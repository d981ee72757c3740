"""Contexts follow from the documents; kept columns decide what can be done, and no digest."""

import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from core import reference
from hard_corpora import assert_same_statistics, pools
from hypothesis import given, settings
from hypothesis import strategies as st

from pyunlearn import CooccurrenceStatistics
from pyunlearn.errors import InvalidInputError, InvalidParameterError, MissingContextsError

FEW = 1024  # documents of which all columns are kept
RULES = ("all", "core", 1, 3, 24, 300, 0.0, 0.02, 0.1, 0.5, 1.0)
# Those that words come near to more often.
rules = st.sampled_from([*RULES, *["core", 24, 0.02] * 3])


def least_for_room(contexts, m):
    """Documents that keep the column of a word, when m are the first."""
    if contexts == "all" or m < FEW:
        return 0
    power = 2 ** int(math.log2(m))
    return max(3 * reference.least_documents(contexts, power) // 4, 1)


class Corpus:
    """Documents of which some words are near to every threshold."""

    def __init__(self, seed, m=2400, n=14):
        rng = np.random.default_rng(seed)
        share = np.concatenate([rng.integers(1, 90, n - 4), rng.integers(90, m // 2, 4)]) / m
        self.counts = (rng.random((m, n)) < rng.permutation(share)) * rng.integers(1, 4, (m, n))
        self.lengths = self.counts.sum(axis=1) + rng.integers(0, 3, m)
        # Some words are in early or in late documents only.
        time = rng.permutation(n)
        self.counts[m // 2 :, time < 3] = 0
        self.counts[: m // 2, time >= n - 4] = 0

    def counted(self, documents, contexts, **options):
        """Statistics of some documents, counted in one go."""
        empty = CooccurrenceStatistics(self.counts.shape[1], contexts=contexts, n_jobs=1)
        return self.added(empty, documents, **options)

    def added(self, statistics, documents, keep_all=False):
        if keep_all:
            statistics.keep_all_columns()
        if len(documents):
            statistics.add(self.counts[documents], self.lengths[documents])
        return statistics

    def removed(self, statistics, documents):
        return statistics.remove(self.counts[documents], self.lengths[documents])

    def frequency(self, documents):
        return np.count_nonzero(self.counts[documents], axis=0)


CORPORA = {seed: Corpus(seed) for seed in range(4)}
seeds = st.sampled_from(sorted(CORPORA))


def words_with(frequency, least):
    return np.flatnonzero(frequency >= least).tolist()


@settings(max_examples=60)
@given(pool=pools(), contexts=rules, scale=st.sampled_from(["document", "token"]))
def test_k_has_the_columns_that_are_kept_of_the_whole(pool, contexts, scale):
    n = pool.counts.shape[1]
    whole = CooccurrenceStatistics(n, 30, scale).add(pool.counts, pool.lengths)
    some = CooccurrenceStatistics(n, 30, scale, contexts).add(pool.counts, pool.lengths)
    # Few documents: all columns are kept.
    assert (some.to_csr() != whole.to_csr()).nnz == 0
    assert some.word_mass.tolist() == whole.word_mass.tolist()
    least = reference.least_documents(contexts, len(pool.counts))
    assert some.context_words.tolist() == words_with(whole.document_frequency, least)


@settings(max_examples=40)
@given(seeds, rules, st.integers(FEW - 2, 2400))
def test_of_many_documents_columns_are_kept_of_words_near_to_the_threshold(seed, contexts, m):
    corpus, documents = CORPORA[seed], np.arange(m)
    some, whole = (corpus.counted(documents, rule) for rule in (contexts, "all"))
    frequency = corpus.frequency(documents)
    kept = words_with(frequency, least_for_room(contexts, m))
    assert some.rows.columns.tolist() == kept
    contexts_of_now = words_with(frequency, reference.least_documents(contexts, m))
    assert some.context_words.tolist() == contexts_of_now
    assert set(contexts_of_now) <= set(kept)
    expected = np.zeros((14, 14), np.int64)
    expected[:, kept] = whole.to_csr().toarray()[:, kept]
    found = some.to_csr()
    assert found.has_canonical_format
    assert (found.toarray() == expected).all()
    assert some.word_mass.tolist() == whole.word_mass.tolist()
    assert some.document_frequency.tolist() == frequency.tolist()


class History:
    """Statistics that change, and what must be true of them, by a simple account of columns."""

    def __init__(self, corpus, contexts, keep_all):
        self.corpus, self.contexts, self.keep_all = corpus, contexts, keep_all
        self.present = np.zeros(len(corpus.counts), np.bool_)
        self.statistics = corpus.counted([], contexts, keep_all=keep_all)
        self.kept = list(range(14))
        self.refused = 0

    def change(self, first, last, adds):
        part = np.arange(first, min(last, len(self.present)))
        part = part[self.present[part] != adds]
        if not len(part):
            return
        after = self.present.copy()
        after[part] = adds
        documents = np.flatnonzero(after)
        frequency = self.corpus.frequency(documents)
        kept = self.kept
        if adds and not self.present.any() and not self.keep_all:
            kept = words_with(frequency, least_for_room(self.contexts, len(documents)))
        needed = words_with(frequency, reference.least_documents(self.contexts, len(documents)))
        change = self.corpus.added if adds else self.corpus.removed
        if set(needed) <= set(kept):
            change(self.statistics, part)
            self.present, self.kept = after, kept
            assert self.statistics.rows.columns.tolist() == kept
        else:
            self.refuse(change, part)

    def refuse(self, change, part):
        before, digest = pickle.dumps(self.statistics), self.statistics.digest()
        version = self.statistics.version
        with pytest.raises(MissingContextsError):
            change(self.statistics, part)
        assert pickle.dumps(self.statistics) == before
        assert (self.statistics.digest(), self.statistics.version) == (digest, version)
        self.refused += 1

    def reload(self):
        """A pickle has the columns that the documents of now would keep, of those there are.

        Where these are all, of few documents, it does not tell whether that was asked for.
        """
        self.statistics = pickle.loads(pickle.dumps(self.statistics))  # noqa: S301
        if self.present.sum() < FEW and len(self.kept) == 14:
            self.keep_all = True
        self.kept = self.room() if not self.keep_all else self.kept

    def room(self):
        documents = np.flatnonzero(self.present)
        frequency = self.corpus.frequency(documents)
        wanted = words_with(frequency, least_for_room(self.contexts, len(documents)))
        return [word for word in wanted if word in self.kept]

    def check(self):
        documents = np.flatnonzero(self.present)
        once = self.corpus.counted(documents, self.contexts, keep_all=self.keep_all)
        assert self.statistics.digest() == once.digest()
        assert self.statistics.n_documents == once.n_documents
        assert self.statistics.document_frequency.tolist() == once.document_frequency.tolist()
        assert self.statistics.word_mass.tolist() == once.word_mass.tolist()
        assert self.statistics.context_words.tolist() == once.context_words.tolist()
        whole = self.corpus.counted(documents, "all").to_csr().toarray()
        lost = np.setdiff1d(np.arange(14), self.kept)
        whole[:, lost] = 0
        assert (self.statistics.to_csr().toarray() == whole).all()
        # Columns that were not kept do not come back without the documents.
        if self.room() == once.rows.columns.tolist() or self.keep_all:
            assert pickle.dumps(self.statistics) == pickle.dumps(once)


hundreds = st.integers(0, 23).map(lambda number: 100 * number)
STEPS = st.lists(
    st.one_of(
        st.tuples(hundreds, st.integers(1, 900), st.booleans()),
        st.tuples(st.just(1200), st.integers(100, 1200), st.just(True)),
        st.tuples(hundreds, st.integers(1, 40), st.booleans()),
        st.sampled_from(["digest", "reload", "copy"]),
    ),
    max_size=8,
)


@settings(max_examples=150)
@given(
    seed=seeds,
    contexts=rules,
    keep_all=st.sampled_from([False, False, False, True]),
    first=st.one_of(st.integers(1, 60), st.integers(FEW - 3, 2400), st.integers(FEW, 1300)),
    steps=STEPS,
)
def test_any_additions_and_deletions_end_as_counted_once(seed, contexts, keep_all, first, steps):
    history = History(CORPORA[seed], contexts, keep_all)
    history.change(0, first, True)
    for step in steps:
        if step == "digest":
            history.statistics.digest()
        elif step == "reload":
            history.reload()
        elif step == "copy":
            history.statistics = history.statistics.copy()
        else:
            begin, size, adds = step
            history.change(begin, begin + size, adds)
    history.check()
    # All that is left is taken out again: nothing needs a column then.
    history.change(0, 2400, False)
    assert history.statistics.n_documents == 0
    assert history.statistics.to_csr().nnz == 0
    history.change(0, 1100, True)
    history.check()
    assert not (keep_all and history.refused)


@settings(max_examples=60)
@given(pools(), rules, st.data())
def test_few_documents_may_change_at_will(pool, contexts, data):
    m, n = pool.counts.shape
    stats = CooccurrenceStatistics(n, contexts=contexts).add(pool.counts, pool.lengths)
    gone = data.draw(st.lists(st.integers(0, m - 1), unique=True))
    for document in gone:
        stats.remove(pool.counts[[document]], pool.lengths[[document]])
        if data.draw(st.booleans()):
            stats.digest()
    left = np.setdiff1d(np.arange(m), gone)
    once = CooccurrenceStatistics(n, contexts=contexts)
    if len(left):
        once.add(pool.counts[left], pool.lengths[left])
    assert_same_statistics(stats, once)
    assert pickle.dumps(stats) == pickle.dumps(once)


@settings(max_examples=40)
@given(seeds, rules, st.integers(FEW - 3, 1300), st.integers(0, 3), st.data())
def test_words_that_leave_and_come_leave_the_statistics_of_the_others(
    seed, contexts, m, n_more, data
):
    corpus, rest = CORPORA[seed], slice(200, m)
    kept = sorted(data.draw(st.sets(st.integers(0, 13), min_size=1)))
    size = len(kept) + n_more
    places = sorted(data.draw(st.permutations(range(size)))[: len(kept)])
    columns, counts = np.full(14, -1, np.int32), np.zeros((m, size), int)
    columns[kept], counts[:, places] = places, corpus.counts[:m, kept]
    lengths, options = corpus.lengths[:m], {"contexts": contexts, "n_jobs": 1}
    stats = corpus.counted(np.arange(m), contexts)
    if data.draw(st.booleans()):
        stats.digest()
    stats.renumber(columns, size)
    once = CooccurrenceStatistics(size, **options).add(counts, lengths)
    assert_same_statistics(stats, once)
    assert stats.rows.columns.tolist() == once.rows.columns.tolist()
    assert pickle.dumps(stats) == pickle.dumps(once)
    # Nothing of the words that left is in memory.
    assert stats.rows.values.sum() == once.to_csr().sum()
    stats.add(counts[rest], lengths[rest]).remove(counts[rest], lengths[rest])
    assert pickle.dumps(stats) == pickle.dumps(once)


def grown(more):
    """A corpus of 1,100 documents in which word 0 is rare, and then `more` with it."""
    counts = np.zeros((1100 + more, 3), int)
    counts[:, 1:] = [2, 1]
    counts[1100:, 0] = 1
    return counts


@pytest.mark.parametrize(("contexts", "needed"), [("core", 21), (40, 40), (0.05, 58)])
def test_a_word_that_becomes_a_context_without_a_column_is_told_of(contexts, needed):
    counts = grown(needed)
    stats = CooccurrenceStatistics(3, contexts=contexts).add(counts[:1100])
    stats.add(counts[1100:-1])
    before, digest = pickle.dumps(stats), stats.digest()
    with pytest.raises(MissingContextsError, match=r"1 words \(column 0 first\).*keep_all_columns"):
        stats.add(counts[-1:])
    assert (pickle.dumps(stats), stats.digest()) == (before, digest)
    assert stats.context_words.tolist() == [1, 2]
    # One that does not know the word brings it no nearer.
    stats.add(counts[:1]).remove(counts[:1])
    kept = CooccurrenceStatistics(3, contexts=contexts).keep_all_columns()
    kept.add(counts[:1100]).add(counts[1100:])
    assert kept.context_words.tolist() == [0, 1, 2]
    assert kept.digest() == CooccurrenceStatistics(3, contexts=contexts).add(counts).digest()


def test_a_merge_may_lack_a_column_as_well():
    stats = CooccurrenceStatistics(3, contexts=40).add(grown(25))
    before, other = pickle.dumps(stats), stats.copy()
    with pytest.raises(MissingContextsError, match="column 0 first"):
        stats.merge(other)
    assert pickle.dumps(stats) == pickle.dumps(other) == before


def test_columns_are_chosen_by_the_first_documents():
    stats = CooccurrenceStatistics(14, contexts="core").add(CORPORA[0].counts[:5])
    before = pickle.dumps(stats), stats.digest()
    with pytest.raises(InvalidInputError, match="first documents"):
        stats.keep_all_columns()
    assert (pickle.dumps(stats), stats.digest()) == before
    assert CooccurrenceStatistics(14).keeps_all_columns
    kept = CooccurrenceStatistics(14, contexts="core").keep_all_columns()
    assert kept.keeps_all_columns
    assert pickle.loads(pickle.dumps(kept)).keeps_all_columns  # noqa: S301
    assert kept.copy().keeps_all_columns


@settings(max_examples=40)
@given(seeds, rules, st.integers(1, 2399), st.sampled_from([False, False, True]))
def test_parts_merge_when_their_columns_are_the_same(seed, contexts, cut, keep_all):
    corpus = CORPORA[seed]
    parts = [
        corpus.counted(part, contexts, keep_all=keep_all)
        for part in (np.arange(cut), np.arange(cut, 2400))
    ]
    whole = corpus.counted(np.arange(2400), contexts, keep_all=keep_all)
    columns = [part.rows.columns.tolist() for part in parts]
    before = [(pickle.dumps(part), part.digest()) for part in parts]
    needed = set(whole.context_words.tolist())
    if columns[0] == columns[1] and needed <= set(columns[0]):
        assert parts[0].merge(parts[1]).digest() == whole.digest()
        if keep_all:
            assert pickle.dumps(parts[0]) == pickle.dumps(whole)
    else:
        error = MissingContextsError if columns[0] == columns[1] else InvalidInputError
        with pytest.raises(error):
            parts[0].merge(parts[1])
        assert (pickle.dumps(parts[0]), parts[0].digest()) == before[0]
    assert (pickle.dumps(parts[1]), parts[1].digest()) == before[1]


@settings(max_examples=30)
@given(seeds, rules, st.integers(FEW - 2, 2400))
def test_empty_statistics_take_over_columns_that_they_merge(seed, contexts, m):
    corpus = CORPORA[seed]
    once = corpus.counted(np.arange(m), contexts)
    merged = corpus.counted([], contexts).merge(once)
    assert_same_statistics(merged, once)
    assert merged.rows.columns.tolist() == once.rows.columns.tolist()
    assert pickle.dumps(merged) == pickle.dumps(once)
    corpus.removed(merged, np.arange(1))
    assert once.n_documents == m


def test_contexts_of_documents_and_of_a_share_do_not_merge():
    one = CooccurrenceStatistics(2, contexts=1).add([[1, 2]])
    other = CooccurrenceStatistics(2, contexts=1.0).add([[1, 2]])
    assert one.digest() != other.digest()
    with pytest.raises(InvalidInputError, match=r"contexts is 1 here, 1\.0 there"):
        one.merge(other)
    assert one.n_documents == 1


@settings(max_examples=60)
@given(seeds, rules, st.booleans(), st.lists(hundreds, min_size=1, max_size=4))
def test_statistics_are_never_larger_than_estimated(seed, contexts, keep_all, cuts):
    corpus = CORPORA[seed]
    stats = corpus.counted([], contexts, keep_all=keep_all)
    bounds = sorted({0, *cuts, 2400})
    for first, last in pairwise(bounds):
        part = np.arange(first, last)
        estimate = stats.estimate_nbytes(corpus.counts[part])
        before = pickle.dumps(stats)
        try:
            corpus.added(stats, part)
        except MissingContextsError:
            assert pickle.dumps(stats) == before
            assert first > 0
            return
        assert stats.nbytes <= estimate


@pytest.mark.parametrize(
    "contexts", ["most", "", None, 0, -1, 1.5, -0.1, math.nan, [2], True, b"all"]
)
def test_contexts_that_are_none_are_refused(contexts):
    with pytest.raises(InvalidParameterError, match="contexts"):
        CooccurrenceStatistics(3, contexts=contexts)
