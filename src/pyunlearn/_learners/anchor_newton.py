"""`newton_update`: U_base, the paper's algorithm 1, in place of an exact update of the topics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import newton
from pyunlearn._learners.anchor import AnchorTopics, searched
from pyunlearn._learners.anchor_search import (
    NormalisedRows,
    anchor_gram,
    dense_row,
    form_rows,
)
from pyunlearn._linalg import padded
from pyunlearn.errors import AnchorVanishedError

__all__ = ["anchors_unchanged", "newton_update"]


def newton_update(
    previous: AnchorTopics, statistics: CooccurrenceStatistics, n_jobs: int | None = None
) -> AnchorTopics:
    """Bring topics up to date by one Newton step a word; the anchor words stay.

    B and G are those of the statistics after the deletion; then
    C_i <- P(C_i - G^-1 (G C_i - b_i)), P the Euclidean projection on the simplex, for every word.
    The objective is quadratic, so the step ends at its unconstrained optimum from any start, up to
    rounding: the result is a function of the statistics and the anchors.

    Parameters
    ----------
    previous : AnchorTopics
        The topics before the deletion.
    statistics : CooccurrenceStatistics
        The statistics after it.
    n_jobs : int or None
        Threads; no bit of the result depends on it.

    Returns
    -------
    AnchorTopics
        With the settings and anchors of the previous topics; `pivots`, `candidates` and `factor`
        are empty.

    Raises
    ------
    AnchorVanishedError
        An anchor word has no mass left, or the anchor rows have become dependent. Nothing has
        been changed; mode="exact" chooses other anchors.
    """
    num_threads = check.check_n_jobs(n_jobs)
    anchors = previous.anchors
    kept = NormalisedRows.of(statistics, previous.settings.min_df, num_threads)
    _refuse_vanished(anchors, kept.mass)
    anchor_rows = np.zeros((len(kept.rows.columns), padded(len(anchors))))
    for topic, word in enumerate(anchors):
        anchor_rows[:, topic] = dense_row(kept.rows, kept.keep, kept.mass, int(word))
    gram = np.zeros((statistics.n_words, len(anchors)))
    form_rows(kept.rows, kept.mass, kept.words, anchor_rows, gram, num_threads)
    return AnchorTopics(
        settings=previous.settings,
        mass=kept.mass,
        word_topic=_step(previous, gram, kept.words, num_threads),
        keep=kept.keep,
        norms=kept.norms,
        anchors=anchors,
        gram=gram,
        converged=np.ones(statistics.n_words, np.uint8),
        candidates=np.zeros(0, np.int32),
        pivots=np.zeros(0),
        factor=np.zeros((0, len(anchors))),
        newton=True,
        anchor_rows=anchor_rows,
    )


def anchors_unchanged(
    topics: AnchorTopics, statistics: CooccurrenceStatistics, n_jobs: int | None = None
) -> bool:
    """Whether training on these statistics would choose the same anchor words, in any order.

    The claim of a Newton release is about a model with the same anchors. Where this is True, that
    is the retrained model; it costs the search for anchors, most of an exact update.
    """
    num_threads = check.check_n_jobs(n_jobs)
    rows = NormalisedRows.of(statistics, topics.settings.min_df, num_threads)
    search = searched(statistics, topics.settings, rows, num_threads)
    return bool(np.array_equal(np.sort(search.anchors), np.sort(topics.anchors)))


def _refuse_vanished(anchors: NDArray[np.int32], mass: NDArray[np.int64]) -> None:
    gone = anchors[mass[anchors] == 0]
    if len(gone):
        raise AnchorVanishedError(
            f"no document is left with anchor word {int(gone[0])} (column), so the Newton update, "
            "which keeps the anchors, does not exist; use mode='exact'"
        )


def _step(
    previous: AnchorTopics,
    gram: NDArray[np.float64],
    words: NDArray[np.int32],
    num_threads: int,
) -> NDArray[np.float64]:
    """C after the step, (n, r); 0 for words without mass."""
    G = anchor_gram(gram, previous.anchors)
    r = len(G)
    factor = np.empty((r, r))
    dependent = newton.factorise(G, factor)
    if dependent >= 0:
        raise AnchorVanishedError(
            f"the row of anchor word {int(previous.anchors[dependent])} (column) has become a "
            "combination of other anchor rows, so the Newton update, which keeps the anchors, does "
            "not exist; use mode='exact'"
        )
    word_topic = np.zeros_like(previous.word_topic)
    word_topic[words] = previous.word_topic[words]
    newton.newton_rows(
        G, factor, gram, words, np.empty((num_threads, 2 * r)), word_topic, num_threads
    )
    return word_topic
