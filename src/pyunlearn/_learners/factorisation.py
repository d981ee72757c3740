"""Topics by non-negative factorisation of damped, normalised co-occurrence.

    core words -> M_ij = sqrt(K_ij) s_i s_j, s_i = c_i^(-1/8) -> background -> seed words ->
    factorisation of the core, the basis -> the other words, the basis fixed -> topics

Like all learners a function of the statistics alone. Only + - * / and sqrt in a fixed order; M, its
products and the descent in single precision, which topics of counts need no more than.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._core import anchors, factorise, products
from pyunlearn._linalg import column_sums, dot, ordered_sum, product

__all__ = ["Basis", "Factorisation", "FoundTopics", "learned_basis", "recovered", "topics_of"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
# A word whose row is this near to the span of the seeds, beside the longest row, is no seed.
RANK_TOLERANCE = 1e-12
# Words whose products with M are made in one go when one of them becomes a seed.
SEEDS_AT_ONCE = 8
# Sweeps of coordinate descent for one row: in each update, and for a word outside the core.
SWEEPS, LAST_SWEEPS = 2, 10


@dataclass(frozen=True)
class Factorisation:
    """What the factorisation may be told."""

    n_topics: int
    background: float  # share of the independence model that is taken off before topics are fitted
    n_updates: int


@dataclass(frozen=True, eq=False)
class Basis:
    """Topics over the core, which every other word is fitted to. Of r' topics and q core words."""

    core: NDArray[np.int32]  # (q,), ascending
    scale: F64  # (q,), s_j of the core words
    factors: F32  # (q, r'), H
    common: F64  # (r',), what the background takes off M H for each unit of a row's sum


@dataclass(frozen=True, eq=False)
class FoundTopics:
    """r' topics; `topical` is the mass of each word that topics explain, in units of K."""

    word_topic: F64  # (n, r'), p(topic | word) of its topical part; 0 where there is none
    topical: F64  # (n,)
    representatives: NDArray[np.int32]  # (r',), one word a topic


def learned_basis(
    rows: CooccurrenceRows,
    mass: NDArray[np.int64],
    core: NDArray[np.int32],
    options: Factorisation,
    num_threads: int,
) -> Basis:
    """The basis of statistics.

    Parameters
    ----------
    rows : CooccurrenceRows
        K.
    mass : ndarray of int64, shape (n,)
        Mass of each word; 0 for words that are left out.
    core : ndarray of int32
        Words that decide the topics, ascending, of positive mass.
    options : Factorisation
        Topics, background and number of updates.
    num_threads : int
        No bit depends on it.

    Returns
    -------
    Basis
        With fewer topics than asked for when the core is smaller, or topics died out.
    """
    scale = eighth_root_scale(mass)[core]
    roots = Roots.of(rows, core, scale, num_threads)
    total = ordered_sum(roots.sums)
    if total <= 0.0:
        return Basis(core, scale, np.zeros((len(core), 0), np.float32), np.zeros(0))
    expected = roots.sums / np.sqrt(total)
    factors = without_dead_topics(starting_factors(roots, expected, options, num_threads))
    for _ in range(options.n_updates if factors.size else 0):
        factors = updated(roots, expected, factors, options.background, num_threads)
    factors = without_dead_topics(factors)
    share = options.background / np.sqrt(total)
    common = share * column_sums(expected[:, None] * factors)
    return Basis(core, scale, factors, common)


def eighth_root_scale(mass: NDArray[np.int64]) -> F64:
    """s_i = c_i^(-1/8), 0 for words without mass."""
    scale = np.zeros(len(mass))
    words = mass > 0
    scale[words] = 1.0 / np.sqrt(np.sqrt(np.sqrt(mass[words].astype(np.float64))))
    return scale


@dataclass(frozen=True, eq=False)
class Roots:
    """M over the core: M_ij = sqrt(K_ij) s_i s_j.

    Dense: nine in ten pairs of core words occur together, so that row indices would not pay.
    """

    values: F32  # (q, q)
    sums: F64  # (q,)
    squares: F64  # (q,), sums of squares

    @classmethod
    def of(
        cls, rows: CooccurrenceRows, core: NDArray[np.int32], scale: F64, num_threads: int
    ) -> Roots:
        """M over core words with their s_i."""
        q = len(core)
        roots = cls(np.empty((q, q), np.float32), np.zeros(q), np.zeros(q))
        position, by_column = _places(rows, core, scale)
        work = _work(q, num_threads)
        for block in rows.blocks(core):
            at = np.searchsorted(core, block.words)
            values = np.empty((len(at), q), np.float32)
            sums, squares = np.zeros((2, len(at)))
            factorise.fill_roots(
                *block.arrays,
                position,
                by_column,
                block.rows,
                scale[at],
                *work,
                values,
                sums,
                squares,
                num_threads,
            )
            roots.values[at], roots.sums[at], roots.squares[at] = values, sums, squares
        return roots

    def times(self, factors: F32, num_threads: int) -> F32:
        """M H in single precision."""
        return single_product(self.values, factors, num_threads)

    def times_exactly(self, vectors: F64, num_threads: int) -> F64:
        """M V in double precision: differences of distances need it."""
        return product(self.values, vectors, num_threads)


