"""Digests of small fixed corpora: the bits that every platform and build has to give.

`python tests/golden.py` prints where golden.json and this build differ; with --write it takes the
new values. That is a deliberate commit: with it goes a new name of the format in
`pyunlearn._digest`, and a line in the changelog.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pyunlearn import (
    AnchorTopicModel,
    CooccurrenceStatistics,
    LinearHeadClassifier,
    LinearHeadRegressor,
    TopicModel,
    TopicRetriever,
)
from pyunlearn.datasets import load_texts

FILE = Path(__file__).parent / "golden.json"


def text_counts() -> np.ndarray:
    """Word counts of the texts that the package ships, words in alphabetical order."""
    tokens = [re.findall(r"[a-z']+", record.text.lower()) for record in load_texts()]
    words = {word: at for at, word in enumerate(sorted({one for line in tokens for one in line}))}
    counts = np.zeros((len(tokens), len(words)), np.int64)
    for row, line in enumerate(tokens):
        for word in line:
            counts[row, words[word]] += 1
    return counts


def made_counts() -> np.ndarray:
    """Counts from an integer recurrence, so that no library's random numbers decide them."""
    state, values = 12345, np.zeros(120 * 60, np.int64)
    for at in range(len(values)):
        state = (1103515245 * state + 12345) % 2**31
        high = state >> 16
        values[at] = high % 5 if high % 7 < 2 else 0
    counts = values.reshape(120, 60)
    for row in range(120):  # four subjects
        counts[row, 15 * (row % 4) : 15 * (row % 4) + 15] *= 4
    return counts


CORPORA = {"text": text_counts, "made": made_counts}
MODELS = {
    "factor": lambda: TopicModel(4),
    "factor, few updates": lambda: TopicModel(6, core_min_df=2, min_df=2, n_updates=3),
    "factor, by document": lambda: TopicModel(3, weighting="document", background=0.0),
    "anchor": lambda: AnchorTopicModel(4, anchor_min_df=3),
    "anchor, cleaned up": lambda: AnchorTopicModel(5, anchor_min_df=2, anchor_cleanup=True),
    "anchor, eg": lambda: AnchorTopicModel(4, anchor_min_df=3, solver="eg"),
    "anchor, masked": lambda: AnchorTopicModel(3, min_df=2, weighting="token", scale_bits=30),
}


def digests() -> Iterator[tuple[str, str]]:
    """Name and digest of everything, deletions included."""
    for corpus, make in CORPORA.items():
        X = make()
        for weighting in ("document", "token"):
            statistics = CooccurrenceStatistics(X.shape[1], weighting=weighting).add(X)
            yield f"{corpus}: statistics by {weighting}", statistics.digest()
            yield f"{corpus}: less ten, {weighting}", statistics.remove(X[:10]).digest()
        for name, new in MODELS.items():
            model = new().fit(X)
            yield f"{corpus}: {name}", model.digest()
            model.forget(X[3:9])
            yield f"{corpus}: {name}, less six", model.digest()
            yield f"{corpus}: {name}, index", TopicRetriever(model).fit(X[9:]).digest()
            yield from of_heads(f"{corpus}: {name}", model, X[9:])


def of_heads(name: str, model: TopicModel | AnchorTopicModel, X: np.ndarray):
    """Heads of every loss and kind of features."""
    labels = np.array(["a", "b", "c"])[X.sum(axis=1) % 3]
    numbers = X.sum(axis=1) / 8.0
    for features in ("word-topic", "linear", "proportions"):
        for loss in ("logistic", "squared"):
            head = LinearHeadClassifier(model, loss=loss, features=features, alpha=1e-3)
            yield f"{name}, {loss} on {features}", head.fit(X, labels).digest()
        regressor = LinearHeadRegressor(model, features=features, alpha=1e-3)
        yield f"{name}, numbers on {features}", regressor.fit(X, numbers).digest()


def main() -> int:
    """Compare, or write."""
    warnings.simplefilter("error")
    found = dict(digests())
    if "--write" in sys.argv:
        FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return 0
    known = json.loads(FILE.read_text(encoding="utf-8"))
    differing = [name for name in {**known, **found} if known.get(name) != found.get(name)]
    sys.stdout.write(
        "\n".join(differing or [f"{len(found)} digests, all as in {FILE.name}"]) + "\n"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
