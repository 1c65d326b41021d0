"""Detectors: what was put into a series is found, at the stated rate, and the future changes no past score."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binom

from ganglion.algorithms.anomaly_detector import AnomalyDetector
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.artifact import load
from ganglion.estimators.series_detector import continued, forecast_errors

RNG = np.random.default_rng(0)
QUICK = {"epochs": 3, "batch_size": 64, "width": 8, "window": 12, "random_state": 0, "threads": 1}


def wave(n, *, columns=1, seed=0):
    t, noise = np.arange(n)[:, None], np.random.default_rng(seed).normal(size=(n, columns))
    return np.sin(2 * np.pi * (t / 20 + np.arange(columns) / 3)) + 0.1 * noise


@pytest.mark.parametrize(
    "options",
    [
        {"network": "gru"},
        {"network": "tcn", "threshold": "conformal", "false_alarm_rate": 0.01},
        {"network": "linear", "horizon": 1},
        {"method": "reconstruction", "epochs": 20, "false_alarm_rate": 0.01},
    ],
)
def test_a_spike_is_found_and_little_else(options):
    model = AnomalyDetector(**(QUICK | {"epochs": 8} | options)).fit(wave(600))
    X = wave(300, seed=1)
    X[200] += 3.0
    said = model.predict(X)
    assert said[200] == -1
    assert (said[:200] == -1).mean() < 0.03
    assert set(np.unique(said)) == {-1, 1}
    np.testing.assert_array_equal(said == -1, model.decision_function(X) < 0)
    np.testing.assert_allclose(model.decision_function(X), model.score_samples(X) - model.offset_)
    p = model.p_values(X)
    assert p[200] < 0.01 < p[150:200].min() + 0.011
    assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("method", ["forecast", "reconstruction"])
def test_the_future_changes_no_past_score(method):
    model = AnomalyDetector(method=method, **QUICK).fit(wave(300, columns=2))
    X = wave(120, columns=2, seed=1)
    changed = X.copy()
    changed[70:] = RNG.permutation(changed[70:]) * 50
    before = model.score_samples(X)
    np.testing.assert_array_equal(model.score_samples(changed)[:70], before[:70])
    np.testing.assert_allclose(model.score_samples(X[:70]), before[:70], rtol=1e-4, atol=1e-5)  # streaming: no more yet
    assert not np.allclose(model.score_samples(changed)[70:], before[70:])
    assert (before[: model.window + (3 if method == "forecast" else 0) - (method != "forecast")] == 0).all()


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_the_stated_rate_of_false_alarms_is_held_on_noise(rate):
    """Conformal: of new noise so many steps raise an alarm, within what chance allows on both sides of calibration."""
    options = {"network": "linear", "horizon": 1, "threshold": "conformal", "false_alarm_rate": rate}
    noise = np.random.default_rng(3).standard_t(4, size=(12_000, 1))
    model = AnomalyDetector(**(QUICK | {"epochs": 1} | options)).fit(noise[:6000])
    said = model.predict(noise[6000:])[model.window :] == -1
    # the threshold itself is a quantile of 1,800 scores: its own rate varies as Beta(k, n + 1 - k)
    n, m = 1800, len(said)
    spread = np.sqrt(rate * (1 - rate) * (1 / n + 1 / m))
    assert abs(said.mean() - rate) < 3.3 * spread
    assert binom(m, rate + 3.3 * np.sqrt(rate * (1 - rate) / n)).cdf(said.sum()) < 1


def test_extreme_values_hold_a_rate_that_calibration_has_not_seen():
    noise = np.random.default_rng(4).normal(size=(40_000, 1))
    options = {"network": "linear", "horizon": 1, "false_alarm_rate": 1e-3, "epochs": 1}
    model = AnomalyDetector(**(QUICK | options)).fit(noise[:3000])
    said = model.predict(noise[3000:])[model.window :] == -1
    assert 1e-4 < said.mean() < 5e-3


def test_every_step_is_judged_by_all_forecasts_of_it():
    values, offsets = torch.arange(20.0)[:, None], torch.tensor([0, 12, 20])
    window = 3
    starts = torch.tensor([*range(10), *range(12, 18)])
    # a window that begins at s foretells the steps s + 3 and s + 4: of each, what made it
    said = torch.stack([starts * 100.0, starts * 100.0 + 1], 1)[:, None, :]
    errors, steps = forecast_errors(values, offsets, said, starts, window)
    assert steps.tolist() == [*range(4, 12), *range(16, 20)]
    for error, step in zip(errors[:, 0].tolist(), steps.tolist(), strict=True):
        assert error == [step - 100 * (step - 3), step - (100 * (step - 4) + 1)]


def test_series_are_continued_by_their_last_step():
    longer, offsets = continued(torch.tensor([[1.0], [2.0], [5.0]]), torch.tensor([0, 2, 3]), 2)
    assert longer[:, 0].tolist() == [1, 2, 2, 2, 5, 5, 5]
    assert offsets.tolist() == [0, 4, 7]


def frame(n=150):
    parts = [
        pd.DataFrame(
            {
                "time": pd.date_range("2024-01-01", periods=n, freq="h"),
                "machine": name,
                "load": wave(n, seed=seed)[:, 0] * (1 + seed),
                "heat": wave(n, seed=seed + 5)[:, 0],
            }
        )
        for seed, name in enumerate("ab")
    ]
    return pd.concat(parts, ignore_index=True)


def test_several_series_by_name_are_judged_each_by_its_own_past():
    data = frame()
    model = AnomalyDetector(**QUICK).fit(data)
    new = frame()
    new.loc[200, "heat"] += 5
    said = model.predict(new)
    assert said[200] == -1
    # the same rows in another order have the same answers
    order = RNG.permutation(len(new))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        np.testing.assert_array_equal(model.predict(new.iloc[order]), said[order])
    # what happens to one series does not touch the other
    np.testing.assert_allclose(model.score_samples(new)[:150], model.score_samples(data)[:150], rtol=1e-5)


def test_steps_that_are_missing_are_not_judged_and_their_rows_keep_their_place():
    data = frame().iloc[:150].drop(columns="machine")
    model = AnomalyDetector(**QUICK).fit(data)
    holes = data.drop(index=[60, 61, 62])
    holes.loc[100, "load"] = np.nan
    with pytest.warns(DataWarning, match="3 of 150 steps are missing"):
        scores = model.score_samples(holes)
    assert scores.shape == (147,)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores[:60], model.score_samples(data)[:60], rtol=1e-5)


def test_labels_are_not_looked_at_and_fit_predict_is_fit_and_predict():
    X = wave(200)
    model = AnomalyDetector(**QUICK)
    said = model.fit_predict(X)
    np.testing.assert_array_equal(AnomalyDetector(**QUICK).fit(X, np.arange(200) % 2).predict(X), said)


def test_a_saved_detector_answers_to_the_bit(tmp_path):
    X = wave(300, columns=2)
    model = AnomalyDetector(method="reconstruction", **QUICK).fit(X)
    model.save(tmp_path / "m.ganglion")
    loaded = load(tmp_path / "m.ganglion")
    np.testing.assert_array_equal(loaded.score_samples(X), model.score_samples(X))
    assert loaded.offset_ == model.offset_
    np.testing.assert_array_equal(loaded.p_values(X), model.p_values(X))


def test_anomalies_in_the_training_part_do_not_hide_those_that_come():
    X = wave(600)
    X[RNG.integers(20, 420, 12)] += 4
    model = AnomalyDetector(**(QUICK | {"epochs": 8, "threshold": "conformal", "false_alarm_rate": 0.01})).fit(X)
    new = wave(200, seed=2)
    new[150] += 2
    assert model.predict(new)[150] == -1


# bad input: said before anything is trained


@pytest.mark.parametrize(
    ("X", "options", "error", "words"),
    [
        (np.ones((300, 1)), {}, InvalidInput, r"nothing ever changes in the 210 steps to learn from \(x0\)"),
        (wave(20), {"window": 30}, InvalidInput, r"20 steps|14 steps, but a window of 30 and the 4 after it have 34"),
        (wave(60), {}, InvalidInput, r"18 steps to calibrate on are too few.*at least 20"),
        (
            wave(300),
            {"threshold": "conformal"},
            InvalidParameter,
            r"needs 999 steps to calibrate on, but there are 90.*0\.011 or more.*extreme_value",
        ),
        (np.full((50, 1), np.nan), {}, InvalidInput, "."),
        (np.where(np.arange(300)[:, None] == 7, np.inf, wave(300)), {}, InvalidInput, "inf"),
        (wave(300), {"false_alarm_rate": 0.0}, InvalidParameter, "above 0"),
        (wave(300), {"threshold": "three_sigma"}, InvalidParameter, "conformal"),
        (wave(300), {"method": "guess"}, InvalidParameter, "reconstruction"),
        (wave(300), {"method": "reconstruction", "network": "tcn"}, InvalidParameter, "gru"),
        (np.array(["a", "b"] * 40), {}, InvalidInput, "."),
    ],
)
def test_bad_input_is_refused_with_what_to_do(X, options, error, words):
    model = AnomalyDetector(**(QUICK | options))
    with pytest.raises(error, match=words):
        model.fit(X)
    assert not hasattr(model, "network_")


def test_a_column_that_never_changes_is_said():
    X = np.column_stack([wave(300)[:, 0], np.ones(300)])
    with pytest.warns(DataWarning, match="'x1' never change"):
        model = AnomalyDetector(**QUICK).fit(X)
    assert np.isfinite(model.score_samples(X)).all()


def test_times_that_stand_twice_and_rows_out_of_order():
    data = frame().iloc[:150].drop(columns="machine")
    twice = pd.concat([data, data.iloc[[30]]], ignore_index=True)
    with pytest.raises(InvalidInput, match="1 steps at a time that stands there already"):
        AnomalyDetector(**QUICK).fit(twice)
    with pytest.warns(DataWarning, match="out of order"):
        shuffled = AnomalyDetector(**QUICK).fit(data.iloc[::-1])
    np.testing.assert_allclose(
        shuffled.score_samples(data), AnomalyDetector(**QUICK).fit(data).score_samples(data), rtol=1e-6
    )


def test_steps_before_the_first_that_can_be_judged_raise_no_alarm():
    model = AnomalyDetector(**QUICK).fit(wave(300))
    assert (model.predict(np.full((10, 1), 1e6)) == 1).all()
    assert (model.p_values(np.full((10, 1), 1e6)) == 1).all()
