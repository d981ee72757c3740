"""Topics by non-negative factorisation of damped, normalised co-occurrence.

    core words -> M_ij = sqrt(K_ij) s_i s_j, s_i = c_i^(-1/8) -> background -> seed words ->
    factorisation of the core -> the other words, the core fixed -> topics -> one word a topic

Like all learners a function of the statistics alone. Only + - * / and sqrt in a fixed order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.rows import CooccurrenceRows
from pyunlearn._core import anchors, factorise
from pyunlearn._linalg import column_sums, dot, ordered_sum, product

__all__ = ["Factorisation", "FoundTopics", "factor_topics"]

F64 = NDArray[np.float64]
# A word whose row is this near to the span of the seeds, beside the longest row, is no seed.
RANK_TOLERANCE = 1e-12
# Rows of M that are in memory at once while words outside the core are fitted.
ROWS_AT_ONCE = 512
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
class FoundTopics:
    """r' topics; `topical` is the mass of each word that topics explain, in units of K."""

    word_topic: F64  # (n, r'), p(topic | word) of its topical part; 0 where there is none
    topical: F64  # (n,)
    shares: F64  # (r',), p(topic)
    representatives: NDArray[np.int32]  # (r',), one word a topic


def factor_topics(
    rows: CooccurrenceRows,
    mass: NDArray[np.int64],
    core: NDArray[np.int32],
    options: Factorisation,
    num_threads: int,
) -> FoundTopics:
    """Topics from the rows of K.

    Parameters
    ----------
    rows : CooccurrenceRows
        K.
    mass : ndarray of int64, shape (n,)
        Row sums of K over the words of the model; 0 for all other words.
    core : ndarray of int32
        Words that decide the topics, ascending, of positive mass.
    options : Factorisation
        Topics, background and number of updates.
    num_threads : int
        No bit depends on it.

    Returns
    -------
    FoundTopics
        With fewer topics than asked for when the core is smaller, or topics died out.
    """
    scale = eighth_root_scale(mass)
    roots = Roots.of(rows, scale, core, core, num_threads)
    total = ordered_sum(roots.sums)
    if total <= 0.0:
        return no_topics(len(mass))
    expected = roots.sums / np.sqrt(total)
    factors = without_dead_topics(starting_factors(roots, expected, options, num_threads))
    for _ in range(options.n_updates if factors.size else 0):
        factors = updated(roots, expected, factors, options.background, num_threads)
    factors = without_dead_topics(factors)
    if not factors.size:
        return no_topics(len(mass))
    weights = np.zeros((len(mass), factors.shape[1]))
    weights[core] = factors
    share = options.background / np.sqrt(total)
    common = share * column_sums(expected[:, None] * factors)
    others = np.setdiff1d(np.flatnonzero(mass).astype(np.int32), core, assume_unique=True)
    fit_others(rows, scale, core, others, factors, common, weights, num_threads)
    return topics_of(weights, scale, core)


def eighth_root_scale(mass: NDArray[np.int64]) -> F64:
    """s_i = c_i^(-1/8), 0 for words without mass."""
    scale = np.zeros(len(mass))
    words = mass > 0
    scale[words] = 1.0 / np.sqrt(np.sqrt(np.sqrt(mass[words].astype(np.float64))))
    return scale


@dataclass(frozen=True, eq=False)
class Roots:
    """Rows of M over the core: M_ij = sqrt(K_ij) s_i s_j, columns by place in the core.

    Dense: nine in ten pairs of core words occur together, so that row indices would not pay.
    """

    values: F64  # (rows, core)
    sums: F64  # (rows,)
    squares: F64  # (rows,), sums of squares

    @classmethod
    def of(
        cls,
        rows: CooccurrenceRows,
        scale: F64,
        core: NDArray[np.int32],
        words: NDArray[np.int32],
        num_threads: int,
    ) -> Roots:
        """Rows of M of the given words."""
        position = np.full(len(scale), -1, np.int32)
        position[core] = np.arange(len(core), dtype=np.int32)
        sums, squares = np.zeros((2, len(words)))
        roots = cls(np.empty((len(words), len(core))), sums, squares)
        factorise.fill_roots(
            *rows.arrays,
            position,
            scale,
            words,
            roots.values,
            roots.sums,
            roots.squares,
            num_threads,
        )
        return roots

    def times(self, factors: F64, num_threads: int) -> F64:
        """M H."""
        return product(self.values, factors, num_threads)


def starting_factors(roots: Roots, expected: F64, options: Factorisation, num_threads: int) -> F64:
    """The rows of M at the seed words as columns, scaled so that H H^T is of the size of M."""
    seeds = seed_words(roots, expected, options, num_threads)
    factors = np.ascontiguousarray(roots.values[seeds].T)
    # K has no pairs of a token with itself, so that a word may be missing in its own row.
    topics = np.arange(len(seeds))
    factors[seeds, topics] = np.maximum(factors[seeds, topics], np.sqrt(roots.squares[seeds]))
    if not seeds:
        return factors
    ahead = column_sums(factors * roots.times(factors, num_threads))
    size = column_sums(factors * factors)
    factors *= np.sqrt(ahead) / np.where(size > 0, size, 1.0)
    cross = cross_product(factors, num_threads)
    ahead = column_sums(factors * roots.times(factors, num_threads))
    factors *= np.sqrt(ordered_sum(ahead) / ordered_sum((cross * cross).ravel()))
    return factors


