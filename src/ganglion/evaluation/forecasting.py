"""Forecasting: how far what is told of the steps ahead is from what came, from many origins.

    MASE, sMAPE, MSE, MAE of the forecasts; CRPS of their quantiles or normals, and how often what came lies between the
    outermost quantiles: see `data.forecast_scores`

The bootstrap draws origins, which are a whole horizon apart where there are enough of them: forecasts that share steps
are off together. Errors of several targets are in units of each one's deviation over training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ganglion.data import forecast_scores as scores
from ganglion.drawing.axes import number
from ganglion.drawing.fan import fan_chart
from ganglion.drawing.lines import Series, line_chart
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, ratio, values_at

ENOUGH = 20  # origins, below which they come closer than a horizon
N_WORST = 4
N_FANS = 3
PAST = 2  # horizons drawn before an origin
_NAMES = ("mase", "crps", "smape", "mse", "mae", "coverage")


@dataclass(frozen=True, slots=True)
class Origins(Truth):
    """What came after each origin: `values` (n, H, t), NaN where that is not known.

    Attributes
    ----------
    panel : Panel
        The series.
    steps : Tensor of shape (n,), int64
        The step of the panel that each forecast begins with.
    scales : ndarray of shape (n, 1, t)
        What errors are divided by for the MASE: how far the seasonal naive forecast is off in training, in each series.
    deviations : ndarray of shape (t,)
        What errors of several targets are divided by.
    season, window : int
        Steps of the season of training, and those that the model reads.
    levels : tuple of float
        Of the quantiles that the model tells; empty for points.
    """

    panel: Any
    steps: Any
    scales: Array
    deviations: Array
    season: int
    window: int
    levels: tuple[float, ...]

    @property
    def units(self) -> Array:
        """What errors are divided by, (t,)."""
        return self.deviations if self.values.shape[2] > 1 else np.ones(1)

    def take(self, rows: Array) -> Origins:
        """Return the origins `rows`, (k,) indices."""
        return replace(self, values=self.values[rows], steps=self.steps[rows], scales=self.scales[rows])


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of the steps after each origin.

    Attributes
    ----------
    values : ndarray of shape (n, H, t)
    quantiles : ndarray of shape (n, H, t, n_levels), or None
    levels : tuple of float
    deviations : ndarray of shape (n, H, t), or None
        Of normals.
    """

    values: Array
    quantiles: Array | None = None
    levels: tuple[float, ...] = ()
    deviations: Array | None = None


