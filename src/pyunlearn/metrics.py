"""Measures of topics: coherence, diversity, exclusivity, perplexity, agreement of two models.

Topics are a matrix of word scores, one row a topic, such as `model.components_`. Measures are for
reading and comparing; no digest depends on them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from pyunlearn import _params as check
from pyunlearn._alignment import Alignment, align_topics, check_scores
from pyunlearn._columns import validated_documents
from pyunlearn._cooccurrence.statistics import CooccurrenceStatistics
from pyunlearn._documents import check_documents
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._fold_in import completion
from pyunlearn.errors import InvalidInputError
from pyunlearn.topic_model import TopicModel

__all__ = [
    "Alignment",
    "TopicCount",
    "align_topics",
    "coherence",
    "compare_n_topics",
    "diversity",
    "exclusivity",
    "perplexity",
    "stop_word_candidates",
]

F64 = NDArray[np.float64]
MEASURES = ("npmi", "umass")


def coherence(
    topics: ArrayLike, reference: Any, *, measure: str = "npmi", n_words: int = 10
) -> F64:
    """How often the top words of each topic occur together in a reference.

    Parameters
    ----------
    topics : array-like, shape (r, n)
        Scores of words; the `n_words` largest positive ones of a row are its top words.
    reference : array-like or sparse matrix of counts, shape (m, n), or CooccurrenceStatistics
        Documents, of which only is read which words they hold; best such that were not trained on.
        Or statistics, whose pairs of tokens then take the place of documents ("npmi" only).
    measure : {"npmi", "umass"}
        "npmi": log(p_ij / (p_i p_j)) / -log(p_ij), from -1 (never together) to 1 (never apart);
        0 where both words are everywhere (Bouma 2009; Lau et al. 2014). "umass":
        log((D_ij + 1) / D_j), j the better ranked of the two (Mimno et al. 2011); pairs whose j is
        in no document are left out.
    n_words : int, default=10
        Top words.

    Returns
    -------
    ndarray of float64, shape (r,)
        Mean over the pairs of top words; nan for a topic with less than one pair.

    Raises
    ------
    InvalidInputError
        Shapes that do not fit, scores that are no numbers.
    InvalidParameterError
        An unknown measure, n_words < 2, or "umass" with statistics.
    """
    scores = check_scores(topics)
    check.check_choice("measure", measure, MEASURES)
    check.check_integer("n_words", n_words, 2)
    if isinstance(reference, CooccurrenceStatistics):
        check.check_choice("measure with statistics", measure, ("npmi",))
        pairs: _Pairs = _TokenPairs(reference, scores.shape[1])
    else:
        pairs = _DocumentPairs(reference, scores.shape[1])
    score = _npmi if measure == "npmi" else _umass
    return np.array([score(pairs, words) for words in _top_words(scores, n_words)], np.float64)


def diversity(topics: ArrayLike, n_words: int = 25) -> float:
    """Different words among the top words of all topics, as a share (Dieng et al. 2020)."""
    scores = check_scores(topics)
    check.check_integer("n_words", n_words, 1)
    words = np.concatenate([np.zeros(0, np.int64), *_top_words(scores, n_words)])
    return len(np.unique(words)) / len(words) if len(words) else float("nan")


def exclusivity(topics: ArrayLike, n_words: int = 10) -> F64:
    """Mean share that a topic has in its top words' scores over all topics, (r,); 1 / r to 1."""
    scores = check_scores(topics)
    check.check_integer("n_words", n_words, 1)
    total = scores.sum(axis=0)
    return np.array(
        [
            np.mean(scores[topic, words] / total[words]) if len(words) else np.nan
            for topic, words in enumerate(_top_words(scores, n_words))
        ]
    )


def perplexity(model: BaseTopicModel, X: Any, *, background: float = 0.1) -> float:
    """Perplexity of held-out documents by document completion (Wallach et al. 2009).

    Every second token of a document (tokens in the order of columns) is shown to
    `model.transform`; the others are predicted, with probability

        (1 - background) sum_k p(k | document) p(word | k) + background p(word).

    Parameters
    ----------
    model : TopicModel or AnchorTopicModel
        Fitted.
    X : array-like or sparse matrix, shape (m, n)
        Counts of documents that were not trained on.
    background : float, default=0.1
        Weight of the corpus' word frequencies, without which a word that no topic of a document
        holds would make the perplexity infinite.

    Returns
    -------
    float
        exp(- mean log-probability of a predicted token); tokens of words that the model never saw
        are left out. nan without a token to predict.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        Bad counts; a background outside 0 to 1.
    """
    documents = validated_documents(model, X, reset=False, vocabulary=model.vocabulary)
    check.check_between("background", background, 0.0, 1.0)
    model.refuse_stale()
    log_likelihood, predicted = completion(model.topics_, documents, model.n_jobs, background)
    return float(np.exp(-log_likelihood / predicted)) if predicted else float("nan")


def stop_word_candidates(
    statistics: CooccurrenceStatistics, n_words: int = 50, *, min_share: float = 0.05
) -> NDArray[np.int64]:
    """Frequent words whose neighbours are those of any word, most typical first.

    Words of at least `min_share` of the documents, by the total variation distance of their row of
    co-occurrence from the frequencies of all words: words of no topic come first.

    Parameters
    ----------
    statistics : CooccurrenceStatistics
        Of the corpus.
    n_words : int, default=50
        Candidates at most.
    min_share : float, default=0.05
        Share of documents that must hold a candidate.

    Returns
    -------
    ndarray of int64
        Columns.
    """
    check.check_integer("n_words", n_words, 1)
    check.check_between("min_share", min_share, 0.0, 1.0)
    mass = np.asarray(statistics.word_mass, np.float64)
    enough = statistics.document_frequency >= max(1.0, min_share * statistics.n_documents)
    words = np.flatnonzero(enough & (mass > 0))
    if not len(words):
        return words
    known = statistics.rows.columns
    usual = mass / max(mass[known].sum(), 1.0)
    distance = np.empty(len(words))
    for at, word in enumerate(words):
        columns, values = statistics.rows.row(int(word))
        share = values / max(values.sum(), 1)
        distance[at] = 1.0 - np.minimum(share, usual[columns]).sum()
    return words[np.argsort(distance, kind="stable")][:n_words]


