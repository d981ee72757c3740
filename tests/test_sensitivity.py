"""The bound on the change of the topics: never violated, monotone, and what the constants do."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyunlearn import AnchorTopicModel, CooccurrenceStatistics
from pyunlearn.datasets import make_separable
from pyunlearn.errors import (
    CorruptStateError,
    FloorsError,
    InvalidInputError,
    InvalidParameterError,
)
from pyunlearn.privacy._constants import CEILINGS, FLOORS, Constants, measure
from pyunlearn.privacy._sensitivity import removal_bound, sensitivity_bound, worst_case

GOOD = Constants(200, 4, "simplex", 1e9, 1e7, 0.05, 0.2, 0.1, 0.05, 0.1, 1e-13)
positive = st.floats(1e-6, 1.0)


@pytest.fixture(scope="module")
def corpus():
    return make_separable(3000, 40, 3, p=0.3, concentration=0.1, length=15).X


@pytest.fixture(scope="module")
def model(corpus):
    return AnchorTopicModel(3, anchor_min_df=0.05).fit(corpus)


def test_rows_move_by_at_most_sqrt_2_times_the_share_lost(corpus):
    K = CooccurrenceStatistics(40).add(corpus)
    before = K.to_csr().toarray() / K.word_mass[:, None]
    lost = CooccurrenceStatistics(40).add(corpus[:40]).word_mass / K.word_mass
    after = K.remove(corpus[:40]).to_csr().toarray() / K.word_mass[:, None]
    assert (np.linalg.norm(after - before, axis=1) <= math.sqrt(2) * lost * (1 + 1e-12)).all()


def test_dividing_by_what_is_left_would_break_the_sum_over_words():
    # A word of mass 1 that loses 0.9: 2 k_i / (c_i - k_i) = 18, and p_i times that exceeds the
    # bound 4 k / M on the sum over words. With 2 k_i / c_i the sum is at most 2 k / M.
    mass, lost, total = 1.0, 0.9, 100.0
    assert mass / total * (2 * lost / (mass - lost)) > 4 * 1 / total
    assert mass / total * (2 * lost / mass) <= 2 * 1 / total


def test_the_worst_row_reaches_its_bound():
    # Documents of words (0, 1) and (0, 2): removing the second kind moves row 0 by sqrt(2) t.
    X = np.array([[1, 1, 0]] * 3 + [[1, 0, 1]])
    statistics = CooccurrenceStatistics(3).add(X)
    before = statistics.to_csr().toarray()[0] / statistics.word_mass[0]
    statistics.remove(X[3:])
    after = statistics.to_csr().toarray()[0] / statistics.word_mass[0]
    assert np.linalg.norm(after - before) == pytest.approx(math.sqrt(2) / 4)


def test_nothing_removed_changes_nothing(model):
    bound = sensitivity_bound(model.statistics_, model.topics_, 0)
    assert set(bound.as_dict().values()) == {0.0}


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.sampled_from(["simplex", "newton"]))
def test_the_bound_grows_with_the_documents(k, more, recovery):
    constants = replace(GOOD, recovery=recovery)
    less, all_ = worst_case(constants, k), worst_case(constants, k + more)
    assert less.topics <= all_.topics
    assert less.correlation <= all_.correlation


@pytest.mark.parametrize("name", FLOORS)
def test_a_higher_floor_never_makes_the_bound_larger(name):
    for k in (1, 100, 10**5):
        higher = replace(GOOD, **{name: 2 * getattr(GOOD, name)})
        assert worst_case(higher, k).topics <= worst_case(GOOD, k).topics
        assert worst_case(higher, k).correlation <= worst_case(GOOD, k).correlation


@pytest.mark.parametrize("name", CEILINGS)
def test_a_higher_ceiling_never_makes_the_bound_smaller(name):
    for k in (1, 100, 10**5):
        higher = replace(GOOD, **{name: 2 * getattr(GOOD, name)})
        assert worst_case(higher, k).topics >= worst_case(GOOD, k).topics
        assert worst_case(higher, k).correlation >= worst_case(GOOD, k).correlation


def test_the_steps_are_those_of_the_derivation():
    bound = worst_case(replace(GOOD, row_error=0.0), 10)
    d = math.sqrt(2) * 10 / 1e7
    change = (math.sqrt(2) * d + math.sqrt(0.2) * (d + math.sqrt(2) * 10 / 1e9)) / 0.05
    assert bound.anchor_rows == bound.anchor_row_max == d
    assert bound.recovery_change == pytest.approx(change)
    assert bound.topics == pytest.approx(20 * (2e-8 + change), rel=1e-4)
    assert bound.correlation == pytest.approx(
        math.sqrt(2) * 1e-8 / 0.01 + 2 * 0.05 * bound.topics / 0.001, rel=1e-4
    )


def test_anchors_that_could_vanish_have_no_bound():
    assert worst_case(replace(GOOD, anchor_mass=8.0), 7).topics < math.inf
    assert worst_case(replace(GOOD, anchor_mass=8.0), 8).topics == math.inf


@pytest.mark.parametrize("name", ["gram_min", "topic_share"])
def test_degenerate_topics_have_no_useful_bound(name):
    assert worst_case(replace(GOOD, **{name: 0.0}), 1).topics >= math.sqrt(2 * GOOD.n_topics)


def test_the_bound_for_one_removal_is_at_most_that_for_any(corpus, model):
    gone = CooccurrenceStatistics(40).add(corpus[:7])
    one = removal_bound(model.statistics_, model.topics_, gone)
    any_ = sensitivity_bound(model.statistics_, model.topics_, 7)
    for name, value in one.as_dict().items():
        assert value <= any_.as_dict()[name] * (1 + 1e-12)


@given(st.tuples(*(positive for _ in (*FLOORS, *CEILINGS))))
def test_rounding_declares_what_holds_within_a_factor_of_two(values):
    measured = replace(GOOD, **dict(zip((*FLOORS, *CEILINGS), values, strict=True)))
    declared = measured.rounded()
    declared.check(measured)
    for name in (*FLOORS, *CEILINGS):
        ratio = getattr(measured, name) / getattr(declared, name)
        assert 1 <= ratio < 2 if name in FLOORS else 0.5 < ratio <= 1
    assert declared.rounded() == declared


@pytest.mark.parametrize("name", FLOORS)
def test_a_broken_floor_is_named(name):
    with pytest.raises(FloorsError, match=rf"{name} .*mode='exact'"):
        GOOD.check(replace(GOOD, **{name: getattr(GOOD, name) / 2}))


@pytest.mark.parametrize("name", CEILINGS)
def test_a_broken_ceiling_is_named(name):
    with pytest.raises(FloorsError, match=name):
        GOOD.check(replace(GOOD, **{name: getattr(GOOD, name) * 2}))


def test_declared_constants_that_do_not_hold_are_refused(model):
    declared = replace(measure(model.statistics_, model.topics_).rounded(), gram_min=0.9)
    with pytest.raises(FloorsError, match="gram_min"):
        sensitivity_bound(model.statistics_, model.topics_, 1, constants=declared)


def test_constants_survive_plain_values():
    assert Constants.from_dict(GOOD.as_dict()) == GOOD
    with pytest.raises(CorruptStateError):
        Constants.from_dict({"n_words": 3})


def test_measured_constants_are_those_of_numpy(corpus, model):
    constants = measure(model.statistics_, model.topics_)
    K = model.statistics_.to_csr().toarray() / 2.0**40
    rows = (K / K.sum(axis=1, keepdims=True))[model.anchors_]
    eigenvalues = np.linalg.svd(rows, compute_uv=False) ** 2
    assert constants.total_mass == pytest.approx(3000, rel=1e-6)
    assert constants.anchor_mass == pytest.approx(K.sum(axis=1)[model.anchors_].min())
    assert constants.gram_min == pytest.approx(eigenvalues[-1])
    assert constants.gram_max == pytest.approx(eigenvalues[0])
    assert constants.topic_share == pytest.approx(model.topic_proportions_.min())
    assert constants.word_share == pytest.approx(model.word_frequencies_.max())


def test_rows_of_the_gradient_solver_are_within_their_stated_error(corpus, model):
    loose = AnchorTopicModel(3, anchor_min_df=0.05, solver="eg", tol=1e-7).fit(corpus)
    apart = np.linalg.norm(loose.word_topic_ - model.word_topic_, axis=1).max()
    assert 0 < apart <= measure(loose.statistics_, loose.topics_).row_error


@pytest.mark.parametrize("k", [-1, 3001, 1.5])
def test_more_documents_than_there_are_is_refused(model, k):
    with pytest.raises(InvalidParameterError, match="k must be"):
        sensitivity_bound(model.statistics_, model.topics_, k)


@pytest.mark.parametrize(
    ("options", "match"),
    [({"weighting": "token", "scale_bits": 30}, "weighting"), ({"min_df": 2}, "min_df")],
)
def test_models_that_the_bound_does_not_speak_of_are_refused(corpus, options, match):
    model = AnchorTopicModel(3, anchor_min_df=0.05, **options).fit(corpus)
    with pytest.raises(InvalidParameterError, match=match):
        measure(model.statistics_, model.topics_)


def test_documents_that_are_not_there_have_no_bound(model):
    gone = CooccurrenceStatistics(40).add(np.full((1, 40), 1))
    many = CooccurrenceStatistics(40)
    for _ in range(3001):
        many.merge(gone)
    with pytest.raises(InvalidInputError, match="not contained"):
        removal_bound(model.statistics_, model.topics_, many)
