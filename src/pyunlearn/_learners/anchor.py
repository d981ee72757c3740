"""`learn`: topics as a deterministic function of the statistics.

    "anchor":  kept words -> anchors (pivoted Cholesky) -> recovery (constrained least squares)
    "refined": kept words -> factorisation of their co-occurrence (`refined`)

Nothing here sees a document, so any way to reach the same statistics gives the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import anchors as anchor_kernels
from pyunlearn._core import exponentiated, simplex
from pyunlearn._digest import PartHashes
from pyunlearn._learners.anchor_search import AnchorSearch, anchor_gram
from pyunlearn._learners.factor import Factorisation, refine
from pyunlearn._linalg import column_sums, ordered_sum
from pyunlearn.errors import InvalidParameterError

__all__ = ["LearnerSettings", "TopicParameters", "learn", "weighting_for"]

LEARNERS = ("anchor", "refined")
WEIGHTINGS = {"anchor": "document", "refined": "token"}
ANCHOR_MIN_DF = 0.01  # for "anchor"
SOLVERS = ("active-set", "eg")
# Active set: a multiplier above -KKT_TOLERANCE * max G_kk counts as non-negative.
KKT_TOLERANCE = 1e-12
# Rows of p(topic | word) that are hashed together: few words change in a small deletion.
HASH_BLOCK = 16


@dataclass(frozen=True)
class LearnerSettings:
    """What `learn` may be told; part of every model digest.

    Parameters
    ----------
    n_topics : int
        Topics r to look for.
    anchor_min_df : int, float or None
        A word can be an anchor when this many documents hold it (int), or this share (float). With
        "refined" those words decide the topics; None are 0.6 sqrt(m) of m documents, from 10,000
        documents on 0.6 %.
    min_df : int
        Words in fewer documents are left out of the model.
    solver : {"active-set", "eg"}
        "anchor": recovery by exact active set, or exponentiated gradient to a duality gap.
    anchor_cleanup : bool
        "anchor": Arora's second loop, replace each anchor by the word farthest from the span of the
        others.
    tol : float
        Duality gap at which "eg" stops.
    max_iter : int
        Steps after which "eg" gives up on a word.
    learner : {"anchor", "refined"}
        Anchor words and recovery, or the factorisation of `pyunlearn._learners.factor`.
    background : float
        "refined": share of what independent words would show that is taken off, 0 to 2.
    n_updates : int
        "refined": updates of the factorisation.
    """

    n_topics: int = 20
    anchor_min_df: int | float | None = None
    min_df: int = 1
    solver: str = "active-set"
    anchor_cleanup: bool = False
    tol: float = 1e-6
    max_iter: int = 2000
    learner: str = "refined"
    background: float = 0.375
    n_updates: int = 16

    def __post_init__(self) -> None:
        if self.anchor_min_df is None and self.learner == "anchor":
            object.__setattr__(self, "anchor_min_df", ANCHOR_MIN_DF)

    @classmethod
    def checked(cls, **settings: Any) -> LearnerSettings:
        """Settings after validation; raises InvalidParameterError."""
        if not isinstance(settings["anchor_cleanup"], bool | np.bool_):
            raise InvalidParameterError(
                f"anchor_cleanup must be a bool, got {settings['anchor_cleanup']!r}"
            )
        learner = check.check_choice("learner", settings["learner"], LEARNERS)
        solver = check.check_choice("solver", settings["solver"], SOLVERS)
        if learner == "refined" and (solver != "active-set" or settings["anchor_cleanup"]):
            asked = "anchor_cleanup=True" if settings["anchor_cleanup"] else f"solver={solver!r}"
            raise InvalidParameterError(
                f"{asked} is of learner='anchor': learner='refined' has no anchor words to recover "
                "from. Choose learner='anchor' or leave it out"
            )
        anchor_min_df = settings["anchor_min_df"]
        if anchor_min_df is not None:
            anchor_min_df = check.check_min_df("anchor_min_df", anchor_min_df)
        return cls(
            n_topics=check.check_integer("n_topics", settings["n_topics"], 1),
            anchor_min_df=anchor_min_df,
            min_df=check.check_integer("min_df", settings["min_df"], 1),
            solver=solver,
            anchor_cleanup=bool(settings["anchor_cleanup"]),
            tol=check.check_positive("tol", settings["tol"]),
            max_iter=check.check_integer("max_iter", settings["max_iter"], 1, 2**31 - 2),
            learner=learner,
            background=check.check_between("background", settings["background"], 0.0, 2.0),
            n_updates=check.check_integer("n_updates", settings["n_updates"], 1, 10_000),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for headers and digests."""
        return dict(vars(self))


