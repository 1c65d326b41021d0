"""Scores of forecasts against closed forms and slow sums, and seasons of waves."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from ganglion.data import forecast_scores as scores
from ganglion.data.seasons import autocorrelation, season_of

RNG = np.random.default_rng(0)


def below_squared(x, mean, deviation):
    return norm.cdf(x, mean, deviation) ** 2


def above_squared(x, mean, deviation):
    return (1 - norm.cdf(x, mean, deviation)) ** 2


def test_crps_of_a_normal_is_its_integral():
    for y, mean, deviation in ((0.3, 1.0, 2.0), (-4.0, 1.0, 0.5)):
        below = quad(below_squared, -50, y, args=(mean, deviation))[0]
        above = quad(above_squared, y, 50, args=(mean, deviation))[0]
        got = scores.crps_of_normals(np.array(y), np.array(mean), np.array(deviation))
        assert got == pytest.approx(below + above, abs=1e-6)


def test_crps_of_many_quantiles_is_that_of_their_normal():
    levels = (np.arange(2000) + 0.5) / 2000
    quantiles = norm.ppf(levels, 1.0, 2.0)
    y = np.array([[[0.3]]])
    got = scores.crps_of_quantiles(y, quantiles[None, None, None], levels)
    assert got[0, 0, 0] == pytest.approx(scores.crps_of_normals(0.3, 1.0, 2.0), rel=1e-3)


def test_crps_of_the_median_alone_is_the_absolute_error():
    y, said = RNG.normal(size=(3, 4, 2)), RNG.normal(size=(3, 4, 2))
    np.testing.assert_allclose(scores.crps_of_quantiles(y, said[..., None], (0.5,)), np.abs(y - said))


def test_the_pinball_loss_is_lowest_at_the_quantile():
    y = RNG.normal(size=(10_001, 1, 1))
    tried = np.linspace(-3, 3, 601)
    for level in (0.1, 0.5, 0.9):
        loss = [scores.pinball(y, np.full((1, 1, 1, 1), q), [level]).mean() for q in tried]
        assert tried[int(np.argmin(loss))] == pytest.approx(np.quantile(y, level), abs=0.02)


def test_smape_is_symmetric_bounded_and_0_where_nothing_is():
    y, said = np.array([[[0.0], [2.0], [1.0], [math.nan]]]), np.array([[[0.0], [0.0], [3.0], [1.0]]])
    got = scores.symmetric(y, said)[0, :, 0]
    assert got[:3].tolist() == [0, 200, 100]
    assert math.isnan(got[3])
    np.testing.assert_array_equal(got[:3], scores.symmetric(said, y)[0, :3, 0])


def test_naive_errors_stay_within_their_series_and_leave_out_what_is_missing():
    values = np.array([[1.0], [3.0], [math.nan], [7.0], [100.0], [101.0], [103.0]])
    assert scores.naive_errors(values, np.array([0, 4, 7]), 1).tolist() == [(2 + 1 + 2) / 3]
    assert scores.naive_errors(values, np.array([0, 4, 7]), 2)[0] == pytest.approx((4 + 3) / 2)


def test_autocorrelation_is_that_of_a_loop():
    x = RNG.normal(size=90)
    got = autocorrelation(x)
    centred = x - x.mean()
    for lag in (0, 1, 7, 30):
        by_hand = (centred[lag:] @ centred[: 90 - lag]) / (90 - lag) / (centred @ centred / 90)
        assert got[lag] == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize("season", [4, 7, 12, 24])
def test_a_season_is_found_under_trend_and_noise(season):
    steps = np.arange(20 * season)
    x = np.sin(2 * np.pi * steps / season) + 0.02 * steps + 0.1 * RNG.normal(size=len(steps))
    assert season_of(torch.from_numpy(x)[:, None], torch.tensor([0, len(x)])) == season


def test_noise_walks_and_constants_have_no_season():
    for x in (RNG.normal(size=500), RNG.normal(size=500).cumsum(), np.ones(50), np.arange(50.0)):
        assert season_of(torch.from_numpy(x)[:, None], torch.tensor([0, len(x)])) == 1


def test_the_season_of_air_passengers_is_a_year():
    from ganglion.data.public import find

    path = find("air_passengers/airline-passengers.csv")
    x = np.loadtxt(path, delimiter=",", skiprows=1, usecols=1)
    assert season_of(torch.from_numpy(x)[:, None], torch.tensor([0, 144])) == 12
