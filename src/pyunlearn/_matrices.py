"""Any 2-D matrix of counts as CSR: what NumPy and SciPy take on trust is looked at here.

Fields of a sparse matrix can be written to, and SciPy's conversions and our kernels index by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn.errors import InvalidInputError, NotANumberError

# Imported by the functions that need it, which a store that forgets does not call.
if TYPE_CHECKING:
    import scipy.sparse as sp

__all__ = ["COUNT_LIMIT", "as_csr", "check_values", "csr_row_of", "plain_array"]

COUNT_LIMIT = 2**31 - 1

RowOf = Callable[[int], int]


def as_csr(X: Any) -> sp.csr_array:
    """Any 2-D matrix of real numbers as CSR; it need not be canonical.

    Values are looked at only where they could change on the way.

    Raises
    ------
    InvalidInputError
        No matrix of real numbers, or a sparse matrix whose fields do not fit together.
    """
    import scipy.sparse as sp

    return _sparse(X) if sp.issparse(X) else _dense(X)


def plain_array(name: str, value: Any) -> NDArray[Any]:
    """An array-like as NumPy sees it; InvalidInputError for ragged rows and masked entries."""
    if type(value) is np.ndarray:
        return value
    rows = value if isinstance(value, list | tuple) else ()
    if np.ma.is_masked(value) or any(map(np.ma.is_masked, rows)):
        raise InvalidInputError(
            f"{name} has masked entries; what is masked is no data: leave it out, or fill it"
        )
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InvalidInputError(_uneven(name, rows) or f"{name} is no array: {error}") from None


def _uneven(name: str, rows: Sequence[Any]) -> str | None:
    """Which row differs in length from the first, in words."""
    sizes = [len(row) if hasattr(row, "__len__") else None for row in rows]
    row = next((row for row, size in enumerate(sizes) if size != sizes[0]), None)
    if row is None:
        return None
    entries = "is a number" if sizes[row] is None else f"has {sizes[row]} entries"
    first = "is a number" if sizes[0] is None else f"has {sizes[0]}"
    return f"{name} has rows of unequal length: row {row} {entries}, row 0 {first}"


# ---- values -------------------------------------------------------------------------------


def _check_dtype(dtype: np.dtype[Any]) -> None:
    if dtype.kind == "c":
        raise InvalidInputError("Complex data not supported: counts must be real numbers")
    if dtype.kind not in "biuf":
        raise NotANumberError(f"counts must be real numbers, got dtype {dtype}")


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Real numbers of a dtype that SciPy takes."""
    if array.dtype == object:
        try:
            if any(isinstance(one, str | bytes) for one in array.flat):
                raise TypeError("text")
            array = array.astype(np.float64)
        except OverflowError:
            raise InvalidInputError(f"X has a count above {COUNT_LIMIT}") from None
        except (TypeError, ValueError) as error:
            # The words in brackets are what scikit-learn's checks look for.
            raise NotANumberError(
                "counts must be real numbers; got an object array with other values "
                "(argument must be a string or a number)"
            ) from error
    _check_dtype(array.dtype)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_values(data: NDArray[Any], row_of: RowOf) -> None:
    """Raise unless every stored value is a finite, non-negative integer that fits a count."""

    def refuse(bad: NDArray[np.bool_], problem: str) -> None:
        if bad.any():
            raise InvalidInputError(problem.format(row=row_of(int(np.argmax(bad)))))

    _check_dtype(data.dtype)
    if data.dtype.kind == "f":
        refuse(
            ~np.isfinite(data),
            "counts contain NaN or infinity (row {row}); every count must be a non-negative "
            "integer",
        )
    if data.dtype.kind in "if":
        # The first words are what scikit-learn's checks look for.
        refuse(data < 0, "Negative values in data passed to pyunlearn: row {row}")
    if data.dtype.kind == "f":
        refuse(
            data != np.floor(data),
            "row {row} has a fractional count; pass word counts, not frequencies or tf-idf",
        )
    # Not "> COUNT_LIMIT", which a float32 rounds to the next power of two.
    refuse(data >= COUNT_LIMIT + 1, "row {row} has a count above " + str(COUNT_LIMIT))


def csr_row_of(csr: sp.csr_array) -> RowOf:
    """The row of a position among the entries."""
    return lambda position: int(np.searchsorted(csr.indptr, position, side="right")) - 1


# ---- storages -----------------------------------------------------------------------------


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 2:
        raise InvalidInputError(
            f"X must have 2 dimensions (documents x words), got {len(shape)}. "
            "Reshape your data: one row a document"
        )
    for size, what in zip(shape, ("documents at a time", "words"), strict=True):
        if not isinstance(size, Integral) or size < 0:
            raise InvalidInputError(f"X has the shape {shape}, which no matrix has")
        if size > COUNT_LIMIT:
            raise InvalidInputError(f"at most {COUNT_LIMIT} {what} are supported, got {size}")


def _dense(X: Any) -> sp.csr_array:
    import scipy.sparse as sp

    array = plain_array("X", X)
    _check_shape(array.shape)
    return sp.csr_array(_numbers(array))


def _sparse(X: Any) -> sp.csr_array:
    _check_shape(X.shape)
    if X.format == "coo":
        return _coo(X)
    if X.format == "lil":
        return _lil(X)
    if X.format == "dok":
        return _dok(X)
    return _dia(X) if X.format == "dia" else _compressed(X)


def _invalid(problem: str) -> InvalidInputError:
    return InvalidInputError(f"X is not a valid sparse matrix: {problem}")


