"""`newton_update`: U_base, the paper's algorithm 1, in place of an exact update of the topics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import newton
from pyunlearn._learners.anchor import TopicParameters, anchor_candidates, kept_words, row_norms
from pyunlearn._learners.anchor_search import (
    AnchorSearch,
    anchor_gram,
    dense_row,
    form_rows,
    padded,
)
from pyunlearn.errors import AnchorVanishedError, InvalidParameterError

__all__ = ["anchors_unchanged", "is_newton", "newton_update"]


def is_newton(topics: TopicParameters) -> bool:
    """Whether topics come from a Newton step: they have no pivots, since no anchor was searched.

    The mark is in the arrays, so it survives saving. An exact update of such topics must learn from
    the statistics anew and take nothing from them.
    """
    return len(topics.pivots) < topics.n_topics


def newton_update(
    previous: TopicParameters, statistics: CooccurrenceStatistics, n_jobs: int | None = None
) -> TopicParameters:
    """Bring topics up to date by one Newton step a word; the anchor words stay.

    B and G are those of the statistics after the deletion; then
    C_i <- P(C_i - G^-1 (G C_i - b_i)), P the Euclidean projection on the simplex, for every word.
    The objective is quadratic, so the step ends at its unconstrained optimum from any start, up to
    rounding: the result is a function of the statistics and the anchors.

    Parameters
    ----------
    previous : TopicParameters
        The topics before the deletion.
    statistics : CooccurrenceStatistics
        The statistics after it.
    n_jobs : int or None
        Threads; no bit of the result depends on it.

    Returns
    -------
    TopicParameters
        With the settings and anchors of the previous topics; `pivots`, `candidates` and `factor`
        are empty (see `is_newton`).

    Raises
    ------
    AnchorVanishedError
        An anchor word has no mass left, or the anchor rows have become dependent. Nothing has
        been changed; mode="exact" chooses other anchors.
    InvalidParameterError
        The topics were not learned by `learner="anchor"`.
    """
    if previous.settings.learner != "anchor":
        raise InvalidParameterError(
            f"a Newton step needs learner='anchor', the model has {previous.settings.learner!r}; "
            "use mode='exact'"
        )
    num_threads = check.check_n_jobs(n_jobs)
    anchors = previous.anchors
    keep, mass = kept_words(statistics, previous.settings.min_df, num_threads)
    _refuse_vanished(anchors, mass)
    words = np.flatnonzero(mass).astype(np.int32)
    norms = np.zeros(statistics.n_words)
    row_norms(statistics, keep, mass, words, norms, num_threads)
    rows = statistics.rows
    anchor_rows = np.zeros((statistics.n_words, padded(len(anchors))))
    for topic, word in enumerate(anchors):
        anchor_rows[:, topic] = dense_row(rows, keep, mass, int(word))
    gram = np.zeros((statistics.n_words, len(anchors)))
    form_rows(rows, mass, words, anchor_rows, gram, num_threads)
    return TopicParameters(
        settings=previous.settings,
        keep=keep,
        mass=mass,
        norms=norms,
        anchors=anchors,
        pivots=np.zeros(0),
        gram=gram,
        candidates=np.zeros(0, np.int32),
        factor=np.zeros((0, len(anchors))),
        word_topic=_step(previous, gram, words, num_threads),
        converged=np.ones(statistics.n_words, np.uint8),
        anchor_rows=anchor_rows,
    )


def anchors_unchanged(
    topics: TopicParameters, statistics: CooccurrenceStatistics, n_jobs: int | None = None
) -> bool:
    """Whether training on these statistics would choose the same anchor words, in any order.

    The claim of a Newton release is about a model with the same anchors. Where this is True, that
    is the retrained model; it costs the search for anchors, most of an exact update.
    """
    num_threads = check.check_n_jobs(n_jobs)
    settings = topics.settings
    keep, mass = kept_words(statistics, settings.min_df, num_threads)
    norms = np.zeros(statistics.n_words)
    words = np.flatnonzero(mass).astype(np.int32)
    row_norms(statistics, keep, mass, words, norms, num_threads)
    candidates = anchor_candidates(statistics, settings, mass)
    search = AnchorSearch(statistics, settings.n_topics, keep, mass, norms, candidates, num_threads)
    search.select()
    if settings.anchor_cleanup:
        search.clean_up()
    return bool(np.array_equal(np.sort(search.anchors), np.sort(topics.anchors)))


def _refuse_vanished(anchors: NDArray[np.int32], mass: NDArray[np.int64]) -> None:
    gone = anchors[mass[anchors] == 0]
    if len(gone):
        raise AnchorVanishedError(
            f"no document is left with anchor word {int(gone[0])} (column), so the Newton update, "
            "which keeps the anchors, does not exist; use mode='exact'"
        )


def _step(
    previous: TopicParameters,
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
