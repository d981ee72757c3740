"""Statistics: the integer formula, the same digest by any route, nothing left behind."""

import pickle

import joblib
import numpy as np
import pytest
from core import reference
from hard_corpora import assert_same_statistics, pools
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from pyunlearn import CooccurrenceStatistics
from pyunlearn._cooccurrence.arrays import (
    refuse_impossible,
    statistics_arrays,
    statistics_from_arrays,
)
from pyunlearn.errors import (
    CorruptStateError,
    DocumentTooLongError,
    InvalidInputError,
    InvalidParameterError,
    StatisticsOverflowError,
)

WEIGHTINGS = pytest.mark.parametrize("weighting", ["document", "token"])


def example(m=40, n=25, seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, (m, n)) * (rng.random((m, n)) < 0.3)
    counts[5] = 0
    return counts


def counted(X, lengths=None, **options):
    return CooccurrenceStatistics(np.shape(X)[1], **options).add(X, lengths)


@WEIGHTINGS
@settings(max_examples=60)
@given(pool=pools())
def test_statistics_are_the_integer_formula(weighting, pool):
    stats = counted(pool.counts, pool.lengths, weighting=weighting)
    m, frequency, mass, K = reference.statistics(pool.counts, pool.lengths, 40, weighting)
    assert stats.n_documents == m
    assert (stats.document_frequency == frequency).all()
    assert (stats.word_mass == mass).all()
    assert (stats.to_csr().toarray() == K).all()


sizes = st.sampled_from([0, 0, 1, 2, 1000, 2**15, 2**20, 2**29, 2**30, 2**31 - 1])


@settings(max_examples=300)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(sizes, min_size=n, max_size=n), min_size=1, max_size=3)
    ),
    st.sampled_from([1, 20, 40, 55, 60, 61]),
    st.sampled_from(["document", "token"]),
)
def test_counts_of_any_size_are_refused_or_counted_exactly(counts, scale_bits, weighting):
    counts = np.array(counts)
    stats = CooccurrenceStatistics(counts.shape[1], scale_bits, weighting)
    lengths = counts.sum(axis=1).tolist()
    weights = [reference.document_weight(one, scale_bits, weighting) for one in lengths]
    m, frequency, mass, K = reference.statistics(counts, lengths, scale_bits, weighting)
    before = pickle.dumps(stats)
    try:
        stats.add(counts)
    except (DocumentTooLongError, StatisticsOverflowError):
        assert pickle.dumps(stats) == before
        too_long = any(one >= 2 and not w for one, w in zip(lengths, weights, strict=True))
        assert too_long or max(mass) >= 2**62 or weighting == "token"
        return
    assert stats.n_documents == m
    assert (stats.document_frequency == frequency).all()
    assert (stats.word_mass == mass).all()
    assert (stats.to_csr().toarray() == K).all()
    arrays = statistics_arrays(stats)
    again = statistics_from_arrays(arrays, stats.n_documents, scale_bits, weighting, "all", 1)
    refuse_impossible(again)
    assert again.digest() == stats.digest()
    once = pickle.dumps(stats)
    try:
        stats.merge(stats.copy())
    except StatisticsOverflowError:
        assert 2 * max(mass) >= 2**62
        assert pickle.dumps(stats) == once


def test_weights_are_the_integer_formula():
    for weighting in ("document", "token"):
        for length in (2, 3, 10, 1001, 1_048_576):
            X = np.array([[1, length - 1]])
            expected = reference.document_weight(length, 40, weighting) * (length - 1)
            assert counted(X, weighting=weighting).to_csr()[0, 1] == expected


