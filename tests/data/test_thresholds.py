"""Thresholds are those of closed forms; the conformal guarantee holds for any numbers."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganglion.data.thresholds import (
    Tail,
    conformal_p_values,
    conformal_threshold,
    extreme_value_threshold,
    fit_pareto,
    tail_of,
    threshold_by_rule,
)
from ganglion.errors import InvalidInput, InvalidParameter

numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 2))  # ties happen
several = st.integers(2, 40).flatmap(lambda n: arrays("float64", n, elements=numbers))


def quantiles(distribution, n):
    """Numbers that lie as a distribution says, without chance."""
    return distribution.ppf((np.arange(n) + 0.5) / n)


def test_conformal_p_value_by_hand():
    p = conformal_p_values(np.array([3.0, 1.0, 2.0, 2.0]), np.array([0.0, 2.0, 2.5, 9.0]))
    np.testing.assert_allclose(p, [5 / 5, 4 / 5, 2 / 5, 1 / 5])


@given(several, st.floats(0.02, 0.9))
def test_of_scores_in_any_order_at_most_the_stated_share_raises_an_alarm(scores, rate):
    # exchangeable: each of the n + 1 scores is equally likely to be the one that is tested on the others
    alarms = 0
    for i in range(len(scores)):
        others = np.delete(scores, i)
        if rate * len(scores) >= 1:
            alarms += scores[i] > conformal_threshold(others, rate)
    assert alarms <= rate * len(scores) + 1e-6


@given(several, st.floats(0.02, 0.9), numbers)
def test_a_score_is_above_the_threshold_where_its_p_value_is_at_most_the_rate(calibration, rate, score):
    if rate * (len(calibration) + 1) < 1:
        with pytest.raises(InvalidParameter, match="to calibrate on"):
            conformal_threshold(calibration, rate)
        return
    p = float(conformal_p_values(calibration, np.array([score]))[0])
    assert (score > conformal_threshold(calibration, rate)) == (p <= rate + 1e-9)


def test_a_rate_that_is_too_low_for_so_few_scores_is_refused_with_what_to_do():
    with pytest.raises(InvalidParameter, match=r"needs 999 steps.*there are 500.*0\.002 or more.*extreme_value"):
        conformal_threshold(np.arange(500.0), 0.001)
    assert conformal_threshold(np.arange(999.0), 0.001) == 998


@pytest.mark.parametrize("rate", [1e-3, 1e-5])
def test_extreme_values_of_an_exponential_distribution_lie_where_its_closed_form_says(rate):
    threshold = extreme_value_threshold(quantiles(scipy.stats.expon(), 50_000), rate)
    assert math.isclose(threshold, -math.log(rate), rel_tol=0.02)


@pytest.mark.parametrize("shape", [0.2, 0.6])
def test_extreme_values_of_a_pareto_distribution_lie_where_its_closed_form_says(shape):
    of = scipy.stats.genpareto(shape, scale=3.0)
    threshold = extreme_value_threshold(quantiles(of, 50_000), 1e-4)
    assert math.isclose(threshold, of.isf(1e-4), rel_tol=0.05)


def test_a_tail_that_ends_is_taken_as_one_that_does_not_so_that_nothing_is_impossible():
    of = scipy.stats.uniform()
    scores = quantiles(of, 5000)
    assert extreme_value_threshold(scores, 1e-4) > of.isf(1e-4)
    assert (np.diff(tail_of(scores).p_values(np.linspace(0.99, 3, 50))) < 0).all()


@pytest.mark.parametrize("shape", [0.1, 0.5, 0.9])
def test_the_fit_is_as_likely_as_the_one_of_scipy(shape):
    excesses = scipy.stats.genpareto(shape, scale=2.0).rvs(300, random_state=0)
    ours, (theirs, _, scale) = fit_pareto(excesses), scipy.stats.genpareto.fit(excesses, floc=0)

    def likelihood(shape, scale):
        return scipy.stats.genpareto(shape, scale=scale).logpdf(excesses).sum()

    assert likelihood(*ours) >= likelihood(theirs, scale) - 1e-3
    assert 0 <= ours[0] <= 1


@given(st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_the_fit_is_in_the_units_of_the_scores(seed, unit):
    excesses = np.random.default_rng(seed).exponential(size=60)
    (shape, scale), (same, scaled) = fit_pareto(excesses), fit_pareto(excesses * unit)
    assert math.isclose(shape, same, abs_tol=1e-5)
    assert math.isclose(scale * unit, scaled, rel_tol=1e-4)


def test_quantiles_and_p_values_are_each_other_s_inverse():
    for shape in (0.0, 1e-12, 0.7):
        tail = Tail(2.0, 0.05, shape, 1.5)
        rates = np.array([0.05, 0.01, 1e-4, 1e-8])
        scores = np.array([tail.quantile(rate) for rate in rates])
        np.testing.assert_allclose(tail.p_values(scores), rates, rtol=1e-6)
        assert Tail.from_json(tail.to_json()) == tail


def test_equal_scores_have_their_value_as_threshold_and_few_scores_none():
    assert extreme_value_threshold(np.ones(100), 1e-3) == 1
    assert tail_of(np.ones(100)).p_values(np.array([0.5, 1.5])).tolist() == [0.3, 0]
    with pytest.raises(InvalidInput, match=r"12 steps to calibrate on.*at least 20.*calibration_fraction"):
        tail_of(np.arange(12.0))


def test_a_rate_that_the_tail_does_not_reach_is_the_conformal_one():
    scores = np.random.default_rng(0).normal(size=200)
    assert extreme_value_threshold(scores, 0.3) == conformal_threshold(scores, 0.3)
    assert threshold_by_rule("conformal", scores, 0.05) == conformal_threshold(scores, 0.05)
    assert threshold_by_rule("extreme_value", scores, 0.001) == extreme_value_threshold(scores, 0.001)
