"""How long does one deletion take, and does it depend on the number of documents m?

The corpora are one stream of documents, longer and longer; the documents deleted are among the
first thousand. Sizes are chosen so that K is full from m = 10,000 on: what is left is m.

This module and bench_fit also run on older commits: they use what `jobs` has for those.
"""

import numpy as np
import scipy.sparse as sp

from benchmarks import corpora
from benchmarks.jobs import forget, new_model
from pyunlearn import load

N_WORDS, N_TOPICS = 1000, 20
SIZES = [10**3, 10**4, 10**5, 10**6]
BATCHES = [1, 10, 100, 1000]
NEWSGROUP_TOPICS = 50
KINDS = ["no anchor word", "anchor words"]
LEARNERS = ["anchor", "factor"]


def file(m, learner):
    return f"{learner}-{m}.safetensors"


def warmed_up(model, document):
    """The model after a deletion that does not count, its digest at hand as in use."""
    forget(model, document)
    model.partial_fit(document)
    model.digest()
    return model


def save_at_sizes(totals):
    for name, total in totals.items():
        if total.n_documents in SIZES:
            model = new_model(name, N_TOPICS).fit_statistics(total.copy())
            model.save(file(total.n_documents, name))


class Synthetic:
    """Models by m and learner, kept as files between the benchmarks."""

    timeout = 900

    def setup_cache(self):
        blocks = corpora.blocks(max(SIZES), N_WORDS, N_TOPICS)
        first = next(blocks)
        # Of so few documents all columns are kept, whatever the learner needs.
        totals = {name: new_model(name, N_TOPICS).fit(first).statistics_ for name in LEARNERS}
        save_at_sizes(totals)
        for block in blocks:
            for total in totals.values():
                total.add(block)
            save_at_sizes(totals)

    def load(self, m, learner):
        self.first = next(corpora.blocks(corpora.BLOCK, N_WORDS, N_TOPICS))
        self.model = warmed_up(load(file(m, learner)), self.first[[-1]])


class DeleteOne(Synthetic):
    params = (SIZES, LEARNERS)
    param_names = ("m", "learner")
    # A document can be deleted once: every sample is a setup of its own.
    number = 1

    def setup(self, m, learner):
        self.load(m, learner)

    def time_delete_one(self, m, learner):
        forget(self.model, self.first[[0]])


class DeleteBatch(Synthetic):
    params = (BATCHES, LEARNERS)
    param_names = ("size", "learner")
    number = 1

    def setup(self, size, learner):
        self.load(SIZES[-2], learner)

    def time_delete_batch(self, size, learner):
        forget(self.model, self.first[:size])


class Newsgroups:
    """Real text: a document with none of the anchor words in it, and one with some."""

    params = (KINDS, LEARNERS)
    param_names = ("document", "learner")
    number = 1
    timeout = 900

    def setup_cache(self):
        X, _, _ = corpora.newsgroups()
        sp.save_npz("counts.npz", sp.csr_matrix(X), compressed=False)
        for name in LEARNERS:
            new_model(name, NEWSGROUP_TOPICS).fit(X).save(f"{name}.safetensors")

    def setup(self, kind, learner):
        X = sp.csr_array(sp.load_npz("counts.npz"))
        anchors = X[:, load("anchor.safetensors").anchors_]
        touched = np.diff(sp.csr_array(anchors).indptr)
        # The document of median size among those of its kind.
        of_kind = np.flatnonzero((touched > 0) == (kind == "anchor words"))
        sizes = np.diff(X.indptr)[of_kind]
        row = of_kind[np.argsort(sizes, kind="stable")[len(sizes) // 2]]
        self.document = X[[row]]
        self.model = warmed_up(load(f"{learner}.safetensors"), self.document)

    def time_delete_one(self, kind, learner):
        forget(self.model, self.document)