def forecast_truth(model: Any, X: Any, y: Any, what: str = "y", *, before: Any = None) -> Origins:
    """Return the origins in X, and what came after them; y is not looked at.

    Parameters
    ----------
    model : estimator with `origins` and `forecast_from`
    X : what its `predict` takes
    y, what
        Not used: series are their own answers.
    before : as X, optional
        What came before X, to read from.
    """
    asked = model.target_
    try:
        panel, steps = model.origins(X, before=before)
        n_apart = asked.horizon
        if len(steps) < ENOUGH:
            n_apart = max(1, asked.horizon * len(steps) // ENOUGH)
            panel, steps = model.origins(X, before=before, stride=n_apart)
    except InvalidInput as error:
        if before is not None or what != "y":
            raise
        raise InvalidInput(f"{error} Or give what came before, train=(X_train, None), to read from.") from error
    t = len(asked.names)
    given = panel.values[:, :t].double().numpy()
    given = given if panel.observed is None else np.where(panel.observed[:, :t].numpy(), given, np.nan)
    places = steps.numpy()[:, None] + np.arange(asked.horizon)
    return Origins(
        "forecasting",
        given[places],
        asked.names,
        panel,
        steps,
        _positive(_scales(panel, steps, given, asked)),
        _positive(asked.deviations),
        asked.season,
        model.encoder_.window,
        asked.levels,
    )


def predict_steps(model: Any, X: Any, truth: Origins) -> Told:
    """Ask a model what comes after each origin.

    Raises
    ------
    InvalidInput
        If it does not answer with finite numbers.
    """
    found = model.forecast_from(truth.panel, truth.steps)
    if found.values.shape != truth.values.shape or not np.isfinite(found.values).all():
        raise InvalidInput(
            f"{type(model).__name__} must tell a finite number for each step ahead. Look for extreme values in X, or "
            "train again with a lower learning rate."
        )
    return Told(found.values, found.quantiles, found.levels, found.deviations)


def resampled_forecast_metrics(truth: Origins, said: Told) -> list[Resampled]:
    """Return the function of the weights of the origins, (n, b), that gives every metric, (b,) each."""
    each = _each(truth, said)
    sums = np.stack([np.nan_to_num(values).sum(axis=(1, 2)) for values in each.values()])
    counts = np.stack([(~np.isnan(values)).sum(axis=(1, 2)) for values in each.values()]).astype(np.float64)

    def metrics(weights: Array) -> dict[str, Array]:
        return dict(zip(each, ratio(sums @ weights, counts @ weights), strict=True))

    return [metrics]


def forecast_values(truth: Origins, said: Told, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric, or the reason why it is not defined."""
    weight = np.ones(len(truth)) if weight is None else weight
    found = values_at(resampled_forecast_metrics(truth, said), weight, lambda name: "no step after an origin is known")
    reason = "points are told, and not how far they may be off"
    return {name: found.get(name, reason) for name in _NAMES}


def forecast_facts(truth: Origins, said: Told) -> dict[str, str]:
    """Return what a reader must know of the series and of the figures."""
    panel, names = truth.panel, truth.classes
    apart = np.diff(truth.steps.numpy())
    facts = {
        "Series": f"{len(panel):,}, {panel.grid}",
        "Targets": f"{len(names)}: {', '.join(names[:8])}" + (", …" if len(names) > 8 else ""),
        "Horizon": f"{truth.values.shape[1]} steps, of {truth.window} that are read",
        "From origin to origin": f"{int(np.median(apart)):,} steps" if len(apart) else "there is one",
        "Season": f"{truth.season} steps" if truth.season > 1 else "none found",
    }
    if len(names) > 1:
        facts["Units"] = "MSE, MAE and CRPS are in units of each target's deviation over training"
    if said.quantiles is not None and len(said.levels) > 1:
        facts["Interval"] = f"{said.levels[-1] - said.levels[0]:.0%} should lie within: see coverage"
    return facts


def worst_forecasts(truth: Origins, said: Told, X: Any) -> tuple[Mistake, ...]:
    """Return the forecasts with the largest MASE, worst first, each drawn."""
    with np.errstate(invalid="ignore"):
        error = scores.absolute(truth.values, said.values) / truth.scales
    known = ~np.isnan(error).all(axis=1)
    each = np.where(known, np.nan_to_num(error).sum(axis=1) / np.maximum((~np.isnan(error)).sum(axis=1), 1), -np.inf)
    order = np.argsort(-each, axis=None, kind="stable")[:N_WORST]
    places = [np.unravel_index(place, each.shape) for place in order]
    return tuple(_mistake(truth, said, int(i), int(k), float(each[i, k])) for i, k in places)


def forecast_charts(truth: Origins, said: Told) -> dict[str, Chart]:
    """Return some fans, evenly spaced over the origins, and the error at each step ahead."""
    chosen = np.unique(np.linspace(0, len(truth) - 1, min(N_FANS, len(truth))).astype(int)).tolist()
    charts = {f"fan_{i}": fan_of(truth, said, i, 0) for i in chosen}
    if truth.values.shape[1] > 1:
        error = scores.absolute(truth.values, said.values) / truth.scales
        steps = list(range(1, error.shape[1] + 1))
        lines = [Series("MASE", steps, np.nan_to_num(np.nanmean(error, axis=(0, 2))).tolist())]
        charts["by_step"] = line_chart(lines, title="Error at each step ahead", x_label="step ahead", y_label="MASE")
    return charts


def fan_of(truth: Origins, said: Told, i: int, k: int) -> Chart:
    """Draw the forecast of target k from origin i, what was before and what came."""
    panel, step, horizon = truth.panel, int(truth.steps[i]), truth.values.shape[1]
    series = int(panel.series_of(truth.steps[i : i + 1])[0])
    first = max(int(panel.offsets[series]), step - max(PAST * horizon, min(truth.window, 4 * horizon)))
    levels, n = said.levels, len(said.levels)
    bands = []
    if said.quantiles is not None:
        q = said.quantiles[i, :, k]
        bands = [
            (f"{levels[n - 1 - j] - levels[j]:.0%}", q[:, j].tolist(), q[:, n - 1 - j].tolist()) for j in range(n // 2)
        ]
    where = f" of {panel.ids[series]}" if panel.ids[series] else ""
    return fan_chart(
        (panel.times[first:step].tolist(), panel.values[first:step, k].tolist()),
        panel.times[step : step + horizon].tolist(),
        said.values[i, :, k].tolist(),
        bands=bands,
        truth=truth.values[i, :, k].tolist(),
        title=f"{truth.classes[k]}{where}, forecast from {panel.grid.text(float(panel.times[step]))}",
        y_label=truth.classes[k],
        write_time=panel.grid.text,
    )


def _mistake(truth: Origins, said: Told, i: int, k: int, mase: float) -> Mistake:
    came, told = (number(float(np.nanmean(each[i, :, k]))) for each in (truth.values, said.values))
    return Mistake(i, f"{came} on average", f"{told} on average (MASE {mase:.2f})", picture=fan_of(truth, said, i, k))


def _each(truth: Origins, said: Told) -> dict[str, Array]:
    """Return every figure of each forecast, step and target, (n, H, t)."""
    y, units = truth.values, truth.units
    error = scores.absolute(y, said.values)
    each = {
        "mase": error / truth.scales,
        "smape": scores.symmetric(y, said.values),
        "mse": (error / units) ** 2,
        "mae": error / units,
    }
    if said.deviations is not None:
        each["crps"] = scores.crps_of_normals(y, said.values, said.deviations) / units
    elif said.quantiles is not None:
        each["crps"] = scores.crps_of_quantiles(y, said.quantiles, said.levels) / units
    if said.quantiles is not None and len(said.levels) > 1:
        each["coverage"] = scores.covered(y, said.quantiles[..., 0], said.quantiles[..., -1])
    return each


def _scales(panel: Any, steps: Any, given: Array, asked: Any) -> Array:
    """Return the naive errors of the series of each origin, (n, 1, t): in what came before X, or in training."""
    each = []
    for begin, end in pairwise(panel.offsets.tolist()):
        before = given[begin:end][np.cumsum(panel.rows[begin:end] >= 0) == 0]
        enough = len(before) > 2 * asked.season
        each.append(scores.naive_errors(before, np.array([0, len(before)]), asked.season) if enough else asked.scales)
    return np.array(each)[panel.series_of(steps).numpy()][:, None]


def _positive(scales: Any) -> Array:
    """Return what is divided by; a target that never changed in training is left in its own units."""
    array = np.asarray(scales, dtype=np.float64)
    return np.where(array > 0, array, 1.0)
