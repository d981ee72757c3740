"""Corpora to try things on: a few real texts, and draws from the model of the theory.

`python -m pyunlearn.datasets` prints the texts as JSONL, which `pyunlearn fit` reads.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pyunlearn import _params as check
from pyunlearn._documents import COUNT_LIMIT
from pyunlearn.errors import InvalidParameterError
from pyunlearn.records import Record

__all__ = ["SeparableCorpus", "load_texts", "make_separable"]

PRIORS = ("dirichlet", "logistic-normal")
CHUNK_TOKENS = 4_000_000


@dataclass(frozen=True, eq=False)
class SeparableCorpus:
    """Documents and the parameters that they were drawn from."""

    X: sp.csr_array  # (m, n), int32 counts
    topics: NDArray[np.float64]  # A, (n, r), p(word | topic)
    correlation: NDArray[np.float64]  # R = E[theta theta^T], (r, r)
    proportions: NDArray[np.float64]  # E[theta], (r,)
    anchors: NDArray[np.int32]  # (r, n_anchor), anchor words of each topic, as columns


def load_texts() -> list[Record]:
    """47 sentences of five English texts, which the package ships.

    Genesis 1 (King James), the Gettysburg Address, the Declaration of Independence, the
    Constitution of the United States, a sonnet by Shakespeare; all in the public domain.

    Returns
    -------
    list of Record
        `id` such as "genesis-3", `text`, and the name of the text as `label`.
    """
    return [Record(**json.loads(line)) for line in _sample_lines().splitlines()]


def _sample_lines() -> str:
    return files("pyunlearn").joinpath("sample_texts.jsonl").read_text(encoding="utf-8")


def make_separable(
    n_documents: int,
    n_words: int,
    n_topics: int,
    *,
    n_anchor: int = 1,
    p: float = 0.05,
    imbalance: float = 1.0,
    prior: str = "dirichlet",
    concentration: float = 1.0,
    correlation: float = 0.0,
    length: int | tuple[int, int] = 50,
    word_concentration: float = 1.0,
    seed: int | np.random.Generator = 0,
) -> SeparableCorpus:
    """Documents from the p-separable topic model of Arora et al. (2012).

    Each document draws topic proportions theta and then its tokens independently from A theta.
    Each topic has `n_anchor` words that no other topic uses, each of probability p in it; the other
    words follow a symmetric Dirichlet law in each topic.

    Parameters
    ----------
    n_documents, n_words, n_topics : int
        m, n and r.
    n_anchor : int, default=1
        Anchor words a topic.
    p : float, default=0.05
        Separability: probability of an anchor word in its topic; n_anchor * p < 1.
    imbalance : float, default=1.0
        Largest expected topic proportion over the smallest, geometric between them (the theory's
        a; exact for prior="dirichlet").
    prior : {"dirichlet", "logistic-normal"}
        Law of theta.
    concentration : float, default=1.0
        Dirichlet: sum of its parameters. Small values give documents of one topic and a
        well-conditioned R. Logistic-normal: standard deviation of the logits.
    correlation : float, default=0.0
        Logistic-normal: correlation of neighbouring topics' logits, rho^|k - l|, in (-1, 1).
    length : int or (int, int), default=50
        Tokens of each document, or the least and the greatest number of them.
    word_concentration : float, default=1.0
        Dirichlet parameter of the words that are no anchors; small values make near-anchors.
    seed : int or numpy Generator, default=0
        Equal seeds give equal corpora with the same NumPy.

    Returns
    -------
    SeparableCorpus
        R of the logistic-normal law is a mean over 200,000 draws.

    Raises
    ------
    InvalidParameterError
        A parameter out of range, or more anchor words than words.

    Examples
    --------
    >>> corpus = make_separable(100, 40, 4, n_anchor=2, p=0.1)
    >>> corpus.X.shape, corpus.topics.shape, corpus.anchors.shape
    ((100, 40), (40, 4), (4, 2))
    """
    m = check.check_integer("n_documents", n_documents, 1)
    n = check.check_integer("n_words", n_words, 1, COUNT_LIMIT)
    r = check.check_integer("n_topics", n_topics, 1)
    each = check.check_integer("n_anchor", n_anchor, 1)
    check.check_choice("prior", prior, PRIORS)
    for name, value in (("p", p), ("concentration", concentration), ("imbalance", imbalance)):
        check.check_positive(name, value)
    check.check_positive("word_concentration", word_concentration)
    if each * r >= n or each * p >= 1 or imbalance < 1 or not -1 < correlation < 1:
        raise InvalidParameterError(
            f"needs n_anchor * n_topics < n_words (got {each} * {r}, {n}), n_anchor * p < 1 (got "
            f"{each} * {p}), imbalance >= 1 (got {imbalance}) and correlation in (-1, 1) (got "
            f"{correlation})"
        )
    low, high = _length_range(length)
    random = np.random.default_rng(seed)
    anchors = random.permutation(n)[: each * r].reshape(r, each).astype(np.int32)
    topics = _draw_topics(random, n, anchors, p, word_concentration)
    base = imbalance ** (-np.arange(r) / max(r - 1, 1))
    law = _Prior(prior, base / base.sum(), concentration, correlation)
    parts = []
    for first in range(0, m, max(1, CHUNK_TOKENS // high)):
        size = min(max(1, CHUNK_TOKENS // high), m - first)
        lengths = random.integers(low, high + 1, size)
        parts.append(_draw_documents(random, law.draw(random, size), lengths, topics))
    X = sp.csr_array(sp.vstack(parts, format="csr")) if len(parts) > 1 else parts[0]
    R, proportions = law.moments(random)
    return SeparableCorpus(X, topics, R, proportions, np.sort(anchors, axis=1))


class _Prior:
    """The law of theta."""

    def __init__(
        self, kind: str, shares: NDArray[np.float64], concentration: float, correlation: float
    ) -> None:
        self.kind = kind
        self.parameters = shares * concentration if kind == "dirichlet" else np.log(shares)
        apart = np.abs(np.subtract.outer(np.arange(len(shares)), np.arange(len(shares))))
        self.root = np.linalg.cholesky(concentration**2 * np.power(float(correlation), apart))

    def draw(self, random: np.random.Generator, size: int) -> NDArray[np.float64]:
        if self.kind == "dirichlet":
            return random.dirichlet(self.parameters, size)
        logits = self.parameters + random.standard_normal((size, len(self.root))) @ self.root.T
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return shares

    def moments(
        self, random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.kind == "dirichlet":
            alpha, total = self.parameters, float(self.parameters.sum())
            R = (np.outer(alpha, alpha) + np.diag(alpha)) / (total * (total + 1))
            return R, alpha / total
        theta = self.draw(random, 200_000)
        return theta.T @ theta / len(theta), theta.mean(axis=0)


def _length_range(length: Any) -> tuple[int, int]:
    low, high = length if isinstance(length, tuple) else (length, length)
    low = check.check_integer("length", low, 1, COUNT_LIMIT)
    return low, check.check_integer("length", high, low, COUNT_LIMIT)


def _draw_topics(
    random: np.random.Generator,
    n: int,
    anchors: NDArray[np.int32],
    p: float,
    word_concentration: float,
) -> NDArray[np.float64]:
    r, each = anchors.shape
    others = np.setdiff1d(np.arange(n), anchors)
    topics = np.zeros((n, r))
    rest = random.dirichlet(np.full(len(others), word_concentration), r).T
    topics[others] = (1 - each * p) * rest
    for topic in range(r):
        topics[anchors[topic], topic] = p
    return topics


def _draw_documents(
    random: np.random.Generator,
    theta: NDArray[np.float64],
    lengths: NDArray[np.int64],
    topics: NDArray[np.float64],
) -> sp.csr_array:
    """Counts of documents with the given proportions, (len(theta), n)."""
    per_topic = random.multinomial(lengths, theta)
    n = len(topics)
    keys = np.empty(int(lengths.sum()), np.int64)
    at = 0
    for topic in range(topics.shape[1]):
        documents = np.repeat(np.arange(len(theta)), per_topic[:, topic])
        words = _draw_words(random, topics[:, topic], len(documents))
        keys[at : at + len(documents)] = documents * n + words
        at += len(documents)
    keys.sort()
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    distinct = keys[starts]
    counts = np.diff(np.append(starts, len(keys))).astype(np.int32)
    rows, columns = np.divmod(distinct, n)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(theta)))))
    return sp.csr_array(
        (counts, columns.astype(np.int32), indptr.astype(np.int32)), shape=(len(theta), n)
    )


def _draw_words(
    random: np.random.Generator, probabilities: NDArray[np.float64], size: int
) -> NDArray[np.int64]:
    """Independent words from one topic, by the alias method."""
    n = len(probabilities)
    keep, alias = _alias_table(probabilities)
    slot = random.random(size) * n
    column = np.minimum(slot.astype(np.int64), n - 1)  # the product may round up to n
    taken: NDArray[np.int64] = np.where(slot - column < keep[column], column, alias[column])
    return taken


def _alias_table(
    probabilities: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    n = len(probabilities)
    keep, alias = probabilities * n, np.arange(n)
    small = list(np.flatnonzero(keep < 1))
    large = list(np.flatnonzero(keep >= 1))
    while small and large:
        poor, rich = small.pop(), large[-1]
        alias[poor] = rich
        keep[rich] -= 1 - keep[poor]
        if keep[rich] < 1:
            small.append(large.pop())
    return keep, alias


if __name__ == "__main__":  # python -m pyunlearn.datasets > corpus.jsonl
    sys.stdout.write(_sample_lines())
