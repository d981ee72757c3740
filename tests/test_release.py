"""Releases: what is noised, what is claimed, what is refused."""

import copy
import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from pyunlearn import AnchorTopicModel
from pyunlearn._learners.anchor_newton import newton_update
from pyunlearn.certificates import ReleaseCertificate
from pyunlearn.datasets import make_separable
from pyunlearn.errors import (
    CorruptStateError,
    FloorsError,
    InvalidParameterError,
    MissingExtraError,
    NoisyReleaseWarning,
)
from pyunlearn.privacy import release as released_in_place
from pyunlearn.privacy._mechanism import gaussian_delta
from pyunlearn.privacy._noise import discrete_gaussian, grid_charge, rounding_charge

CLAIM = {"epsilon": 1.0, "delta": 1e-6, "capacity": 1}
OWN = {**CLAIM, "sensitivity": 1e-4, "correlation": False}


def release(model, *, budget=None, **options):
    """A release of a model that stays without a budget, or has the one given."""
    model = copy.copy(model)
    if budget is not None:
        model.budget_ = budget
    return released_in_place(model, **options)


@pytest.fixture(scope="module")
def corpus():
    return make_separable(3000, 30, 3, p=0.3, concentration=0.1, length=15).X


@pytest.fixture(scope="module")
def model(corpus):
    return AnchorTopicModel(3, anchor_min_df=0.05).fit(corpus)


@pytest.fixture(scope="module")
def noisy(model):
    with pytest.warns(NoisyReleaseWarning, match="mode='exact'"):
        return release(model, **CLAIM, seed=0)


def test_released_arrays_are_topics(noisy):
    assert noisy.components_.shape == (3, 30)
    assert (noisy.components_ >= 0).all()
    assert noisy.components_.sum(axis=1) == pytest.approx(1.0)
    R = noisy.topic_correlation_
    assert (R == R.T).all()
    assert np.linalg.eigvalsh(R)[0] >= -1e-9 * np.abs(R).max()


def ordered(model):
    """Components by anchor column, as they are released."""
    return model.components_[np.argsort(model.anchors_)]


def test_noise_has_the_size_that_the_certificate_names(model):
    sizes = [
        np.linalg.norm(release(model, **OWN, seed=seed).components_ - ordered(model))
        for seed in range(30)
    ]
    # The projection can only bring the release nearer to the topics.
    named = release(model, **OWN, seed=0).certificate.noise_norm["components"]
    assert 0.2 * named < np.mean(sizes) <= named


def test_both_arrays_together_meet_the_claim(noisy):
    claim = noisy.certificate
    mu = math.hypot(*(claim.sensitivity[name] / claim.sigma[name] for name in claim.released))
    assert gaussian_delta(mu, claim.epsilon) <= claim.delta
    assert gaussian_delta(mu * (1 + 1e-6), claim.epsilon) > claim.delta * (1 - 1e-5)


def test_releasing_topics_alone_needs_less_noise(model, noisy):
    with pytest.warns(NoisyReleaseWarning):
        alone = release(model, **CLAIM, correlation=False, seed=0)
    assert alone.topic_correlation_ is None
    assert alone.certificate.sigma["components"] == pytest.approx(
        noisy.certificate.sigma["components"] / math.sqrt(2)
    )


def test_seeded_releases_repeat_and_say_that_they_are_not_certified(model):
    first, second = release(model, **OWN, seed=7), release(model, **OWN, seed=7)
    assert (first.components_ == second.components_).all()
    assert not first.certificate.certified
    assert "not certified" in str(first.certificate)


def test_certified_releases_are_fresh_and_on_the_grid(model):
    pytest.importorskip("opendp")
    first, second = release(model, **OWN), release(model, **OWN)
    assert first.certificate.certified
    assert first.certificate.grid_bits == 128
    assert (first.components_ != second.components_).any()


def test_zero_sensitivity_is_the_only_one_without_noise(model):
    exact = release(model, **{**OWN, "sensitivity": 0.0}, seed=0)
    assert exact.components_ == pytest.approx(ordered(model), abs=1e-12)
    assert (exact.anchors_ == np.sort(model.anchors_)).all()
    assert exact.certificate.sigma["components"] == 0.0
    assert (
        release(model, **{**OWN, "sensitivity": 1e-12}, seed=0).certificate.sigma["components"] > 0
    )


def test_a_sensitivity_of_the_caller_is_marked(model, noisy):
    assert release(model, **OWN, seed=0).certificate.sensitivity_source == "caller"
    assert noisy.certificate.sensitivity_source == "bound"


def test_releases_under_one_budget_compose(model):
    first = release(model, **OWN, seed=0)
    second = release(model, **OWN, seed=1, budget=first.budget)
    assert second.certificate.n_releases == 2
    assert first.certificate.epsilon_composed == pytest.approx(1.0, rel=1e-6)
    assert second.certificate.epsilon_composed > 1.3


def test_the_model_stays_as_it_was(model):
    before = model.digest()
    release(model, **OWN, seed=0)
    assert model.digest() == before


def newton_model(X, k):
    """A model that k documents were deleted from by the Newton update."""
    model = AnchorTopicModel(3, anchor_min_df=0.05).fit(X)
    model.statistics_.remove(X[:k])
    model.topics_ = newton_update(model.topics_, model.statistics_)
    model.take_as_learned()
    return model


def test_a_newton_model_is_released_under_its_own_bound(corpus):
    made = release(newton_model(corpus, 5), **OWN, seed=0)
    assert made.certificate.mode == "newton"
    assert made.certificate.constants["recovery"] == "newton"


