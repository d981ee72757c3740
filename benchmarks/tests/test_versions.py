"""Two versions beside each other, and corpora that are large in one way, on tiny sizes."""

import argparse
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import pyunlearn
from benchmarks import corpora, deletion_by_m, jobs, large, waiting
from benchmarks.versions import JOBS, Line, Version, header, in_turn, this_version
from pyunlearn import cli

TEXTS = [f"alpha beta gamma{number % 7} delta{number % 5} epsilon" for number in range(60)]


class InThisProcess(Version):
    """Does what a process would do, without starting one."""

    def __init__(self):
        super().__init__("this", sys.executable)

    def output(self, *arguments):
        if arguments[:2] == ("-m", "pyunlearn") and "--help" not in arguments:
            assert cli.main(arguments[2:]) == 0
        return ""

    def job(self, name, *arguments):
        return json.loads(json.dumps(jobs.JOBS[name](*map(str, arguments))))


@pytest.fixture
def counts(tmp_path):
    path = tmp_path / "counts.npz"
    sp.save_npz(path, sp.csr_matrix(corpora.stream(320, 60, 3)))
    return path


def test_a_line_is_judged_by_this_version_and_by_its_share_of_the_other():
    def verdict(**aims):
        return Line("what", [10.0, 2.0], "s", **aims).verdict

    assert verdict() == ""
    assert verdict(aim=2.0) == verdict(share=0.2) == verdict(aim=2, at_most=False) == "reached"
    assert verdict(aim=1.9) == verdict(share=0.1) == verdict(aim=2.0, share=0.1) == "MISSED"
    assert Line("what", [2.0], "s", share=0.1).verdict == ""
    assert "0.200" in str(Line("what", [10.0, 2.0], "s"))


def test_versions_are_run_in_turn_and_medians_are_over_all_runs():
    order = []

    def act(version):
        order.append(version.name)
        return [float(len(order))]

    versions = [Version("other", "python"), this_version()]
    assert in_turn(versions, 3, act) == [3.0, 4.0]
    assert order == ["this", "other", "other", "this", "this", "other"]
    assert "other" in header(versions)


def test_a_process_has_the_library_of_its_version(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "src")  # relative, and processes start elsewhere
    folder = Path(pyunlearn.__file__).parent
    assert this_version().job("library")["folder"] == str(folder)
    assert "PYTHONPATH" not in Version("other", "python").environment()


@pytest.mark.parametrize("learner", ["factor", "anchor"])
def test_a_model_is_measured_in_both_learners(counts, learner):
    found = jobs.models(counts, learner, 3, 2, 4)
    assert len(found["fit"]) == 2
    assert len(found["forget"]) == len(found["touches_anchor"]) == 4
    assert found["bytes"] > 0
    assert any(found["touches_anchor"]) == (learner == "anchor")


def test_a_job_that_fails_says_of_which_version_it_was():
    assert JOBS.exists()
    with pytest.raises(SystemExit, match="this: -P"):
        this_version().job("peak", "no such file", "factor", 3)


def test_the_table_of_where_people_wait_has_all_its_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(waiting, "RULES", [])
    monkeypatch.setattr(waiting, "TOPICS", "3")
    monkeypatch.setattr(corpora, "labelled_texts", lambda _: [("", text) for text in TEXTS])
    X = corpora.stream(320, 60, 3, 10)
    monkeypatch.setattr(corpora, "newsgroups", lambda: (X, None, None))
    monkeypatch.setattr(waiting.importlib.util, "find_spec", lambda _: None)
    given = argparse.Namespace(
        quick=True,
        runs=1,
        model_runs=1,
        deletions=2,
        anchor_deletions=2,
        store_deletions=1,
        times=2,
    )
    lines = list(waiting.lines([InThisProcess()], given, tmp_path))
    said = "\n".join(map(str, lines))
    for what in (
        "import",
        "fit, whole",
        "forget, one",
        "store open",
        "2 times",
        "size of T",
        "peak",
    ):
        assert what in said
    assert all(np.isfinite(line.values[0]) or "touched" in line.what for line in lines)


def test_words_by_the_law_of_zipf():
    X = corpora.zipf(400, 200, 4, 50)
    assert set(X.sum(axis=1)) == {50}
    frequency = X.sum(axis=0)
    assert frequency[:20].sum() > frequency[20:].sum()
    # Half of the tokens of a document are of its topic.
    by_topic = np.stack([X[:, topic::4].sum(axis=1) for topic in range(4)])
    assert np.median(by_topic.max(axis=0)) > 25


def test_a_large_vocabulary_is_measured():
    rows = {row.what.strip(): row.value for row in large.word_rows(1100, 3000, 4, 2, "factor")}
    assert 0 < rows["statistics"] < rows["process before the fit, counts included"]
    assert rows["forget one document"] > 0


def test_sizes_of_a_stream_are_not_passed_over(monkeypatch):
    monkeypatch.setattr(corpora, "BLOCK", 20)
    monkeypatch.setattr(large, "TOGETHER", 2)
    sizes = [20, 60, 120]
    found = list(large.grown(sizes, 60, 3, "factor"))
    assert [model.statistics_.n_documents for model, _, _ in found] == sizes
    last = found[-1][0]
    assert last.digest() == type(last)(3).fit(corpora.stream(120, 60, 3)).digest()
    said = [row.what for row in large.stream_rows([20, 60], 60, 3, 2, "anchor")]
    assert said[-1] == "deletion, m = 60 over 20"
    other = large.other_stream_rows(InThisProcess(), [20, 60], 60, 3, 2, "anchor")
    assert len(list(other)) == 4


def test_pages_of_a_manual_are_text(tmp_path):
    page = '.\\" a comment\n.SH "NAME"\nls \\- \\fIlist\\fR it\n.so man1/other.1\n'
    (tmp_path / "man1").mkdir()
    with gzip.open(tmp_path / "man1" / "ls.1.gz", "wt") as file:
        file.write(page)
    ((name, text),) = corpora.manual_pages(tmp_path)
    assert name == str(Path("man1") / "ls.1.gz")
    assert text.split() == ['"NAME"', "ls", "-", "list", "it", "man1/other.1"]
    lines = list(large.page_lines([InThisProcess()], tmp_path, 1, 2))
    assert lines[2].values[0] == pytest.approx(lines[1].values[0] / lines[0].values[0])


def test_no_pages_are_no_error_in_passing(tmp_path):
    with pytest.raises(SystemExit, match="no manual pages"):
        large.write_pages(tmp_path / "out.jsonl", tmp_path, 1)


def test_the_figure_of_deletions_is_drawn(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(corpora, "BLOCK", 20)
    for name, value in {"N_WORDS": 60, "N_TOPICS": 3, "SIZES": [20, 60], "WARM_UP": 1}.items():
        monkeypatch.setattr(deletion_by_m, name, value)
    monkeypatch.setattr(sys, "argv", ["deletion_by_m", "--quick", "--out", str(tmp_path)])
    deletion_by_m.main()
    assert "| 60" in capsys.readouterr().out
    assert (tmp_path / "deletion-by-m.png").stat().st_size < 100_000
