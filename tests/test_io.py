"""Saved models: equal models are equal files, and damage is noticed."""

import json
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hard_corpora import (
    assert_same_model,
    fewer_topics_allowed,
    learner_parameters,
    pools,
    trained_once,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from models import new_model

from pyunlearn import TopicModel, load
from pyunlearn._learners import topics_from_arrays
from pyunlearn.errors import CorruptStateError


def counts(seed=0, m=40, n=12):
    return np.random.default_rng(seed).poisson(0.7, (m, n))


@pytest.fixture(scope="module")
def model():
    return TopicModel(n_topics=4, core_min_df=2).fit(counts())


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model"
    model.save(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"learner": "anchor"},
        {"learner": "anchor", "solver": "eg", "max_iter": 5000, "tol": 1e-4},
        {"weighting": "token", "scale_bits": 30},
        {"learner": "anchor", "anchor_min_df": 0.1, "min_df": 3, "anchor_cleanup": True},
        {"n_topics": np.int64(3), "min_df": np.int32(2), "scale_bits": np.int64(30)},
    ],
)
def test_loading_gives_back_the_model(parameters, tmp_path):
    model = new_model(**{"n_topics": 4, "word_min_df": 2} | parameters).fit(counts())
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert_same_model(loaded, model)
    assert loaded.n_features_in_ == 12
    assert (loaded.transform(counts(1)) == model.transform(counts(1))).all()


@settings(max_examples=50)
@given(pools(), learner_parameters(("active-set", "eg")), st.data())
def test_whatever_can_be_saved_can_be_loaded(pool, parameters, data):
    model = trained_once(parameters, pool.counts, pool.lengths)
    gone = data.draw(st.integers(0, len(pool.counts)))
    with fewer_topics_allowed(), TemporaryDirectory() as folder:
        if gone:
            model.forget(pool.counts[:gone], pool.lengths[:gone])
        model.save(f"{folder}/model")
        loaded = load(f"{folder}/model", n_jobs=1)
        assert_same_model(loaded, model)
        if gone:
            both = (
                one.partial_fit(pool.counts[:gone], None, pool.lengths[:gone])
                for one in (loaded, model)
            )
            assert_same_model(*both)


@settings(max_examples=60)
@given(pools(6, 4), learner_parameters(("active-set", "eg")), st.integers(0, 2))
def test_topics_over_few_or_no_words_are_accepted(pool, parameters, n_words):
    with fewer_topics_allowed():
        model = trained_once(parameters, pool.counts[:, :n_words], pool.lengths)
    arrays = model.topics_.arrays()
    again = topics_from_arrays(model.topics_.settings, arrays)
    again.refuse_other(model.statistics_, 1)
    assert all((found == arrays[name]).all() for name, found in again.arrays().items())


def test_equal_models_are_equal_files(saved, tmp_path):
    model = TopicModel(n_topics=4, core_min_df=2, n_jobs=1).fit(counts()[::-1])
    model.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved
    model.partial_fit(counts(1)).forget(counts(1))
    model.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved
    load(tmp_path / "again").save(tmp_path / "twice")
    assert (tmp_path / "twice").read_bytes() == saved


def test_names_of_columns_are_saved(model, tmp_path):
    named = TopicModel(n_topics=4, core_min_df=2).fit(counts())
    named.feature_names_in_ = np.array([f"wörd{i}" for i in range(12)], dtype=object)
    named.save(tmp_path / "model")
    assert load(tmp_path / "model").top_words() == named.top_words()


def test_threads_belong_to_the_machine_and_not_to_the_file(model, saved, tmp_path):
    (tmp_path / "model").write_bytes(saved)
    assert load(tmp_path / "model").n_jobs is None
    assert load(tmp_path / "model", n_jobs=3).n_jobs == 3


def test_parameters_changed_after_fit_do_not_reach_the_file(tmp_path):
    model = TopicModel(n_topics=4, core_min_df=2).fit(counts())
    model.set_params(n_topics=7, scale_bits=20, weighting="token")
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").get_params()["n_topics"] == 4
    assert_same_model(load(tmp_path / "model"), model)


def unchanged_or_refused(path, content, model):
    path.write_bytes(content)
    try:
        loaded = load(path)
    except CorruptStateError:
        return False
    assert_same_model(loaded, model)
    return True


def test_a_truncated_file_is_refused(model, saved, tmp_path):
    (tmp_path / "model").write_bytes(saved[:-1])
    with pytest.raises(CorruptStateError, match="truncated"):
        load(tmp_path / "model")
    for size in [*range(0, 200), *range(200, len(saved), 97), len(saved) - 1]:
        assert not unchanged_or_refused(tmp_path / "model", saved[:size], model)


def test_a_file_with_more_at_its_end_is_refused(model, saved, tmp_path):
    assert not unchanged_or_refused(tmp_path / "model", saved + b"\0", model)


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_no_flipped_byte_goes_unnoticed(model, saved, mask, tmp_path):
    survived = 0
    for position in range(0, len(saved), 11):
        content = bytearray(saved)
        content[position] ^= mask
        survived += unchanged_or_refused(tmp_path / "model", bytes(content), model)
    assert survived < 20  # padding, and what is left out of a JSON string


def edited(saved, change):
    """The file with its header changed."""
    size = struct.unpack("<Q", saved[:8])[0]
    whole = json.loads(saved[8 : 8 + size])
    header = json.loads(whole["__metadata__"]["pyunlearn"])
    change(header)
    whole["__metadata__"]["pyunlearn"] = json.dumps(header, sort_keys=True)
    text = json.dumps(whole).encode()
    return struct.pack("<Q", len(text)) + text + saved[8 + size :]


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(format="pyunlearn-model-1"),
        lambda header: header.update(n_documents=7),
        lambda header: header.update(feature_names=["a"] * 12),
        lambda header: header.update(extra=1),
        lambda header: header.pop("digest"),
        lambda header: header.pop("content"),
        lambda header: header["settings"].update(n_topics=5),
        lambda header: header["settings"].update(n_jobs=5),
        lambda header: header["settings"].update(n_updates=17),
        lambda header: header.pop("scale_bits"),
    ],
)
def test_an_edited_header_is_refused(model, saved, change, tmp_path):
    assert not unchanged_or_refused(tmp_path / "model", edited(saved, change), model)


@pytest.mark.parametrize("header", ["[]", "null", '"text"', "{", "7"])
def test_a_header_that_is_not_one_is_refused(model, header, tmp_path):
    text = json.dumps({"__metadata__": {"pyunlearn": header}}).encode()
    content = struct.pack("<Q", len(text)) + text
    assert not unchanged_or_refused(tmp_path / "model", content, model)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04\x95", b"{}" * 100])
def test_other_files_are_refused(model, content, tmp_path):
    assert not unchanged_or_refused(tmp_path / "model", content, model)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        load(tmp_path / "absent")


def test_a_failed_save_leaves_the_older_file(model, saved, tmp_path, monkeypatch):
    (tmp_path / "model").write_bytes(saved)

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("pyunlearn._files.os.replace", full)
    with pytest.raises(OSError, match="no space"):
        model.save(tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == saved
    assert [path.name for path in Path(tmp_path).iterdir()] == ["model"]


def test_a_directory_that_is_not_there_is_an_error(model, tmp_path):
    with pytest.raises(OSError, match="absent"):
        model.save(tmp_path / "absent" / "model")
