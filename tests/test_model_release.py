"""`model.release`: what is refused, and that a refusal changes nothing."""

import math
import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from pyunlearn import AnchorTopicModel
from pyunlearn.datasets import make_separable
from pyunlearn.errors import FloorsError, InvalidParameterError, MissingExtraError
from pyunlearn.privacy import release

X = make_separable(3000, 30, 3, p=0.3, concentration=0.1, length=15).X
CLAIM = {"epsilon": 1.0, "delta": 1e-6, "capacity": 3, "seed": 0}
OWN = {**CLAIM, "sensitivity": 1e-4, "correlation": False}

REFUSED = {
    "epsilon zero": ({"epsilon": 0}, "epsilon"),
    "epsilon negative": ({"epsilon": -1.0}, "epsilon"),
    "epsilon not finite": ({"epsilon": math.inf}, "epsilon"),
    "delta zero": ({"delta": 0.0}, "delta"),
    "delta one": ({"delta": 1.0}, "delta"),
    "delta negative": ({"delta": -1e-6}, "delta"),
    "capacity zero": ({"capacity": 0}, "capacity"),
    "capacity above the documents": ({"capacity": 3001}, "capacity"),
    "capacity fractional": ({"capacity": 1.5}, "capacity"),
    "unknown mechanism": ({"mechanism": "laplace"}, "mechanism"),
    "classical for epsilon 1": ({"mechanism": "classical"}, "analytic"),
    "unknown mode": ({"mode": "fast"}, "mode"),
    "sensitivity negative": ({"sensitivity": -1.0}, "sensitivity"),
    "sensitivity not finite": ({"sensitivity": math.nan}, "sensitivity"),
    "sensitivity for A and R": ({"correlation": True}, "correlation=False"),
    "seed negative": ({"seed": -1}, "seed"),
}


def fitted():
    return AnchorTopicModel(3, anchor_min_df=0.05).fit(X)


@pytest.fixture(scope="module")
def fresh():
    return fitted()


@pytest.fixture(scope="module")
def with_budget():
    model = fitted()
    release(model, **OWN)
    return model


def state(model):
    return model.digest(), getattr(model, "budget_", None), sorted(vars(model))


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("before", ["fresh", "with_budget"])
def test_bad_input_changes_nothing(before, name, request):
    model, (options, match) = request.getfixturevalue(before), REFUSED[name]
    known = state(model)
    with pytest.raises(InvalidParameterError, match=match):
        release(model, **{**OWN, **options})
    assert state(model) == known


def test_an_unfitted_model_is_refused_and_stays_unfitted():
    model = AnchorTopicModel()
    known = dict(vars(model))
    with pytest.raises(NotFittedError):
        release(model, **CLAIM)
    assert vars(model) == known


def test_floors_that_no_longer_hold_change_nothing():
    model = fitted()
    release(model, **OWN)
    holding = np.flatnonzero(X[:, [int(model.anchors_[0])]].toarray().ravel())
    model.statistics_.remove(X[holding[:-60]])
    model.refresh()
    known = state(model)
    with pytest.raises(FloorsError, match=r"declared at least .*mode='exact'"):
        release(model, **OWN)
    assert state(model) == known


def test_a_capacity_that_could_take_an_anchor_away_changes_nothing(fresh):
    known = state(fresh)
    with pytest.raises(FloorsError, match="smaller capacity"):
        release(fresh, **{**CLAIM, "capacity": 2999})
    assert state(fresh) == known


def test_without_the_extra_nothing_changes(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    known = state(fresh)
    with pytest.raises(MissingExtraError, match=r"pyunlearn\[privacy\]"):
        release(fresh, **{**OWN, "seed": None})
    assert state(fresh) == known


def test_another_claim_needs_another_budget_and_fit_statistics_begins_one():
    model = fitted()
    release(model, **OWN)
    with pytest.raises(InvalidParameterError, match="fit_statistics"):
        release(model, **{**OWN, "capacity": 4})
    model.fit_statistics(model.statistics_)
    assert release(model, **{**OWN, "capacity": 4}).certificate.n_releases == 1


def test_a_misspelt_option_is_refused(fresh):
    with pytest.raises(TypeError, match="capcity"):
        release(fresh, **CLAIM, capcity=3)
