"""Top words of several learners side by side: `python -m benchmarks.quality.top_words`.

The first topics of LDA, and beside each its partner among the topics of every other learner, one to
one so that the sum of overlaps is largest. Prints a table for a reader to judge.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.quality.compare import fitted, top_words
from benchmarks.quality.splits import CORPORA
from pyunlearn._alignment import align_topics

LDA = "tomotopy LDA, 500 iterations"
SIDES = ("TopicModel", "AnchorTopicModel", LDA, "scikit-learn NMF (tf-idf)")


def partners(lda: np.ndarray, others: np.ndarray) -> np.ndarray:
    """`others` in the order of the topics of LDA that they are paired with."""
    found = align_topics(lda, others)
    return others[np.asarray(found.after)[np.argsort(found.before)]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", default="20 newsgroups", choices=CORPORA)
    parser.add_argument("--topics", type=int, default=20)
    parser.add_argument("--rows", type=int, default=10, help="topics to print")
    parser.add_argument("--words", type=int, default=8)
    parser.add_argument("--keep", type=Path, help="folder of finished fits")
    given = parser.parse_args()
    topics = {
        side: fitted(given.corpus, given.topics, side, 1, given.keep)["topics"] for side in SIDES
    }
    vocabulary = CORPORA[given.corpus]().vocabulary
    print(f"| | {' | '.join(SIDES)} |\n|{'---|' * (len(SIDES) + 1)}")
    paired = [partners(topics[LDA], topics[side]) for side in SIDES]
    for row in range(given.rows):
        cells = (top_words(side[row], vocabulary, given.words) for side in paired)
        print(f"| {row + 1} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
