"""Which words are in a model, and how much mass they have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.contexts import context_threshold
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import anchors as kernels

__all__ = ["all_kept", "kept_columns", "kept_mass", "mass_of_model", "words_in_documents"]


def mass_of_model(statistics: CooccurrenceStatistics, min_df: int) -> NDArray[np.int64]:
    """The mass of each word in at least `min_df` documents, (n,); 0 for the others."""
    held = statistics.document_frequency >= max(min_df, 1)
    return np.where(held, statistics.word_mass, 0)


def kept_columns(statistics: CooccurrenceStatistics, min_df: int) -> NDArray[np.uint8]:
    """Mask, by word, of the columns that are read: contexts in at least `min_df` documents."""
    threshold = context_threshold(statistics.contexts, statistics.n_documents)
    held = statistics.document_frequency >= max(min_df, threshold, 1)
    return held.astype(np.uint8)


def kept_mass(
    statistics: CooccurrenceStatistics,
    keep: NDArray[np.uint8],
    min_df: int,
    words: NDArray[np.int32],
    mass_out: NDArray[np.int64],
    num_threads: int,
) -> None:
    """Row sums of K over the columns `keep`, for those of the words that are in the model."""
    words = words[statistics.document_frequency[words] >= max(min_df, 1)]
    rows = statistics.rows
    kernels.kept_mass(*rows.arrays, keep[rows.columns], words, mass_out, num_threads)


def all_kept(statistics: CooccurrenceStatistics, keep: NDArray[np.uint8]) -> bool:
    """Whether every column that has entries is read, so that none needs to be masked."""
    columns = statistics.rows.columns
    return bool(((keep[columns] > 0) | (statistics.document_frequency[columns] == 0)).all())


def words_in_documents(
    statistics: CooccurrenceStatistics, threshold: int, mass: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Words with f_i >= threshold and a row in the model, ascending."""
    able = (statistics.document_frequency >= threshold) & (mass > 0)
    return np.flatnonzero(able).astype(np.int32)
