"""Small tasks for heads, and a base to put them on."""

from __future__ import annotations

import numpy as np
from models import new_model

from pyunlearn import AnchorTopicModel, LinearHeadClassifier, LinearHeadRegressor, TopicModel

# loss, features, task: every kind of head.
KINDS = [
    ("logistic", "linear", "classification"),
    ("logistic", "word-topic", "classification"),
    ("logistic", "proportions", "classification"),
    ("squared", "linear", "classification"),
    ("squared", "word-topic", "classification"),
    ("squared", "proportions", "classification"),
    ("squared", "linear", "regression"),
    ("squared", "proportions", "regression"),
    ("squared", "word-topic", "regression"),
]


def corpus(seed: int = 0, m: int = 80, n: int = 24, topics: int = 3):
    """Counts of documents from a few topics, and the largest topic of each."""
    rng = np.random.default_rng(seed)
    words = rng.dirichlet(np.full(n, 0.15), topics)
    share = rng.dirichlet(np.full(topics, 0.3), m)
    counts = np.array([rng.multinomial(30, row @ words) for row in share])
    return counts, np.argmax(share, axis=1)


def base(counts, learner="anchor", **parameters) -> TopicModel | AnchorTopicModel:
    """Topics of the algorithm that Newton steps, sensitivity bounds and capacities are about."""
    return new_model(3, learner=learner, word_min_df=2, n_jobs=1, **parameters).fit(counts)


def targets(kind: tuple[str, str, str], labels: np.ndarray) -> np.ndarray:
    """Labels as strings, or two numbers a document."""
    if kind[2] == "regression":
        return np.stack([labels * 0.37 - 1, np.cos(labels + np.arange(len(labels)))], axis=1)
    return np.array(["news", "sport", "a longer name"])[labels % 3]


def new_head(
    kind: tuple[str, str, str], model: AnchorTopicModel, **parameters
) -> LinearHeadClassifier | LinearHeadRegressor:
    loss, features, task = kind
    given = {"features": features, "alpha": 1e-3, "n_jobs": 1, **parameters}
    if task == "regression":
        return LinearHeadRegressor(model, **given)
    return LinearHeadClassifier(model, loss=loss, **given)
