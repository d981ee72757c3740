"""Corpora that make exactness hard, and what it means that two models are the same."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from hypothesis import strategies as st
from models import LEARNERS, new_model, own_parameters
from sklearn.exceptions import ConvergenceWarning

from pyunlearn import AnchorTopicModel, CooccurrenceStatistics, TopicModel
from pyunlearn._estimator import BaseTopicModel
from pyunlearn._learners import learn
from pyunlearn.errors import FewerTopicsWarning


@dataclass(frozen=True)
class Pool:
    """Documents to draw from: counts (m, n), lengths (m,) with out-of-vocabulary tokens."""

    kind: str
    counts: np.ndarray
    lengths: np.ndarray


def sparse_rows(rng, m, n):
    """Few words a document, small counts, now and then a large one."""
    counts = rng.integers(1, 4, (m, n)) * (rng.random((m, n)) < 0.5)
    counts[rng.random((m, n)) < 0.03] = 50
    return counts


def rare_words(rng, m, n):
    """Every word in one to three documents: min_df is crossed by single deletions."""
    counts = np.zeros((m, n), np.int64)
    for word in range(n):
        counts[rng.integers(0, m, rng.integers(1, 4)), word] = rng.integers(1, 3)
    return counts


def rotations(rng, m, n):
    """Every rotation of one document: residuals tie exactly."""
    base = rng.integers(0, 3, n)
    return np.array([np.roll(base, shift) for shift in range(m)])


def blocks(rng, m, n):
    """Documents of one block each, with an anchor word of their own and shared words."""
    n_blocks = max(1, n // 3)
    counts = np.zeros((m, n), np.int64)
    for row in counts:
        block = int(rng.integers(n_blocks))
        row[block] = rng.integers(0, 3)
        row[n_blocks:] = rng.integers(0, 3, n - n_blocks) * (
            (np.arange(n - n_blocks) + block) % 2 == 0
        )
    return counts


def few_patterns(rng, m, n):
    """Two documents again and again: rank far below the number of words."""
    return rng.integers(0, 3, (2, n))[rng.integers(0, 2, m)]


def twin_words(rng, m, n):
    """Words in pairs with equal counts: equal rows of Qbar but for the diagonal."""
    half = sparse_rows(rng, m, (n + 1) // 2)
    return np.repeat(half, 2, axis=1)[:, :n]


def exclusive_anchors(rng, m, n):
    """Each word of the first half in the documents of one pattern only."""
    counts = rng.integers(0, 2, (m, n))
    counts[:, : n // 2] = 0
    if n >= 2:
        counts[np.arange(m), rng.integers(0, n // 2, m)] = rng.integers(1, 5, m)
    return counts


KINDS = {
    make.__name__: make
    for make in (
        sparse_rows,
        rare_words,
        rotations,
        blocks,
        few_patterns,
        twin_words,
        exclusive_anchors,
    )
}


def make_pool(kind: str, seed: int, m: int, n: int) -> Pool:
    rng = np.random.default_rng(seed)
    counts = np.asarray(KINDS[kind](rng, m, n), np.int64)
    counts[rng.random(m) < 0.08] = 0
    unknown = rng.integers(0, 3, m) * (rng.random(m) < 0.3)
    return Pool(kind, counts, counts.sum(axis=1) + unknown)


@st.composite
def pools(draw: Any, max_documents: int = 14, max_words: int = 20) -> Pool:
    """A pool of documents of one kind."""
    return make_pool(
        draw(st.sampled_from(sorted(KINDS))),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.integers(1, max_documents)),
        draw(st.integers(1, max_words)),
    )


def learner_parameters(solvers: tuple[str, ...] = ("active-set",)) -> st.SearchStrategy[dict]:
    """Parameters of `new_model`."""
    return st.fixed_dictionaries(
        {
            "n_topics": st.integers(1, 9),
            "word_min_df": st.sampled_from([None, 1, 1, 2, 3, 0.0, 0.1, 0.25, 0.5]),
            "min_df": st.sampled_from([1, 1, 2, 3, 4]),
            "solver": st.sampled_from(solvers),
            "anchor_cleanup": st.booleans(),
            "learner": st.sampled_from(LEARNERS),
            "background": st.sampled_from([0.0, 0.25, 1.0, 2.0]),
            "n_updates": st.integers(1, 12),
            "max_iter": st.just(40),
            "weighting": st.sampled_from(["document", "token", None]),
            "scale_bits": st.sampled_from([40, 20]),
            "n_jobs": st.sampled_from([1] * 9 + [3]),
        }
    ).map(as_allowed)


def as_allowed(parameters: dict) -> dict:
    """Without what is of the other learner."""
    learner, threshold = parameters["learner"], parameters["word_min_df"]
    own = own_parameters(learner, parameters)
    return own | {"learner": learner, "word_min_df": threshold}


def trained_once(parameters: dict, counts: Any, lengths: Any) -> TopicModel | AnchorTopicModel:
    """The model of these documents, learned in full from statistics counted in one go."""
    n_words = np.shape(counts)[1]
    model = new_model(**parameters)
    statistics = model.new_statistics(n_words)
    if len(counts):
        statistics.add(counts, lengths)
    model.n_features_in_ = n_words
    model.statistics_ = statistics
    model.topics_ = learn(statistics, model._settings(), model.n_jobs)
    model.take_as_learned()
    return model


def assert_same_model(one: BaseTopicModel, other: BaseTopicModel) -> None:
    """Equal in every byte: statistics, everything learned, digests."""
    assert_same_statistics(one.statistics_, other.statistics_)
    for field in fields(one.topics_):
        mine, theirs = (getattr(model.topics_, field.name) for model in (one, other))
        if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
            assert (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape), field.name
            assert mine.tobytes() == theirs.tobytes(), f"{field.name}: {mine} is not {theirs}"
    assert one.topics_.settings == other.topics_.settings
    assert one.digest() == other.digest()


def assert_same_statistics(one: CooccurrenceStatistics, other: CooccurrenceStatistics) -> None:
    """Equal in every byte, and in the digest."""
    assert one.n_documents == other.n_documents
    assert one.document_frequency.tolist() == other.document_frequency.tolist()
    assert one.word_mass.tolist() == other.word_mass.tolist()
    assert [part.tobytes() for part in one.rows.to_arrays()] == [
        part.tobytes() for part in other.rows.to_arrays()
    ]
    assert one.digest() == other.digest()


@contextmanager
def fewer_topics_allowed() -> Iterator[None]:
    """Tiny corpora support few topics, and forty steps are few: both only warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewerTopicsWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
