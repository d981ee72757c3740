"""Models whose arrays are read-only maps of a file, as joblib hands them to its workers."""

import joblib
import numpy as np
import pytest
from hard_corpora import assert_same_model
from models import new_model

from pyunlearn import load

COUNTS = np.random.default_rng(0).poisson(0.7, (60, 20))


def fitted(learner):
    return new_model(n_topics=4, learner=learner, word_min_df=2, n_jobs=1).fit(COUNTS)


CHANGES = {
    "digest": lambda model: model.digest(),
    "transform": lambda model: model.transform(COUNTS),
    "partial_fit": lambda model: model.partial_fit(COUNTS[:3]),
    "forget": lambda model: model.forget(COUNTS[:3]),
    "refresh": lambda model: (model.forget(COUNTS[:9], refresh="later"), model.refresh()),
    "fit_statistics": lambda model: model.fit_statistics(model.statistics_.copy()),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("learner", ["factor", "anchor"])
def test_a_mapped_model_is_the_model(learner, change, tmp_path):
    model = fitted(learner)
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert not mapped.statistics_.rows.values.flags.writeable
    file = (tmp_path / "model").read_bytes()
    for one in (model, mapped):
        CHANGES[change](one)
    assert_same_model(mapped, model)
    assert (tmp_path / "model").read_bytes() == file
    mapped.save(tmp_path / "saved")
    assert load(tmp_path / "saved").digest() == model.digest()


def digest_after(change, model, X):
    assert not X.flags.writeable
    CHANGES[change](model)
    model.partial_fit(X).forget(X)
    return model.digest()


@pytest.mark.parametrize("learner", ["factor", "anchor"])
def test_workers_change_models_that_they_were_given(learner):
    model = fitted(learner)
    changes = ["digest", "partial_fit", "forget"]
    found = joblib.Parallel(n_jobs=2, max_nbytes=100)(
        joblib.delayed(digest_after)(change, model, COUNTS) for change in changes
    )
    for change, digest in zip(changes, found, strict=True):
        own = fitted(learner)
        CHANGES[change](own)
        assert digest == own.digest()
