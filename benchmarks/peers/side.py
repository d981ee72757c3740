"""One library in a process of its own: `python side.py NAME COUNTS TOPICS RUNS`, prints JSON.

Needs NumPy, SciPy and the library named, so that it also runs in an environment of old versions.
A fit is timed from the matrix of counts to the model; deleting a document is, for all but
pyunlearn, the fit of the others.
"""

import json
import sys
import time
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

ENOUGH = 20.0  # seconds after which a fit is not repeated


def pyunlearn(X, n_topics):
    from pyunlearn import AnchorTopicModel

    return AnchorTopicModel(n_topics=n_topics).fit(X)


def anchortopics(X, n_topics):
    from anchortopics import OTFR

    return OTFR(n_topics=n_topics).fit(X)


def anchor_topic(X, n_topics):
    from anchor_topic.topics import model_topics

    return model_topics(sp.csc_matrix(X.T, dtype=np.float64), n_topics, 0.01)


def tomotopy(X, n_topics):
    import tomotopy

    names = [str(column) for column in range(X.shape[1])]
    model = tomotopy.LDAModel(k=n_topics, seed=1)
    for row in range(X.shape[0]):
        part = slice(X.indptr[row], X.indptr[row + 1])
        model.add_doc([names[c] for c in np.repeat(X.indices[part], X.data[part])])
    model.train(200, workers=2)
    return model


def sklearn_lda(X, n_topics):
    from sklearn.decomposition import LatentDirichletAllocation

    return LatentDirichletAllocation(
        n_topics, learning_method="online", max_iter=10, n_jobs=2, random_state=0
    ).fit(X)


def gensim(X, n_topics):
    from gensim.matutils import Sparse2Corpus
    from gensim.models import LdaMulticore

    corpus = Sparse2Corpus(sp.csc_matrix(X.T), documents_columns=True)
    names = {column: str(column) for column in range(X.shape[1])}
    return LdaMulticore(
        corpus, num_topics=n_topics, id2word=names, passes=5, workers=2, random_state=0
    )


def token_lists(X):
    """Documents as lists of words, which are the numbers of columns."""
    names = np.array([str(column) for column in range(X.shape[1])])
    words = names[np.repeat(X.indices, X.data)].tolist()
    ends = np.concatenate(([0], np.cumsum(X.data)))[X.indptr]
    return [words[first:last] for first, last in pairwise(ends)]


def topica_anchor(X, n_topics):
    from topica import AnchorLDA

    return AnchorLDA(n_topics).fit(token_lists(X))


def topica_nmf(X, n_topics):
    from topica import NMF

    return NMF(n_topics).fit(token_lists(X), num_threads=2)


def topica_lda(X, n_topics):
    from topica import LDA

    return LDA(n_topics, seed=1, num_threads=2).fit(token_lists(X), iters=200)


FITS = {
    fit.__name__: fit
    for fit in (
        pyunlearn,
        anchortopics,
        anchor_topic,
        tomotopy,
        sklearn_lda,
        gensim,
        topica_anchor,
        topica_nmf,
        topica_lda,
    )
}


def seconds_of(job):
    begin = time.perf_counter()
    job()
    return time.perf_counter() - begin


def repeated(job, runs):
    """Seconds of up to `runs` runs; a long one is not repeated."""
    seconds = []
    while len(seconds) < runs and sum(seconds) < ENOUGH:
        seconds.append(seconds_of(job))
    return seconds


def memory(name):
    """A line of /proc/self/status in bytes, 0 where there is no such file."""
    try:
        with open("/proc/self/status") as lines:
            return 1024 * next(int(x.split()[1]) for x in lines if x.startswith(name + ":"))
    except OSError:
        return 0


def forget_high_water_mark():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def measure(name, X, n_topics, runs):
    """Seconds of fits and of deletions of one document, and peak bytes of the first fit."""
    fit = FITS[name]
    fit(X[:200, :200] if X.shape[0] > 400 else X, 2)  # loads, compiles, starts threads
    forget_high_water_mark()
    before = memory("VmRSS")
    fits = [seconds_of(lambda: fit(X, n_topics))]
    peak = memory("VmHWM") - before
    if fits[0] < ENOUGH:
        fits += repeated(lambda: fit(X, n_topics), runs - 1)
    if name == "pyunlearn":
        deletions = deletions_of(fit(X, n_topics), X)
    else:
        rest = X[1:]
        deletions = repeated(lambda: fit(rest, n_topics), runs)
    return {"fit": fits, "delete": deletions, "peak": peak}


def deletions_of(model, X, count=50):
    """Random documents one by one, each added again."""
    model.digest()
    seconds = []
    for row in np.random.default_rng(0).permutation(X.shape[0])[: count + 5]:
        document = X[[row]]
        seconds.append(seconds_of(lambda document=document: model.forget(document)))
        model.partial_fit(document)
        model.digest()
    return seconds[5:]


def main():
    name, counts, n_topics, runs = sys.argv[1:]
    X = sp.csr_matrix(sp.load_npz(counts))
    json.dump(measure(name, X, int(n_topics), int(runs)), sys.stdout)


if __name__ == "__main__":
    main()
