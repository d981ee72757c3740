"""Deletion capacity: the largest k, the paper's rates, and the count of a budget."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyunlearn.errors import (
    CapacityExceededError,
    CorruptStateError,
    FloorsError,
    InvalidParameterError,
)
from pyunlearn.privacy._capacity import (
    Budget,
    deletion_capacity,
    head_sensitivity,
    paper_rate,
    stopping_sensitivity,
)
from pyunlearn.privacy._constants import Constants
from pyunlearn.privacy._mechanism import gaussian_sigma
from pyunlearn.privacy._sensitivity import worst_case

RICH = Constants(50, 3, "simplex", 1e12, 1e11, 0.2, 0.3, 0.3, 0.05, 0.3, 1e-13)
PLAIN = Constants(1000, 10, "simplex", 1e6, 1e3, 0.01, 0.1, 0.05, 0.02, 0.1, 1e-13)


def error(constants, k, epsilon, delta, beta=0.1):
    size = constants.n_words * constants.n_topics
    sigma = gaussian_sigma(worst_case(constants, k).topics, epsilon, delta)
    return sigma * (math.sqrt(size) + math.sqrt(2 * math.log(1 / beta)))


def test_capacity_is_the_largest_k_within_the_error():
    found = deletion_capacity(RICH, 1.0, 1e-6)
    assert found.n_documents > 100
    assert error(RICH, found.n_documents, 1.0, 1e-6) <= 0.01
    assert error(RICH, found.n_documents + 1, 1.0, 1e-6) > 0.01


def test_capacity_is_zero_where_one_document_is_too_many():
    found = deletion_capacity(PLAIN, 1.0, 1e-6)
    assert found.n_documents == 0
    assert found.error_of_one > 0.01


@given(st.floats(0.1, 10), st.floats(1, 5), st.sampled_from(["epsilon", "delta", "alpha"]))
def test_asking_for_more_never_gives_more_capacity(epsilon, factor, harder):
    asked = {"epsilon": epsilon, "delta": 1e-6, "alpha": 0.01}
    easy = deletion_capacity(RICH, **asked)
    hard = deletion_capacity(RICH, **{**asked, harder: asked[harder] / factor})
    assert hard.n_documents <= easy.n_documents


def test_noise_stays_within_the_error_with_the_promised_probability():
    rng = np.random.default_rng(0)
    noise = np.linalg.norm(rng.standard_normal((4000, 150)), axis=1)
    bound = math.sqrt(150) + math.sqrt(2 * math.log(1 / 0.1))
    assert np.mean(noise > bound) < 0.1


def test_capacity_never_exceeds_the_corpus():
    assert deletion_capacity(RICH, 50.0, 0.5, alpha=1e9).n_documents < RICH.anchor_mass


def test_rates_are_those_of_the_paper():
    assert paper_rate(1e6, 10_000, 50) == pytest.approx(0.566, abs=1e-3)
    assert paper_rate(1e6, 500, 5) == pytest.approx(800)
    assert paper_rate(1e6, 500, 5, constant=0.1) == pytest.approx(80)
    assert paper_rate(1e6, 500, 5, target="head", head_share=1.0) == pytest.approx(4000)
    assert paper_rate(1e6, 500, 5, target="head") == paper_rate(1e6, 500, 5)


@given(st.floats(0.2, 1.0))
def test_a_head_that_uses_frequent_topics_has_more_capacity(share):
    assert paper_rate(1e6, 500, 5, target="head", head_share=share) >= paper_rate(1e6, 500, 5)


def logistic_head(A, X, y, strength):
    """Optimum of the mean logistic loss plus strength/2 |w|^2, by Newton's method."""
    features, w = X @ A, np.zeros(A.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-features @ w))
        gradient = features.T @ (p - y) / len(y) + strength * w
        hessian = (features * (p * (1 - p))[:, None]).T @ features / len(y)
        w = w - np.linalg.solve(hessian + strength * np.eye(len(w)), gradient)
    return w


