"""Greedy anchor words over the candidates, and the Gram entries that recovery needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import anchors as anchor_kernels
from pyunlearn._core import gram as gram_kernels
from pyunlearn._learners.kept_words import all_kept, kept_columns, kept_mass
from pyunlearn._linalg import padded

# A candidate whose residual is this small beside the largest row counts as already spanned.
RANK_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class NormalisedRows:
    """Qbar, the rows of K over the kept columns divided by their sums: how to form them."""

    rows: CooccurrenceRows  # of K
    keep: NDArray[np.uint8]  # (n,), 1 for words whose column is read
    mass: NDArray[np.int64]  # (n,), row sums over the kept columns; 0 for words left out
    norms: NDArray[np.float64]  # (n,), |Qbar_i|^2

    @classmethod
    def of(
        cls, statistics: CooccurrenceStatistics, min_df: int, num_threads: int
    ) -> NormalisedRows:
        """Of all words in at least `min_df` documents."""
        keep, mass = kept_columns(statistics, min_df), np.zeros(statistics.n_words, np.int64)
        words = np.arange(statistics.n_words, dtype=np.int32)
        kept_mass(statistics, keep, min_df, words, mass, num_threads)
        found = cls(statistics.rows, keep, mass, np.zeros(statistics.n_words))
        row_norms(statistics, keep, mass, found.words, found.norms, num_threads)
        return found

    @property
    def words(self) -> NDArray[np.int32]:
        """Words of positive mass."""
        return np.flatnonzero(self.mass).astype(np.int32)


def row_norms(
    statistics: CooccurrenceStatistics,
    keep: NDArray[np.uint8],
    mass: NDArray[np.int64],
    words: NDArray[np.int32],
    norms_out: NDArray[np.float64],
    num_threads: int,
) -> None:
    """|Qbar_i|^2 for the given words."""
    anchor_kernels.squared_norms(
        *statistics.rows.arrays,
        keep[statistics.rows.columns],
        all_kept(statistics, keep),
        mass,
        words,
        norms_out,
        num_threads,
    )


class AnchorSearch:
    """Greedy anchors: the candidate farthest from the span of those picked, ties to the lowest.

    Arora et al. 2013, algorithm 4, as a pivoted Cholesky factorisation of Qbar Qbar^T of which only
    the pivot columns are formed: d_i -= L_ij^2 keeps the squared distances from the span. The
    search reads the rows of the q candidates only; its matrices have one row a candidate.
    """

    def __init__(
        self,
        rows: NormalisedRows,
        n_topics: int,
        candidates: NDArray[np.int32],
        num_threads: int,
    ) -> None:
        self.rows = rows.rows
        self.keep, self.mass = rows.keep, rows.mass
        self.candidates = candidates
        self.num_threads = num_threads
        self.limit = min(n_topics, len(candidates))
        self.norms = rows.norms[candidates]
        self.gram = np.zeros((len(candidates), self.limit))
        self.factor = np.zeros((len(candidates), self.limit))
        self.anchor_rows = np.zeros((len(self.rows.columns), padded(self.limit)))
        self.residual = self.norms.copy()
        self.anchors: list[int] = []
        self.pivots: list[float] = []
        self.smallest = self.smallest_residual(self.norms)

    @staticmethod
    def smallest_residual(norms: NDArray[np.float64]) -> float:
        """Below this, a candidate counts as spanned by the anchors."""
        return RANK_TOLERANCE * float(norms.max(initial=0.0))

    def select(self) -> None:
        """Pick anchors until there are enough or no candidate is left outside their span."""
        while len(self.anchors) < self.limit:
            word = self.farthest(self.residual)
            if word is None:
                return
            self.form_column(word, len(self.anchors))
            self.anchors.append(word)
            self.pivots.append(
                self._step(len(self.anchors) - 1, self.gram, word, self.factor, self.residual)
            )

    def farthest(self, residual: NDArray[np.float64]) -> int | None:
        """The candidate farthest from the span, the lowest of equals; None when all are spanned."""
        if len(self.candidates) == 0:
            return None
        at = int(np.argmax(residual))
        return int(self.candidates[at]) if residual[at] > self.smallest else None

    def form_column(self, word: int, topic: int) -> None:
        """B[:, topic] at the candidates, for the anchor `word`."""
        self.anchor_rows[:, topic] = dense_row(self.rows, self.keep, self.mass, word)
        self.gram[:, topic] = self.column(topic, self.candidates)

    def column(self, topic: int, words: NDArray[np.int32]) -> NDArray[np.float64]:
        """B[words, topic], for words of positive mass."""
        row = np.ascontiguousarray(self.anchor_rows[:, topic])
        return column_of(self.rows, self.mass, words, row, self.num_threads)

    def clean_up(self) -> None:
        """For each anchor in turn: the candidate farthest from the span of all the others."""
        for topic in range(len(self.anchors)):
            others = [t for t in range(len(self.anchors)) if t != topic]
            word = self.farthest(self._factorise(others)[1])
            if word is not None and word != self.anchors[topic]:
                self.anchors[topic] = word
                self.form_column(word, topic)
        self.factor, self.residual, self.pivots = self._factorise(list(range(len(self.anchors))))

    def _factorise(
        self, topics: list[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], list[float]]:
        """Factor, residual and pivots over some of the anchors, in the order given."""
        gram = np.ascontiguousarray(self.gram[:, topics])
        factor, residual = np.zeros_like(gram), self.norms.copy()
        pivots = [
            self._step(step, gram, self.anchors[topic], factor, residual)
            for step, topic in enumerate(topics)
        ]
        return factor, residual, pivots

    def _step(
        self,
        step: int,
        gram: NDArray[np.float64],
        anchor: int,
        factor_out: NDArray[np.float64],
        residual_out: NDArray[np.float64],
    ) -> float:
        """One Cholesky step; returns the pivot."""
        position = int(np.searchsorted(self.candidates, anchor))
        pivot = float(residual_out[position])
        anchor_kernels.cholesky_step(
            gram, position, step, pivot, factor_out, residual_out, self.num_threads
        )
        return pivot

    def found_columns(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """The columns of the anchors found."""
        return np.ascontiguousarray(matrix[:, : len(self.anchors)])

    def found_anchor_rows(self) -> NDArray[np.float64]:
        """Qbar of the anchors by column, padded."""
        return np.ascontiguousarray(self.anchor_rows[:, : padded(len(self.anchors))])

    def gram_of_all_words(self, words: NDArray[np.int32]) -> NDArray[np.float64]:
        """B, (n, r'), at the given words (the candidates among them) and 0 elsewhere."""
        gram = np.zeros((len(self.mass), len(self.anchors)))
        gram[self.candidates] = self.found_columns(self.gram)
        others = np.setdiff1d(words, self.candidates, assume_unique=True)
        form_rows(self.rows, self.mass, others, self.found_anchor_rows(), gram, self.num_threads)
        return gram


def dense_row(
    rows: CooccurrenceRows, keep: NDArray[np.uint8], mass: NDArray[np.int64], word: int
) -> NDArray[np.float64]:
    """Qbar_word as a dense vector over the columns of K, (c,)."""
    row, kept = np.empty(len(rows.columns)), keep[rows.columns]
    anchor_kernels.scatter_row(*rows.arrays, kept, int(mass[word]), word, row)
    return row


def column_of(
    rows: CooccurrenceRows,
    mass: NDArray[np.int64],
    words: NDArray[np.int32],
    row: NDArray[np.float64],
    num_threads: int,
) -> NDArray[np.float64]:
    """<Qbar_i, row> for the given words i of positive mass; `row` is 0 at columns left out."""
    by_length = np.argsort(rows.length[words], kind="stable")
    sums, column = np.empty(len(words)), np.empty(len(words))
    gram_kernels.gram_column(*rows.arrays, mass, words[by_length], row, sums, num_threads)
    column[by_length] = sums
    return column


def form_rows(
    rows: CooccurrenceRows,
    mass: NDArray[np.int64],
    words: NDArray[np.int32],
    anchor_rows: NDArray[np.float64],
    gram_out: NDArray[np.float64],
    num_threads: int,
) -> None:
    """B[i, :] for the given words i of positive mass."""
    gram_kernels.gram_rows(
        *rows.arrays,
        mass,
        words,
        anchor_rows,
        np.empty((num_threads, gram_kernels.ROWS_TOGETHER * anchor_rows.shape[1])),
        gram_out,
        num_threads,
    )


def anchor_gram(gram: NDArray[np.float64], anchors: NDArray[np.int32]) -> NDArray[np.float64]:
    """G (r', r') from the rows of B at the anchors: the lower triangle, mirrored."""
    lower = np.tril(gram[anchors])
    return np.ascontiguousarray(lower + np.tril(lower, -1).T)
