"""Matrices that lie: fields written to by hand give a typed error, or the counts they stand for.

What a storage stands for is said once more here, in loops over Python's integers; SciPy's own
conversions read out of bounds on some of these.
"""

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from scipy import sparse

from pyunlearn import CooccurrenceStatistics, TopicModel
from pyunlearn.errors import InvalidInputError

M, N = 3, 4
HELD = np.random.default_rng(0).poisson(1.0, (6, N))

# Mostly what could be right, so that matrices that are do occur.
near = st.integers(0, 2)
odd = st.sampled_from([-1, 3, 4, 5, 7, 10**6, 2**31, -(2**63)])
integers = st.integers(0, 29).flatmap(lambda lot: near if lot else odd)
int_types = st.sampled_from([np.int64, np.int64, np.int32, np.int8, np.uint8, np.uint64, ">i4"])
lists = st.lists(integers, max_size=6)
odd_values = st.sampled_from([-1, 0.5, np.nan, 300, 2**31, 10**30])
values = st.integers(0, 19).flatmap(lambda lot: near if lot else odd_values)
dtypes = st.sampled_from([np.int64, np.float64, np.uint8, np.int8, np.bool_])


def as_array(listed, dtype):
    """The integers in a dtype that holds them, else as int64."""
    info = np.iinfo(dtype)
    fits = all(info.min <= one <= info.max for one in listed)
    return np.array(listed, dtype if fits else np.int64)


@st.composite
def starts(draw, size, last):
    """What could be an indptr, and what could not."""
    right = sorted(draw(st.lists(st.integers(0, last), min_size=size - 1, max_size=size - 1)))
    right = [0, *right, last]
    return draw(st.sampled_from([right, right, right, draw(lists), [*right[:-1], 0]]))


class Refused(Exception):  # noqa: N818
    """The fields stand for no matrix."""


def need(condition):
    if not condition:
        raise Refused


def placed(entries):
    """Counts as a dense matrix of (row, column, value); equal places are summed."""
    counts = np.zeros((M, N), np.int64)
    for row, column, value in entries:
        need(0 <= row < M and 0 <= column < N)
        need(value == value and 0 <= value < 2**31 and value == int(value))
        counts[row, column] += int(value)
    need(counts.max() < 2**31)
    return counts


def compressed(indptr, indices, data, swap=False):
    """(row, column, value) of CSR, or CSC."""
    size = N if swap else M
    need(len(indptr) == size + 1 and len(indices) == len(data))
    need(indptr[0] == 0 and indptr[-1] == len(indices) and list(indptr) == sorted(indptr))
    for major in range(size):
        for at in range(indptr[major], indptr[major + 1]):
            yield (indices[at], major, data[at]) if swap else (major, indices[at], data[at])


def assert_refused_or_equal(X, expected):
    """`expected()`: the counts X stands for, or Refused."""
    stats = CooccurrenceStatistics(N, n_jobs=1).add(HELD)
    before = stats.digest()
    try:
        counts = expected()
    except Refused:
        event("refused")
        for call in (stats.add, stats.remove, stats.estimate_nbytes):
            with pytest.raises(InvalidInputError):
                call(X)
        assert stats.copy().digest() == before
        return
    event("counted")
    same = CooccurrenceStatistics(N, n_jobs=1).add(HELD).add(counts)
    assert stats.add(X).digest() == same.digest()
    assert stats.remove(X).digest() == before


def empty_of(storage, dtype=np.int64):
    return getattr(sparse, f"{storage}_array")((M, N), dtype=dtype)


@settings(max_examples=300)
@given(st.data(), st.sampled_from(["csr", "csc"]), int_types, int_types)
def test_compressed_matrices(data, storage, start_type, index_type):
    size = (M if storage == "csr" else N) + 1
    indices = data.draw(lists)
    counts = data.draw(st.lists(near, min_size=len(indices), max_size=len(indices)))
    if data.draw(st.integers(0, 9)) == 0:
        counts.append(1)
    indptr = data.draw(starts(size - 1, len(indices)))
    X = empty_of(storage)
    X.indptr, X.indices = as_array(indptr, start_type), as_array(indices, index_type)
    X.data = np.array(counts, np.int64)
    entries = compressed(indptr, indices, counts, swap=storage == "csc")
    assert_refused_or_equal(X, lambda: placed(entries))


