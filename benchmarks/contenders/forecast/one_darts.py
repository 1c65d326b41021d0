"""Darts, one window a call; the window is a TimeSeries already."""

import numpy as np
from darts import TimeSeries

from benchmarks.contenders.forecast.darts import fitted
from benchmarks.contenders.forecasts import contend_to_forecast_one


def prepare(job, series, windows):
    model = fitted(job, series)
    given = [TimeSeries.from_values(window.astype(np.float32)) for window in windows]
    return lambda window: model.predict(job.horizon, series=window, verbose=False).values(), given


if __name__ == "__main__":
    contend_to_forecast_one(prepare, ["darts", "torch", "pytorch-lightning", "numpy"])