@settings(max_examples=60)
@given(pools(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_and_batches_leave_no_trace(pool, random, size):
    once = counted(pool.counts, pool.lengths)
    order = list(range(len(pool.counts)))
    random.shuffle(order)
    stats = CooccurrenceStatistics(pool.counts.shape[1])
    for first in range(0, len(order), size):
        part = order[first : first + size]
        stats.add(pool.counts[part], pool.lengths[part])
    assert_same_statistics(stats, once)


@settings(max_examples=60)
@given(pools(), st.data())
def test_removal_is_the_inverse_of_addition(pool, data):
    m = len(pool.counts)
    gone = data.draw(st.lists(st.integers(0, m - 1), unique=True))
    left = np.setdiff1d(np.arange(m), gone)
    stats = counted(pool.counts, pool.lengths)
    for document in gone:
        stats.remove(pool.counts[[document]], pool.lengths[[document]])
    once = CooccurrenceStatistics(pool.counts.shape[1])
    if len(left):
        once.add(pool.counts[left], pool.lengths[left])
    assert_same_statistics(stats, once)


def test_removing_everything_added_leaves_nothing():
    X = example()
    stats = counted(X).remove(X)
    assert_same_statistics(stats, CooccurrenceStatistics(25))
    assert stats.to_csr().nnz == stats.n_documents == 0


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 7])
def test_threads_leave_no_trace(n_jobs):
    X = example(200, 150)
    one = counted(X, n_jobs=1).add(X[:50]).remove(X[:20])
    assert_same_statistics(counted(X, n_jobs=n_jobs).add(X[:50]).remove(X[:20]), one)


def without_canonical_form(X):
    """CSR with unsorted indices, duplicates and explicit zeros that sum to X."""
    rows, columns = np.nonzero(X)
    split = np.minimum(X[rows, columns], 1)
    data = np.concatenate([X[rows, columns] - split, split, np.zeros(len(rows), X.dtype)])
    at = np.concatenate([rows, rows, rows])
    order = np.lexsort((-np.arange(len(at)), at))
    indices = np.concatenate([columns, columns, (columns + 1) % X.shape[1]])
    indptr = np.concatenate(([0], np.cumsum(np.bincount(at, minlength=len(X)))))
    return sparse.csr_array((data[order], indices[order], indptr), shape=X.shape)


def with_wide_indices(X):
    matrix = sparse.csr_array(X)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return matrix


def split_coo(X):
    """COO in no order, every count as a sum of ones."""
    rows, columns = np.nonzero(X)
    times = X[rows, columns].astype(int)
    at = np.random.default_rng(0).permutation(int(times.sum()))
    coordinates = (np.repeat(rows, times)[at], np.repeat(columns, times)[at])
    return sparse.coo_array((np.ones(len(at), X.dtype), coordinates), shape=X.shape)


class Frame:
    """As much of a data frame as matters: columns, and numbers by the array protocol."""

    def __init__(self, X):
        self.values, self.columns, self.shape = X, [f"w{i}" for i in range(X.shape[1])], X.shape

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


