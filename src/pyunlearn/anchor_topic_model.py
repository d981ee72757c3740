"""`AnchorTopicModel`: anchor words and recovery, the algorithm of the papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._estimator import BaseTopicModel, Learned
from pyunlearn._learners.anchor import AnchorSettings, AnchorTopics
from pyunlearn._learners.anchor_newton import newton_update

__all__ = ["AnchorTopicModel"]

NEWTON_CLAIM = {
    "mode": "newton",
    "epsilon": None,
    "delta": None,
    "algorithm": "projected Newton step on updated statistics, anchors kept (U_base)",
    "comparator": "none by itself: claims are made by a release of the topics, with noise",
    "covers": "nothing by itself; the statistics equal those of the remaining documents",
}


class ReleaseBudget(Protocol):
    """What `pyunlearn.privacy.release` leaves with a model: Newton deletions count against it."""

    @property
    def used(self) -> int:
        """Documents deleted so far."""

    @property
    def left(self) -> int:
        """Documents that may still be deleted."""

    def after_newton(
        self, n_documents: int, statistics: CooccurrenceStatistics, topics: AnchorTopics
    ) -> ReleaseBudget:
        """The budget after a deletion; CapacityExceededError or FloorsError if it does not do."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a header."""


class AnchorTopicModel(BaseTopicModel):
    """Anchor-word topic model that documents can be deleted from, exactly.

    Topics are learned from integer co-occurrence statistics of the documents (Arora et al. 2012,
    2013) and are a deterministic function of them: after `forget`, statistics and topics equal,
    byte for byte, those of a model that never saw the deleted documents (see `digest`). The
    deletion by Newton steps and the releases of Wei et al. (ICLR 2025) need this model; topics for
    people are better with `TopicModel`.

    Parameters
    ----------
    n_topics : int, default=20
        Number of topics r.
    anchor_min_df : int or float, default=0.01
        Words in at least this many documents (int), or in this share of them (float), can become
        anchors. Rare words are noisy.
    min_df : int, default=1
        Words in fewer documents are left out of the model. They stay in the statistics, so a word
        can come back.
    solver : {"active-set", "eg"}, default="active-set"
        How p(topic | word) is recovered, exactly or by exponentiated gradient (paper,
        algorithm 5).
    anchor_cleanup : bool, default=False
        Arora's second loop, replace each anchor by the candidate farthest from the span of the
        others.
    tol : float, default=1e-6
        Duality gap at which "eg" stops.
    max_iter : int, default=2000
        Steps after which "eg" gives up on a word, with a ConvergenceWarning.
    scale_bits : int or None, default=None
        See `CooccurrenceStatistics`. None: 40 for weighting="document", 20 for "token"; a document
        may have 1,048,576 tokens with either. In `fit_statistics`, that of the statistics.
    weighting : {"document", "token"} or None, default=None
        See `CooccurrenceStatistics`. None: "document"; in `fit_statistics`, that of the statistics.
    contexts : "all", "core", int, float or None, default=None
        Words that have a column in the statistics; see `CooccurrenceStatistics`. None: all.
    vocabulary : sequence of str, length n_words, optional
        Words by column, such as `vectorizer.get_feature_names_out()`, for counts without names.
    transform_method : {"em", "linear"}, default="em"
        What `transform` gives. "em": maximum likelihood by EM fold-in, rows sum to 1; a document
        without a known word gets the corpus proportions. "linear": A^T x, the paper's linear
        features of the counts, A = p(word | topic).
    transform_tol : float, default=1e-6
        EM stops when the l1 change of a document's proportions is at most this.
    transform_max_iter : int, default=500
        EM steps at most.
    n_jobs : int or None, default=None
        Threads; None uses all processors at hand. No bit of any result depends on it.

    Attributes
    ----------
    statistics_ : CooccurrenceStatistics
        The live statistics.
    topics_ : AnchorTopics
        All that was learned, as arrays.
    components_ : ndarray of float64, shape (n_topics_, n_words)
        p(word | topic).
    word_topic_ : ndarray of float64, shape (n_words, n_topics_)
        p(topic | word); zeros for words without mass.
    topic_proportions_ : ndarray of float64, shape (n_topics_,)
        p(topic).
    topic_correlation_ : ndarray of float64, shape (n_topics_, n_topics_)
        R, computed when asked for.
    anchors_ : ndarray of int32, shape (n_topics_,)
        Anchor words, as columns, in the order of selection.
    n_topics_ : int
        Topics found: n_topics, or fewer after a deletion that leaves too few anchor words.
    n_features_in_ : int
        Size of the vocabulary.
    feature_names_in_ : ndarray of object, shape (n_words,)
        Words by column, where a data frame or `vocabulary` gave them.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import AnchorTopicModel
    >>> X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    >>> model = AnchorTopicModel(n_topics=3).fit(X)
    >>> certificate = model.forget(X[:5])
    >>> model.digest() == AnchorTopicModel(n_topics=3).fit(X[5:]).digest()
    True
    """

    _settings_type: ClassVar[type[AnchorSettings]] = AnchorSettings
    _modes: ClassVar[tuple[str, ...]] = ("exact", "newton")
    _ended: ClassVar[tuple[str, ...]] = ("budget_",)
    topics_: AnchorTopics
    budget_: ReleaseBudget

    def __init__(
        self,
        n_topics: int = 20,
        *,
        anchor_min_df: int | float = 0.01,
        min_df: int = 1,
        solver: str = "active-set",
        anchor_cleanup: bool = False,
        tol: float = 1e-6,
        max_iter: int = 2000,
        scale_bits: int | None = None,
        weighting: str | None = None,
        contexts: str | int | float | None = None,
        vocabulary: Sequence[str] | None = None,
        transform_method: str = "em",
        transform_tol: float = 1e-6,
        transform_max_iter: int = 500,
        n_jobs: int | None = None,
    ) -> None:
        self.n_topics = n_topics
        self.anchor_min_df = anchor_min_df
        self.min_df = min_df
        self.solver = solver
        self.anchor_cleanup = anchor_cleanup
        self.tol = tol
        self.max_iter = max_iter
        self.scale_bits = scale_bits
        self.weighting = weighting
        self.contexts = contexts
        self.vocabulary = vocabulary
        self.transform_method = transform_method
        self.transform_tol = transform_tol
        self.transform_max_iter = transform_max_iter
        self.n_jobs = n_jobs

    @property
    def anchors_(self) -> NDArray[np.int32]:
        """Anchor words as columns, in the order of selection, (n_topics_,)."""
        return self._learned().representatives

    def _newton(self, removed: int) -> Learned:
        topics = newton_update(self.topics_, self.statistics_, self.n_jobs)
        budget: ReleaseBudget | None = getattr(self, "budget_", None)
        if budget is None:
            return Learned(topics, NEWTON_CLAIM)
        budget = budget.after_newton(removed, self.statistics_, topics)
        claim = {**NEWTON_CLAIM, "capacity_used": budget.used, "capacity_left": budget.left}
        return Learned(topics, claim, {"budget_": budget})

    def _saved(self) -> dict[str, Any]:
        return {"budget": self.budget_.as_dict()} if hasattr(self, "budget_") else {}