@dataclass(frozen=True)
class TopicCount:
    """Measures of one number of topics; means over topics."""

    n_topics: int
    npmi: float  # of the top 10 words, in the reference or else in the statistics
    diversity: float  # of the top 25 words
    exclusivity: float  # of the top 10 words
    seconds: float  # to learn


def compare_n_topics(
    statistics: CooccurrenceStatistics,
    values: Iterable[int],
    *,
    model: BaseTopicModel | None = None,
    reference: Any = None,
) -> list[TopicCount]:
    """Learn from one set of statistics for several r and measure the topics.

    The documents are counted once and not read again. Coherence in the statistics themselves is of
    the training documents: it compares, but flatters; give held-out counts as `reference` if you
    have some.

    Parameters
    ----------
    statistics : CooccurrenceStatistics
        Of the corpus; not changed.
    values : iterable of int
        Numbers of topics to try.
    model : TopicModel or AnchorTopicModel, optional
        Learner and parameters, not changed; default `TopicModel()`.
    reference : array-like or sparse matrix of counts, shape (m, n), optional
        For coherence; default the statistics.

    Returns
    -------
    list of TopicCount
        In the order of `values`.

    Raises
    ------
    InvalidParameterError, TooFewAnchorsError
        As for `TopicModel.fit_statistics`.
    """
    wanted = clone(TopicModel() if model is None else model)
    wanted.set_params(
        scale_bits=statistics.scale_bits,
        weighting=statistics.weighting,
        contexts=statistics.contexts,
    )
    found = []
    for n_topics in values:
        start = time.perf_counter()
        fitted = clone(wanted).set_params(n_topics=n_topics).fit_statistics(statistics)
        seconds = time.perf_counter() - start
        topics = fitted.components_
        npmi = coherence(topics, statistics if reference is None else reference)
        found.append(
            TopicCount(
                n_topics,
                float(np.nanmean(npmi)),
                diversity(topics),
                float(np.nanmean(exclusivity(topics))),
                seconds,
            )
        )
    return found


# ---- inside ---------------------------------------------------------------------------------


class _Pairs:
    """Probabilities of words and of pairs of words, and document counts."""

    def counts(self, words: NDArray[np.int64]) -> tuple[F64, F64, float]:
        """D_ij (k, k), D_i (k,), and the total that makes them probabilities."""
        raise NotImplementedError


class _DocumentPairs(_Pairs):
    def __init__(self, X: Any, n_words: int) -> None:
        documents = check_documents(X, n_words)
        present = documents.to_csr().astype(np.float64)
        present.data[:] = 1.0
        self.present, self.total = present.tocsc(), float(documents.n_documents)

    def counts(self, words: NDArray[np.int64]) -> tuple[F64, F64, float]:
        columns = self.present[:, words]
        together = np.asarray((columns.T @ columns).toarray())
        return together, np.diagonal(together), self.total


class _TokenPairs(_Pairs):
    def __init__(self, statistics: CooccurrenceStatistics, n_words: int) -> None:
        if statistics.n_words != n_words:
            raise InvalidInputError(
                f"topics have {n_words} words, the statistics {statistics.n_words}"
            )
        self.statistics = statistics
        self.mass = np.asarray(statistics.word_mass, np.float64)

    def counts(self, words: NDArray[np.int64]) -> tuple[F64, F64, float]:
        together = np.zeros((len(words), len(words)))
        for at, word in enumerate(words):
            columns, values = self.statistics.rows.row(int(word))
            dense = np.zeros(len(self.mass))
            dense[columns] = values
            together[at] = dense[words]
        # A pair is known from the row of either word that has the column of the other.
        has_column = self.statistics.rows.place[words] >= 0
        together = np.maximum(together, together.T)
        together[~(has_column[:, None] | has_column)] = np.nan
        return together, self.mass[words], float(self.mass.sum())


def _npmi(pairs: _Pairs, words: NDArray[np.int64]) -> float:
    if len(words) < 2:
        return float("nan")
    together, alone, total = pairs.counts(words)
    i, j = np.triu_indices(len(words), 1)
    known = ~np.isnan(together[i, j])
    if not known.any():
        return float("nan")
    i, j = i[known], j[known]
    p, p_i, p_j = together[i, j] / total, alone[i] / total, alone[j] / total
    values = np.full(len(p), -1.0)
    some = p > 0
    information = np.log(p[some] / (p_i[some] * p_j[some]))
    always = p[some] >= 1.0
    values[some] = np.where(always, 0.0, information / np.where(always, 1.0, -np.log(p[some])))
    return float(values.mean())


def _umass(pairs: _Pairs, words: NDArray[np.int64]) -> float:
    together, alone, _ = pairs.counts(words)
    better, worse = np.triu_indices(len(words), 1)
    known = (alone[better] > 0) & ~np.isnan(together[better, worse])
    if not known.any():
        return float("nan")
    better, worse = better[known], worse[known]
    return float(np.mean(np.log((together[better, worse] + 1.0) / alone[better])))


def _top_words(scores: F64, n_words: int) -> list[NDArray[np.int64]]:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :n_words]
    return [row[scores[topic, row] > 0] for topic, row in enumerate(best)]
