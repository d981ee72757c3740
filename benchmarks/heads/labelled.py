"""Train and test splits with labels, and topics of peers for the same documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.corpora import labelled_texts

FILES = {"20newsgroups": ("20newsgroups", 10), "r52": ("reuters-r52", 5)}


@dataclass(frozen=True, eq=False)
class Task:
    """Word counts and labels of both splits."""

    name: str
    X: sp.csr_array
    y: np.ndarray
    X_test: sp.csr_array
    y_test: np.ndarray


def load_task(name: str) -> Task:
    """20newsgroups: m = 11,286, n = 13,112; r52: m = 6,532, n = 5,886."""
    file, min_df = FILES[name]
    vectorizer = CountVectorizer(
        token_pattern=r"(?u)\b[a-z][a-z]+\b", stop_words="english", min_df=min_df
    )
    parts = []
    for split in ("train", "test"):
        labels, texts = zip(*labelled_texts(f"{file}-{split}"), strict=True)
        make = vectorizer.fit_transform if split == "train" else vectorizer.transform
        X = sp.csr_array(make(texts), dtype=np.int32)
        kept = X.sum(axis=1) >= 2
        parts += [X[kept], np.array(labels)[kept]]
    return Task(name, *parts)


def tomotopy_topics(X: sp.csr_array, n_topics: int, iterations: int = 200) -> np.ndarray:
    """p(word | topic), (topics, n), of collapsed Gibbs sampling; one seed."""
    import tomotopy

    model = tomotopy.LDAModel(k=n_topics, seed=0)
    for begin, end in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        words = np.repeat(X.indices[begin:end], X.data[begin:end])
        model.add_doc([str(word) for word in words])
    model.train(iterations, workers=2)
    columns = [int(word) for word in model.used_vocabs]
    topics = np.zeros((n_topics, X.shape[1]))
    for topic in range(n_topics):
        topics[topic, columns] = model.get_topic_word_dist(topic)
    return topics


def sklearn_topics(X: sp.csr_array, n_topics: int) -> np.ndarray:
    """p(word | topic), (topics, n), of scikit-learn's online variational LDA, 10 passes."""
    from sklearn.decomposition import LatentDirichletAllocation

    model = LatentDirichletAllocation(
        n_topics, learning_method="online", max_iter=10, n_jobs=2, random_state=0
    )
    weights = model.fit(X).components_
    return weights / weights.sum(axis=1, keepdims=True)
