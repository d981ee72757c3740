"""The benchmark of topics runs, on a corpus so small that no number means anything."""

import sys

import numpy as np
import pytest
import scipy.sparse as sp

from benchmarks.quality import compare, deletion, sides, splits, top_words
from benchmarks.report import print_rows

OURS = ("TopicModel", "AnchorTopicModel")


def tiny():
    rng = np.random.default_rng(0)
    words = [f"w{letter}" for letter in "abcdefghijklmnop"]
    themes = rng.dirichlet(np.full(16, 0.3), 3)
    theme = rng.integers(0, 3, 120)
    texts = [" ".join(rng.choice(words, 30, p=themes[t])) for t in theme]
    return splits.counted(texts[:80], texts[80:], 1, (theme[:80], theme[80:]))


@pytest.mark.parametrize("side", OURS)
def test_topics_are_measured_and_kept(side, tmp_path, monkeypatch):
    monkeypatch.setitem(compare.CORPORA, "tiny", tiny)
    out = tmp_path / "tiny-3.npz"
    compare.one("tiny", 3, side, 1, out)
    with np.load(out) as stored:
        topics = stored["topics"]
    np.testing.assert_allclose(topics.sum(axis=1), 1.0)
    found = compare.measure(tiny(), topics)
    assert -1 <= found["test"] <= 1
    assert 0 < found["diversity"] <= 1
    assert 0 <= found["accuracy"] <= 1
    assert 1 < found["perplexity"] < 1000
    line = compare.row("tiny", 3, side, [{**found, "seconds": 1.0, "memory": 100.0}])
    assert line.count("|") == compare.HEADER.splitlines()[0].count("|")


def test_a_kept_fit_is_not_made_again(tmp_path):
    topics = np.full((2, 4), 0.25)
    np.savez(tmp_path / "tiny-2-topicmodel-1.npz", topics=topics, seconds=1.0, memory=1.0)
    found = compare.fitted("tiny", 2, "TopicModel", 1, tmp_path)
    assert (found["topics"] == topics).all()


def test_partners_come_in_the_order_of_the_topics_of_lda(tmp_path, monkeypatch, capsys):
    lda = np.eye(4)[[2, 0, 3]]
    others = 0.9 * np.eye(4)[[0, 3, 2]] + 0.025
    assert top_words.partners(lda, others).argmax(axis=1).tolist() == [2, 0, 3]
    monkeypatch.setitem(splits.CORPORA, "tiny", tiny)
    monkeypatch.setattr(top_words, "SIDES", (*OURS, top_words.LDA))
    name = tmp_path / "tiny-3-tomotopy-lda-500-iterations-1.npz"
    for side in OURS:
        compare.one("tiny", 3, side, 1, tmp_path / f"tiny-3-{side.lower().replace(' ', '-')}-1.npz")
    name.write_bytes((tmp_path / "tiny-3-topicmodel-1.npz").read_bytes())
    options = ["--corpus", "tiny", "--topics", "3", "--rows", "3", "--keep", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["top_words", *options])
    top_words.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    factor, _, lda = lines[2].split("|")[2:5]
    assert factor.split() == lda.split()


def test_a_deletion_stands_beside_a_fit_of_the_peer(capsys, monkeypatch):
    monkeypatch.setattr(deletion, "tomotopy", lambda iterations: sides.anchor)
    rows = deletion.deletion_rows(tiny().train, 3, 4, 1, (160, 800))
    print_rows("tiny", rows)
    printed = capsys.readouterr().out
    assert "m = 800 over 160" in printed
    assert "fit of LDA over deletion" in printed


def test_what_settings_are_chosen_on_has_no_document_of_the_test():
    whole = tiny()
    part = splits.validation(whole)
    assert part.train.shape[0] + part.test.shape[0] == whole.train.shape[0]
    assert len(part.test_labels) == part.test.shape[0] == 20
    assert (part.test != whole.train[::4]).nnz == 0


@pytest.mark.parametrize("side", [name for name in sides.SIDES if "topica" in name])
def test_topics_of_a_library_that_leaves_words_out_have_their_columns(side):
    pytest.importorskip("topica", reason="topica is of the extra [bench]")
    split = tiny()
    X = sp.csr_array(sp.hstack([split.train, sp.csr_array((split.train.shape[0], 2), dtype=int)]))
    topics = sides.distributions(sides.SIDES[side][0](X, 3, 1))
    assert topics.shape == (3, X.shape[1])
    assert (topics[:, -2:] == 0).all()
    np.testing.assert_allclose(topics.sum(axis=1), 1.0)


def test_every_side_has_a_number_of_seeds():
    assert all(seeds in (1, 3) for _, seeds in sides.SIDES.values())
    assert set(OURS) <= set(sides.QUICK) <= set(sides.SIDES)