@settings(max_examples=200)
@given(st.data(), st.sampled_from([(1, 1), (3, 2), (1, 4), (2, 2), (3, 0)]))
def test_blocks(data, block):
    indices = data.draw(lists)
    filled = np.arange(len(indices) * block[0] * block[1]).reshape(len(indices), *block)
    rows = M // block[0]
    indptr = data.draw(starts(rows, len(indices)))
    X = empty_of("bsr")
    X.indptr, X.indices, X.data = np.array(indptr), np.array(indices, np.int64), filled

    def expected():
        need(0 not in block and M % block[0] == 0 and N % block[1] == 0)
        need(len(indptr) == rows + 1 and indptr[-1] == len(indices) and indptr[0] == 0)
        need(list(indptr) == sorted(indptr))
        return placed(
            (row * block[0] + i, indices[at] * block[1] + j, filled[at, i, j])
            for row in range(rows)
            for at in range(indptr[row], indptr[row + 1])
            for i in range(block[0])
            for j in range(block[1])
        )

    assert_refused_or_equal(X, expected)


@settings(max_examples=200)
@given(st.data(), int_types)
def test_coordinates(data, index_type):
    size = data.draw(st.integers(0, 5))
    rows, columns = (data.draw(st.lists(integers, min_size=size, max_size=size)) for _ in "rc")
    if data.draw(st.integers(0, 9)) == 0:
        rows.append(0)
    counts = data.draw(st.lists(near, min_size=size, max_size=size))
    X = empty_of("coo")
    X.coords = (as_array(rows, index_type), as_array(columns, index_type))
    X.data = np.array(counts, np.int64)

    def expected():
        need(len(rows) == len(columns))
        return placed(zip(rows, columns, counts, strict=True))

    assert_refused_or_equal(X, expected)


def held_by(dtype, value):
    """Whether a matrix of a dtype can hold a value at all."""
    with np.errstate(all="ignore"):
        return value == int(value) and int(np.int64(value).astype(dtype)) == value


@settings(max_examples=200)
@given(st.data(), dtypes)
def test_lists_of_lists(data, dtype):
    rows = [data.draw(lists) for _ in range(M)]
    counts = [data.draw(st.lists(values, min_size=len(row), max_size=len(row))) for row in rows]
    if data.draw(st.integers(0, 9)) == 0:
        counts[1].append(1)
    X = empty_of("lil", dtype)
    for i in range(M):
        X.rows[i], X.data[i] = rows[i], counts[i]

    def expected():
        need(all(len(a) == len(b) for a, b in zip(rows, counts, strict=True)))
        entries = [
            (i, column, value)
            for i in range(M)
            for column, value in zip(rows[i], counts[i], strict=True)
        ]
        dense = placed(entries)
        need(all(held_by(dtype, value) for _, _, value in entries))
        return dense

    assert_refused_or_equal(X, expected)


@settings(max_examples=200)
@given(st.dictionaries(st.tuples(integers, integers), values, max_size=4), dtypes)
def test_dictionaries_of_keys(entries, dtype):
    X = empty_of("dok", dtype)
    X._dict.update(entries)

    def expected():
        dense = placed((*key, value) for key, value in entries.items())
        need(all(held_by(dtype, value) for value in entries.values()))
        return dense

    assert_refused_or_equal(X, expected)


@settings(max_examples=200)
@given(st.lists(st.one_of(integers, st.integers(-3, 0)), max_size=4), st.integers(0, 6))
def test_diagonals(offsets, length):
    filled = np.arange(len(offsets) * length).reshape(len(offsets), length)
    X = empty_of("dia")
    X.offsets, X.data = np.array(offsets, np.int64), filled

    def expected():
        need(len(set(offsets)) == len(offsets))
        return placed(
            (column - offset, column, filled[k, column])
            for k, offset in enumerate(offsets)
            for column in range(min(N, length))
            if 0 <= column - offset < M
        )

    assert_refused_or_equal(X, expected)


