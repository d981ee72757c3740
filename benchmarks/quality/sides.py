"""The learners beside each other: counts in, p(word | topic) out."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from benchmarks.peers.compare import HERE, old_python
from benchmarks.peers.side import token_lists


def anchor(X, n_topics, seed):
    from pyunlearn import AnchorTopicModel

    return AnchorTopicModel(n_topics).fit(X).components_


def factor(X, n_topics, seed):
    from pyunlearn import TopicModel

    return TopicModel(n_topics).fit(X).components_


def factor_document(X, n_topics, seed):
    from pyunlearn import TopicModel

    return TopicModel(n_topics, weighting="document").fit(X).components_


def anchortopics(X, n_topics, seed):
    from anchortopics import OTFR

    found = OTFR(n_topics=n_topics).fit(X)
    topics = np.asarray(found.components_)
    return topics if topics.shape[0] == n_topics else topics.T


def anchor_topic(X, n_topics, seed):
    """In an environment of old versions: its time has a start of Python and Numba in it."""
    with tempfile.TemporaryDirectory() as folder:
        counts, out = Path(folder) / "counts.npz", Path(folder) / "topics.npy"
        sp.save_npz(counts, sp.csr_matrix(X), compressed=False)
        script = HERE / "anchor_topic_topics.py"
        options = [str(counts), str(n_topics), str(seed), str(out)]
        subprocess.run([old_python(), str(script), *options], check=True)
        # A word that it could not recover is NaN, and would be the top word of every topic.
        return np.nan_to_num(np.load(out))


def tomotopy(iterations):
    def side(X, n_topics, seed):
        import tomotopy as tp

        names = [str(column) for column in range(X.shape[1])]
        model = tp.LDAModel(k=n_topics, seed=seed)
        for row in range(X.shape[0]):
            part = slice(X.indptr[row], X.indptr[row + 1])
            model.add_doc([names[c] for c in np.repeat(X.indices[part], X.data[part])])
        model.train(iterations, workers=2)
        topics = np.zeros((n_topics, X.shape[1]))
        columns = [int(name) for name in model.used_vocabs]
        for topic in range(n_topics):
            topics[topic, columns] = model.get_topic_word_dist(topic)
        return topics

    return side


def sklearn_lda(X, n_topics, seed):
    from sklearn.decomposition import LatentDirichletAllocation

    model = LatentDirichletAllocation(
        n_topics, learning_method="batch", max_iter=20, n_jobs=2, random_state=seed
    )
    return model.fit(X).components_


def nmf(X, n_topics, seed):
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfTransformer

    return NMF(n_topics, random_state=seed).fit(TfidfTransformer().fit_transform(X)).components_


def topica(kind, threads=None, **settings):
    """A model of topica as it comes; `settings` are of its fit. Words are numbers of columns."""

    def side(X, n_topics, seed):
        import topica as library

        model = getattr(library, kind)(n_topics, seed=seed)
        options = settings if threads is None else {**settings, "num_threads": threads}
        model.fit(token_lists(sp.csr_array(X)), **options)
        topics = np.zeros((n_topics, X.shape[1]))
        topics[:, [int(word) for word in model.vocabulary]] = model.topic_word
        return topics

    return side


# Those whose result depends on a seed get several.
SIDES = {
    "TopicModel": (factor, 1),
    "TopicModel, weighting document": (factor_document, 1),
    "AnchorTopicModel": (anchor, 1),
    "anchortopics 0.1.0": (anchortopics, 1),
    "anchor-topic 0.1.2": (anchor_topic, 3),
    "tomotopy LDA, 200 iterations": (tomotopy(200), 3),
    "tomotopy LDA, 500 iterations": (tomotopy(500), 3),
    "tomotopy LDA, 1000 iterations": (tomotopy(1000), 3),
    "scikit-learn NMF (tf-idf)": (nmf, 1),
    "scikit-learn LDA (batch, 20 passes)": (sklearn_lda, 3),
    "topica 0.62 AnchorLDA": (topica("AnchorLDA"), 1),
    "topica 0.62 NMF": (topica("NMF", 2), 1),
    "topica 0.62 LDA, 1000 iterations": (topica("LDA", 2, iters=1000), 3),
}
QUICK = tuple(name for name in SIDES if "1000" not in name and "batch" not in name)


def distributions(topics) -> np.ndarray:
    topics = np.maximum(np.asarray(topics.todense() if sp.issparse(topics) else topics), 0.0)
    return topics / np.maximum(topics.sum(axis=1, keepdims=True), 1e-300)
