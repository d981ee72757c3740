"""The Gaussian mechanism against 60-digit arithmetic, another library, and its own rules."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyunlearn.errors import InvalidParameterError
from pyunlearn.privacy._mechanism import (
    composed_mu,
    gaussian_delta,
    gaussian_epsilon,
    gaussian_mu,
    gaussian_sigma,
)

EPSILONS = (0.01, 0.03, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0)
DELTAS = (1e-30, 1e-20, 1e-15, 1e-10, 1e-6, 1e-5, 1e-3, 0.01, 0.1)
epsilons = st.floats(0.01, 50)
deltas = st.floats(-30, -1).map(lambda power: 10.0**power)


def exact_delta(mu, epsilon, digits=60):
    with mp.workdps(digits):
        mu, epsilon = mp.mpf(mu), mp.mpf(epsilon)

        def phi(x):
            return mp.erfc(-x / mp.sqrt(2)) / 2

        return phi(mu / 2 - epsilon / mu) - mp.exp(epsilon) * phi(-mu / 2 - epsilon / mu)


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("delta", DELTAS)
def test_certified_delta_is_never_exceeded_and_almost_reached(epsilon, delta):
    sigma = gaussian_sigma(1.0, epsilon, delta)
    assert exact_delta(1 / sigma, epsilon) <= delta
    assert exact_delta(1 / (sigma * (1 - 1e-8)), epsilon) > delta


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("mu", [1e-3, 0.01, 0.1, 1.0, 4.0, 30.0])
def test_delta_is_rounded_up_by_little(epsilon, mu):
    exact = exact_delta(mu, epsilon)
    assert gaussian_delta(mu, epsilon) >= float(exact) * (1 - 1e-15)
    assert gaussian_delta(mu, epsilon) <= float(exact) * (1 + 1e-8) or exact < 1e-300


@settings(max_examples=300)
@given(st.floats(-160, 1), st.floats(-6, 1.3), st.booleans())
def test_a_tiny_mu_is_rounded_up_by_little_as_well(power, factor, near_zero):
    mu = 10.0**power
    epsilon = 0.0 if near_zero else min(mu * 10**factor, 50.0)
    found, exact = gaussian_delta(mu, epsilon), exact_delta(mu, epsilon, digits=420)
    assert exact <= found <= exact * (1 + 1e-6)


@given(st.floats(-300, -20), st.floats(-3, 2))
def test_what_is_too_small_for_a_float_needs_no_delta(power, epsilon):
    # The square of 1.1e-162 is 0.
    assert gaussian_delta(1.1e-162, 10**epsilon) == 0.0
    assert gaussian_delta(10.0**power, 10**epsilon) == 0.0


@given(st.floats(-30, 0), st.floats(-1e-8, 1e-8))
def test_an_epsilon_near_zero_is_found(power, above):
    mu = 10.0**power
    delta = gaussian_delta(mu, 0.0) * (1 + above)
    epsilon = gaussian_epsilon(mu, delta)
    assert 0 <= epsilon <= 1e-7
    assert gaussian_delta(mu, epsilon) <= delta * (1 + 1e-8)


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("delta", DELTAS)
def test_sigma_is_that_of_dp_accounting(epsilon, delta):
    accounting = pytest.importorskip("dp_accounting")
    theirs = accounting.get_sigma_gaussian(epsilon, delta)
    assert gaussian_sigma(1.0, epsilon, delta) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("epsilon", [0.01, 0.3, 0.99])
def test_classical_noise_is_never_smaller_than_analytic(epsilon):
    for delta in DELTAS:
        classical = gaussian_sigma(2.0, epsilon, delta, "classical")
        assert classical == pytest.approx(
            2 / epsilon * math.sqrt(2 * math.log(1.25 / delta)), rel=1e-8
        )
        assert classical >= gaussian_sigma(2.0, epsilon, delta)


@given(epsilons, deltas, st.floats(1.0, 3.0))
def test_a_smaller_epsilon_or_delta_needs_at_least_as_much_noise(epsilon, delta, factor):
    sigma = gaussian_sigma(1.0, epsilon, delta)
    assert gaussian_sigma(1.0, epsilon / factor, delta) >= sigma * (1 - 1e-8)
    assert gaussian_sigma(1.0, epsilon, delta / factor) >= sigma * (1 - 1e-8)


@given(epsilons, deltas, st.floats(1e-9, 1e9))
def test_noise_is_proportional_to_sensitivity(epsilon, delta, sensitivity):
    unit = gaussian_sigma(1.0, epsilon, delta)
    assert gaussian_sigma(sensitivity, epsilon, delta) == pytest.approx(sensitivity * unit)


def test_zero_noise_certifies_only_zero_sensitivity():
    assert gaussian_sigma(0.0, 1.0, 1e-6) == 0.0
    assert gaussian_delta(math.inf, 50.0) == 1.0
    assert gaussian_delta(0.0, 0.01) == 0.0
    assert gaussian_epsilon(math.inf, 0.1) == math.inf
    assert gaussian_sigma(5e-324, 50.0, 0.1) >= 0.0
    assert gaussian_sigma(1e-300, 50.0, 0.1) > 0.0


@given(st.floats(0.05, 5), deltas)
def test_epsilon_inverts_delta(mu, delta):
    epsilon = gaussian_epsilon(mu, delta)
    assert gaussian_delta(mu, epsilon) <= delta * (1 + 1e-7)
    assert epsilon == 0 or gaussian_delta(mu, epsilon * (1 - 1e-6)) > delta * (1 - 1e-7)


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=6), epsilons)
def test_releases_compose_to_no_less_than_the_worst_and_no_more_than_the_sum(mus, epsilon):
    together = composed_mu(mus)
    assert max(mus) * (1 - 1e-12) <= together <= sum(mus) * (1 + 1e-12)
    assert gaussian_delta(together, epsilon) >= gaussian_delta(max(mus), epsilon) * (1 - 1e-6)


def test_n_equal_releases_are_one_with_sqrt_n_times_less_noise():
    sigma = gaussian_sigma(1.0, 1.0, 1e-6)
    together = composed_mu([1 / (3 * sigma)] * 9)
    assert together == pytest.approx(gaussian_mu(1.0, 1e-6))


def test_the_mechanism_hides_what_it_says_in_simulation():
    # Hockey-stick divergence of two shifted Gaussians, by numerical integration.
    sigma = gaussian_sigma(1.0, 0.7, 0.05)
    x = np.linspace(-12 * sigma, 12 * sigma, 400_001)
    density = np.exp(-0.5 * (x / sigma) ** 2), np.exp(-0.5 * ((x - 1) / sigma) ** 2)
    excess = np.maximum(density[1] - math.exp(0.7) * density[0], 0)
    assert np.trapezoid(excess, x) / (sigma * math.sqrt(2 * math.pi)) == pytest.approx(
        0.05, rel=1e-5
    )


@pytest.mark.parametrize("epsilon", [0, -1.0, math.nan, math.inf, "1", True])
def test_bad_epsilon_is_refused(epsilon):
    with pytest.raises(InvalidParameterError, match="epsilon"):
        gaussian_sigma(1.0, epsilon, 1e-6)


@pytest.mark.parametrize("delta", [0, -1e-6, 1, 1.5, math.nan])
def test_bad_delta_is_refused(delta):
    with pytest.raises(InvalidParameterError, match="delta"):
        gaussian_sigma(1.0, 1.0, delta)


@pytest.mark.parametrize("sensitivity", [-1.0, math.inf, math.nan])
def test_bad_sensitivity_is_refused(sensitivity):
    with pytest.raises(InvalidParameterError, match="sensitivity"):
        gaussian_sigma(sensitivity, 1.0, 1e-6)


@pytest.mark.parametrize("epsilon", [1.0, 3.0])
def test_the_classical_formula_is_refused_where_it_is_not_proved(epsilon):
    with pytest.raises(InvalidParameterError, match="analytic"):
        gaussian_sigma(1.0, epsilon, 1e-6, "classical")
