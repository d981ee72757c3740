"""Statistics as canonical arrays, for files and stores, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.contexts import Contexts
from pyunlearn._cooccurrence.rows import CooccurrenceRows, check_rows
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import MASS_LIMIT, most_of_a_document
from pyunlearn._params import check_integer, check_n_jobs
from pyunlearn.errors import CorruptStateError

__all__ = [
    "STATISTICS",
    "Arrays",
    "refuse_impossible",
    "restore_statistics",
    "statistics_arrays",
    "statistics_from_arrays",
]

Arrays = dict[str, NDArray[Any]]
STATISTICS = ("document_frequency", "word_mass", "columns", "indptr", "indices", "values")


def statistics_arrays(statistics: CooccurrenceStatistics) -> Arrays:
    """The statistics as canonical arrays."""
    rows = statistics.canonical_rows()
    indptr, indices, values = rows.to_arrays()
    return {
        "document_frequency": np.array(statistics.document_frequency),
        "word_mass": np.array(statistics.word_mass),
        "columns": rows.columns.copy(),
        "indptr": indptr,
        "indices": indices,
        "values": values,
    }


def statistics_from_arrays(
    arrays: Mapping[str, NDArray[Any]],
    n_documents: int,
    scale_bits: int,
    weighting: str,
    contexts: Contexts,
    n_jobs: int | None,
    *,
    keeps_all: bool = False,
) -> CooccurrenceStatistics:
    """Statistics over arrays as `statistics_arrays` gives them, which are taken over, not copied.

    Raises
    ------
    CorruptStateError
        The arrays do not fit together.
    InvalidParameterError
        A number that is none, or out of range.
    KeyError
        An array is missing.
    """
    rows = arrays["indptr"], arrays["indices"], arrays["values"]
    mass, frequency, columns = (
        arrays[name] for name in ("word_mass", "document_frequency", "columns")
    )
    _check_columns(columns, mass.size)
    sums = check_rows(*rows, len(columns), check_n_jobs(n_jobs))
    if mass.shape != sums.shape or (mass < sums).any():
        raise CorruptStateError("the masses are not those of the co-occurrence rows")
    statistics = CooccurrenceStatistics(len(sums), scale_bits, weighting, contexts, n_jobs=n_jobs)
    if keeps_all:
        statistics.keep_all_columns()
    kept = CooccurrenceRows.from_arrays(*rows, columns)
    restore_statistics(statistics, kept, mass, frequency, n_documents)
    return statistics


def restore_statistics(
    statistics: CooccurrenceStatistics,
    rows: CooccurrenceRows,
    mass: NDArray[Any],
    frequency: NDArray[Any],
    n_documents: int,
) -> None:
    """Fill empty statistics; CorruptStateError for what documents cannot have brought about."""
    check_integer("n_documents", n_documents, 0, MASS_LIMIT - 1)
    if mass.dtype != np.int64 or mass.shape != (statistics.n_words,):
        raise CorruptStateError("the masses are not those of the words")
    if mass.min(initial=0) < 0 or mass.max(initial=0) >= MASS_LIMIT:
        raise CorruptStateError("a mass is below 0, or reaches 2**62")
    if not _can_be(frequency, mass, n_documents):
        raise CorruptStateError("the numbers of documents do not fit the masses")
    statistics.restore(rows, mass, frequency, n_documents)
    lacks_some = statistics.keeps_all_columns and not rows.has_all_columns
    if lacks_some or statistics.lacks_contexts():
        raise CorruptStateError("the column of a context is missing")


def _check_columns(columns: NDArray[Any], n_words: int) -> None:
    """Columns that are kept: different words, ascending."""
    if columns.dtype != np.int32 or columns.ndim != 1 or not columns.flags.c_contiguous:
        raise CorruptStateError("the columns that are kept have another type")
    in_order = len(columns) == 0 or (columns[0] >= 0 and columns[-1] < n_words)
    if not in_order or (columns[1:] <= columns[:-1]).any():
        raise CorruptStateError("the columns that are kept are not in order")


def refuse_impossible(statistics: CooccurrenceStatistics) -> None:
    """Raise CorruptStateError for sums of a file that no documents bring about.

    For statistics that `statistics_from_arrays` gave; it takes one pass over K.
    """
    statistics.rows.refuse_impossible(check_n_jobs(statistics.n_jobs))
    most = most_of_a_document(statistics.scale_bits, statistics.weighting)
    mass, frequency = statistics.word_mass, statistics.document_frequency
    # Masses divided, rounded up: products could wrap around.
    needed = -(-mass // most)
    if (needed > frequency).any() or sum(mass.tolist()) > statistics.n_documents * most:
        raise CorruptStateError("there is more mass than so many documents can have")


def _can_be(frequency: NDArray[Any], mass: NDArray[np.int64], n_documents: int) -> bool:
    """Whether these can be documents with each word, of so many, with these masses."""
    return (
        frequency.dtype == np.int64
        and frequency.shape == mass.shape
        and bool((frequency >= (mass > 0)).all() and (frequency <= n_documents).all())
    )
