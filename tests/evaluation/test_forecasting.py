"""Evaluations of forecasts: figures against slow sums, baselines against loops, and a verdict to be trusted."""

import math

import numpy as np
import pandas as pd
import pytest

import ganglion as gg
from ganglion.algorithms.forecaster import Forecaster
from ganglion.errors import DataWarning, InvalidInput
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.forecast_baselines import DAMPING, Steps, _ridge, run_forecast_baselines, smooth
from ganglion.evaluation.forecasting import Told, forecast_truth, forecast_values, predict_steps


def frame(n=300, noise=0.2, **columns):
    steps, rng = np.arange(n), np.random.default_rng(0)
    y = 10 + 3 * np.sin(2 * np.pi * steps / 12) + noise * rng.normal(size=n)
    return pd.DataFrame({"time": pd.date_range("2024-01-01", periods=n, freq="h"), "y": y, **columns})


@pytest.fixture(scope="module")
def model():
    return Forecaster(horizon=6, window=24, epochs=3, random_state=0).fit(frame()[:240])


@pytest.fixture(scope="module")
def truth(model):
    return forecast_truth(model, frame()[240:], None, before=frame()[:240])


def test_origins_lie_in_the_evaluation_part_and_read_what_was_before(truth):
    assert truth.values.shape == (19, 6, 1)  # every 3 steps: whole horizons would give 10
    assert truth.steps.min() >= 240
    assert truth.steps.max() == 294
    np.testing.assert_array_equal(truth.values[-1, :, 0], frame()["y"][294:])
    assert (np.diff(truth.panel.times) == 3600).all()


def test_figures_are_slow_sums(model, truth):
    said = predict_steps(model, None, truth)
    got = forecast_values(truth, said)
    error = np.abs(truth.values - said.values)
    y = frame()["y"].to_numpy()[:240]
    assert model.target_.season == 12
    assert got["mae"] == pytest.approx(error.mean())
    assert got["mse"] == pytest.approx((error**2).mean())
    assert got["mase"] == pytest.approx(error.mean() / np.abs(y[12:] - y[:-12]).mean())
    low, high = said.quantiles[..., 0], said.quantiles[..., -1]
    assert got["coverage"] == pytest.approx(((truth.values >= low) & (truth.values <= high)).mean())


def test_points_have_no_crps(truth):
    got = forecast_values(truth, Told(np.zeros_like(truth.values)))
    assert got["crps"] == got["coverage"] == "points are told, and not how far they may be off"
    assert math.isfinite(got["mase"])


def test_a_report_races_draws_and_decides(model):
    report = evaluate(model, frame()[240:], train=(frame()[:240], None), n_bootstrap=100)
    assert report.task == "forecasting"
    assert [each.name for each in report.baselines] == ["naive", "seasonal naive", "exponential smoothing", "linear"]
    assert "MASE" in report.verdict
    for each in report.contenders:
        for name in ("mase", "crps", "smape", "mse", "mae", "coverage"):
            estimate = each.metrics[name]
            assert estimate.low <= estimate.value <= estimate.high, (each.name, name)
    assert report.metrics["mase"].value < next(b for b in report.baselines if b.name == "naive").metrics["mase"].value
    assert {"fan_0", "by_step", "comparison", "mistake_1"} <= set(report.plot())
    page = report.to_html()
    assert "Worst forecasts" in page
    assert "forecast from 2024-01-" in page
    assert "every hour" in page
    assert "19 origins" in str(report)
    assert report.to_dict()["model"]["metrics"]["mase"]["value"] == report.metrics["mase"].value


def test_without_training_data_there_are_figures_and_a_reason(model):
    report = evaluate(model, frame()[200:], n_bootstrap=50)
    assert not report.baselines
    assert any("learn from the training series" in note for note in report.notes)
    with pytest.raises(InvalidInput, match="Or give what came before, train="):
        evaluate(model, frame()[275:], n_bootstrap=50)


def test_training_steps_among_the_evaluation_steps_are_told(model):
    with pytest.warns(DataWarning, match="stand among the training rows"):
        evaluate(model, frame()[100:], train=(frame()[:240], None), n_bootstrap=50)


def test_arrays_without_times_follow_each_other():
    y = frame()["y"].to_numpy()
    model = Forecaster(horizon=6, window=24, epochs=1, random_state=0).fit(y[:240])
    truth = forecast_truth(model, y[240:], None, before=y[:240])
    assert truth.steps.max() == 294
    np.testing.assert_array_equal(truth.values[-1, :, 0], y[294:])


def test_several_series_and_targets_are_judged_together():
    parts = [frame(120, shop=name, z=np.arange(120.0) ** 2) for name in ("a", "b")]
    whole = pd.concat(parts)
    early, late = whole[whole["time"] < "2024-01-05"], whole[whole["time"] >= "2024-01-05"]
    model = Forecaster(horizon=4, window=12, epochs=1, random_state=0, loss="gaussian").fit(early)
    report = evaluate(model, late, train=(early, None), n_bootstrap=50)
    assert report.classes == ("y", "z")
    assert report.facts["Series"].startswith("2, every hour")
    assert all(math.isfinite(report.metrics[name].value) for name in ("mase", "crps", "coverage"))


