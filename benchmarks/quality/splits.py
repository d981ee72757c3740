"""Training and test counts over one vocabulary, with labels where there are some."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.corpora import labelled_texts, news_texts, wheel_rows

WORDS = r"(?u)\b[a-z][a-z]+\b"


@dataclass(frozen=True)
class Split:
    train: sp.csr_array
    test: sp.csr_array
    train_labels: np.ndarray | None
    test_labels: np.ndarray | None
    vocabulary: np.ndarray


def counted(train, test, min_df: int, labels=(None, None)) -> Split:
    vectorizer = CountVectorizer(token_pattern=WORDS, stop_words="english", min_df=min_df)
    counts = [vectorizer.fit_transform(train), vectorizer.transform(test)]
    counts = [sp.csr_array(part, dtype=np.int32) for part in counts]
    long_enough = [part.sum(axis=1) >= 2 for part in counts]
    kept = [part[rows] for part, rows in zip(counts, long_enough, strict=True)]
    named = [
        None if part is None else np.array(part)[rows]
        for part, rows in zip(labels, long_enough, strict=True)
    ]
    return Split(*kept, *named, vectorizer.get_feature_names_out())


def labelled(name: str, min_df: int) -> Split:
    train_labels, train = zip(*labelled_texts(f"{name}-train"), strict=True)
    test_labels, test = zip(*labelled_texts(f"{name}-test"), strict=True)
    return counted(train, test, min_df, (train_labels, test_labels))


def news() -> Split:
    """Every fourth article is for the test."""
    texts = news_texts()
    train = [text for number, text in enumerate(texts) if number % 4]
    return counted(train, texts[::4], 10)


def tweets() -> Split:
    """6,444 tweets by two authors; every fourth is for the test."""
    authors, texts = zip(
        *((line[7], line[9]) for line in wheel_rows("election-tweets-2016")), strict=True
    )
    parts = [[row for row in range(len(texts)) if (row % 4 == 0) is test] for test in (False, True)]
    train, test = ([texts[row] for row in part] for part in parts)
    labels = tuple(np.array(authors)[part] for part in parts)
    return counted(train, test, 5, labels)


def scenes() -> Split:
    """Twenty lines of a television series in a row are a document; every fourth is for the test."""
    lines = [line[5] for line in wheel_rows("friends-transcripts")]
    texts = [" ".join(lines[first : first + 20]) for first in range(0, len(lines), 20)]
    train = [text for number, text in enumerate(texts) if number % 4]
    return counted(train, texts[::4], 10)


def validation(split: Split) -> Split:
    """The training documents alone: every fourth is in the place of the test."""
    tested = np.arange(split.train.shape[0]) % 4 == 0
    labels = split.train_labels
    return Split(
        split.train[~tested],
        split.train[tested],
        None if labels is None else labels[~tested],
        None if labels is None else labels[tested],
        split.vocabulary,
    )


CORPORA = {
    "20 newsgroups": lambda: labelled("20newsgroups", 10),
    "R52": lambda: labelled("reuters-r52", 5),
    "News": news,
    "Tweets": tweets,
    "Friends": scenes,
}
# What settings may be chosen on: no document of a test split.
CORPORA |= {
    f"{name}, validation": lambda split=split: validation(split())
    for name, split in tuple(CORPORA.items())
}
