"""How long does a fit take, and how much memory, by the number of documents m?"""

from benchmarks import corpora
from pyunlearn import AnchorTopicModel

N_WORDS, N_TOPICS = 5000, 20
SIZES = [10**3, 10**4, 10**5]


class Fit:
    params = SIZES
    param_names = ("m",)
    timeout = 900

    def setup(self, m):
        self.X = corpora.stream(m, N_WORDS, N_TOPICS)

    def time_fit(self, m):
        AnchorTopicModel(n_topics=N_TOPICS).fit(self.X)

    def peakmem_fit(self, m):
        AnchorTopicModel(n_topics=N_TOPICS).fit(self.X)