def _integers(name: str, value: Any) -> NDArray[Any]:
    """A field of integers, (k,)."""
    array = plain_array(name, value)
    if array.size == 0 and array.ndim == 1:
        return np.zeros(0, np.int64)  # an empty list is an array of floats
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise _invalid(f"{name} must be integers in one dimension")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _indices(name: str, value: Any, size: int) -> NDArray[Any]:
    """A field of indices from 0 to size - 1, (k,)."""
    array = _integers(name, value)
    if len(array):
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= size:
            raise _invalid(f"{name} has {low} to {high}, allowed is 0 to {size - 1}")
    return array


def _values(value: Any, ndim: int = 1) -> NDArray[Any]:
    array = plain_array("data", value)
    if array.ndim != ndim:
        raise _invalid(f"its data must have {ndim} dimensions, got {array.ndim}")
    return _numbers(array)


def _compressed(X: Any) -> sp.csr_array:
    """CSR, CSC and BSR, over the same memory where the storage allows it."""
    import scipy.sparse as sp

    data = _values(X.data, 3 if X.format == "bsr" else 1)
    block = data.shape[1:] if X.format == "bsr" else (1, 1)
    if 0 in block or X.shape[0] % block[0] or X.shape[1] % block[1]:
        raise _invalid(f"blocks of {block} do not fill a shape of {X.shape}")
    rows, columns = X.shape[0] // block[0], X.shape[1] // block[1]
    major, minor = (columns, rows) if X.format == "csc" else (rows, columns)
    indices, indptr = _indices("indices", X.indices, minor), _integers("indptr", X.indptr)
    if len(indptr) != major + 1 or len(indices) != len(data):
        raise _invalid(
            f"indptr has {len(indptr)} entries for {major} rows or columns, indices "
            f"{len(indices)}, data {len(data)}"
        )
    # Compared, not subtracted: differences of unsigned integers are never negative.
    if indptr[0] != 0 or indptr[-1] != len(indices) or (indptr[1:] < indptr[:-1]).any():
        raise _invalid(f"indptr must go up from 0 to {len(indices)}, the number of indices")
    storages = {"csr": sp.csr_array, "csc": sp.csc_array, "bsr": sp.bsr_array}
    return sp.csr_array(storages[X.format]((data, indices, indptr), shape=X.shape))


def _coo(X: Any) -> sp.csr_array:
    if len(X.coords) != 2:
        raise _invalid(f"it has coordinates for {len(X.coords)} dimensions")
    return _from_coordinates(X, X.coords[0], X.coords[1], _values(X.data))


def _lil(X: Any) -> sp.csr_array:
    sizes = [_sizes("columns", X.rows), _sizes("data", X.data)]
    for name, found in zip(("columns", "data"), sizes, strict=True):
        if len(found) != X.shape[0]:
            raise _invalid(f"it has {name} of {len(found)} rows, not of {X.shape[0]}")
    uneven = np.flatnonzero(sizes[0] != sizes[1])
    if len(uneven):
        row = int(uneven[0])
        raise _invalid(f"row {row} has {sizes[0][row]} columns and {sizes[1][row]} values")
    rows = np.repeat(np.arange(X.shape[0]), sizes[0])
    columns, data = (chain.from_iterable(field) for field in (X.rows, X.data))
    return _from_listed(X, rows, list(columns), data)


def _sizes(name: str, rows: Iterable[Any]) -> NDArray[np.int64]:
    try:
        return np.array([len(row) for row in rows], np.int64)
    except TypeError:
        raise _invalid(f"its {name} are no list of lists") from None


def _dok(X: Any) -> sp.csr_array:
    pairs = plain_array("keys", list(X.keys()))
    if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
        raise _invalid("a key is no pair of a row and a column")
    rows, columns = pairs.T if pairs.size else ([], [])
    return _from_listed(X, rows, columns, X.values())


def _from_listed(X: Any, rows: Any, columns: Any, listed: Iterable[Any]) -> sp.csr_array:
    """From values that need not be of the matrix's dtype, which SciPy would force them into."""
    _check_dtype(X.dtype)
    found = list(listed)
    values = _values(found) if found else np.zeros(0, np.int64)
    csr = _from_coordinates(X, rows, columns, values)
    counts = values.astype(np.int64)  # nothing is lost: they are counts
    if np.any(counts.astype(X.dtype) != counts):
        raise _invalid(f"a value is not of its dtype, {X.dtype}")
    return csr


def _dia(X: Any) -> sp.csr_array:
    offsets, data = _integers("offsets", X.offsets).tolist(), _values(X.data, 2)
    if len(offsets) != len(data) or len(set(offsets)) != len(offsets):
        raise _invalid("offsets and diagonals do not pair up")
    m, n = X.shape
    rows, columns, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [data[:0].ravel()]
    for diagonal, offset in zip(data, offsets, strict=True):
        if -m < offset < n:  # what stands outside of the matrix is no entry
            columns.append(np.arange(max(0, offset), min(n, m + offset, data.shape[1])))
            rows.append(columns[-1] - offset)
            values.append(diagonal[columns[-1]])
    return _from_coordinates(
        X, np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    )


def _from_coordinates(X: Any, rows: Any, columns: Any, values: NDArray[Any]) -> sp.csr_array:
    """From one row, column and value an entry.

    Duplicates are summed: bad values are found before they can cancel out, and the sums are taken
    in int64, since in the caller's dtype they could wrap around.
    """
    import scipy.sparse as sp

    rows, columns = _indices("row", rows, X.shape[0]), _indices("column", columns, X.shape[1])
    if not len(rows) == len(columns) == len(values):
        raise _invalid(f"{len(rows)} rows, {len(columns)} columns, {len(values)} values")
    check_values(values, lambda position: int(rows[position]))
    return sp.coo_array((values.astype(np.int64), (rows, columns)), shape=X.shape).tocsr()
