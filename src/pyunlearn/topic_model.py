"""`TopicModel`: topics by a factorisation of the statistics; the default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pyunlearn._estimator import BaseTopicModel
from pyunlearn._learners.factor import FactorSettings, FactorTopics

__all__ = ["TopicModel"]


class TopicModel(BaseTopicModel):
    """Topic model that documents can be deleted from, exactly.

    Topics are found by non-negative factorisation of integer co-occurrence statistics of the
    documents (docs/algorithms.md) and are a deterministic function of them: after `forget`,
    statistics and topics equal, byte for byte, those of a model that never saw the deleted
    documents (see `digest`).

    Parameters
    ----------
    n_topics : int, default=20
        Number of topics r.
    core_min_df : int, float or None, default=None
        Words in at least this many documents (int), or in this share of them (float), decide the
        topics; rarer words follow. None: 0.6 sqrt(m) of m documents, from 10,000 documents on
        0.6 %.
    min_df : int, default=1
        Words in fewer documents are left out of the model. They stay in the statistics, so a word
        can come back.
    background : float, default=0.375
        Share of the co-occurrence of independent words that is taken off before topics are fitted,
        0 to 2. More makes topics of rarer words, with less overlap.
    n_updates : int, default=16
        Updates of the factorisation.
    scale_bits : int or None, default=None
        See `CooccurrenceStatistics`. None: 40 for weighting="document", 20 for "token"; a document
        may have 1,048,576 tokens with either. In `fit_statistics`, that of the statistics.
    weighting : {"document", "token"} or None, default=None
        See `CooccurrenceStatistics`. None: "token"; in `fit_statistics`, that of the statistics.
    contexts : "all", "core", int, float or None, default=None
        Words that have a column in the statistics; see `CooccurrenceStatistics`. None: those that
        decide the topics (`core_min_df`); `fit` keeps columns for them and for words somewhat
        rarer, `partial_fit` from the beginning keeps those of all words.
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
    topics_ : FactorTopics
        All that was learned, as arrays.
    components_ : ndarray of float64, shape (n_topics_, n_words)
        p(word | topic).
    word_topic_ : ndarray of float64, shape (n_words, n_topics_)
        p(topic | word) of the part of a word's mass that topics explain; the rest is background.
    topic_proportions_ : ndarray of float64, shape (n_topics_,)
        p(topic).
    topic_correlation_ : ndarray of float64, shape (n_topics_, n_topics_)
        R, computed when asked for.
    representatives_ : ndarray of int32, shape (n_topics_,)
        For each topic the column of a word that is frequent in it and found in few others.
    n_topics_ : int
        Topics found: n_topics, or fewer after a deletion that leaves too little.
    n_features_in_ : int
        Size of the vocabulary.
    feature_names_in_ : ndarray of object, shape (n_words,)
        Words by column, where a data frame or `vocabulary` gave them.

    Examples
    --------
    >>> import numpy as np
    >>> from pyunlearn import TopicModel
    >>> X = np.random.default_rng(0).poisson(1.0, size=(40, 8))
    >>> model = TopicModel(n_topics=3).fit(X)
    >>> certificate = model.forget(X[:5])
    >>> model.digest() == TopicModel(n_topics=3).fit(X[5:]).digest()
    True
    """

    _settings_type: ClassVar[type[FactorSettings]] = FactorSettings
    topics_: FactorTopics

    def __init__(
        self,
        n_topics: int = 20,
        *,
        core_min_df: int | float | None = None,
        min_df: int = 1,
        background: float = 0.375,
        n_updates: int = 16,
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
        self.core_min_df = core_min_df
        self.min_df = min_df
        self.background = background
        self.n_updates = n_updates
        self.scale_bits = scale_bits
        self.weighting = weighting
        self.contexts = contexts
        self.vocabulary = vocabulary
        self.transform_method = transform_method
        self.transform_tol = transform_tol
        self.transform_max_iter = transform_max_iter
        self.n_jobs = n_jobs

    @property
    def representatives_(self) -> NDArray[np.int32]:
        """For each topic a word that is frequent in it and found in few others, (n_topics_,)."""
        return self._learned().representatives