def test_naive_baselines_are_those_of_a_loop(truth):
    asked, steps = Steps(truth), truth.steps.numpy()
    y = asked.values[:, 0]
    for i, step in enumerate(steps):
        assert (asked.naive(steps)[i, :, 0] == y[step - 1]).all()
        np.testing.assert_array_equal(asked.seasonal(steps)[i, :, 0], [y[step - 12 + h % 12] for h in range(6)])


def test_smoothing_is_that_of_a_loop():
    x, alpha, beta, gamma, m = frame()["y"].to_numpy()[:40], 0.3, 0.1, 0.2, 4
    level, trend, season, errors = x[:m].mean(), 0.0, list(x[:m] - x[:m].mean()), []
    for i, value in enumerate(x):
        ahead = level + DAMPING * trend
        errors.append(value - ahead - season[i % m])
        level, trend = ahead + alpha * errors[-1], DAMPING * trend + beta * errors[-1]
        season[i % m] += gamma * errors[-1]
    got, levels, trends, seasons = smooth(x[:, None], m, *(np.array([rate]) for rate in (alpha, beta, gamma)))
    np.testing.assert_allclose(got[:, 0], errors, atol=1e-12)
    assert (levels[-1, 0], trends[-1, 0], seasons[-1, 0]) == pytest.approx((level, trend, season[39 % m]))


def test_ridge_continues_what_is_linear(truth):
    asked = Steps(truth)
    steps = np.arange(len(asked.values))
    asked.values = (2.0 * steps + 3)[:, None]
    _, told, _ = _ridge(asked, asked, 24)
    np.testing.assert_allclose(
        told(np.array([100, 250]))[:, :, 0], [203 + 2 * np.arange(6), 503 + 2 * np.arange(6)], rtol=1e-3
    )


def test_baselines_know_how_far_they_may_be_off(model, truth):
    training = forecast_truth(model, frame()[:240], None, "y_train")
    for each in run_forecast_baselines(truth, None, train=(None, training)):
        assert each.predictions.quantiles.shape == (19, 6, 1, 5)
        coverage = forecast_values(truth, each.predictions)["coverage"]
        assert 0.6 < coverage <= 1, each.name


def test_the_road_from_a_file_plans_series_and_says_so(tmp_path):
    from ganglion.workflow import assess, plan, train

    path = tmp_path / "hours.csv"
    frame(other=1.0).assign(other=np.random.default_rng(1).normal(size=300)).to_csv(path, index=False)
    planned = plan(path, target="y")
    assert planned.selection.name == "Forecaster"
    assert "the column 'time' is a regular time (every hour)" in planned.selection.reason
    assert "--task regression" in planned.selection.reason
    assert (len(planned.train), len(planned.test)) == (240, 60)
    assert planned.train.values("time").max() < planned.test.values("time").min()
    model = train(planned, options={"epochs": 1, "horizon": 6, "window": 24, "random_state": 0})
    assert model.target_.names == ("y",)
    report = assess(planned, model, baselines=False)
    assert math.isfinite(report.metrics["mase"].value)
    assert plan(path).train.target == ()
    assert plan(path, target="y", task="regression").selection.name == "MLPRegressor"
    assert gg.select(pd.read_csv(path)).name == "Forecaster"


@pytest.mark.parametrize(
    "changed",
    [
        lambda f: f.assign(y=np.where(f["y"] > 10, "up", "down")),  # classes
        lambda f: f.assign(time=f["time"].iloc[0]),  # one day
        lambda f: f.assign(
            time=pd.to_datetime("2024-01-01")
            + pd.to_timedelta(np.random.default_rng(0).integers(0, 10**6, 300), unit="s")
        ),
        lambda f: f.iloc[:15],  # too few to tell
    ],
)
def test_rows_that_are_no_steps_are_none(changed):
    from ganglion.data.convert import as_dataset
    from ganglion.data.series_task import series_reason

    data = as_dataset(changed(frame()))
    assert not series_reason(data, ("y",))


def test_each_series_has_a_scale_of_its_own():
    parts = [frame(120).assign(shop=name, y=frame(120)["y"] * size) for name, size in (("a", 1.0), ("b", 1000.0))]
    whole = pd.concat(parts)
    early, late = whole[whole["time"] < "2024-01-05"], whole[whole["time"] >= "2024-01-05"]
    model = Forecaster(horizon=4, window=12, epochs=1, random_state=0).fit(early)
    truth = forecast_truth(model, late, None, before=early)
    ratio = truth.scales[-1, 0, 0] / truth.scales[0, 0, 0]
    assert ratio == pytest.approx(1000)
