"""Does the time of one deletion depend on the number of documents m?

The corpora are drawn from the same topics, so they differ in m only. `nnz` says how full the
co-occurrence matrix is: while it still fills up, it is the matrix that makes a deletion slower.
"""

import numpy as np

from benchmarks.corpora import separable
from pyunlearn import AnchorTopicModel

N_WORDS, N_TOPICS = 2000, 20
SIZES = [2000, 4000, 8000, 16000, 32000]


class Deletion:
    """One document or a hundred leave a model of m documents."""

    params = (SIZES, [1, 100])
    param_names = ("m", "removed")
    # Documents can be removed once: every sample gets a fresh model, and every model one removal.
    number = 1
    rounds = 1
    timeout = 600

    def setup_cache(self):
        return {m: separable(m, N_WORDS, N_TOPICS) for m in SIZES}

    def setup(self, corpora, m, removed):
        X = corpora[m]
        chosen = np.random.default_rng(m).choice(m, removed, replace=False)
        self.removed = X[np.sort(chosen)]
        self.model = AnchorTopicModel(n_topics=N_TOPICS).fit(X)

    def time_unlearn(self, corpora, m, removed):
        self.model.unlearn(self.removed)

    def time_fit_again(self, corpora, m, removed):
        AnchorTopicModel(n_topics=N_TOPICS).fit(corpora[m])

    def track_nnz(self, corpora, m, removed):
        return self.model.statistics_.rows.nnz
