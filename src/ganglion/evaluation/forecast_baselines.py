"""The dumb baselines of forecasting: what a network must beat to be worth its cost.

    naive                    the last value, at every step
    seasonal naive           the value of the same place in the last season
    exponential smoothing    level, damped trend and season, each a running mean (Holt-Winters, additive):
                             l = l' + φ b' + α e,  b = φ b' + β e,  s_i = s_{i-m} + γ e,  e the error one step ahead;
                             Hyndman et al. 2008, "Forecasting with exponential smoothing", ETS(A, Ad, A)
    linear                   ridge regression of each step ahead on the steps before, the last value taken away

How far each may be off is told by its own errors in training: their quantiles, of each step ahead and target.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np

from ganglion.data.series import starts_of
from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import Baseline
from ganglion.evaluation.forecasting import Origins, Told
from ganglion.evaluation.predictions import Array

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_STEPS = 4000  # of each series, its last ones, whose errors choose the rates of smoothing
MOST_SERIES = 100  # that choose them
MOST_ORIGINS = 1000  # of training, whose errors tell how far a baseline may be off
MOST_WINDOWS = 20_000  # that the ridge regression learns from
MOST_LAGS = 512
ALPHAS, BETAS, GAMMAS, DAMPING = (0.05, 0.2, 0.5, 0.9), (0.0, 0.05), (0.05, 0.3), 0.98
PENALTIES = (1e-4, 1e-2, 1.0)  # of the mean variance of the lags

Forecasts = Callable[[Array], Array]  # steps (n,) that forecasts begin with → (n, H, t)


class Steps:
    """Targets of series end to end, (n_steps, t) without gaps, and what baselines ask of them."""

    def __init__(self, truth: Origins) -> None:
        t = truth.values.shape[2]
        values = truth.panel.values[:, :t].double().numpy()
        self.offsets = truth.panel.offsets.numpy()
        means = np.nan_to_num(np.nanmean(values, axis=0)) if np.isnan(values).any() else 0.0
        self.values = np.where(np.isnan(values), means, values)  # before the first one nothing is known
        self.horizon, self.season = truth.values.shape[1], truth.season
        self.begin = np.repeat(self.offsets[:-1], np.diff(self.offsets))

    def naive(self, steps: Array) -> Array:
        """Return the last value before each step, at all H steps."""
        return np.repeat(self.values[steps - 1][:, None], self.horizon, axis=1)

    def seasonal(self, steps: Array) -> Array:
        """Return the values of the last season before each step, over and over."""
        lag = np.minimum(self.season, steps - self.begin[steps - 1])[:, None]
        return self.values[steps[:, None] - lag + np.arange(self.horizon) % lag]


def run_forecast_baselines(
    truth: Origins,
    X: Any,
    *,
    train: tuple[Any, Origins] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Fit the baselines to the training series, and say what they tell of the origins.

    Parameters
    ----------
    truth : Origins
    X : not used
    train : tuple of X_train and its Origins
    weight, random_state
        Not used.

    Raises
    ------
    InvalidInput
        Without training series: what is asked for would choose their rates.
    """
    if train is None:
        raise InvalidInput("give the training series, train=(X_train, None)")
    seen, asked = Steps(train[1]), Steps(truth)
    levels = truth.levels or LEVELS
    recipes: dict[str, Callable[[], tuple[Forecasts, Forecasts, str]]] = {
        "naive": lambda: (seen.naive, asked.naive, "the last value"),
        "seasonal naive": lambda: (seen.seasonal, asked.seasonal, f"the last {truth.season} steps over and over"),
        "exponential smoothing": lambda: _smoothed(seen, asked),
        "linear": lambda: _ridge(seen, asked, min(truth.window, MOST_LAGS)),
    }
    if truth.season < 2:
        del recipes["seasonal naive"]
    found = []
    for name, fit in recipes.items():
        started = time.perf_counter()
        before, after, note = fit()
        said = _with_errors(seen, train[1], before, after, truth.steps.numpy(), levels)
        found.append(Baseline(name, said, note, time.perf_counter() - started))
    return found


def _with_errors(
    seen: Steps, training: Origins, before: Forecasts, after: Forecasts, steps: Array, levels: tuple[float, ...]
) -> Told:
    """Return forecasts with quantiles around them: those of the errors that they had in training."""
    starts = starts_of(training.panel.offsets, 1 + seen.horizon).numpy() + 1  # one step before is enough to be asked
    settled = starts[starts - seen.begin[starts] >= min(training.window, np.diff(seen.offsets).max() - seen.horizon)]
    starts = settled if len(settled) else starts
    starts = starts[np.unique(np.linspace(0, len(starts) - 1, min(MOST_ORIGINS, len(starts))).astype(int))]
    error = seen.values[starts[:, None] + np.arange(seen.horizon)] - before(starts)
    told = after(steps)
    spread = np.moveaxis(np.quantile(error, levels, axis=0), 0, -1)  # (H, t, n_levels)
    return Told(told, told[..., None] + spread, levels)


