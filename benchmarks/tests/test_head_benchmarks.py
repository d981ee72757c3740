"""The benchmarks of heads run, on corpora so small that no number means anything."""

import numpy as np
import pytest
from tasks import corpus

from benchmarks import corpora
from benchmarks.asv_suite import bench_heads
from benchmarks.heads import accuracy, capacity, deletion
from benchmarks.heads.labelled import Task


@pytest.fixture
def task():
    counts, labels = corpus(m=120)
    return Task("tiny", counts[:80], labels[:80], counts[80:], labels[80:])


@pytest.mark.parametrize("learner", accuracy.LEARNERS)
def test_accuracy_of_every_kind_of_head(task, learner):
    rows = accuracy.ours(task, 2, learner)
    assert [row[3] for row in rows] == list(accuracy.FEATURES)
    assert all(0 <= row[column] <= 1 for row in rows for column in (6, 8))


def test_peers_get_the_same_head(task, monkeypatch):
    topics = np.random.default_rng(0).dirichlet(np.ones(24), 3)
    monkeypatch.setitem(accuracy.PEERS, "random", lambda X, n_topics: topics)
    assert 0 <= accuracy.peer(task, 3, "random")[6] <= 1


@pytest.mark.parametrize(("loss", "features"), deletion.KINDS)
def test_deletions_end_in_the_digest_of_a_retrain(task, loss, features):
    for share in (None, 0.1):
        assert deletion.deletion(task, 2, share, loss, features, "factor")[9] == "yes"


def test_capacities_are_measured():
    rows = capacity.measured(400, 40, 5, 2, 0)
    assert len(rows) == len(capacity.SHARES)
    assert all(row["base"] > 0 and row["head, logistic"] > 0 for row in rows)


@pytest.mark.parametrize("loss", bench_heads.LOSSES)
def test_asv_benchmarks_of_heads(loss, monkeypatch):
    monkeypatch.setattr(corpora, "BLOCK", 20)
    for name, value in {"N_WORDS": 60, "N_TOPICS": 3, "SIZES": [20, 40, 60]}.items():
        monkeypatch.setattr(bench_heads, name, value)
    bench = bench_heads.UnlearnHead()
    bench.setup(40, loss)
    bench.time_unlearn(40, loss)
    assert bench_heads.HeadFlatness().track_most_documents_over_10_000(loss) > 0


def test_deletion_is_set_beside_fitting_lda_again(task, monkeypatch):
    topics = np.random.default_rng(0).dirichlet(np.ones(24), 3)
    monkeypatch.setitem(accuracy.PEERS, "tomotopy LDA, 200", lambda X, n_topics: topics)
    rows = [
        deletion.deletion(task, 2, share, "squared", "linear", "anchor") for share in (None, 0.1)
    ]
    [(kind, again, ours, ratio, *_)] = deletion.beside_lda(task, 3, rows)
    assert kind == "squared, linear"
    assert ratio == again / ours > 0
