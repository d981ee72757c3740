"""How long does a fit take, and how much memory, by the number of documents m?"""

from benchmarks import corpora
from benchmarks.jobs import new_model

N_WORDS, N_TOPICS = 5000, 20
SIZES = [10**3, 10**4, 10**5]
LEARNERS = ["anchor", "factor"]


class Fit:
    params = (SIZES, LEARNERS)
    param_names = ("m", "learner")
    timeout = 900

    def setup(self, m, learner):
        self.X = corpora.stream(m, N_WORDS, N_TOPICS)

    def time_fit(self, m, learner):
        new_model(learner, N_TOPICS).fit(self.X)

    def peakmem_fit(self, m, learner):
        new_model(learner, N_TOPICS).fit(self.X)
