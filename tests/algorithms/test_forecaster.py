"""Forecasters: they learn what can be learned, never look ahead, follow each series' end, and refuse with a way out."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ganglion as gg
from ganglion.algorithms.forecaster import Forecaster
from ganglion.data.forecast_scores import crps_of_normals
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.artifact import load

NETWORKS = ["linear", "lstm", "gru", "tcn", "patch_transformer"]
SMALL = {"window": 16, "horizon": 4, "random_state": 0, "patch": 8, "stride": 4, "width": 8, "heads": 2}


def waves(n=200, noise=0.1, seed=0):
    steps, rng = np.arange(n), np.random.default_rng(seed)
    return np.column_stack(
        [
            np.sin(2 * np.pi * steps / 12 + phase) * size + noise * size * rng.normal(size=n)
            for phase, size in ((0, 1), (1, 50))
        ]
    )


def dated(n=200, **columns):
    return pd.DataFrame({"time": pd.date_range("2024-01-01", periods=n, freq="h"), "y": waves(n)[:, 0], **columns})


@pytest.fixture(scope="module")
def fitted():
    return {name: Forecaster(network=name, epochs=2, **SMALL).fit(waves()) for name in NETWORKS}


def test_a_wave_is_continued():
    steps = np.arange(400)
    X = np.sin(2 * np.pi * steps / 12)
    for options in ({"loss": "mse"}, {"loss": "gaussian", "epochs": 40}, {"network": "gru", "width": 16}):
        model = Forecaster(
            **{"horizon": 6, "window": 24, "epochs": 20, "learning_rate": 0.01, "random_state": 0} | options
        )
        model.fit(X[:394])
        assert np.abs(model.predict(X[:394]) - X[394:]).max() < 0.25, options


@pytest.mark.parametrize("name", NETWORKS)
@given(end=st.integers(16, 195), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_shuffling_the_future_changes_no_forecast(fitted, name, end, seed):
    model, X = fitted[name], waves()
    shuffled = X.copy()
    np.random.default_rng(seed).shuffle(shuffled[end:])
    shuffled[end:] *= 3
    np.testing.assert_array_equal(model.predict(shuffled[:end]), model.predict(X[:end]))
    panel, steps = model.origins(X, stride=1)
    one = model.forecast_from(panel, steps[steps <= end])
    other = model.forecast_from(model.origins(shuffled, stride=1)[0], steps[steps <= end])
    np.testing.assert_array_equal(one.values, other.values)


@given(share=st.sampled_from([0.2, 0.5]), seed=st.integers(0, 9))
@settings(max_examples=6)
def test_scaling_and_learning_use_the_past_only(share, seed):
    X = waves()
    changed = X.copy()
    held = round(share * len(X))
    changed[-held:] = np.random.default_rng(seed).normal(1e3, 1e3, (held, 2))
    options = SMALL | {"epochs": 1, "validation_fraction": share, "normalization": "none", "loss": "mse"}
    one, other = (Forecaster(**options).fit(given) for given in (X, changed))
    assert one.history_.rows[0]["validation_loss"] != other.history_.rows[0]["validation_loss"]
    for name, tensor in one.network_.state_dict().items():
        assert torch.equal(tensor, other.network_.state_dict()[name]), name


def test_the_scale_is_that_of_the_training_steps():
    X = waves()
    model = Forecaster(epochs=1, validation_fraction=0.25, **SMALL).fit(X)
    np.testing.assert_allclose(model.network_.input.center, X[:150].mean(0))
    np.testing.assert_allclose(1 / model.network_.input.factor, X[:150].std(0))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_gives_the_same_forecasts(fitted, name, tmp_path):
    model, X = fitted[name], waves()
    model.save(tmp_path / "model.ganglion")
    back = load(tmp_path / "model.ganglion")
    np.testing.assert_array_equal(back.predict(X), model.predict(X))
    np.testing.assert_array_equal(back.predict_quantiles(X), model.predict_quantiles(X))
    assert back.backtest(X).metrics == model.backtest(X).metrics


def test_shapes_follow_targets_and_series():
    X = waves()
    assert Forecaster(epochs=1, **SMALL).fit(X).predict(X).shape == (4, 2)
    assert Forecaster(epochs=1, **SMALL).fit(X[:, 0]).predict(X[:, 0]).shape == (4,)
    frame = pd.concat([dated(60, shop="b"), dated(80, shop="a")])
    model = Forecaster(epochs=1, **SMALL).fit(frame)
    assert model.predict(frame).shape == (2, 4)
    assert model.predict_quantiles(frame).shape == (2, 4, 5)
    np.testing.assert_allclose(model.predict(frame)[1], model.predict(frame[frame["shop"] == "b"])[0], atol=1e-12)
    told = model.forecast(frame)
    assert told.ids == ("a", "b")
    assert [told.grid.text(times[0]) for times in told.times] == ["2024-01-04 08:00:00", "2024-01-03 12:00:00"]


def test_a_forecast_is_that_of_a_backtest_at_the_same_step(fitted):
    model, X = fitted["linear"], waves()
    found = model.backtest(X, origins=3, stride=5)
    assert found.origins.tolist() == [186, 191, 196]
    for i, origin in enumerate(found.origins):
        np.testing.assert_allclose(found.values[i], model.predict(X[:origin]), atol=1e-12)
        np.testing.assert_array_equal(found.truth[i], X[origin : origin + 4])
    assert found.metrics["mae"] == pytest.approx(np.abs(found.truth - found.values).mean())


def test_quantiles_rise_and_the_median_is_the_forecast(fitted):
    for model in fitted.values():
        quantiles = model.predict_quantiles(waves())
        assert (np.diff(quantiles, axis=-1) >= 0).all()
        np.testing.assert_array_equal(quantiles[..., 2], model.predict(waves()))


def test_intervals_hold_what_they_promise():
    rng = np.random.default_rng(0)
    X = rng.normal(5, 2, 1500)
    for loss in ("quantiles", "gaussian"):
        model = Forecaster(
            horizon=2, window=4, loss=loss, normalization="none", epochs=20, learning_rate=0.01, random_state=0
        )
        found = model.fit(X[:1000]).backtest(X[1000:], stride=1)
        assert 0.85 < found.metrics["coverage"] < 0.95, loss
        perfect = crps_of_normals(found.truth, np.array(5.0), np.array(2.0)).mean()
        assert found.metrics["crps"] < perfect * (1.2 if loss == "quantiles" else 1.05), loss


def test_what_is_known_ahead_is_used():
    rng = np.random.default_rng(0)
    event = (rng.random(400) < 0.2).astype(float)
    frame = dated(400, event=event)
    frame["y"] = 5 * event + 0.1 * rng.normal(size=400)
    options = {
        "horizon": 4,
        "window": 8,
        "target": "y",
        "known": "event",
        "epochs": 30,
        "random_state": 0,
        "learning_rate": 0.01,
    }
    for network in ("linear", "lstm"):
        model = Forecaster(network=network, normalization="none", loss="mse", **options).fit(frame[:380])
        future = frame[:384].copy()
        future.loc[380:, ["y"]] = np.nan
        future.loc[380:, "event"] = [1, 0, 0, 1]
        np.testing.assert_allclose(model.predict(future), [5, 0, 0, 5], atol=0.8)
        with pytest.raises(InvalidInput, match=r"'event' is told for 3 steps ahead .* is missing. Append rows to X"):
            model.predict(future[:383])


def test_gaps_teach_nothing():
    X = waves(noise=0)[:, :1]
    holes = X.copy()
    holes[50:60] = np.nan
    spoiled = X.copy()
    spoiled[50:60] = X[49]  # what a gap is filled with
    options = SMALL | {"epochs": 30, "learning_rate": 0.01, "loss": "mse", "normalization": "none"}
    errors = [Forecaster(**options).fit(given).backtest(X, stride=1).metrics["mae"] for given in (holes, spoiled)]
    assert errors[0] < 0.7 * errors[1]
    found = Forecaster(epochs=1, **SMALL).fit(holes).backtest(holes, stride=1)
    assert np.isnan(found.truth).sum() == 10 * 4  # each missing step lies in the horizon of four origins


def test_weights_of_zero_are_gaps_and_a_y_must_be_the_target():
    X = waves()
    Forecaster(epochs=1, **SMALL).fit(X, X)
    with pytest.raises(InvalidInput, match="learns from X alone"):
        Forecaster(epochs=1, **SMALL).fit(X, X[:, 0])
    weight = np.ones(200)
    weight[90:95] = 0
    frame = dated()
    with pytest.warns(DataWarning, match="5 of 200 steps are missing"):
        one = Forecaster(epochs=1, **SMALL).fit(frame, sample_weight=weight)
    with pytest.warns(DataWarning, match="5 of 200 steps are missing"):
        other = Forecaster(epochs=1, **SMALL).fit(frame.drop(index=range(90, 95)))
    np.testing.assert_array_equal(one.predict(frame), other.predict(frame))


@pytest.mark.parametrize("kind", ["polars", "index", "series", "dictionary"])
def test_frames_of_any_kind(kind):
    frame = dated()
    expected = Forecaster(epochs=1, **SMALL).fit(frame).predict(frame)
    if kind == "polars":
        given = pytest.importorskip("polars").from_pandas(frame)
    else:
        indexed = frame.set_index("time")
        given = {"index": indexed, "series": indexed["y"], "dictionary": {k: frame[k].to_numpy() for k in frame}}[kind]
    model = Forecaster(epochs=1, **SMALL).fit(given)
    np.testing.assert_array_equal(model.predict(given), expected)
    assert model.forecast(given).columns()["time"][0] == "2024-01-09 08:00:00"


def test_a_forecast_prints_draws_and_is_read(fitted):
    frame = dated()
    told = Forecaster(epochs=1, **SMALL).fit(frame).forecast(frame)
    assert "2024-01-09 08:00:00" in str(told)
    assert repr(told) == "Forecast(4 steps of y)"
    assert "<table>" in told._repr_html_()
    assert list(told.columns()) == ["time", "y", "y_0.05", "y_0.25", "y_0.5", "y_0.75", "y_0.95"]
    assert told.to_dict()["values"] == told.values.tolist()
    assert list(told.plot()) == ["y"]
    found = fitted["linear"].backtest(waves())
    assert str(found).startswith("Backtest(46 origins, 4 steps of x0, x1)")
    assert set(found.plot()) == {"fan_0", "fan_22", "fan_45", "by_step"}
    assert found.to_dict()["metrics"] == found.metrics
    assert "<svg" in found._repr_html_()


@pytest.mark.parametrize(
    ("X", "options", "error", "words"),
    [
        (waves(19), {}, InvalidInput, "the series has 19 steps, but a window of 16 and the 4 after it have 20"),
        (waves(30), {"horizon": 40, "window": "auto"}, InvalidInput, "30 steps, but a window of 1 and the 40 after it"),
        (np.full((100, 1), 5.0), {}, InvalidInput, "'x0' is the same at every step"),
        (
            dated().iloc[[*range(50), 3, *range(50, 100)]],
            {"series": None},
            InvalidInput,
            "1 steps at a time that stands",
        ),
        (waves(), {"quantiles": (0.1, 0.9)}, InvalidParameter, "0.5 among them"),
        (waves(), {"quantiles": (0.9, 0.5, 0.1)}, InvalidParameter, "that rise"),
        (waves(), {"epochs": 3, "steps": 10}, InvalidParameter, "both say how long to train"),
        (waves(), {"network": "patch_transformer", "width": 9}, InvalidParameter, "width=8"),
        (waves(), {"horizon": 0}, InvalidParameter, "at least 1"),
        (waves(40), {"validation_fraction": 0.9}, InvalidParameter, "no window is left to learn from"),
        (dated(40), {"target": "z"}, InvalidInput, "no column is called 'z'"),
        (dated(40), {"known": "z"}, InvalidInput, "no column is called 'z'"),
        (np.array([["a", "b"]] * 30), {}, InvalidInput, "no column of numbers is left to forecast"),
        (
            np.where(np.arange(60)[:, None] < 10, waves(60)[:, :1], np.nan),
            {},
            InvalidInput,
            "no window of 20 steps has",
        ),
    ],
)
def test_bad_input_is_refused_before_training(X, options, error, words):
    model = Forecaster(**SMALL | options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        with pytest.raises(error, match=words):
            model.fit(X)
    assert not hasattr(model, "network_")


def test_bad_histories_are_refused(fitted):
    model = fitted["linear"]
    for X, words in (
        (waves(15), "the series has 15 steps up to its last target, but the model reads 16"),
        (waves()[:, :1], "features"),
        (np.full((30, 2), np.nan), "has no target at all"),
    ):
        with pytest.raises(InvalidInput, match=words):
            model.predict(X)
    with pytest.raises(InvalidInput, match="no series has the 16 steps that are read before an origin and the 4"):
        model.backtest(waves(19))
    with pytest.raises(InvalidParameter, match="stride=0"):
        model.backtest(waves(), stride=0)
    with pytest.raises(InvalidParameter, match="forecasts points"):
        Forecaster(epochs=1, loss="mse", **SMALL).fit(waves()).predict_quantiles(waves())


def test_some_series_too_short_are_told():
    frame = pd.concat([dated(60, shop="b"), dated(10, shop="a")])
    with pytest.warns(DataWarning, match="1 of 2 series have fewer than the 20 steps of one window"):
        Forecaster(epochs=1, **SMALL).fit(frame)


def test_one_constant_target_among_others_is_forecast_as_it_is():
    X = waves()
    X[:, 1] = 7
    model = Forecaster(epochs=1, **SMALL).fit(X)
    np.testing.assert_allclose(model.predict(X)[:, 1], 7)


def test_steps_are_counted_and_validation_may_be_given():
    X = waves()
    model = Forecaster(steps=13, **SMALL).fit(X)
    assert model.history_.rows[-1]["step"] == 13
    model = Forecaster(epochs=2, **SMALL).fit(X[:150], validation=(X[134:], None))
    assert "validation_loss" in model.history_.rows[0]
    with pytest.raises(InvalidInput, match="validation: no series has the 20 steps"):
        Forecaster(epochs=2, **SMALL).fit(X[:150], validation=(X[190:], None))


def test_it_is_the_public_name():
    assert gg.Forecaster is Forecaster


@pytest.mark.parametrize("loss", ["mse", "quantiles"])
def test_large_series_do_not_drown_small_ones(loss):
    rng = np.random.default_rng(0)
    small, large = (np.sin(2 * np.pi * np.arange(150) / period) for period in (12, 8))
    parts = [
        pd.DataFrame({"time": pd.date_range("2024-01-01", periods=150, freq="h"), "y": y * size, "shop": name})
        for name, y, size in (("small", small, 1.0), ("large", large + 0.3 * rng.normal(size=150), 1e4))
    ]
    model = Forecaster(horizon=4, window=24, loss=loss, epochs=60, learning_rate=0.01, random_state=0)
    found = model.fit(pd.concat(parts)).backtest(parts[0], stride=1)
    assert found.metrics["mae"] < 0.15


@pytest.mark.parametrize("name", NETWORKS)
def test_plain_numbers_take_a_short_cut_to_the_same_forecast(fitted, name):
    model, X = fitted[name], waves()
    for history in (X, X.astype(np.float32).astype(np.float64), X[:, ::-1][:, ::-1]):
        read = model._of_horizon(model_window(model, history))
        np.testing.assert_array_equal(model.predict(history), read[0, :, :, 2])
        np.testing.assert_array_equal(model.predict(history.tolist()), model.predict(history))


def model_window(model, X):
    from ganglion.data.horizon import horizon_of

    return horizon_of(model._panel(X), model.encoder_, model.horizon).window