@dataclass(frozen=True, eq=False)
class TopicParameters:
    """What was learned; r' <= n_topics topics over n words. Arrays are not to be written to."""

    settings: LearnerSettings
    keep: NDArray[np.uint8]  # (n,), 1 where f_i >= min_df
    mass: NDArray[np.int64]  # (n,), row sums of K over the kept columns, 0 where not kept
    norms: NDArray[np.float64]  # (n,), |Qbar_i|^2
    anchors: NDArray[np.int32]  # (r',), in the order of selection
    pivots: NDArray[np.float64]  # (r',), squared distance of each anchor from the span before it
    gram: NDArray[np.float64]  # (n, r'), B_ij = <Qbar_i, Qbar_{s_j}>
    candidates: NDArray[np.int32]  # (q,), words that may be anchors, ascending
    factor: NDArray[np.float64]  # (q, r'), L of the pivoted Cholesky factorisation
    word_topic: NDArray[np.float64]  # (n, r'), C_i = p(topic | word i); 0 for words without mass
    converged: NDArray[np.uint8]  # (n,), 0 where the solver stopped short
    # (n, padded r'), Qbar of the anchors by column; derived from the statistics, kept for speed.
    anchor_rows: NDArray[np.float64] | None = None
    # SHA-256 by blocks of word_topic, filled by `word_topic_hashes`.
    hashes: PartHashes | None = None
    # (n,), mass that topics explain; empty where that is all of it ("anchor").
    topical: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def n_topics(self) -> int:
        """Topics found, r'."""
        return len(self.anchors)

    def word_topic_hashes(self, num_threads: int) -> bytes:
        """SHA-256 of each block of HASH_BLOCK rows of C, one after the other."""
        hashes = self.hashes or PartHashes(-(-len(self.word_topic) // HASH_BLOCK))
        object.__setattr__(self, "hashes", hashes)
        little = self.word_topic.astype("<f8", copy=False)
        return hashes.combined(
            lambda block: (little[block * HASH_BLOCK : (block + 1) * HASH_BLOCK].data,), num_threads
        )

    def word_frequencies(self) -> NDArray[np.float64]:
        """p(word) by word mass, (n,); 0 for words that are left out."""
        mass = self.mass.astype(np.float64)
        total = self.total_mass
        return mass / total if total > 0 else mass

    @property
    def total_mass(self) -> float:
        """Sum of the masses, exact but for the last rounding: it may not fit int64."""
        return float(sum(self.mass.tolist()))

    def joint(self) -> NDArray[np.float64]:
        """p(word, topic), (n, r')."""
        if not len(self.topical):
            return self.word_frequencies()[:, None] * self.word_topic
        total = ordered_sum(self.topical)
        return (self.topical / (total if total > 0 else 1.0))[:, None] * self.word_topic

    def word_distributions(self) -> NDArray[np.float64]:
        """p(word | topic), (r', n)."""
        joint = self.joint()
        share = column_sums(joint)
        return (joint / np.where(share > 0, share, 1.0)).T

    @property
    def words(self) -> NDArray[np.int32]:
        """The words that have a row in the model."""
        return np.flatnonzero(self.mass).astype(np.int32)

    @property
    def anchor_gram(self) -> NDArray[np.float64]:
        """G = B at the anchors, symmetric to the last bit, (r', r')."""
        return anchor_gram(self.gram, self.anchors)


def weighting_for(learner: str, weighting: str | None) -> str:
    """The weighting of statistics that was asked for, or else what the learner does best with."""
    if weighting is not None:
        return weighting
    return WEIGHTINGS[check.check_choice("learner", learner, LEARNERS)]


def learn(
    statistics: CooccurrenceStatistics,
    settings: LearnerSettings,
    n_jobs: int | None = None,
) -> TopicParameters:
    """Learn topics from statistics.

    Parameters
    ----------
    statistics : CooccurrenceStatistics
        All that is known of the corpus.
    settings : LearnerSettings
        What to learn.
    n_jobs : int or None
        Threads; no bit of the result depends on it.

    Returns
    -------
    TopicParameters
        With fewer topics than asked for when fewer linearly independent anchor words exist; the
        caller decides whether that is an error.
    """
    num_threads = check.check_n_jobs(n_jobs)
    keep, mass = kept_words(statistics, settings.min_df, num_threads)
    if settings.learner == "refined":
        return _learn_refined(statistics, settings, keep, mass, num_threads)
    norms = np.zeros(statistics.n_words)
    words = np.flatnonzero(mass).astype(np.int32)
    row_norms(statistics, keep, mass, words, norms, num_threads)
    candidates = anchor_candidates(statistics, settings, mass)
    search = AnchorSearch(statistics, settings.n_topics, keep, mass, norms, candidates, num_threads)
    search.select()
    if settings.anchor_cleanup:
        search.clean_up()
    gram = search.gram_of_all_words(words)
    anchors = np.array(search.anchors, np.int32)
    word_topic = np.zeros((statistics.n_words, len(anchors)))
    converged = np.ones(statistics.n_words, np.uint8)
    G = anchor_gram(gram, anchors)
    recover(settings, G, gram, words, False, word_topic, converged, num_threads)
    return TopicParameters(
        settings,
        keep,
        mass,
        norms,
        anchors,
        np.array(search.pivots),
        gram,
        candidates,
        search.found_columns(search.factor),
        word_topic,
        converged,
        search.found_anchor_rows(),
    )


def _learn_refined(
    statistics: CooccurrenceStatistics,
    settings: LearnerSettings,
    keep: NDArray[np.uint8],
    mass: NDArray[np.int64],
    num_threads: int,
) -> TopicParameters:
    """`learn` with learner "refined": no matrix of the anchor search is formed."""
    core = anchor_candidates(statistics, settings, mass)
    options = Factorisation(settings.n_topics, settings.background, settings.n_updates)
    found = refine(statistics.rows, mass, core, options, num_threads)
    return TopicParameters(
        settings=settings,
        keep=keep,
        mass=mass,
        norms=np.zeros(statistics.n_words),
        anchors=found.representatives,
        pivots=found.shares,
        gram=np.zeros((statistics.n_words, 0)),
        candidates=core,
        factor=np.zeros((len(core), 0)),
        word_topic=found.word_topic,
        converged=np.ones(statistics.n_words, np.uint8),
        topical=found.topical,
    )


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
        return
    rows = statistics.rows
    anchor_kernels.kept_mass(
        rows.start,
        rows.length,
        rows.indices,
        rows.values,
        keep,
        words,
        mass_out,
        num_threads,
    )


def row_norms(
    statistics: CooccurrenceStatistics,
    keep: NDArray[np.uint8],
    mass: NDArray[np.int64],
    words: NDArray[np.int32],
    norms_out: NDArray[np.float64],
    num_threads: int,
) -> None:
    """|Qbar_i|^2 for the given words."""
    rows = statistics.rows
    anchor_kernels.squared_norms(
        rows.start,
        rows.length,
        rows.indices,
        rows.values,
        keep,
        all_kept(statistics, keep),
        mass,
        words,
        norms_out,
        num_threads,
    )


def all_kept(statistics: CooccurrenceStatistics, keep: NDArray[np.uint8]) -> bool:
    """Whether every word that occurs is kept, so that no column needs to be masked."""
    return bool(np.array_equal(keep > 0, statistics.document_frequency > 0))


def anchor_candidates(
    statistics: CooccurrenceStatistics, settings: LearnerSettings, mass: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Words that may become anchors: f_i >= anchor_min_df, and a row in the model."""
    threshold = anchor_threshold(settings, statistics.n_documents)
    able = (statistics.document_frequency >= threshold) & (mass > 0)
    return np.flatnonzero(able).astype(np.int32)


def anchor_threshold(settings: LearnerSettings, n_documents: int) -> int:
    """Documents that must hold a word for it to be an anchor, or to decide topics; at least 1."""
    threshold = settings.anchor_min_df
    if threshold is None:
        # The noise of a word's row depends on the number of its documents, not on their share; in
        # large corpora the share keeps the number of words, hence the time, from growing.
        threshold = math.ceil(0.6 * max(math.sqrt(n_documents), n_documents / 100))
    elif isinstance(threshold, float):
        # 0.07 of 100 documents are 7, though 0.07 * 100 is more.
        threshold = math.ceil(round(threshold * n_documents, 6))
    return max(threshold, 1)


def recover(
    settings: LearnerSettings,
    G: NDArray[np.float64],
    gram: NDArray[np.float64],
    rows: NDArray[np.int32],
    warm: bool,
    word_topic_out: NDArray[np.float64],
    converged_out: NDArray[np.uint8],
    num_threads: int,
) -> None:
    """C_i = argmin over the simplex of 1/2 c^T G c - b_i^T c, for the given rows."""
    r = len(G)
    if r == 0 or len(rows) == 0:
        return
    steps = np.empty(len(gram), np.int32)
    if settings.solver == "eg":
        exponentiated.exponentiated_gradient(
            G,
            gram,
            rows,
            settings.tol,
            settings.max_iter,
            np.empty((num_threads, 3 * r)),
            word_topic_out,
            np.empty(len(gram)),
            steps,
            num_threads,
        )
        converged_out[rows] = steps[rows] >= 0
        return
    tolerance = KKT_TOLERANCE * float(np.max(np.diagonal(G)))
    weight_margin, gradient_margin = warm_margins(G, tolerance) if warm else (1.0, 1.0)
    simplex.active_set(
        G,
        gram,
        rows,
        tolerance,
        warm,
        weight_margin,
        gradient_margin,
        np.empty((num_threads, r * r + 6 * r)),
        np.empty((num_threads, r + 1), np.int32),
        np.empty((num_threads, r), np.uint8),
        word_topic_out,
        steps,
        num_threads,
    )
    converged_out[rows] = steps[rows] >= 0


def warm_margins(G: NDArray[np.float64], tolerance: float) -> tuple[float, float]:
    """How clear an optimum must be for a warm start to be trusted (docs/algorithms.md).

    A cold solve ends at a point that is optimal up to `tolerance` in each multiplier. That point is
    the exact solution for a b changed by at most `tolerance` an entry, and the solution moves by at
    most |G^-1| times the change, its multipliers by at most |G| times that. Margins of 8 times
    these bounds leave room for rounding. They decide only the path, never a bit of the result, so
    LAPACK may be used here.
    """
    eigenvalues = np.linalg.eigvalsh(G)
    smallest = max(float(eigenvalues[0]), np.finfo(float).tiny)
    largest = float(eigenvalues[-1])
    moved = 8.0 * tolerance * np.sqrt(len(G)) / smallest
    return max(1e-9, moved), max(1e-9 * largest, largest * moved + 8.0 * tolerance)
