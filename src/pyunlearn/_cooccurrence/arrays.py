"""Statistics as canonical arrays, for files and stores, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn.errors import CorruptStateError

__all__ = ["Arrays", "statistics_arrays", "statistics_from_arrays"]

Arrays = dict[str, NDArray[Any]]


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
    """Statistics over arrays as `statistics_arrays` gives them; shapes and masses are checked."""
    indptr, indices, values = arrays["indptr"], arrays["indices"], arrays["values"]
    n_words = len(indptr) - 1
    statistics = CooccurrenceStatistics(n_words, scale_bits, weighting, n_jobs=n_jobs)
    mass = arrays["word_mass"]
    if (
        indptr[0] != 0
        or np.any(np.diff(indptr) < 0)
        or not len(indices) == len(values) == indptr[-1]
        or not len(mass) == len(arrays["document_frequency"]) == n_words
        or (len(indices) and not 0 <= indices.min() <= indices.max() < n_words)
        or not np.array_equal(_row_sums(indptr, values), mass)
    ):
        raise CorruptStateError("the co-occurrence arrays do not fit together")
    statistics.restore(
        CooccurrenceRows.from_arrays(indptr, indices, values),
        mass.astype(np.int64),
        arrays["document_frequency"].astype(np.int64),
        n_documents,
    )
    return statistics


def _row_sums(indptr: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    sums = np.zeros(len(indptr) - 1, np.int64)
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled):
        sums[filled] = np.add.reduceat(values, indptr[filled])
    return sums