STORAGES = {
    "list": lambda X: X.tolist(),
    "fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "object": lambda X: X.astype(object),
    "frame": Frame,
    "csr_array": sparse.csr_array,
    "csr_matrix": sparse.csr_matrix,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "lil": sparse.lil_array,
    "dok": sparse.dok_array,
    "bsr": lambda X: sparse.bsr_array(X, blocksize=(2, 5)),
    "dia": sparse.dia_array,
    "int64 indices": with_wide_indices,
    "not canonical": without_canonical_form,
    "coo of ones": split_coo,
}
DTYPES = ("int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "float32", "float64")


@pytest.mark.parametrize("storage", STORAGES)
def test_every_storage_gives_the_same_digest(storage):
    X = example()
    assert_same_statistics(counted(STORAGES[storage](X)), counted(X))


@pytest.mark.parametrize("storage", ["fortran", "csr_array", "csc", "not canonical", "coo of ones"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_gives_the_same_digest(storage, dtype):
    X = example()
    assert_same_statistics(counted(STORAGES[storage](X.astype(dtype))), counted(X))


@pytest.mark.parametrize("storage", ["csr_array", "csc", "coo", "coo of ones", "not canonical"])
def test_booleans_count_as_ones(storage):
    X = np.minimum(example(), 1)
    assert_same_statistics(counted(STORAGES[storage](X.astype(bool))), counted(X))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16"])
def test_duplicates_are_summed_wider_than_they_are_stored(dtype):
    data = np.array([1 if dtype == "bool" else 100] * 700 + [1], dtype)
    rows, columns = np.zeros(701, int), np.array([0] * 700 + [1])
    X = sparse.coo_array((data, (rows, columns)), shape=(1, 2))
    expected = np.array([[700 * int(data[0]), 1]])
    assert_same_statistics(counted(X), counted(expected))
    unsummed = sparse.csr_array((data, columns, [0, 701]), shape=(1, 2))
    assert_same_statistics(counted(unsummed), counted(expected))


def arrays_of(matrix):
    if isinstance(matrix, np.ndarray):
        return [matrix]
    if matrix.format == "coo":
        return [matrix.data, *matrix.coords]
    return [matrix.data, matrix.indices, matrix.indptr]


@pytest.mark.parametrize(
    "storage", ["fortran", "csr_array", "csc", "coo", "int64 indices", "not canonical"]
)
def test_the_callers_matrix_is_neither_written_to_nor_kept(storage):
    X = STORAGES[storage](example())
    before = [array.tobytes() for array in arrays_of(X)]
    for array in arrays_of(X):
        array.flags.writeable = False
    stats = counted(X)
    digest = stats.digest()
    stats.add(X).remove(X)
    assert [array.tobytes() for array in arrays_of(X)] == before
    for array in arrays_of(X):
        array.flags.writeable = True
        array[:] = 0
    assert stats.digest() == digest == counted(example()).digest()


@WEIGHTINGS
@settings(max_examples=40)
@given(pool=pools(), cut=st.integers(0, 14))
def test_merging_parts_equals_counting_the_whole(weighting, pool, cut):
    parts = []
    for part in (slice(None, cut), slice(cut, None)):
        parts.append(CooccurrenceStatistics(pool.counts.shape[1], weighting=weighting))
        if len(pool.counts[part]):
            parts[-1].add(pool.counts[part], pool.lengths[part])
    whole = counted(pool.counts, pool.lengths, weighting=weighting)
    second = parts[1].digest()
    assert_same_statistics(parts[0].merge(parts[1]), whole)
    assert parts[1].digest() == second
    assert_same_statistics(parts[1].copy().merge(parts[1]), twice(parts[1]))


def twice(stats):
    """The same statistics merged with themselves."""
    return stats.merge(stats)


@pytest.mark.parametrize(
    "other",
    [
        CooccurrenceStatistics(24),
        CooccurrenceStatistics(25, scale_bits=39),
        CooccurrenceStatistics(25, weighting="token"),
        CooccurrenceStatistics(25, contexts="core"),
        CooccurrenceStatistics(25, contexts=1),
    ],
)
def test_statistics_of_another_kind_do_not_merge(other):
    stats = counted(example())
    before = stats.digest()
    with pytest.raises(InvalidInputError, match="cannot merge"):
        stats.merge(other)
    assert stats.digest() == before


def test_a_copy_is_independent():
    stats = counted(example())
    before, twin = stats.digest(), stats.copy()
    assert_same_statistics(twin, stats)
    twin.add(example(seed=1)).remove(example())
    assert stats.digest() == before
    assert_same_statistics(twin, counted(example(seed=1)))


class WithoutArguments(CooccurrenceStatistics):
    def __init__(self):
        super().__init__(25, 30, n_jobs=1)
        self.weighting = "of its own"
        self.note = "kept"

    def _weights(self, lengths):
        return np.ones(len(lengths), np.int64)


def test_a_copy_of_a_subclass_is_one_of_it():
    stats = WithoutArguments().add(example())
    twin = stats.copy()
    assert type(twin) is WithoutArguments
    assert (twin.weighting, twin.note, twin.n_jobs) == ("of its own", "kept", 1)
    assert_same_statistics(twin, stats)
    twin.add(example(seed=1)).remove(example())
    assert_same_statistics(stats, WithoutArguments().add(example()))
    assert_same_statistics(twin, WithoutArguments().add(example(seed=1)))


def test_documents_without_pairs_cannot_be_too_many_to_count():
    # Their masses are 0, so only their number can overflow: it doubles 62 times.
    stats = CooccurrenceStatistics(2).add([[1, 0], [0, 0]])
    for _ in range(60):
        twice(stats)
    before = pickle.dumps(stats)
    with pytest.raises(StatisticsOverflowError, match="number of documents"):
        twice(stats)
    assert pickle.dumps(stats) == before
    assert stats.n_documents == 2**61
    assert stats.document_frequency.tolist() == [2**60, 0]


@pytest.mark.parametrize("other", [None, 3, example(), "statistics"])
def test_only_statistics_are_merged(other):
    with pytest.raises(InvalidInputError, match="cannot merge"):
        counted(example()).merge(other)


def swapped(array, one, other):
    array[[one, other]] = array[[other, one]]


DAMAGES = {
    "columns not sorted": lambda a: swapped(a["indices"], 0, 1),
    "a column twice": lambda a: np.copyto(a["indices"][:2], a["indices"][0]),
    "a column out of range": lambda a: a["indices"].__setitem__(-1, 25),
    "a negative column": lambda a: a["indices"].__setitem__(0, -1),
    "an entry of zero": lambda a: (
        np.copyto(a["word_mass"][:1], a["word_mass"][0] - a["values"][0]),
        a["values"].__setitem__(0, 0),
    ),
    "an entry that is negative": lambda a: (
        np.copyto(a["word_mass"][:1], a["word_mass"][0] - a["values"][0] - 1),
        a["values"].__setitem__(0, -1),
    ),
    "entries that wrap around": lambda a: (
        np.copyto(a["values"][:4], 2**62),
        np.copyto(a["word_mass"][:1], a["values"][4 : a["indptr"][1]].sum()),
    ),
    "less mass than its row": lambda a: a["word_mass"].__setitem__(3, a["word_mass"][3] - 1),
    "a mass of 2^62": lambda a: a["word_mass"].__setitem__(3, 2**62),
    "mass of a word without documents": lambda a: a["document_frequency"].__setitem__(0, 0),
    "more documents of a word than there are": lambda a: a["document_frequency"].__setitem__(0, 41),
    "a negative number of documents": lambda a: a["document_frequency"].__setitem__(0, -1),
    "an indptr that goes down": lambda a: a["indptr"].__setitem__(1, a["indptr"][2] + 1),
    "an indptr below zero": lambda a: a["indptr"].__setitem__(0, -1),
    "frequencies of floats": lambda a: a.update(document_frequency=a["document_frequency"] * 1.0),
    "masses of floats": lambda a: a.update(word_mass=a["word_mass"] * 1.0),
    "entries of floats": lambda a: a.update(values=a["values"] * 1.0),
    "a word too few": lambda a: a.update(document_frequency=a["document_frequency"][1:]),
    "nothing": lambda a: a.update(indptr=a["indptr"][:0]),
    "a column left out": lambda a: fewer_columns(a, np.arange(25) != 3),
    "kept columns in another order": lambda a: swapped(a["columns"], 3, 4),
    "a kept column twice": lambda a: a["columns"].__setitem__(3, 4),
    "a kept column beyond the words": lambda a: a["columns"].__setitem__(-1, 25),
    "a kept column below 0": lambda a: a["columns"].__setitem__(0, -1),
    "kept columns of 64 bits": lambda a: a.update(columns=a["columns"].astype(np.int64)),
    "kept columns in two dimensions": lambda a: a.update(columns=a["columns"][:, None]),
    "a kept column more": lambda a: a.update(columns=np.arange(26, dtype=np.int32)),
}


def fewer_columns(arrays, kept):
    """Without some columns: rows that are canonical, at the columns that are left."""
    there = kept[arrays["columns"]]
    entries = there[arrays["indices"]]
    arrays["indptr"] = np.concatenate(([0], np.cumsum(entries)))[arrays["indptr"]]
    number = (np.cumsum(there) - 1).astype(np.int32)
    arrays["indices"] = number[arrays["indices"][entries]]
    arrays["values"], arrays["columns"] = arrays["values"][entries], arrays["columns"][there]


@pytest.mark.parametrize("damage", DAMAGES)
def test_arrays_that_no_documents_brought_about_are_refused(damage):
    arrays = statistics_arrays(counted(example()))
    for name, array in arrays.items():
        arrays[name] = array.copy()
    again = statistics_from_arrays(arrays, 40, 40, "document", "all", 1)
    assert_same_statistics(again, counted(example()))
    with pytest.raises(InvalidParameterError, match="n_documents"):
        statistics_from_arrays(arrays, -1, 40, "document", "all", 1)
    DAMAGES[damage](arrays)
    with pytest.raises(CorruptStateError):
        statistics_from_arrays(arrays, 40, 40, "document", "all", 1)


@pytest.mark.parametrize(("contexts", "keeps_all"), [("core", False), (9, False), (1, True)])
def test_arrays_may_lack_the_columns_of_words_that_are_no_contexts(contexts, keeps_all):
    stats = counted(example(), contexts=contexts)
    least = {"core": 4}.get(contexts, contexts)
    for rarest in np.unique(stats.document_frequency)[:-1]:
        arrays = statistics_arrays(stats)
        kept = stats.document_frequency > rarest
        fewer_columns(arrays, kept)
        told = (40, 40, "document", contexts, 1)
        if rarest >= least or keeps_all:
            with pytest.raises(CorruptStateError, match="column of a context"):
                statistics_from_arrays(arrays, *told, keeps_all=keeps_all)
            continue
        again = statistics_from_arrays(arrays, *told)
        refuse_impossible(again)
        assert again.rows.columns.tolist() == np.flatnonzero(kept).tolist()
        assert again.digest() == stats.digest()


def test_more_mass_than_documents_is_refused():
    stats = counted([[3, 2, 0], [0, 2, 2]], [5, 5], scale_bits=20)
    most = 2 * 2**20
    for mass, fine in (([most // 2, most // 2 - 3, 3], True), ([most // 2, most // 2, 3], False),
                       ([most // 2 + 1, most // 2 - 3, 2], False)):  # fmt: skip
        arrays = statistics_arrays(stats) | {"word_mass": np.array(mass)}
        if (np.array(mass) < stats.to_csr().sum(axis=1)).any():
            continue
        again = statistics_from_arrays(arrays, 2, 20, "document", "all", 1)
        if fine:
            refuse_impossible(again)
        else:
            with pytest.raises(CorruptStateError, match="more mass"):
                refuse_impossible(again)


def mapped(stats, folder):
    joblib.dump(stats, folder / "statistics")
    found = joblib.load(folder / "statistics", mmap_mode="r")
    assert not found.rows.indices.flags.writeable
    assert not found.rows.values.flags.writeable
    return found


CHANGES = {
    "digest": lambda stats: stats.digest(),
    "add": lambda stats: stats.add(example(seed=1)),
    "add the same": lambda stats: stats.add(example()),
    "add a few": lambda stats: stats.add(example()[:2]),
    "remove": lambda stats: stats.remove(example()[:7]),
    "remove all": lambda stats: stats.remove(example()),
    "merge": lambda stats: stats.merge(counted(example(seed=2))),
    "copy": lambda stats: stats.copy().add(example()),
    "digest, then add": lambda stats: (stats.digest(), stats.add(example(seed=1))),
}


@pytest.mark.parametrize("with_digest", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_statistics_mapped_from_a_file_can_be_changed(change, with_digest, tmp_path):
    # joblib gives its workers large arrays as read-only maps of a file.
    stats = counted(example())
    if with_digest:
        stats.digest()
    found = mapped(stats, tmp_path)
    file = (tmp_path / "statistics").read_bytes()
    for one in (stats, found):
        CHANGES[change](one)
    assert_same_statistics(found, stats)
    assert (tmp_path / "statistics").read_bytes() == file


def test_what_is_only_read_stays_in_the_file(tmp_path):
    found = mapped(counted(example()), tmp_path)
    indices, values = found.rows.indices, found.rows.values
    assert found.digest() == counted(example()).digest()
    assert found.rows.indices is indices
    assert found.rows.values is values


def test_to_csr_is_canonical_and_a_copy():
    stats = counted(example()).add(example(seed=1)).remove(example())
    before, K = stats.digest(), stats.to_csr()
    K.check_format(full_check=True)
    assert K.has_canonical_format
    assert K.dtype == np.int64
    assert (K.data > 0).all()
    assert (K != K.T).nnz == 0
    K.data[:] = 0
    assert stats.digest() == before


def test_views_of_the_statistics_are_read_only():
    stats = counted(example())
    for array in (stats.document_frequency, stats.word_mass):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X[::-1, ::-1],
        lambda X: np.vstack([X, np.zeros((1, 25), int)]),
        lambda X: np.vstack([X, np.eye(25, dtype=int)[:1]]),
        lambda X: np.where(np.arange(25) == 3, X + 1, X),
    ],
)
def test_other_documents_have_another_digest(change):
    assert counted(change(example())).digest() != counted(example()).digest()


def test_every_setting_is_part_of_the_digest():
    empty = [
        CooccurrenceStatistics(3),
        CooccurrenceStatistics(4),
        CooccurrenceStatistics(3, scale_bits=41),
        CooccurrenceStatistics(3, weighting="token"),
        *(CooccurrenceStatistics(3, contexts=contexts) for contexts in ("core", 1, 1.0, 2)),
    ]
    assert len({stats.digest() for stats in empty}) == 8


def test_size_does_not_grow_with_documents():
    X = example()
    stats = counted(X)
    size = stats.nbytes
    for _ in range(20):
        stats.add(X)
    assert stats.nbytes == size
    assert "840 documents" in repr(stats)


def test_lengths_count_words_outside_the_vocabulary():
    X = np.array([[1, 1, 5], [2, 0, 0], [0, 3, 1]])
    masked, whole = counted(X[:, :2], X.sum(axis=1)), counted(X)
    assert (masked.to_csr().toarray() == whole.to_csr().toarray()[:2, :2]).all()
    assert masked.word_mass.tolist() == whole.word_mass[:2].tolist()
    assert (whole.word_mass == whole.to_csr().sum(axis=1)).all()


@pytest.mark.parametrize("storage", ["csr_array", "csc", "bsr", "coo", "csr_matrix"])
@pytest.mark.parametrize("index", [-1, 10**6])
def test_coordinates_outside_the_matrix_are_refused(storage, index):
    X = STORAGES[storage](example())
    (X.coords[1] if storage == "coo" else X.indices)[-1] = index
    stats = counted(example())
    before = stats.digest()
    with pytest.raises(InvalidInputError, match="not a valid sparse matrix"):
        stats.add(X)
    assert stats.digest() == before


@settings(max_examples=60)
@given(pools(), st.integers(1, 5))
def test_statistics_are_never_larger_than_estimated(pool, size):
    stats = CooccurrenceStatistics(pool.counts.shape[1])
    for first in range(0, len(pool.counts), size):
        part = pool.counts[first : first + size]
        estimate = stats.estimate_nbytes(part)
        assert stats.add(part).nbytes <= estimate


def test_an_estimate_counts_a_row_by_its_documents():
    # One document of 10 words, one of 2: rows of 9 and 1 entries, estimated as 10 and 2.
    X = np.zeros((2, 500), np.int64)
    X[0, :10] = X[1, 10:12] = 1
    stats = CooccurrenceStatistics(500)
    assert stats.estimate_nbytes(X) - stats.nbytes == (10 * 10 + 2 * 2) * 12


def test_a_large_addition_is_announced_before_it_is_made(monkeypatch, caplog):
    monkeypatch.setattr("pyunlearn._cooccurrence.statistics.LARGE", 1000)
    stats = CooccurrenceStatistics(25)
    with caplog.at_level("INFO", logger="pyunlearn"):
        stats.add(example())
        assert "counting 40 documents; the statistics will take at most 0.0 GiB" in caplog.text
        caplog.clear()
        stats.add(example()[:1])
    assert caplog.text == ""


@settings(max_examples=60)
@given(pool=pools(), entries=st.integers(1, 40))
def test_counting_some_words_at_a_time_leaves_no_trace(pool, entries):
    once = counted(pool.counts, pool.lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pyunlearn._cooccurrence.counting.BLOCK_ENTRIES", entries)
        patch.setattr("pyunlearn._cooccurrence.counting.PIECE", entries)
        patch.setattr("pyunlearn._documents.PIECE", entries)
        parts = counted(pool.counts, pool.lengths)
        assert parts.estimate_nbytes(pool.counts) == once.estimate_nbytes(pool.counts)
    assert_same_statistics(parts, once)


def test_statistics_over_no_words_count_documents():
    empty = CooccurrenceStatistics(0).add(np.zeros((3, 0), int), lengths=[4, 0, 2])
    assert empty.n_documents == 3
    once = CooccurrenceStatistics(0).add(np.zeros((1, 0), int))
    assert empty.remove(np.zeros((2, 0), int)).digest() == once.digest()
    assert empty.merge(once).n_documents == 2
    assert empty.copy().to_csr().shape == (0, 0)


@given(st.integers(0, 6), st.sampled_from(["all", "core", 2, 0.4]), st.data())
@settings(max_examples=60)
def test_columns_that_move_leave_the_statistics_of_the_other_vocabulary(n_more, contexts, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    counts = rng.poisson(0.7, (9, 6))
    lengths = counts.sum(axis=1) + 2
    gone = data.draw(st.sets(st.integers(0, 5)))
    kept = [word for word in range(6) if word not in gone]
    size = len(kept) + n_more
    places = sorted(data.draw(st.permutations(range(size)))[: len(kept)])
    columns = np.full(6, -1, np.int32)
    columns[kept] = places
    # The words that leave are counted by the lengths alone.
    moved = np.zeros((9, size), int)
    moved[:, places] = counts[:, kept]
    statistics = counted(counts, lengths, contexts=contexts, n_jobs=2)
    if data.draw(st.booleans()):
        statistics.digest()
    statistics.renumber(columns, size)
    once = CooccurrenceStatistics(size, contexts=contexts, n_jobs=2).add(moved, lengths)
    assert_same_statistics(statistics, once)
    assert pickle.dumps(statistics) == pickle.dumps(once)
    # Nothing of the words that left is in memory.
    assert statistics.rows.values.sum() == statistics.to_csr().sum()
    assert pickle.dumps(statistics.remove(moved[:4], lengths[:4])) == pickle.dumps(
        CooccurrenceStatistics(size, contexts=contexts, n_jobs=2).add(moved[4:], lengths[4:])
    )
    assert pickle.dumps(statistics.add(moved[:4], lengths[:4])) == pickle.dumps(once)