def _places(
    rows: CooccurrenceRows, core: NDArray[np.int32], scale: F64
) -> tuple[NDArray[np.int32], F64]:
    """The place of each column in the core, -1 outside, and s_j by column."""
    position, by_column = np.full(len(rows.columns), -1, np.int32), np.zeros(len(rows.columns))
    columns = rows.place[core]
    position[columns] = np.arange(len(core), dtype=np.int32)
    by_column[columns] = scale
    return position, by_column


def _work(n_entries: int, num_threads: int) -> tuple[NDArray[np.int32], F32]:
    """Work space of the kernels."""
    shape = (num_threads, n_entries + 1)
    return np.empty(shape, np.int32), np.empty(shape, np.float32)


def single_product(left: F32, right: F32, num_threads: int) -> F32:
    """``left @ right`` in single precision, (m, p) and (p, q)."""
    inner, width = right.shape
    n_panels = -(-width // products.SINGLE_COLUMNS)
    columns = np.zeros((inner, n_panels * products.SINGLE_COLUMNS), np.float32)
    columns[:, :width] = right
    panels = columns.reshape(inner, n_panels, products.SINGLE_COLUMNS).transpose(1, 0, 2)
    out = np.empty((len(left), width), np.float32)
    left, panels = np.ascontiguousarray(left), np.ascontiguousarray(panels)
    products.multiply_single(left, panels, out, num_threads)
    return out


def starting_factors(roots: Roots, expected: F64, options: Factorisation, num_threads: int) -> F32:
    """The rows of M at the seed words as columns, scaled so that H H^T is of the size of M."""
    seeds = seed_words(roots, expected, options, num_threads)
    factors = np.ascontiguousarray(roots.values[seeds].T)
    # K has no pairs of a token with itself, so that a word may be missing in its own row.
    topics = np.arange(len(seeds))
    largest = np.sqrt(roots.squares[seeds]).astype(np.float32)
    factors[seeds, topics] = np.maximum(factors[seeds, topics], largest)
    if not seeds:
        return factors
    found, wide = roots.times(factors, num_threads).astype(np.float64), factors.astype(np.float64)
    ahead = column_sums(wide * found)
    size = column_sums(wide * wide)
    by_topic = np.sqrt(ahead) / np.where(size > 0, size, 1.0)
    wide *= by_topic
    cross = product(np.ascontiguousarray(wide.T), wide, num_threads)
    ahead *= by_topic * by_topic
    wide *= np.sqrt(ordered_sum(ahead) / ordered_sum((cross * cross).ravel()))
    return wide.astype(np.float32)


def seed_words(roots: Roots, expected: F64, options: Factorisation, num_threads: int) -> list[int]:
    """Places of words whose rows of M, less the background, are far from the span of each other.

    A greedy search like that for anchor words, by pivoted Cholesky, of the largest distance. It
    does not depend on the numbering of words but in ties.
    """
    share = options.background
    ahead = roots.times_exactly(expected[:, None], num_threads)[:, 0]  # M e
    size = dot(expected, expected)
    # |M_i - share e_i e|^2
    residual = roots.squares - 2.0 * share * expected * ahead
    residual += share * share * size * expected * expected
    smallest = RANK_TOLERANCE * float(residual.max())
    factor, gram = np.zeros((2, len(expected), min(options.n_topics, len(expected))))
    seeds: list[int] = []
    known: dict[int, F64] = {}
    for topic in range(gram.shape[1]):
        seed = int(np.argmax(residual))
        pivot = float(residual[seed])
        if pivot <= smallest:
            break
        seeds.append(seed)
        if seed not in known:
            # One pass over M serves the next seeds as well: most are among the farthest of now.
            near = np.argpartition(residual, -min(SEEDS_AT_ONCE, len(residual)))[-SEEDS_AT_ONCE:]
            some = sorted({seed, *near.tolist()})
            found = roots.times_exactly(roots.values[some].T.astype(np.float64), num_threads)
            known.update(zip(some, found.T, strict=True))
        gram[:, topic] = known[seed]
        gram[:, topic] -= share * (expected[seed] * ahead + ahead[seed] * expected)
        gram[:, topic] += share * share * size * expected[seed] * expected
        anchors.cholesky_step(gram, seed, topic, pivot, factor, residual, num_threads)
    return seeds


def updated(roots: Roots, expected: F64, factors: F32, background: float, num_threads: int) -> F32:
    """One update: three quarters of the way to the best rows, by non-negative least squares.

    All the way, with W of M ~ W H^T in the place of H, it swings between two factors; a part of the
    way has the same resting points.
    """
    cross = cross_product(factors, num_threads)
    taken_off = background * column_sums(expected[:, None] * factors)
    residual = roots.times(factors, num_threads)
    residual -= np.outer(expected, taken_off).astype(np.float32)
    residual -= single_product(factors, cross, num_threads)
    weights = factors.copy()
    factorise.descend(cross, inverse_diagonal(cross), SWEEPS, residual, weights, num_threads)
    # A topic that fits nothing any more is gone; a part of it would come back much too large.
    moved = np.float32(0.25) * (factors + np.float32(3.0) * weights)
    return np.where(weights.any(axis=0), moved, np.float32(0.0))


def inverse_diagonal(cross: F32) -> F32:
    """1 / G_kk, and 0 for a topic that has died out, which then stays so."""
    sizes = np.diagonal(cross)
    one, none = np.float32(1.0), np.float32(0.0)
    return np.where(sizes > 0, one / np.where(sizes > 0, sizes, one), none)


def without_dead_topics(factors: F32) -> F32:
    """The columns that are not all 0."""
    return np.ascontiguousarray(factors[:, factors.any(axis=0)])


def recovered(
    rows: CooccurrenceRows,
    mass: NDArray[np.int64],
    words: NDArray[np.int32],
    basis: Basis,
    num_threads: int,
) -> F32:
    """W of the given words, (words, r'), each by non-negative least squares on the basis.

    Each row is a function of the basis and of the word's own row of K and mass.
    """
    factors = basis.factors
    n_topics = factors.shape[1]
    width = -(-n_topics // factorise.TOGETHER) * factorise.TOGETHER
    padded = np.zeros((len(factors), width), np.float32)
    padded[:, :n_topics] = factors
    cross = cross_product(factors, num_threads)
    inverse = inverse_diagonal(cross)
    position, by_column = _places(rows, basis.core, basis.scale)
    work = _work(len(factors), num_threads)
    place = np.full(len(mass), -1, np.int32)
    place[words] = np.arange(len(words), dtype=np.int32)
    weights = np.zeros((len(words), n_topics), np.float32)
    for block in rows.blocks(words):
        along, sums = np.empty((len(block.words), width), np.float32), np.zeros(len(block.words))
        factorise.root_products(
            *block.arrays,
            position,
            by_column,
            block.rows,
            eighth_root_scale(mass[block.words]),
            padded,
            *work,
            along,
            sums,
            num_threads,
        )
        residual = np.ascontiguousarray(along[:, :n_topics])
        residual -= np.outer(sums, basis.common).astype(np.float32)
        found = np.zeros_like(residual)
        factorise.descend(cross, inverse, LAST_SWEEPS, residual, found, num_threads)
        weights[place[block.words]] = found
    return weights


def topics_of(weights: F32, mass: NDArray[np.int64], core: NDArray[np.int32]) -> FoundTopics:
    """Back to the units of K: topic k stands for the pairs u_k u_k^T with u_ik = (W_ik / s_i)^2.

    `weights`: W, (n, r').
    """
    scale = eighth_root_scale(mass)
    unscaled = weights / np.where(scale > 0, scale, 1.0)[:, None]
    pairs = unscaled * unscaled
    joint = pairs * column_sums(pairs)
    topical = column_sums(np.ascontiguousarray(joint.T))
    shares = column_sums(joint)
    word_topic = joint / np.where(topical > 0, topical, 1.0)[:, None]
    # Frequent in its topic, and found in few others.
    fitness = word_topic[core] * (joint[core] / np.where(shares > 0, shares, 1.0))
    return FoundTopics(word_topic, topical, core[distinct_best(fitness)])


def distinct_best(fitness: F64) -> NDArray[np.int32]:
    """For each column in turn the row, not taken yet, with the largest entry; lowest of ties."""
    fitness = fitness.copy()
    best = np.zeros(fitness.shape[1], np.int32)
    for topic in range(len(best)):
        best[topic] = np.argmax(fitness[:, topic])
        fitness[best[topic]] = -1.0
    return best


def cross_product(factors: F32, num_threads: int) -> F32:
    """H^T H, symmetric to the last bit."""
    return single_product(np.ascontiguousarray(factors.T), factors, num_threads)