def test_newton_releases_of_unlearned_and_retrained_differ_by_rounding_only(corpus):
    unlearned = newton_model(corpus, 5)
    retrained = AnchorTopicModel(3, anchor_min_df=0.05).fit(corpus[5:])
    made = [
        release(model, **{**OWN, "sensitivity": 0.0}, mode="newton", seed=0).components_
        for model in (unlearned, retrained)
    ]
    assert np.linalg.norm(made[0] - made[1]) < 1e-12


def test_a_newton_model_has_no_exact_topics_to_release(corpus):
    with pytest.raises(InvalidParameterError, match="fit_statistics"):
        release(newton_model(corpus, 5), **OWN, mode="exact", seed=0)


def test_the_mode_of_a_budget_is_kept(corpus, model):
    budget = release(model, **OWN, mode="newton", seed=0).budget
    later = release(newton_model(corpus, 1), **OWN, budget=budget, seed=0)
    assert later.certificate.mode == "newton"
    with pytest.raises(FloorsError, match="recovery"):
        release(model, **OWN, mode="exact", budget=budget, seed=0)


def test_certificates_survive_json(noisy):
    text = noisy.certificate.to_json()
    assert ReleaseCertificate.from_json(text) == noisy.certificate


def test_the_public_copy_holds_nothing_of_the_exact_model(model, noisy):
    private, public = noisy.certificate, noisy.certificate.public()
    assert model.digest() in private.to_json()
    assert model.digest() not in public.to_json()
    assert public.n_documents is None
    assert public.epsilon == private.epsilon


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "pyunlearn-release-1"}'])
def test_other_text_is_no_certificate(text):
    with pytest.raises(CorruptStateError):
        ReleaseCertificate.from_json(text)


def test_certificates_of_another_format_are_refused(noisy):
    values = {**json.loads(noisy.certificate.to_json()), "format": "pyunlearn-release-0"}
    with pytest.raises(CorruptStateError, match="format"):
        ReleaseCertificate.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"epsilon": 0.0}, "epsilon"),
        ({"epsilon": -1.0}, "epsilon"),
        ({"delta": 0.0}, "delta"),
        ({"delta": 1.0}, "delta"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 3001}, "capacity"),
        ({"mechanism": "laplace"}, "mechanism"),
        ({"mechanism": "classical"}, "analytic"),
        ({"sensitivity": -1.0}, "sensitivity"),
        ({"sensitivity": math.inf}, "sensitivity"),
        ({"correlation": True}, "correlation=False"),
        ({"delta": 1e-300}, "delta"),
        ({"mode": "fast"}, "mode"),
    ],
)
def test_bad_input_is_refused(model, options, match):
    with pytest.raises(InvalidParameterError, match=match):
        release(model, **{**OWN, **options}, seed=0)


def test_an_unfitted_model_is_refused():
    with pytest.raises(NotFittedError):
        release(AnchorTopicModel(), **CLAIM, seed=0)


def test_a_capacity_that_could_take_an_anchor_away_is_refused(model):
    with pytest.raises(FloorsError, match="mode='exact'"):
        release(model, **{**CLAIM, "capacity": 2999}, seed=0)


def test_floors_that_no_longer_hold_are_refused(model):
    budget = release(model, **OWN, seed=0).budget
    higher = replace(budget, constants=replace(budget.constants, topic_share=0.9))
    with pytest.raises(FloorsError, match=r"topic_share .*mode='exact'"):
        release(model, **OWN, budget=higher, seed=0)


@pytest.mark.parametrize("change", [{"epsilon": 2.0}, {"delta": 1e-3}, {"capacity": 2}])
def test_a_claim_other_than_the_declared_one_is_refused(model, change):
    budget = release(model, **OWN, seed=0).budget
    with pytest.raises(InvalidParameterError, match="declared with"):
        release(model, **{**OWN, **change}, budget=budget, seed=0)


def test_without_opendp_the_extra_is_named(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(MissingExtraError, match=r"pyunlearn\[privacy\]"):
        release(model, **OWN)


def test_discrete_noise_lies_on_the_grid_and_has_its_deviation():
    pytest.importorskip("opendp")
    values = np.random.default_rng(0).random((40, 50))
    noised = discrete_gaussian(values, 0.25, 20)
    steps = np.ldexp(noised, 20)
    assert (steps == np.round(steps)).all()
    assert np.std(noised - values) == pytest.approx(0.25, rel=0.1)


@pytest.mark.parametrize("steps", [4.0, 7.3, 40.0])
def test_the_grid_charge_covers_the_distance_to_the_continuous_mechanism(steps):
    from scipy.special import ndtr

    j = np.arange(-400, 401)
    discrete = np.exp(-0.5 * (j / steps) ** 2)
    discrete /= discrete.sum()
    rounded = ndtr((j + 0.5) / steps) - ndtr((j - 0.5) / steps)
    apart = 0.5 * np.abs(discrete - rounded).sum()
    assert 2 * apart <= grid_charge(1, steps, 0.0, 0)
    assert grid_charge(1, steps, 0.0, 0) <= 6 * apart


def test_the_grid_charge_is_everything_on_a_coarse_grid_and_nothing_on_a_fine_one():
    assert grid_charge(10, 1.0, 1.0, 1) == 1.0
    assert grid_charge(10**6, 1e-6, 50.0, 128) < 1e-30


def test_rounding_moves_two_vectors_apart_by_no_more_than_the_charge():
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 500))
    rounded = np.round(np.ldexp([x, y], 6)) / 64
    apart = np.linalg.norm(rounded[0] - rounded[1]) - np.linalg.norm(x - y)
    assert apart <= rounding_charge(500, 6)
