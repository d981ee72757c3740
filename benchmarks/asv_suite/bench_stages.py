"""How long does each stage take on 20 newsgroups (5,000 words)?"""

import numpy as np
import scipy.sparse as sp

from benchmarks import corpora
from pyunlearn import AnchorTopicModel, CooccurrenceStatistics, load
from pyunlearn._learners.anchor import recover
from pyunlearn._learners.anchor_search import AnchorSearch, NormalisedRows

N_WORDS, N_TOPICS = 5000, 50
ANCHORS = [20, 50, 100]
SOLVERS = ["active-set", "eg"]


class Newsgroups:
    """Counts and a fitted model, kept as files between the benchmarks."""

    timeout = 900

    def setup_cache(self):
        X, _, _ = corpora.newsgroups(N_WORDS)
        sp.save_npz("counts.npz", X, compressed=False)
        AnchorTopicModel(n_topics=N_TOPICS).fit(X).save("newsgroups.safetensors")

    def load(self):
        self.X = sp.csr_array(sp.load_npz("counts.npz"))
        self.model = load("newsgroups.safetensors")
        self.learned = self.model.topics_


class Counting(Newsgroups):
    def setup(self):
        self.load()

    def time_count(self):
        CooccurrenceStatistics(self.X.shape[1]).add(self.X)


class Anchors(Newsgroups):
    params = ANCHORS
    param_names = ("r",)

    def setup(self, r):
        self.load()

    def time_anchors(self, r):
        learned = self.learned
        rows = NormalisedRows(
            self.model.statistics_.rows, learned.keep, learned.mass, learned.norms
        )
        search = AnchorSearch(rows, r, learned.candidates, num_threads=2)
        search.select()


class Recovery(Newsgroups):
    params = SOLVERS
    param_names = ("solver",)

    def setup(self, solver):
        self.load()
        self.settings = AnchorTopicModel(n_topics=N_TOPICS, solver=solver)._settings()

    def time_recover(self, solver):
        learned = self.learned
        recover(
            self.settings,
            learned.anchor_gram,
            learned.gram,
            learned.words,
            False,
            np.zeros_like(learned.word_topic),
            np.ones_like(learned.converged),
            num_threads=2,
        )


class Transform(Newsgroups):
    def setup(self):
        self.load()

    def time_transform(self):
        self.model.transform(self.X[:1000])
