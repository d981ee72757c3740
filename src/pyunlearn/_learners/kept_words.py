"""Which words are in a model, and how much mass they have among themselves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import anchors as kernels

__all__ = ["all_kept", "kept_mass", "kept_words", "share_as_number", "words_in_documents"]


def kept_words(
    statistics: CooccurrenceStatistics, min_df: int, num_threads: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Mask of words with f_i >= min_df, and the row sums of K over those columns."""
    keep = (statistics.document_frequency >= max(min_df, 1)).astype(np.uint8)
    mass = np.zeros(statistics.n_words, np.int64)
    kept_mass(statistics, keep, np.arange(statistics.n_words, dtype=np.int32), mass, num_threads)
    return keep, mass


def kept_mass(
    statistics: CooccurrenceStatistics,
    keep: NDArray[np.uint8],
    words: NDArray[np.int32],
    mass_out: NDArray[np.int64],
    num_threads: int,
) -> None:
    """Row sums of K over the kept columns, for those of the given words that are kept."""
    words = words[keep[words] > 0]
    if all_kept(statistics, keep):
        mass_out[words] = statistics.word_mass[words]
    else:
        kernels.kept_mass(*statistics.rows.arrays, keep, words, mass_out, num_threads)


def all_kept(statistics: CooccurrenceStatistics, keep: NDArray[np.uint8]) -> bool:
    """Whether every word that occurs is kept, so that no column needs to be masked."""
    return bool(np.array_equal(keep > 0, statistics.document_frequency > 0))


def words_in_documents(
    statistics: CooccurrenceStatistics, threshold: int, mass: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Words with f_i >= threshold and a row in the model, ascending."""
    able = (statistics.document_frequency >= threshold) & (mass > 0)
    return np.flatnonzero(able).astype(np.int32)


def share_as_number(threshold: int | float, n_documents: int) -> int:
    """Documents that a threshold stands for: a number (int), or a share of all (float)."""
    if isinstance(threshold, float):
        # 0.07 of 100 documents are 7, though 0.07 * 100 is more.
        threshold = math.ceil(round(threshold * n_documents, 6))
    return max(threshold, 1)