# ---- one of each kind ---------------------------------------------------------------------


def csr_with(**fields):
    X = sparse.csr_array(np.array([[1, 2, 0, 0], [0, 1, 1, 0], [0, 0, 0, 3]]))
    for name, value in fields.items():
        setattr(X, name, value)
    return X


def lil_with(**fields):
    X = sparse.lil_array(np.array([[1, 2, 0, 0], [0, 1, 1, 0], [0, 0, 0, 3]]))
    for name, value in fields.items():
        getattr(X, name)[0] = value
    return X


def with_key(key):
    X = sparse.dok_array((M, N), dtype=np.int64)
    X[0, 0] = 1
    X._dict[key] = 1
    return X


def with_shape(storage, shape):
    X = empty_of(storage)
    X._shape = shape
    return X


ODD = {
    "indptr ends with 0": (csr_with(indptr=np.array([0, 2, 4, 0])), "indptr must go up"),
    "indptr ends below 0": (csr_with(indptr=np.array([0, 2, 4, -5])), "indptr must go up"),
    "indptr ends early": (csr_with(indptr=np.array([0, 2, 4, 4])), "indptr must go up"),
    "indptr ends late": (csr_with(indptr=np.array([0, 2, 4, 9])), "indptr must go up"),
    "indptr of floats": (csr_with(indptr=np.array([0.0, 2.0, 4.0, 5.0])), "integers"),
    "indptr is short": (csr_with(indptr=np.array([0, 5])), "indptr has 2 entries for 3"),
    "indptr is empty": (csr_with(indptr=np.zeros(0, int)), "indptr has 0 entries"),
    "indptr is masked": (csr_with(indptr=np.ma.masked_equal([0, 2, 4, 5], 2)), "masked"),
    "indices are booleans": (csr_with(indices=np.ones(5, bool)), "integers"),
    "indices in two dimensions": (csr_with(indices=np.zeros((5, 1), int)), "one dimension"),
    "a negative shape": (csr_with(_shape=(-1, N), indptr=np.zeros(0, int)), "no matrix has"),
    "a shape of floats": (csr_with(_shape=(3.5, N)), "no matrix has"),
    **{
        f"a negative shape of {storage}": (with_shape(storage, (-1, N)), "no matrix has")
        for storage in ("csc", "bsr", "coo", "lil", "dok", "dia")
    },
    "data is long": (csr_with(data=np.ones(6)), "data 6"),
    "data is masked": (csr_with(data=np.ma.masked_equal([1, 2, 1, 1, 3], 3)), "masked"),
    "data in two dimensions": (csr_with(data=np.ones((5, 1))), "1 dimensions"),
    "a column out of range": (lil_with(rows=[1, 4]), "column has 1 to 4, allowed is 0 to 3"),
    "a column far out": (lil_with(rows=[1, 10**9]), "column has 1 to 1000000000"),
    "a huge column": (lil_with(rows=[1, 10**30]), "column must be integers"),
    "rows of unequal length": (lil_with(rows=[1]), "row 0 has 1 columns and 2 values"),
    "a row is a number": (lil_with(rows=3), "no list of lists"),
    "a list in a list": (lil_with(data=[[1], 2]), "unequal length"),
    "a key out of range": (with_key((0, 9)), "column has 0 to 9"),
    "a key is a number": (with_key(3), "unequal length|no pair"),
    "a key of three": (with_key((0, 1, 2)), "unequal length|no pair"),
}


