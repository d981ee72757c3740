"""Bring learned topics up to date after the statistics changed, with the bits of a fresh `learn`.

Only what the change reaches is computed again:

    touched words -> their rows of B -> are the pivots still the farthest? -> columns of B and
    factor from the first pivot that changed -> words whose problem changed, warm-started

Nothing here reads a document; the cost depends on the touched words, n and r, never on m.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.contexts import ALL
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import anchors as anchor_kernels
from pyunlearn._learners.anchor import AnchorTopics, anchor_candidates, learn, recover
from pyunlearn._learners.anchor_search import (
    AnchorSearch,
    NormalisedRows,
    anchor_gram,
    dense_row,
    form_rows,
    row_norms,
)
from pyunlearn._learners.kept_words import kept_columns, kept_mass
from pyunlearn._learners.topics import HASH_BLOCK, UpdatePath
from pyunlearn._linalg import padded

__all__ = ["update"]


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds, self.last = seconds, time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self.last
        self.last = now


def update(
    previous: AnchorTopics,
    statistics: CooccurrenceStatistics,
    touched: NDArray[np.int32],
    num_threads: int,
) -> tuple[AnchorTopics, UpdatePath]:
    """The topics of changed statistics, equal in every byte to `learn(statistics, ...)`.

    `touched` are, ascending, all words of the documents that were added or removed.
    """
    path = UpdatePath()
    clock = _Clock(path.seconds)
    # The clean-up loop moves anchors off the greedy path that the shortcuts below follow.
    # Topics of a Newton step are no result of `learn`.
    other = previous.settings.anchor_cleanup or previous.n_topics == 0 or previous.newton
    if other or _other_contexts(previous, statistics):
        path.kind = "full"
        topics = learn(statistics, previous.settings, num_threads)
        path.words_solved = len(topics.words)
        clock.lap("learn")
        return topics, path
    change = _Update(previous, statistics, touched, num_threads, path)
    change.rows()
    clock.lap("rows")
    change.anchors()
    clock.lap("anchors")
    topics = change.topics()
    clock.lap("recovery")
    return topics, path


class _Update:
    """One update; its three methods are called in order."""

    def __init__(
        self,
        previous: AnchorTopics,
        statistics: CooccurrenceStatistics,
        touched: NDArray[np.int32],
        num_threads: int,
        path: UpdatePath,
    ) -> None:
        self.previous, self.statistics = previous, statistics
        self.num_threads, self.path = num_threads, path
        self.keep, self.touched = _widen(previous, statistics, touched)
        path.touched_words = len(self.touched)
        self.is_touched = np.zeros(len(previous.mass), np.bool_)
        self.is_touched[self.touched] = True
        self.anchor_touched = self.is_touched[previous.anchors]
        path.touched_anchors = int(self.anchor_touched.sum())

    def rows(self) -> None:
        """Masses, norms, and rows of B at the touched words."""
        previous, statistics = self.previous, self.statistics
        self.mass = previous.mass.copy()
        self.mass[self.touched] = 0
        min_df = previous.settings.min_df
        kept_mass(statistics, self.keep, min_df, self.touched, self.mass, self.num_threads)
        self.live = self.touched[self.mass[self.touched] > 0]
        self.norms = previous.norms.copy()
        self.norms[self.touched] = 0.0
        row_norms(statistics, self.keep, self.mass, self.live, self.norms, self.num_threads)
        self.anchor_rows = self._anchor_rows()
        self.gram = previous.gram.copy()
        self.gram[self.touched] = 0.0
        form_rows(
            statistics.rows, self.mass, self.live, self.anchor_rows, self.gram, self.num_threads
        )

    def _anchor_rows(self) -> NDArray[np.float64]:
        """Qbar of the previous anchors, those touched brought up to date."""
        previous, rows = self.previous, self.statistics.rows
        if previous.anchor_rows is None:
            anchor_rows, stale = (
                np.zeros((len(rows.columns), padded(previous.n_topics))),
                np.ones(previous.n_topics, bool),
            )
        elif self.path.touched_anchors:
            anchor_rows, stale = previous.anchor_rows.copy(), self.anchor_touched
        else:
            return previous.anchor_rows
        for topic in np.flatnonzero(stale):
            word = int(previous.anchors[topic])
            anchor_rows[:, topic] = (
                dense_row(rows, self.keep, self.mass, word) if self.mass[word] > 0 else 0.0
            )
        return anchor_rows

    def anchors(self) -> None:
        """Follow the pivots as far as they stand, then select again."""
        previous = self.previous
        self.candidates = anchor_candidates(self.statistics, previous.settings, self.mass)
        factor = self._factor_rows()
        stands = self._first_step_to_repeat(factor)
        if stands == previous.n_topics == previous.settings.n_topics:
            self.anchor_words, self.pivots, self.factor = previous.anchors, previous.pivots, factor
            return
        self.path.reselected_from = stands
        search = _AnchorUpdate(self, factor, stands)
        search.select()
        self.anchor_words = np.array(search.anchors, np.int32)
        self.pivots = np.array(search.pivots)
        self.factor = search.found_columns(search.factor)
        self.gram = search.gram_of_all_words(np.flatnonzero(self.mass).astype(np.int32))
        self.anchor_rows = search.found_anchor_rows()
        self.path.columns_formed = search.columns_formed

    def _factor_rows(self) -> NDArray[np.float64]:
        """The factor with its rows matched to the candidates of now; unknown rows are 0."""
        before, now = self.previous.candidates, self.candidates
        if np.array_equal(before, now):
            return self.previous.factor.copy()
        factor = np.zeros((len(now), self.previous.n_topics))
        known = np.isin(now, before, assume_unique=True)
        factor[known] = self.previous.factor[np.searchsorted(before, now[known])]
        return factor

    def _first_step_to_repeat(self, factor_out: NDArray[np.float64]) -> int:
        """The first step whose pivot may be another one; fills the changed rows up to there."""
        previous, candidates = self.previous, self.candidates
        able, was_able = np.zeros((2, len(self.mass)), np.bool_)
        able[candidates], was_able[previous.candidates] = True, True
        gone = ~able[previous.anchors]
        smallest = AnchorSearch.smallest_residual(self.norms[candidates])
        moved = self.anchor_touched | gone | (previous.pivots <= smallest)
        limit = int(np.argmax(moved)) if moved.any() else previous.n_topics
        changed = self.is_touched | ~was_able
        rows = np.flatnonzero(changed[candidates]).astype(np.int32)
        wins = np.full(len(rows), limit, np.int32)
        if limit:
            anchors = previous.anchors[:limit]
            anchor_kernels.follow_pivots(
                np.ascontiguousarray(self.gram[candidates[rows]]),
                self.norms[candidates[rows]],
                candidates,
                rows,
                anchors,
                np.searchsorted(candidates, anchors).astype(np.int32),
                previous.pivots,
                limit,
                factor_out,
                wins,
                self.num_threads,
            )
        return int(wins.min(initial=limit))

    def topics(self) -> AnchorTopics:
        """Solve the words whose problem changed."""
        previous = self.previous
        G = anchor_gram(self.gram, self.anchor_words)
        same_problem = np.array_equal(self.anchor_words, previous.anchors) and np.array_equal(
            G, previous.anchor_gram
        )
        if same_problem:
            words = self.live
            word_topic = previous.word_topic.copy()
            converged = previous.converged.copy()
            hashes = previous.hashes.copy() if previous.hashes else None
            if hashes:
                hashes.expire(np.unique(self.touched // HASH_BLOCK))
        else:
            words = np.flatnonzero(self.mass).astype(np.int32)
            word_topic = _by_anchor(previous, self.anchor_words)
            converged = np.ones_like(previous.converged)
            hashes = None
        word_topic[self.touched[self.mass[self.touched] == 0]] = 0.0
        converged[self.touched] = 1
        self.path.words_solved = len(words)
        recover(
            previous.settings,
            G,
            self.gram,
            words,
            True,
            word_topic,
            converged,
            self.num_threads,
        )
        return AnchorTopics(
            previous.settings,
            self.mass,
            word_topic,
            self.keep,
            self.norms,
            self.anchor_words,
            self.gram,
            converged,
            self.candidates,
            self.pivots,
            self.factor,
            anchor_rows=self.anchor_rows,
            hashes=hashes,
        )


def _other_contexts(previous: AnchorTopics, statistics: CooccurrenceStatistics) -> bool:
    """Whether columns came or went of words that rows do not name: rows must be searched then."""
    if statistics.contexts == ALL:
        return False
    keep = kept_columns(statistics, previous.settings.min_df)
    return not np.array_equal(keep, previous.keep)


def _widen(
    previous: AnchorTopics, statistics: CooccurrenceStatistics, touched: NDArray[np.int32]
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The mask of kept words, and the touched words with all that share a changed column.

    A word whose mask changed gives its neighbours a column, or takes one from them.
    """
    if statistics.contexts != ALL:
        return previous.keep, touched
    keep = previous.keep.copy()
    frequency = statistics.document_frequency[touched]
    keep[touched] = frequency >= max(previous.settings.min_df, 1)
    flipped = touched[keep[touched] != previous.keep[touched]]
    # A word without documents has left every row already, through the touched words.
    neighbours = [statistics.rows.row(int(word))[0] for word in flipped]
    if any(len(columns) for columns in neighbours):
        touched = np.unique(np.concatenate([touched, *neighbours]))
    return keep, touched


