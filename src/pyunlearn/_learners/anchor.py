"""The learner of `AnchorTopicModel`, the algorithm of the papers.

    kept words -> anchors (pivoted Cholesky) -> recovery (constrained least squares)

Nothing here sees a document, so any way to reach the same statistics gives the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._cooccurrence.contexts import share_as_number
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._core import exponentiated, simplex
from pyunlearn._documents import COUNT_LIMIT, MASS_LIMIT
from pyunlearn._learners import from_outside as outside
from pyunlearn._learners.anchor_search import (
    AnchorSearch,
    NormalisedRows,
    anchor_gram,
    column_of,
    dense_row,
)
from pyunlearn._learners.kept_words import words_in_documents
from pyunlearn._learners.topics import F64, Settings, Topics

__all__ = ["AnchorSettings", "AnchorTopics", "learn", "recover", "searched"]

SOLVERS = ("active-set", "eg")
# Active set: a multiplier above -KKT_TOLERANCE * max G_kk counts as non-negative.
KKT_TOLERANCE = 1e-12
# "eg" reads rows of G by so many columns.
EG_PANEL = 32


@dataclass(frozen=True, eq=False)
class AnchorSettings(Settings):
    """Settings of the anchor learner.

    Parameters
    ----------
    n_topics : int
        Topics r to look for.
    anchor_min_df : int or float
        A word can be an anchor when this many documents hold it (int), or this share (float).
    min_df : int
        Words in fewer documents are left out of the model.
    solver : {"active-set", "eg"}
        Recovery by exact active set, or exponentiated gradient to a duality gap.
    anchor_cleanup : bool
        Arora's second loop, replace each anchor by the word farthest from the span of the others.
    tol : float
        Duality gap at which "eg" stops.
    max_iter : int
        Steps after which "eg" gives up on a word.
    """

    learner: ClassVar[str] = "anchor"
    weighting: ClassVar[str] = "document"

    n_topics: int = 20
    min_df: int = 1
    anchor_min_df: int | float = 0.01
    solver: str = "active-set"
    anchor_cleanup: bool = False
    tol: float = 1e-6
    max_iter: int = 2000

    @classmethod
    def checked(cls, **settings: Any) -> Self:
        """Settings after validation; raises InvalidParameterError."""
        return cls(
            n_topics=check.check_integer("n_topics", settings["n_topics"], 1, COUNT_LIMIT),
            min_df=check.check_integer("min_df", settings["min_df"], 1, MASS_LIMIT),
            anchor_min_df=check.check_min_df("anchor_min_df", settings["anchor_min_df"]),
            solver=check.check_choice("solver", settings["solver"], SOLVERS),
            anchor_cleanup=check.check_bool("anchor_cleanup", settings["anchor_cleanup"]),
            tol=check.check_positive("tol", settings["tol"]),
            max_iter=check.check_integer("max_iter", settings["max_iter"], 1, 2**31 - 2),
        )

    def deciding(self) -> dict[str, Any]:
        """The values that topics depend on: the active set has no tolerance and no last step."""
        values = self.as_dict()
        if self.solver == "active-set":
            del values["tol"], values["max_iter"]
        return values

    def word_threshold(self, n_documents: int) -> int:
        """Documents that must hold an anchor word, at least 1."""
        return share_as_number(self.anchor_min_df, n_documents)


@dataclass(frozen=True, eq=False)
class AnchorTopics(Topics):
    """Topics of anchor words, and what an update of them starts from."""

    _derived: ClassVar[tuple[str, ...]] = ("hashes", "anchor_rows")

    settings: AnchorSettings
    keep: NDArray[np.uint8]  # (n,), 1 for contexts with f_i >= min_df
    norms: F64  # (n,), |Qbar_i|^2
    anchors: NDArray[np.int32]  # (r',), in the order of selection
    gram: F64  # (n, r'), B_ij = <Qbar_i, Qbar_{s_j}>
    converged: NDArray[np.uint8]  # (n,), 0 where the solver stopped short
    # Of the search for anchors, which a Newton step does not make:
    candidates: NDArray[np.int32]  # (q,), words that may be anchors, ascending
    pivots: F64  # (r',), squared distance of each anchor from the span before it
    factor: F64  # (q, r'), L of the pivoted Cholesky factorisation
    newton: bool = False  # whether the topics come from a Newton step
    # (c, padded r'), Qbar of the anchors by column; derived from the statistics, kept for speed.
    anchor_rows: F64 | None = field(default=None, kw_only=True)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays that a saved model needs, by name."""
        return {name: np.asarray(getattr(self, name)) for name in ARRAYS}

    @classmethod
    def from_arrays(cls, settings: AnchorSettings, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` gave; CorruptStateError for arrays that cannot be topics."""
        outside.check_names(arrays, ARRAYS)
        newton = arrays["newton"].ravel()  # a number may have got a dimension in a file
        outside.check_array("newton", newton, np.bool_, (1,))
        named: dict[str, Any] = {**arrays, "newton": bool(newton[0])}
        topics = cls(settings, **named)
        topics._check()
        return topics

    def _check(self) -> None:
        n, r, live = self.mass.size, self.anchors.size, self.mass > 0
        outside.check_flags("keep", self.keep, (n,))
        outside.check_flags("converged", self.converged, (n,))
        outside.check_amounts("norms", self.norms, (n,))
        self._check_common(r, live & (r > 0))
        outside.check_words("anchors", self.anchors, r, n)
        outside.require(live[self.anchors].all(), "anchors", "an anchor word has no mass")
        outside.check_amounts("gram", self.gram, (n, r))
        # Cauchy and Schwarz.
        most = np.sqrt(np.outer(self.norms, self.norms[self.anchors])) * (1 + outside.TOLERANCE)
        outside.require((self.gram <= most).all(), "gram", "more than its norms allow")
        G, size = self.gram[self.anchors], float(self.norms.max(initial=0.0))
        outside.check_near("gram", G, G.T, size)
        outside.check_near("gram", np.diagonal(G), self.norms[self.anchors], size)
        self._check_search()

    def _check_search(self) -> None:
        n, r, q = self.mass.size, 0 if self.newton else self.anchors.size, self.candidates.size
        outside.check_words("candidates", self.candidates, 0 if self.newton else q, n)
        outside.check_amounts("pivots", self.pivots, (r,))
        outside.check_array("factor", self.factor, np.float64, (q, self.anchors.size))
        outside.check_amounts("factor", np.abs(self.factor), self.factor.shape)
        if self.newton:
            return
        outside.require((np.diff(self.candidates) > 0).all(), "candidates", "not in order")
        outside.require(np.isin(self.anchors, self.candidates).all(), "anchors", "no candidates")
        own = self.factor[np.searchsorted(self.candidates, self.anchors)]
        size = float(self.norms.max(initial=0.0))
        outside.check_near("factor", self.factor @ own.T, self.gram[self.candidates], size)
        outside.check_near("pivots", np.diagonal(own) ** 2, self.pivots, size)

    def refuse_other(self, statistics: CooccurrenceStatistics, num_threads: int) -> None:
        """Raise CorruptStateError where the topics are surely not of these statistics."""
        rows = NormalisedRows.of(statistics, self.settings.min_df, num_threads)
        for name in ("keep", "mass", "norms"):
            outside.check_same(name, getattr(self, name), getattr(rows, name))
        if not self.newton:
            candidates = anchor_candidates(statistics, self.settings, rows.mass)
            outside.check_same("candidates", self.candidates, candidates)
        # B of all words, summed over the anchors with weights that no file knows ahead.
        weights = np.random.default_rng().random(self.n_topics)
        summed = np.zeros(len(rows.rows.columns))
        for weight, anchor in zip(weights, self.anchors.tolist(), strict=True):
            summed += weight * dense_row(rows.rows, rows.keep, rows.mass, anchor)
        expected = column_of(rows.rows, rows.mass, rows.words, summed, num_threads)
        found = (self.gram @ weights)[rows.words]
        outside.check_near("gram", found, expected, float(self.norms.max(initial=0.0)))

    def digested(self) -> dict[str, NDArray[Any]]:
        """The arrays that a digest covers besides `word_topic`."""
        return {"anchors": self.anchors}

    @property
    def representatives(self) -> NDArray[np.int32]:
        """The anchor words, (r',)."""
        return self.anchors

    def too_few(self, statistics: CooccurrenceStatistics) -> str:
        """Why there are fewer topics than asked for, and what to do."""
        settings, m = self.settings, statistics.n_documents
        return (
            f"n_topics={settings.n_topics}, but {len(self.candidates)} words can be anchors (in >= "
            f"{settings.word_threshold(m)} documents, by anchor_min_df={settings.anchor_min_df}) "
            f"and {self.n_topics} of them are linearly independent; n_samples = {m}, "
            f"n_features = {statistics.n_words}. "
            f"{self._way_out(statistics, self.n_topics, 'anchor_min_df')}"
        )

    @property
    def n_unconverged(self) -> int:
        """Words for which the solver stopped short of its tolerance."""
        return int(np.sum(self.converged == 0))

    @property
    def anchor_gram(self) -> F64:
        """G = B at the anchors, symmetric to the last bit, (r', r')."""
        return anchor_gram(self.gram, self.anchors)


ARRAYS = (
    "mass",
    "word_topic",
    "keep",
    "norms",
    "anchors",
    "gram",
    "converged",
    "candidates",
    "pivots",
    "factor",
    "newton",
)


def learn(
    statistics: CooccurrenceStatistics, settings: AnchorSettings, num_threads: int
) -> AnchorTopics:
    """Topics of statistics; no bit depends on the number of threads."""
    rows = NormalisedRows.of(statistics, settings.min_df, num_threads)
    search = searched(statistics, settings, rows, num_threads)
    gram = search.gram_of_all_words(rows.words)
    anchors = np.array(search.anchors, np.int32)
    word_topic = np.zeros((statistics.n_words, len(anchors)))
    converged = np.ones(statistics.n_words, np.uint8)
    G = anchor_gram(gram, anchors)
    recover(settings, G, gram, rows.words, False, word_topic, converged, num_threads)
    return AnchorTopics(
        settings,
        rows.mass,
        word_topic,
        rows.keep,
        rows.norms,
        anchors,
        gram,
        converged,
        search.candidates,
        np.array(search.pivots),
        search.found_columns(search.factor),
        anchor_rows=search.found_anchor_rows(),
    )


def searched(
    statistics: CooccurrenceStatistics,
    settings: AnchorSettings,
    rows: NormalisedRows,
    num_threads: int,
) -> AnchorSearch:
    """The search for anchors, done."""
    candidates = anchor_candidates(statistics, settings, rows.mass)
    search = AnchorSearch(rows, settings.n_topics, candidates, num_threads)
    search.select()
    if settings.anchor_cleanup:
        search.clean_up()
    return search


def anchor_candidates(
    statistics: CooccurrenceStatistics, settings: AnchorSettings, mass: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Words that may become anchors, ascending."""
    threshold = settings.word_threshold(statistics.n_documents)
    return words_in_documents(statistics, threshold, mass)


def recover(
    settings: AnchorSettings,
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
        width = -(-r // EG_PANEL) * EG_PANEL
        exponentiated.exponentiated_gradient(
            np.pad(G, ((0, 0), (0, width - r))),
            gram,
            rows,
            settings.tol,
            settings.max_iter,
            np.empty((num_threads, 7 * width)),
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