@pytest.mark.parametrize("strength", [0.001, 0.1, 1.0])
def test_heads_move_by_no_more_than_the_bound(strength):
    rng = np.random.default_rng(1)
    for scale in (1e-4, 0.01, 0.3):
        A = rng.dirichlet(np.full(30, 0.1), 4).T
        B = rng.dirichlet(np.full(30, 0.1), 4).T * scale + (1 - scale) * A
        X, y = rng.dirichlet(np.full(30, 0.1), 80), rng.integers(0, 2, 80)
        apart = np.linalg.norm(logistic_head(A, X, y, strength) - logistic_head(B, X, y, strength))
        rho = max(np.linalg.norm(A, axis=1).max(), np.linalg.norm(B, axis=1).max())
        assert apart <= head_sensitivity(np.linalg.norm(A - B), strength, rho)


def test_heads_that_stopped_early_are_within_the_stopping_bound():
    rng = np.random.default_rng(2)
    A, X, y = rng.dirichlet(np.ones(9), 3).T, rng.dirichlet(np.ones(9), 40), rng.integers(0, 2, 40)
    best = logistic_head(A, X, y, 0.05)
    near = best + rng.normal(size=3) * 1e-6
    p = 1 / (1 + np.exp(-X @ A @ near))
    gradient = np.linalg.norm((X @ A).T @ (p - y) / 40 + 0.05 * near)
    assert 2 * np.linalg.norm(near - best) <= stopping_sensitivity(gradient, 0.05)


def test_head_capacity_follows_from_the_topics():
    head = deletion_capacity(RICH, 1.0, 1e-6, target="head", regularization=10.0)
    size = math.sqrt(RICH.n_topics) + math.sqrt(2 * math.log(10))
    moved = head_sensitivity(worst_case(RICH, head.n_documents).topics, 10.0)
    assert gaussian_sigma(moved, 1.0, 1e-6) * size <= 0.01
    with pytest.raises(InvalidParameterError, match="regularization"):
        deletion_capacity(RICH, 1.0, 1e-6, target="head")


def test_a_budget_counts_requests_and_refuses_the_one_too_many():
    budget = Budget.declare(RICH.rounded(), 1.0, 1e-6, 10, 1000)
    budget = budget.spend(4, RICH).spend(6, RICH)
    assert (budget.used, budget.left) == (10, 0)
    with pytest.raises(CapacityExceededError, match=r"0 left .*mode='exact'"):
        budget.spend(1, RICH)


def test_a_deletion_that_breaks_a_floor_is_refused():
    budget = Budget.declare(RICH.rounded(), 1.0, 1e-6, 10, 1000)
    with pytest.raises(FloorsError, match="anchor_mass"):
        budget.spend(1, replace(RICH, anchor_mass=1e10))


@pytest.mark.parametrize("capacity", [0, -1, 1001, 2.5])
def test_capacity_outside_the_corpus_is_refused(capacity):
    with pytest.raises(InvalidParameterError, match="capacity"):
        Budget.declare(RICH.rounded(), 1.0, 1e-6, capacity, 1000)


def test_noise_of_a_budget_does_not_depend_on_what_is_used():
    budget = Budget.declare(RICH.rounded(), 1.0, 1e-6, 10, 1000)
    assert budget.spend(7, RICH).sensitivity == budget.sensitivity


def test_budgets_survive_json():
    budget = Budget.declare(RICH.rounded(), 1.0, 1e-6, 10, 1000).spend(3, RICH).released(0.2)
    assert Budget.from_dict(json.loads(json.dumps(budget.as_dict()))) == budget
    with pytest.raises(CorruptStateError):
        Budget.from_dict({"capacity": 3})


def test_releases_compose():
    budget = Budget.declare(RICH.rounded(), 1.0, 1e-6, 10, 1000).released(0.3).released(0.4)
    assert budget.mu_released == pytest.approx(0.5)
    assert budget.n_releases == 2


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"epsilon": 0.0}, "epsilon"),
        ({"delta": 1.0}, "delta"),
        ({"alpha": 0.0}, "alpha"),
        ({"beta": 1.0}, "beta"),
        ({"target": "both"}, "target"),
        ({"mechanism": "classical", "epsilon": 2.0}, "analytic"),
        ({"target": "head", "regularization": 1.0, "head_share": 0.1}, "head_share"),
    ],
)
def test_bad_input_is_refused(options, match):
    with pytest.raises(InvalidParameterError, match=match):
        deletion_capacity(RICH, **{"epsilon": 0.5, "delta": 1e-6, **options})