def _smoothed(seen: Steps, asked: Steps) -> tuple[Forecasts, Forecasts, str]:
    """Choose the rates of smoothing by the errors of one step ahead in training, of each target."""
    season = seen.season
    rates = list(product(ALPHAS, BETAS, GAMMAS if season > 1 else (0.0,)))
    total = np.zeros((len(rates), seen.values.shape[1]))
    grid = np.array(rates)[:, None]  # (n_rates, 1, 3)
    for begin, end in list(pairwise(seen.offsets.tolist()))[:MOST_SERIES]:
        part = seen.values[max(begin, end - MOST_STEPS) : end]
        error = smooth(part[:, None].repeat(len(rates), 1), season, *np.moveaxis(grid, -1, 0))[0]
        total += np.square(error[min(2 * season, len(part) // 2) :]).sum(axis=0)
    best = np.array(rates)[total.argmin(axis=0)].T  # (3, t)
    alphas = ", ".join(f"{alpha:g}" for alpha in best[0][:4])
    note = f"rates chosen in training: {alphas}{', …' if best.shape[1] > 4 else ''} of the level"
    return partial(_continued, seen, best), partial(_continued, asked, best), note


def _continued(series: Steps, rates: Array, steps: Array) -> Array:
    """Return what smoothing tells from each step on, (n, H, t)."""
    told = np.empty((len(steps), series.horizon, series.values.shape[1]))
    ahead = np.arange(1, series.horizon + 1)
    damped = np.cumsum(DAMPING**ahead)[:, None]
    for begin, end in pairwise(series.offsets.tolist()):
        here = np.flatnonzero((steps >= begin) & (steps <= end))
        if not len(here):
            continue
        _, level, trend, seasons = smooth(series.values[begin:end], series.season, *rates)
        last = steps[here] - begin - 1
        places = last[:, None] + 1 - series.season + (ahead - 1) % series.season  # of the last season before the step
        known = places >= 0
        of_season = np.where(known[..., None], seasons[places.clip(min=0)], 0.0)
        told[here] = level[last][:, None] + damped * trend[last][:, None] + of_season
    return told


def smooth(x: Array, season: int, alpha: Array, beta: Array, gamma: Array) -> tuple[Array, Array, Array, Array]:
    """Smooth series exponentially, side by side.

    Parameters
    ----------
    x : ndarray of shape (n_steps, …)
    season : int
        m; 1 for none.
    alpha, beta, gamma : ndarrays that broadcast to x[0]
        Rates of level, trend and season.

    Returns
    -------
    error, level, trend, season : ndarrays of the shape of x
        The errors one step ahead, and the states after each step.
    """
    shape = x.shape
    error, level, trend, seasons = (np.zeros(shape) for _ in range(4))
    first = min(season, len(x))
    mean = x[:first].mean(axis=0)
    at, rise = mean, np.zeros(shape[1:])
    around = np.zeros((season, *shape[1:]))
    if season > 1:
        around[:first] = x[:first] - mean
    for i, value in enumerate(x):
        k = i % season
        ahead = at + DAMPING * rise
        e = value - ahead - around[k]
        at, rise = ahead + alpha * e, DAMPING * rise + beta * e
        if season > 1:
            around[k] = around[k] + gamma * e
        error[i], level[i], trend[i], seasons[i] = e, at, rise, around[k]
    return error, level, trend, seasons


def _ridge(seen: Steps, asked: Steps, lags: int) -> tuple[Forecasts, Forecasts, str]:
    """Fit a ridge regression for each target, its penalty chosen by the last fifth of the training windows."""
    begins = np.concatenate(
        [np.arange(begin + lags, end - seen.horizon + 1) for begin, end in pairwise(seen.offsets.tolist())]
    )
    begins = begins[np.unique(np.linspace(0, len(begins) - 1, min(MOST_WINDOWS, len(begins))).astype(int))]
    n_first = max(1, len(begins) * 4 // 5)
    weights, chosen = [], []
    for k in range(seen.values.shape[1]):
        a, y = _lagged(seen, begins, lags, k)
        tried = [_solved(a[:n_first], y[:n_first], penalty) for penalty in PENALTIES]
        errors = [np.square(a[n_first:] @ w - y[n_first:]).mean() if n_first < len(a) else 0.0 for w in tried]
        chosen.append(PENALTIES[int(np.argmin(errors))])
        weights.append(_solved(a, y, chosen[-1]))

    def told(series: Steps, steps: Array) -> Array:
        parts = []
        for k, w in enumerate(weights):
            part = _before(series, steps, lags, k)
            parts.append((part - part[:, -1:]) @ w[:-1] + w[-1] + part[:, -1:])
        return np.stack(parts, axis=-1)

    note = f"ridge regression on {lags:,} steps, {len(begins):,} training windows, penalty chosen by their last fifth"
    return partial(told, seen), partial(told, asked), note


def _before(series: Steps, steps: Array, lags: int, k: int) -> Array:
    """Return the values of target k before each step, (n, lags); the first of its series where there are fewer."""
    places = steps[:, None] + np.arange(-lags, 0)
    return series.values[np.maximum(places, series.begin[steps - 1][:, None]), k]


def _lagged(series: Steps, steps: Array, lags: int, k: int) -> tuple[Array, Array]:
    """Return lags beside a 1, (n, lags + 1), and what came, (n, H), the last value taken from both."""
    part = _before(series, steps, lags, k)
    came = series.values[steps[:, None] + np.arange(series.horizon), k]
    return np.column_stack([part - part[:, -1:], np.ones(len(part))]), came - part[:, -1:]


def _solved(a: Array, y: Array, penalty: float) -> Array:
    gram = a.T @ a
    size = penalty * max(np.trace(gram[:-1, :-1]) / max(1, len(gram) - 1), 1e-12)
    return np.linalg.solve(gram + size * np.eye(len(gram)), a.T @ y)