@pytest.mark.parametrize(("X", "message"), ODD.values(), ids=ODD)
def test_every_method_refuses_fields_that_do_not_fit(X, message):
    model = TopicModel(n_topics=2, n_jobs=1).fit(HELD)
    before = model.digest()
    for call in (model.partial_fit, model.forget, model.transform, model.fit):
        with pytest.raises(InvalidInputError, match=message):
            call(X)
        assert model.digest() == before


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int8])
@pytest.mark.parametrize("value", [-1, 0.5, 300, np.nan])
@pytest.mark.parametrize("storage", ["lil", "dok"])
def test_values_that_the_dtype_does_not_hold(storage, value, dtype):
    X = empty_of(storage, dtype)
    if storage == "lil":
        X.rows[1], X.data[1] = [2], [value]
    else:
        X._dict[1, 2] = value
    with pytest.raises(InvalidInputError, match=r"row 1|dtype"):
        CooccurrenceStatistics(N).add(X)


@pytest.mark.parametrize("storage", ["coo", "dok", "csc"])
def test_more_documents_than_a_number_of_32_bits_names(storage):
    X = getattr(sparse, f"{storage}_array")((2**31, N), dtype=np.int64)
    with pytest.raises(InvalidInputError, match="at most 2147483647 documents at a time"):
        CooccurrenceStatistics(N).add(X)


def test_more_documents_than_a_number_of_32_bits_names_in_an_array():
    with pytest.raises(InvalidInputError, match="at most 2147483647 documents at a time"):
        CooccurrenceStatistics(1).add(np.broadcast_to(np.int8(0), (2**31, 1)))


@pytest.mark.parametrize("dtype", ["float16", ">i4", ">f8", "longdouble"])
def test_dtypes_that_scipy_does_not_take_are_counted(dtype):
    same = CooccurrenceStatistics(N).add(HELD)
    assert CooccurrenceStatistics(N).add(HELD.astype(dtype)).digest() == same.digest()
    X = sparse.csr_array(HELD)
    X.data = X.data.astype(dtype)
    assert CooccurrenceStatistics(N).add(X).digest() == same.digest()


ARRAYS = {
    "ragged": ([[1, 2, 0, 1], [3]], "row 1 has 1 entries, row 0 has 4"),
    "ragged, a number": ([[1, 2, 0, 1], 3], "row 1 is a number, row 0 has 4"),
    "ragged within": ([[1, 2, 0, [1]]], "no array"),
    "masked": (np.ma.masked_equal(np.eye(4, dtype=int), 1), "masked"),
    "masked rows": ([np.ma.masked_equal([1, 0, 2, 3], 2)] * 2, "masked"),
    "text among objects": (np.array([["1", 2, 3, 4]], object), "real numbers"),
    "too large for a float": ([[10**400, 1, 1, 1]], "above 2147483647"),
}


@pytest.mark.parametrize(("X", "message"), ARRAYS.values(), ids=ARRAYS)
def test_odd_arrays_are_refused(X, message):
    stats = CooccurrenceStatistics(N).add(HELD)
    before = stats.digest()
    with pytest.raises(InvalidInputError, match=message):
        stats.add(X)
    with pytest.raises(InvalidInputError, match=message):
        TopicModel(n_topics=2).fit(X)
    assert stats.digest() == before


def test_a_masked_array_without_masked_entries_is_an_array():
    same = CooccurrenceStatistics(N).add(HELD)
    masked = np.ma.masked_array(HELD, np.zeros_like(HELD, bool))
    assert CooccurrenceStatistics(N).add(masked).digest() == same.digest()


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([[6], [6, 6]], "unequal length"),
        (np.ma.masked_equal([9, 9, 9, 9, 9, 8], 8), "masked"),
        ([9, 9, 9, 9, 9, -1e300], "row 5 has length -"),
        ([9, 9, 9, 9, 9, 10**400], "integers"),
    ],
)
def test_odd_lengths_are_refused(lengths, message):
    with pytest.raises(InvalidInputError, match=message):
        CooccurrenceStatistics(N).add(np.minimum(HELD, 2), lengths)


def test_an_error_shows_no_counts():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.full((3, N), 7654.0 + 1j))
    for call in (TopicModel(2).fit, CooccurrenceStatistics(N).add):
        with pytest.raises(InvalidInputError, match="Complex") as caught:
            call(frame)
        assert "7654" not in str(caught.value)
