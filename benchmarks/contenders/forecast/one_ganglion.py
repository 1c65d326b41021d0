"""Ganglion, one window a call."""

from benchmarks.contenders.forecast.ganglion import fitted
from benchmarks.contenders.forecasts import contend_to_forecast_one


def prepare(job, series, windows):
    return fitted(job, series).predict, list(windows)


if __name__ == "__main__":
    contend_to_forecast_one(prepare, ["ganglion", "torch", "numpy"])
