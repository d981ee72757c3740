"""How long does one deletion take, and does it depend on the number of documents m?

The corpora are one stream of documents, longer and longer; the documents deleted are among the
first thousand. Sizes are chosen so that K is full from m = 10,000 on: what is left is m.
"""

import numpy as np
import scipy.sparse as sp

from benchmarks import corpora, deletion
from pyunlearn import AnchorTopicModel, CooccurrenceStatistics, load
from pyunlearn.io import MODELS

N_WORDS, N_TOPICS = 1000, 20
SIZES = [10**3, 10**4, 10**5, 10**6]
BATCHES = [1, 10, 100, 1000]
NEWSGROUP_TOPICS = 50
KINDS = ["no anchor word", "anchor words"]
LEARNERS = ["anchor", "factor"]


def file(m, learner):
    return f"{learner}-{m}.safetensors"


class Synthetic:
    """Models by m and learner, kept as files between the benchmarks."""

    timeout = 900

    def setup_cache(self):
        total = CooccurrenceStatistics(N_WORDS)
        for block in corpora.blocks(max(SIZES), N_WORDS, N_TOPICS):
            total.add(block)
            if total.n_documents in SIZES:
                for learner in LEARNERS:
                    model = MODELS[learner](N_TOPICS)
                    model.fit_statistics(total.copy()).save(file(total.n_documents, learner))

    def load(self, m, learner):
        self.first = next(corpora.blocks(corpora.BLOCK, N_WORDS, N_TOPICS))
        self.model = load(file(m, learner))
        deletion.delete_and_restore(self.model, self.first[[-1]])  # warm; a digest is at hand


class DeleteOne(Synthetic):
    params = (SIZES, LEARNERS)
    param_names = ("m", "learner")
    # A document can be deleted once: every sample is a setup of its own.
    number = 1

    def setup(self, m, learner):
        self.load(m, learner)

    def time_delete_one(self, m, learner):
        self.model.forget(self.first[[0]])


class DeleteBatch(Synthetic):
    params = (BATCHES, LEARNERS)
    param_names = ("size", "learner")
    number = 1

    def setup(self, size, learner):
        self.load(SIZES[-2], learner)

    def time_delete_batch(self, size, learner):
        self.model.forget(self.first[:size])


class Newsgroups:
    """Real text: a document with none of the anchor words in it, and one with some."""

    params = KINDS
    param_names = ("document",)
    number = 1
    timeout = 900

    def setup_cache(self):
        X, _, _ = corpora.newsgroups()
        sp.save_npz("counts.npz", X, compressed=False)
        AnchorTopicModel(n_topics=NEWSGROUP_TOPICS).fit(X).save("newsgroups.safetensors")

    def setup(self, kind):
        X = sp.csr_array(sp.load_npz("counts.npz"))
        self.model = load("newsgroups.safetensors")
        anchors = X[:, self.model.anchors_]
        touched = np.diff(sp.csr_array(anchors).indptr)
        # The document of median size among those of its kind.
        of_kind = np.flatnonzero((touched > 0) == (kind == "anchor words"))
        sizes = np.diff(X.indptr)[of_kind]
        row = of_kind[np.argsort(sizes, kind="stable")[len(sizes) // 2]]
        self.document = X[[row]]
        deletion.delete_and_restore(self.model, self.document)

    def time_delete_one(self, kind):
        self.model.forget(self.document)
