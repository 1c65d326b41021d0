"""Ganglion's Forecaster."""

import numpy as np

from benchmarks.contenders.forecasts import contend_to_forecast
from ganglion.algorithms.forecaster import Forecaster


def fitted(job, series):
    model = Forecaster(
        network=job.network,
        horizon=job.horizon,
        window=job.window,
        loss="mse",
        normalization="none",
        width=job.width,
        layers=1,
        steps=job.steps,
        batch_size=job.batch_size,
        optimizer="adam",
        learning_rate=job.learning_rate,
        schedule="constant",
        validation_fraction=0,
        random_state=job.seed,
    )
    return model.fit(series)


def fit(job, series):
    model = fitted(job, series)
    return lambda windows: np.stack([model.predict(window) for window in windows])


if __name__ == "__main__":
    contend_to_forecast(fit, ["ganglion", "torch", "numpy"])