def seed_words(roots: Roots, expected: F64, options: Factorisation, num_threads: int) -> list[int]:
    """Places of words whose rows of M, less the background, are far from the span of each other.

    A greedy search like that for anchor words, by pivoted Cholesky, of the largest distance. It
    does not depend on the numbering of words but in ties.
    """
    share = options.background
    ahead = roots.times(expected[:, None], num_threads)[:, 0]  # M e
    size = dot(expected, expected)
    # |M_i - share e_i e|^2
    residual = roots.squares - 2.0 * share * expected * ahead
    residual += share * share * size * expected * expected
    smallest = RANK_TOLERANCE * float(residual.max())
    factor, gram = np.zeros((2, len(expected), min(options.n_topics, len(expected))))
    seeds: list[int] = []
    products: dict[int, F64] = {}
    for topic in range(gram.shape[1]):
        seed = int(np.argmax(residual))
        pivot = float(residual[seed])
        if pivot <= smallest:
            break
        seeds.append(seed)
        if seed not in products:
            # One pass over M serves the next seeds as well: most are among the farthest of now.
            near = np.argpartition(residual, -min(SEEDS_AT_ONCE, len(residual)))[-SEEDS_AT_ONCE:]
            some = sorted({seed, *near.tolist()})
            found = roots.times(roots.values[some].T, num_threads)
            products.update(zip(some, found.T, strict=True))
        gram[:, topic] = products[seed]
        gram[:, topic] -= share * (expected[seed] * ahead + ahead[seed] * expected)
        gram[:, topic] += share * share * size * expected[seed] * expected
        anchors.cholesky_step(gram, seed, topic, pivot, factor, residual, num_threads)
    return seeds


def updated(roots: Roots, expected: F64, factors: F64, background: float, num_threads: int) -> F64:
    """One update: three quarters of the way to the best rows, by non-negative least squares.

    All the way, with W of M ~ W H^T in the place of H, it swings between two factors; a part of the
    way has the same resting points.
    """
    cross = cross_product(factors, num_threads)
    residual = roots.times(factors, num_threads)
    residual -= background * np.outer(expected, column_sums(expected[:, None] * factors))
    residual -= product(factors, cross, num_threads)
    weights = factors.copy()
    factorise.descend(cross, inverse_diagonal(cross), SWEEPS, residual, weights, num_threads)
    # A topic that fits nothing any more is gone; a part of it would come back much too large.
    return np.where(weights.any(axis=0), (factors + 3.0 * weights) / 4.0, 0.0)


def inverse_diagonal(cross: F64) -> F64:
    """1 / G_kk, and 0 for a topic that has died out, which then stays so."""
    sizes = np.diagonal(cross)
    return np.where(sizes > 0, 1.0 / np.where(sizes > 0, sizes, 1.0), 0.0)


def without_dead_topics(factors: F64) -> F64:
    """The columns that are not all 0."""
    return np.ascontiguousarray(factors[:, factors.any(axis=0)])


def fit_others(
    rows: CooccurrenceRows,
    scale: F64,
    core: NDArray[np.int32],
    words: NDArray[np.int32],
    factors: F64,
    common: F64,
    weights_out: F64,
    num_threads: int,
) -> None:
    """Words outside the core, each by non-negative least squares on the core's topics.

    `common`: what the background takes off M H for each unit of a row's sum.
    """
    cross = cross_product(factors, num_threads)
    inverse = inverse_diagonal(cross)
    for first in range(0, len(words), ROWS_AT_ONCE):
        some = words[first : first + ROWS_AT_ONCE]
        roots = Roots.of(rows, scale, core, some, num_threads)
        residual = roots.times(factors, num_threads)
        residual -= np.outer(roots.sums, common)
        weights = np.zeros((len(some), len(cross)))
        factorise.descend(cross, inverse, LAST_SWEEPS, residual, weights, num_threads)
        weights_out[some] = weights


def topics_of(weights: F64, scale: F64, core: NDArray[np.int32]) -> FoundTopics:
    """Back to the units of K: topic k stands for the pairs u_k u_k^T with u_ik = (W_ik / s_i)^2."""
    unscaled = weights / np.where(scale > 0, scale, 1.0)[:, None]
    pairs = unscaled * unscaled
    joint = pairs * column_sums(pairs)
    topical = column_sums(np.ascontiguousarray(joint.T))
    shares = column_sums(joint)
    word_topic = joint / np.where(topical > 0, topical, 1.0)[:, None]
    # Frequent in its topic, and found in few others.
    fitness = word_topic[core] * (joint[core] / shares)
    return FoundTopics(
        word_topic, topical, shares / ordered_sum(shares), core[distinct_best(fitness)]
    )


def distinct_best(fitness: F64) -> NDArray[np.int32]:
    """For each column in turn the row, not taken yet, with the largest entry; lowest of ties."""
    fitness = fitness.copy()
    best = np.zeros(fitness.shape[1], np.int32)
    for topic in range(len(best)):
        best[topic] = np.argmax(fitness[:, topic])
        fitness[best[topic]] = -1.0
    return best


def no_topics(n_words: int) -> FoundTopics:
    """What is left when no word, or no co-occurrence, is left."""
    return FoundTopics(
        np.zeros((n_words, 0)), np.zeros(n_words), np.zeros(0), np.zeros(0, np.int32)
    )


def cross_product(factors: F64, num_threads: int) -> F64:
    """H^T H, symmetric to the last bit."""
    return product(np.ascontiguousarray(factors.T), factors, num_threads)
