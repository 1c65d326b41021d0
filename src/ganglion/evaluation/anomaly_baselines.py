"""The dumb baselines of anomaly detection: what a network must beat to be worth its cost.

    rolling z-score     |x_t - mean| / deviation of the 50 steps before
    moving median       |x_t - median| / 1.4826 MAD of the same                          (Hampel 1974)
    seasonal naive      |x_t - x_{t-m}| by its usual size in training, m the season there
    isolation forest    of the last 8 steps together                                     (Liu, Ting & Zhou 2008)

Several columns: the root of the mean square. Each has the threshold that the model's own rule gives for its scores of
the training steps. Scores look at the past only; where that is too short, nothing is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.ensemble import IsolationForest

from ganglion.data.seasons import season_of
from ganglion.data.thresholds import threshold_by_rule
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.anomalies import Alarms, AlarmTruth
from ganglion.evaluation.baselines import Baseline
from ganglion.evaluation.predictions import Array

PAST = 50
LAGS = 8
MAD = 1.4826  # makes the median absolute deviation of a normal distribution its deviation
MOST_LAG_ROWS = 20_000  # that a forest is fitted to
RATE = 0.001  # where the model states none

Score = Callable[[Array], Array]  # one series, (n, c) → (n,), NaN where nothing is said


def run_anomaly_baselines(
    truth: AlarmTruth,
    X: Any,
    *,
    train: tuple[Any, AlarmTruth] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Score the evaluation steps, with thresholds from the training steps.

    Parameters
    ----------
    truth : AlarmTruth
    X : not used
    train : tuple of X_train and its AlarmTruth
    weight : not used
    random_state : int
        Of the forest.

    Raises
    ------
    InvalidInput
        Without training steps: thresholds would be told from the anomalies that they are to find.
    """
    if train is None:
        raise InvalidInput("give the training series, train=(X_train, None), for the threshold of each baseline")
    seen = train[1]
    made: dict[str, Callable[[], tuple[Score, str]]] = {
        "rolling z-score": lambda: (rolling_z, f"{PAST} steps"),
        "moving median": lambda: (moving_median, f"{PAST} steps"),
        "seasonal naive": lambda: _seasonal(seen),
        "isolation forest": lambda: _forest(seen, random_state),
    }
    found = []
    for name, make in made.items():
        started = time.perf_counter()
        score, note = make()
        before, now = _scores(score, train[1]), _scores(score, truth)
        alarms, told = _alarms(before, now, truth)
        found.append(Baseline(name, alarms, f"{note}; {told}", time.perf_counter() - started))
    return found


def _alarms(before: Array, now: Array, truth: AlarmTruth) -> tuple[Alarms, str]:
    known, rate = before[np.isfinite(before)], RATE if truth.rate is None else truth.rate
    said = np.nan_to_num(now, nan=0.0)
    rule = "conformal" if truth.rule == "conformal" else "extreme_value"
    try:
        threshold = threshold_by_rule(rule, known, rate)
    except (InvalidInput, InvalidParameter):
        return Alarms(said, np.zeros(len(said), dtype=bool), np.inf), "too few training steps for a threshold"
    return Alarms(said, said > threshold, threshold), f"threshold by {rule.replace('_', ' ')} from the training steps"


def _scores(score: Score, truth: AlarmTruth) -> Array:
    """Return the scores of the judged steps, each series by itself."""
    values, bounds = _filled(truth), truth.panel.offsets.tolist()
    parts = [score(values[a:b]) for a, b in pairwise(bounds)]
    return np.concatenate(parts)[truth.steps]


def _filled(truth: AlarmTruth) -> Array:
    """Return the columns of interest, (n_steps, t)."""
    return np.nan_to_num(truth.panel.values[:, : truth.n_targets].double().numpy())


def rolling_z(x: Array) -> Array:
    """Return how far each step, (n, c), lies from the mean of those before, in their deviations, (n,)."""
    return _against_past(x, lambda past: past.mean(axis=-1), lambda past, middle: past.std(axis=-1))


def moving_median(x: Array) -> Array:
    """Return how far each step, (n, c), lies from the median of those before, in their median deviations, (n,)."""
    return _against_past(
        x,
        lambda past: np.median(past, axis=-1),
        lambda past, middle: MAD * np.median(np.abs(past - middle[..., None]), axis=-1),
    )


def _against_past(x: Array, middle_of: Callable[[Array], Array], width_of: Callable[[Array, Array], Array]) -> Array:
    said = np.full(len(x), np.nan)
    if len(x) <= PAST:
        return said
    past = sliding_window_view(x[:-1], PAST, axis=0)
    middle = middle_of(past)
    least = 1e-3 * x[:PAST].std(axis=0) + 1e-12  # a flat past makes no step infinitely strange
    distance = np.abs(x[PAST:] - middle) / np.maximum(width_of(past, middle), least)
    said[PAST:] = np.sqrt((distance**2).mean(axis=1))
    return said


def _seasonal(seen: AlarmTruth) -> tuple[Score, str]:
    period = season_of(seen.panel.values[:, : seen.n_targets], seen.panel.offsets)
    values, bounds = _filled(seen), seen.panel.offsets.tolist()
    parts = [np.abs(values[a + period : b] - values[a : b - period]) for a, b in pairwise(bounds) if b - a > period]
    usual = np.maximum(np.concatenate(parts).mean(axis=0), 1e-12)

    def score(x: Array) -> Array:
        said = np.full(len(x), np.nan)
        distance = np.abs(x[period:] - x[:-period]) / usual
        said[period:] = np.sqrt((distance**2).mean(axis=1))
        return said

    return score, f"period {period}"


def _forest(seen: AlarmTruth, seed: int) -> tuple[Score, str]:
    values, bounds = _filled(seen), seen.panel.offsets.tolist()
    rows = np.concatenate([_lags(values[a:b]) for a, b in pairwise(bounds)])
    every = max(1, -(-len(rows) // MOST_LAG_ROWS))
    forest = IsolationForest(random_state=seed).fit(rows[::every])

    def score(x: Array) -> Array:
        said, lagged = np.full(len(x), np.nan), _lags(x)
        if len(lagged):
            said[LAGS - 1 :] = -forest.score_samples(lagged)
        return said

    return score, f"{LAGS} steps together"


def _lags(x: Array) -> Array:
    """Return the last 8 steps at each step that has so many, (n - 7, 8 c)."""
    if len(x) < LAGS:
        return np.empty((0, LAGS * x.shape[1]))
    return sliding_window_view(x, LAGS, axis=0).reshape(len(x) - LAGS + 1, -1)
