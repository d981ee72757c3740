"""mode="newton" of the model: back to exact bits at any time, counted against a capacity."""

import numpy as np
import pytest

from pyunlearn import AnchorTopicModel, load
from pyunlearn.datasets import make_separable
from pyunlearn.errors import AnchorVanishedError, CapacityExceededError, FloorsError
from pyunlearn.privacy import release

X = make_separable(3000, 40, 3, p=0.3, concentration=0.1, length=15).X
RELEASE = {"capacity": 12, "mode": "newton", "sensitivity": 1e-3, "correlation": False, "seed": 0}


def fitted(counts=X):
    return AnchorTopicModel(3, anchor_min_df=0.05).fit(counts)


def test_an_exact_deletion_after_a_newton_one_gives_the_exact_digest():
    model = fitted()
    model.forget(X[:10], mode="newton")
    model.forget(X[10:20])
    assert model.digest() == fitted(X[20:]).digest()


def test_so_does_one_after_saving(tmp_path):
    model = fitted()
    model.forget(X[:10], mode="newton")
    model.save(tmp_path / "model")
    model = load(tmp_path / "model")
    model.forget(X[10:20])
    assert model.digest() == fitted(X[20:]).digest()


def test_and_an_addition_after_it():
    model = fitted()
    model.forget(X[:10], mode="newton")
    assert model.partial_fit(X[:10]).digest() == fitted().digest()


def test_statistics_are_those_of_an_exact_deletion():
    exact, newton = fitted(), fitted()
    exact.forget(X[:10])
    certificate = newton.forget(X[:10], mode="newton")
    assert newton.statistics_.digest() == exact.statistics_.digest()
    assert certificate.epsilon is None


def test_deletions_count_against_the_capacity_and_the_one_too_many_changes_nothing():
    model = fitted()
    release(model, 1.0, 1e-6, **RELEASE)
    certificate = model.forget(X[:10], mode="newton")
    assert (certificate.capacity_used, certificate.capacity_left) == (10, 2)
    assert model.budget_.left == 2
    before = model.digest()
    with pytest.raises(CapacityExceededError, match="mode='exact'"):
        model.forget(X[10:20], mode="newton")
    assert (model.digest(), model.budget_.left) == (before, 2)


def test_exact_deletions_have_no_limit_and_end_the_budget():
    model = fitted()
    release(model, 1.0, 1e-6, **RELEASE)
    certificate = model.forget(X[:100])
    assert certificate.capacity_left is None
    assert not hasattr(model, "budget_")


def test_the_count_is_saved_with_the_model(tmp_path):
    model = fitted()
    release(model, 1.0, 1e-6, **RELEASE)
    model.forget(X[:10], mode="newton")
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").budget_ == model.budget_


def test_a_later_release_knows_the_ones_before():
    model = fitted()
    release(model, 1.0, 1e-6, **RELEASE)
    model.forget(X[:10], mode="newton")
    certificate = release(model, 1.0, 1e-6, **RELEASE).certificate
    assert (certificate.capacity_used, certificate.n_releases) == (10, 2)


def test_fitting_again_starts_without_a_budget():
    model = fitted()
    release(model, 1.0, 1e-6, **RELEASE)
    assert not hasattr(model.fit(X), "budget_")


def test_a_vanished_anchor_changes_nothing():
    model = fitted()
    holding = np.flatnonzero(X[:, [int(model.anchors_[0])]].toarray().ravel())
    before = model.digest()
    with pytest.raises(AnchorVanishedError, match="mode='exact'"):
        model.forget(X[holding], mode="newton")
    assert model.digest() == before


def test_floors_that_break_change_nothing():
    model = fitted()
    release(model, 1.0, 1e-6, **{**RELEASE, "capacity": 3000})
    holding = np.flatnonzero(X[:, [int(model.anchors_[0])]].toarray().ravel())
    before = model.digest()
    with pytest.raises(FloorsError, match="anchor_mass"):
        model.forget(X[holding[:-3]], mode="newton")
    assert model.digest() == before
