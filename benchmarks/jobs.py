"""Jobs that run on this version of the library and on older ones: `python -P jobs.py JOB ...`.

`versions.run` starts them, with the Python that has the version installed. Each prints JSON.
"""

import json
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import scipy.sparse as sp

WARM_UP = 2  # deletions that do not count
TOGETHER = 20  # blocks of the stream that are added at once


def seconds_of(act):
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def new_model(learner, n_topics):
    import pyunlearn

    if hasattr(pyunlearn, "TopicModel"):
        models = {"factor": pyunlearn.TopicModel, "anchor": pyunlearn.AnchorTopicModel}
        return models[learner](n_topics)
    names = {"factor": "refined", "anchor": "anchor"}
    return pyunlearn.AnchorTopicModel(n_topics, learner=names[learner])


def forget(model, document):
    (getattr(model, "forget", None) or model.unlearn)(document)


def library():
    """The version, for the reader to see that both sides are what they should be."""
    import pyunlearn

    return {"version": pyunlearn.__version__, "folder": str(Path(pyunlearn.__file__).parent)}


def models(counts, learner, n_topics, fits, deletions):
    """Seconds of fits from counts, and of deletions of one document, each added again."""
    X = sp.csr_array(sp.load_npz(counts))
    new_model(learner, 2).fit(X[:300])  # loads libraries, starts threads
    found = {"fit": []}
    for _ in range(int(fits)):
        model = new_model(learner, int(n_topics))
        found["fit"].append(seconds_of(lambda model=model: model.fit(X)))
    found["bytes"] = model.statistics_.nbytes
    rows = np.random.default_rng(0).permutation(X.shape[0])[: int(deletions) + WARM_UP]
    anchors = model.anchors_ if learner == "anchor" else np.zeros(0, np.int32)
    found["forget"], found["touches_anchor"] = [], []
    for row in rows:
        document = X[[row]]
        model.digest()  # a model in use has one; it is not part of this deletion
        touches = bool(sp.csr_array(document[:, anchors]).nnz)
        found["forget"].append(seconds_of(lambda document=document: forget(model, document)))
        found["touches_anchor"].append(touches)
        model.partial_fit(document)
    return {
        name: values[WARM_UP:] if name in ("forget", "touches_anchor") else values
        for name, values in found.items()
    }


def peak(counts, learner, n_topics):
    """Most bytes that the process held, libraries and counts included."""
    X = sp.csr_array(sp.load_npz(counts))
    if learner == "tomotopy":
        train_lda(X, int(n_topics), 1)  # memory does not depend on the number of iterations
    else:
        new_model(learner, int(n_topics)).fit(X)
    return most_bytes()


def lda(counts, n_topics, iterations):
    """Seconds of a fit of LDA (tomotopy) without the first document."""
    X = sp.csr_array(sp.load_npz(counts))[1:]
    return seconds_of(lambda: train_lda(X, int(n_topics), int(iterations)))


def train_lda(X, n_topics, iterations):
    import tomotopy

    names = [str(column) for column in range(X.shape[1])]
    model = tomotopy.LDAModel(k=n_topics, seed=1)
    for row in range(X.shape[0]):
        part = slice(X.indptr[row], X.indptr[row + 1])
        model.add_doc([names[c] for c in np.repeat(X.indices[part], X.data[part])])
    model.train(iterations, workers=2)


def store(directory, *ids):
    """Seconds of deletions from a store that is open; the first one loads it and does not count."""
    from pyunlearn import Store

    with Store.open(directory, create=False) as opened:
        seconds = [seconds_of(lambda one=one: opened.forget([one])) for one in ids]
    return seconds[1:]


def stream(m, n_words, n_topics, learner, deletions):
    """Seconds of a fit of the first documents of the stream, and of deletions after it."""
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from benchmarks import corpora

    blocks = corpora.blocks(int(m), int(n_words), int(n_topics))
    first = next(blocks)
    model = new_model(learner, int(n_topics))
    seconds = seconds_of(lambda: model.fit(first))
    total = model.statistics_
    while group := list(islice(blocks, TOGETHER)):
        more = corpora.joined(group)
        seconds += seconds_of(lambda more=more: total.add(more))
    model = new_model(learner, int(n_topics))
    seconds += seconds_of(lambda: model.fit_statistics(total))
    taken = []
    for row in range(int(deletions) + WARM_UP):
        document = first[[row]]
        model.digest()
        taken.append(seconds_of(lambda document=document: forget(model, document)))
        model.partial_fit(document)
    return {"fit": seconds, "forget": taken[WARM_UP:]}


def most_bytes():
    """The high-water mark of this process; of ru_maxrss the parent's would be a part."""
    try:
        with open("/proc/self/status") as lines:
            return 1024 * next(int(x.split()[1]) for x in lines if x.startswith("VmHWM:"))
    except OSError:
        import resource

        scale = 1 if sys.platform == "darwin" else 1024
        return scale * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


JOBS = {job.__name__: job for job in (library, models, peak, lda, store, stream)}


def main():
    name, *arguments = sys.argv[1:]
    print(json.dumps(JOBS[name](*arguments)))


if __name__ == "__main__":
    main()
