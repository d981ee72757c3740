"""Does the time of one deletion depend on the number of documents m?

The corpora are drawn from the same topics, so they differ in m only. `nnz` says how full the
co-occurrence matrix is: while it still fills up, it is the matrix that makes a deletion slower.
"""

import numpy as np

from benchmarks.corpora import separable
from pyunlearn import AnchorTopicModel

N_WORDS, N_TOPICS = 2000, 20
SIZES = [2000, 4000, 8000, 16000, 32000]


class Corpora:
    """Word counts by m, drawn once for all processes."""

    timeout = 600

    def setup_cache(self):
        return {m: separable(m, N_WORDS, N_TOPICS) for m in SIZES}


class Deletion(Corpora):
    """One document or a hundred leave a model of m documents."""

    params = (SIZES, [1, 100])
    param_names = ("m", "removed")
    # Documents can be removed once: every sample needs a fresh model.
    number = 1

    def setup(self, corpora, m, removed):
        X = corpora[m]
        chosen = np.random.default_rng(m).choice(m, removed, replace=False)
        self.removed = X[np.sort(chosen)]
        self.model = AnchorTopicModel(n_topics=N_TOPICS).fit(X)

    def time_unlearn(self, corpora, m, removed):
        self.model.unlearn(self.removed)


class Training(Corpora):
    """What a deletion saves: the same model, trained on everything."""

    params = SIZES
    param_names = ("m",)

    def time_fit(self, corpora, m):
        AnchorTopicModel(n_topics=N_TOPICS).fit(corpora[m])

    def track_nnz(self, corpora, m):
        return AnchorTopicModel(n_topics=N_TOPICS).fit(corpora[m]).statistics_.rows.nnz