def _by_anchor(previous: AnchorTopics, anchors: NDArray[np.int32]) -> NDArray[np.float64]:
    """The weights by anchor word in the new order, as a warm start; 0 for new anchors."""
    if np.array_equal(previous.anchors, anchors):
        return previous.word_topic.copy()
    word_topic = np.zeros((len(previous.mass), len(anchors)))
    place = {int(word): topic for topic, word in enumerate(previous.anchors)}
    for topic, word in enumerate(anchors):
        if int(word) in place:
            word_topic[:, topic] = previous.word_topic[:, place[int(word)]]
    return word_topic


class _AnchorUpdate(AnchorSearch):
    """A search that starts behind the pivots that stand and knows columns of B already."""

    def __init__(self, update: _Update, factor: NDArray[np.float64], stands: int) -> None:
        previous = update.previous
        rows = NormalisedRows(update.statistics.rows, update.keep, update.mass, update.norms)
        super().__init__(rows, previous.settings.n_topics, update.candidates, update.num_threads)
        self.columns_formed = 0
        self.known_gram, self.known_rows = update.gram, update.anchor_rows
        self.known = {
            int(word): topic
            for topic, word in enumerate(previous.anchors)
            if not update.anchor_touched[topic]
        }
        self.source: list[int | None] = []
        for topic in range(stands):
            word = int(previous.anchors[topic])
            self.form_column(word, topic)
            self.anchors.append(word)
            self.pivots.append(float(previous.pivots[topic]))
            self.factor[:, topic] = factor[:, topic]
            self.residual -= factor[:, topic] * factor[:, topic]

    def form_column(self, word: int, topic: int) -> None:
        """As in a full search, but an untouched anchor of before brings its column along."""
        source = self.known.get(word)
        self.source.append(source)
        if source is None:
            self.columns_formed += 1
            super().form_column(word, topic)
        else:
            self.anchor_rows[:, topic] = self.known_rows[:, source]
            self.gram[:, topic] = self.known_gram[self.candidates, source]

    def gram_of_all_words(self, words: NDArray[np.int32]) -> NDArray[np.float64]:
        """B at all words: known columns as they are, the others at the non-candidates as well."""
        if len(self.mass) and self.columns_formed > len(self.anchors) // 3:
            return super().gram_of_all_words(words)
        gram = np.zeros((len(self.mass), len(self.anchors)))
        others = np.setdiff1d(words, self.candidates, assume_unique=True)
        for topic, source in enumerate(self.source):
            if source is None:
                gram[others, topic] = self.column(topic, others)
            else:
                gram[:, topic] = self.known_gram[:, source]
        gram[self.candidates] = self.found_columns(self.gram)
        return gram
