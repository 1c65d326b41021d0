"""Anomalies in streams: seven series of the Numenta Anomaly Benchmark, by its own scoring, beside Numenta."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.claims._nab import PUBLISHED, SERIES, Labelled, best_threshold, labelled, normalised, score_of
from ganglion.algorithms.anomaly_detector import AnomalyDetector
from ganglion.errors import DataWarning, InvalidFile

SETTINGS: dict[str, Any] = {"window": 32, "horizon": 4, "steps": 500, "time": None, "random_state": 0, "threads": 1}
GROWTH = 1.2  # the past by which a detector is trained anew
QUIET = 128  # steps: within so many behind a stranger one, a step is no news
RESAMPLES = 10_000


def claim() -> Claim:
    """Learn from the first 15 % of each series, then go through it, learning anew from the past now and then."""
    try:
        series = [labelled(name) for name in SERIES]
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    streams = [streamed(each) for each in series]
    scores = [onsets(each, QUIET) for each, _ in streams]
    threshold, total = best_threshold(scores, series)
    own = np.array([score_of(each >= threshold, one) for each, one in zip(scores, series, strict=True)])
    stated = np.array([score_of(_first(alarms, QUIET), one) for (_, alarms), one in zip(streams, series, strict=True)])
    unseen = np.array([_without(scores, series, i) for i in range(len(series))])
    published = {name: normalised(sum(each), series) for name, each in PUBLISHED.items()}
    target = max(value for name, value in published.items() if name.startswith("Numenta"))
    low, high = _interval(own, series)
    return Claim(
        name="nab_anomalies",
        data=f"NAB: {', '.join(SERIES)}; {sum(len(each.windows) for each in series)} windows.",
        settings=_told(normalised(total, series), normalised(stated.sum(), series), normalised(unseen.sum(), series)),
        reference="Lavin & Ahmad 2015, arXiv:1510.03336; figures of each series: results/ of numenta/NAB, v1.1, each "
        f"detector at its best threshold for all 58 series: {_listed(published)}.",
        figures=[Figure("score", normalised(total, series), low, high, target=target, paper=f"{target:.1f} (Numenta)")],
        details={
            "threshold": threshold,
            "of_each_series": dict(zip(SERIES, own.tolist(), strict=True)),
            "with_the_stated_rate": dict(zip(SERIES, stated.tolist(), strict=True)),
            "with_the_threshold_of_the_six_others": dict(zip(SERIES, unseen.tolist(), strict=True)),
            "published": {name: dict(zip(SERIES, each, strict=True)) for name, each in PUBLISHED.items()},
            "options": SETTINGS,
        },
    )


def streamed(series: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """Return how strange each step is, -log10 of its p-value, and whether it raises an alarm at the stated rate.

    A detector has seen the steps before some moment; it judges those behind it until the past is a fifth longer.
    """
    values, n = series.values[:, None], len(series.values)
    scores, alarms, origin = np.zeros(n), np.zeros(n, dtype=bool), series.probation
    while origin < n:
        until = min(n, max(int(origin * GROWTH), origin + 50))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            model = AnomalyDetector(**SETTINGS).fit(values[:origin])
            begin = max(0, origin - 2 * SETTINGS["window"])
            p, marks = model.p_values(values[begin:until]), model.predict(values[begin:until])
        scores[origin:until] = -np.log10(np.maximum(p[origin - begin :], 1e-300))
        alarms[origin:until] = marks[origin - begin :] == -1
        origin = until
    return scores, alarms


def onsets(scores: np.ndarray, quiet: int) -> np.ndarray:
    """Return scores (n,) where they are larger than all of the `quiet` ones before, 0 elsewhere."""
    before = np.concatenate([np.full(quiet, -np.inf), scores[:-1]])
    return np.where(scores > sliding_window_view(before, quiet).max(axis=1), scores, 0.0)


def _first(alarms: np.ndarray, quiet: int) -> np.ndarray:
    """Return the alarms, (n,) bool, that have none among the `quiet` steps before them."""
    return onsets(alarms.astype(float), quiet) > 0


def _without(scores: list[np.ndarray], series: list[Labelled], i: int) -> float:
    """Return the score of one series with the threshold that is best for the others."""
    others = [k for k in range(len(series)) if k != i]
    threshold, _ = best_threshold([scores[k] for k in others], [series[k] for k in others])
    return score_of(scores[i] >= threshold, series[i])


def _interval(scores: np.ndarray, series: list[Labelled]) -> tuple[float, float]:
    """Return the 95 % interval of the normalised score over draws of the series, the threshold kept."""
    drawn = np.random.default_rng(0).integers(len(series), size=(RESAMPLES, len(series)))
    windows = np.array([len(each.windows) for each in series])
    low, high = np.quantile(100 * (scores[drawn].sum(1) / windows[drawn].sum(1) + 1) / 2, [0.025, 0.975])
    return float(low), float(high)


def _listed(published: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in published.items())


def _told(best: float, stated: float, unseen: float) -> str:
    return (
        "one setting for all series, times not read (two series have some twice); unsupervised: trained on the first "
        f"15 %, and anew whenever the past has grown by a fifth. A step's score is -log10 of its p-value if it is the "
        f"largest of {QUIET} steps. As the benchmark does for every detector, one threshold is the best for all series "
        f"({best:.1f}); each series with the threshold of the six others: {unseen:.1f}; alarms at the stated rate of "
        f"0.001 by extreme values, no threshold fitted: {stated:.1f}. Interval: draws of the series."
    )
