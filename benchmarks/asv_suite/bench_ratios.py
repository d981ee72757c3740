"""Ratios within one run, which other work on the machine moves less than times."""

import statistics

from benchmarks import corpora, deletion, stages
from benchmarks.asv_suite import bench_deletion
from benchmarks.clock import median_seconds
from pyunlearn import AnchorTopicModel, load

N_WORDS, N_TOPICS = 5000, 50
DOCUMENTS = 30
KERNELS = ["count_pattern", "count_upper", "mirror", "squared_norms", "gram_column", "gram_rows"]


class Flatness(bench_deletion.Synthetic):
    """Must stay within 1.15."""

    params = bench_deletion.LEARNERS
    param_names = ("learner",)
    unit = "ratio"

    def track_deletion_at_most_documents_over_10_000(self, learner):
        small, large = (
            load(bench_deletion.file(bench_deletion.SIZES[at], learner)) for at in (1, -1)
        )
        first = next(corpora.blocks(corpora.BLOCK, *deletion.SYNTHETIC))
        return deletion.flatness(small, large, deletion.random_documents(first, DOCUMENTS))


class Retraining:
    unit = "ratio"
    timeout = 900

    def track_deletion_over_fit(self):
        X, _, _ = corpora.newsgroups(N_WORDS)
        model = AnchorTopicModel(n_topics=N_TOPICS).fit(X)
        deletions = deletion.delete_each(model, deletion.random_documents(X, DOCUMENTS))
        fit = median_seconds(lambda: AnchorTopicModel(n_topics=N_TOPICS).fit(X), runs=3)
        return statistics.median(one.seconds for one in deletions) / fit


class Bounds:
    """Speed of a kernel over what the machine can do at most; 1 is the bound."""

    params = KERNELS
    param_names = ("kernel",)
    unit = "ratio"
    timeout = 900

    def setup_cache(self):
        X, _, _ = corpora.newsgroups(N_WORDS)
        return stages.shares(X, N_TOPICS, runs=3)

    def track_share_of_bound(self, shares, kernel):
        return shares[kernel]
