"""Statistics as canonical arrays, for files and stores, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.rows import CooccurrenceRows, check_rows
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import MASS_LIMIT, most_of_a_document
from pyunlearn._params import check_integer, check_n_jobs
from pyunlearn.errors import CorruptStateError

__all__ = [
    "STATISTICS",
    "Arrays",
    "refuse_impossible",
    "statistics_arrays",
    "statistics_from_arrays",
]

Arrays = dict[str, NDArray[Any]]
STATISTICS = ("document_frequency", "word_mass", "indptr", "indices", "values")


def statistics_arrays(statistics: CooccurrenceStatistics) -> Arrays:
    """The statistics as canonical arrays."""
    indptr, indices, values = statistics.rows.to_arrays()
    return {
        "document_frequency": np.array(statistics.document_frequency),
        "word_mass": np.array(statistics.word_mass),
        "indptr": indptr,
        "indices": indices,
        "values": values,
    }


def statistics_from_arrays(
    arrays: Mapping[str, NDArray[Any]],
    n_documents: int,
    scale_bits: int,
    weighting: str,
    n_jobs: int | None,
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
    mass, frequency = arrays["word_mass"], arrays["document_frequency"]
    check_integer("n_documents", n_documents, 0, MASS_LIMIT - 1)
    sums = check_rows(*rows, check_n_jobs(n_jobs))
    if not _same(mass, sums):
        raise CorruptStateError("the masses are not those of the co-occurrence rows")
    if not _can_be(frequency, sums, n_documents):
        raise CorruptStateError("the numbers of documents do not fit the co-occurrence rows")
    statistics = CooccurrenceStatistics(len(sums), scale_bits, weighting, n_jobs=n_jobs)
    statistics.restore(CooccurrenceRows.from_arrays(*rows), mass, frequency, n_documents)
    return statistics


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


def _same(array: NDArray[Any], sums: NDArray[np.int64]) -> bool:
    return array.dtype == np.int64 and np.array_equal(array, sums)


def _can_be(frequency: NDArray[Any], mass: NDArray[np.int64], n_documents: int) -> bool:
    """Whether these can be documents with each word, of so many, with these masses."""
    return (
        frequency.dtype == np.int64
        and frequency.shape == mass.shape
        and bool((frequency >= (mass > 0)).all() and (frequency <= n_documents).all())
    )
