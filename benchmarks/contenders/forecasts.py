"""Forecasts of one series: what is learned from, and how far forecasts of windows never seen are off. numpy only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from benchmarks.contenders.harness import Job, contend, job_of_process, report

Forecasts = Callable[[np.ndarray], np.ndarray]


def contend_to_forecast(fit: Callable[[Job, np.ndarray], Forecasts], packages: Sequence[str]) -> None:
    """Time `fit(job, series)`, which returns a function from windows (n, window) to what follows, (n, horizon)."""

    def measure(forecasts: Forecasts, arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
        said = np.asarray(forecasts(arrays["windows"]), dtype=np.float64)
        assert said.shape == arrays["truth"].shape, f"forecasts of shape {said.shape}"
        return {"mse": float(np.square(said - arrays["truth"]).mean())}

    contend(fit, ["train"], measure, packages)


def contend_to_forecast_one(
    prepare: Callable[[Job, np.ndarray, np.ndarray], tuple[Callable, Sequence]], packages: Sequence[str]
) -> None:
    """Time single calls of a fitted model, each on another window.

    `prepare(job, series, windows)` returns the call, and what each call is given: whatever its users give it.
    """
    job = job_of_process()
    with np.load(job.data) as file:
        arrays = dict(file)
    call, given = prepare(job, arrays["train"], arrays["windows"])
    answer = call(given[0])
    for each in given[1 : max(3, job.calls // 10)]:
        answer = call(each)
    assert np.size(answer) == job.horizon, f"a forecast of {np.size(answer)} steps"
    seconds = []
    for i in range(job.calls):
        before = time.perf_counter()
        call(given[i % len(given)])
        seconds.append(time.perf_counter() - before)
    clock = SimpleNamespace(seconds=float(np.median(seconds)), cpu_seconds=None)
    report(clock, {"p99_seconds": float(np.quantile(seconds, 0.99))}, packages)
