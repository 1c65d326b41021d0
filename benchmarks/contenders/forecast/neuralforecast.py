"""NeuralForecast: `DLinear` and `LSTM`, without scaling (the series is scaled), progress bars and checkpoints.

A step takes `windows_batch_size` windows of the series; its LSTM tells each step ahead by an MLP from the state of a
step of the window, which is the nearest that it has to one layer from the last state.
"""

import logging
import warnings

import numpy as np
import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM, DLinear

from benchmarks.contenders.forecasts import contend_to_forecast

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


def frame(rows):
    """Return series (n, length) as the long frame that it reads."""
    n, length = rows.shape
    times = pd.date_range("2016-07-01", periods=length, freq="h")
    return pd.DataFrame({"unique_id": np.repeat(np.arange(n), length), "ds": np.tile(times, n), "y": rows.ravel()})


def fitted(job, series):
    shared = {
        "h": job.horizon,
        "input_size": job.window,
        "max_steps": job.steps,
        "batch_size": 1,
        "windows_batch_size": job.batch_size,
        "learning_rate": job.learning_rate,
        "num_lr_decays": 0,
        "loss": MSE(),
        "scaler_type": "identity",
        "random_seed": job.seed,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "logger": False,
    }
    if job.network == "linear":
        model = DLinear(moving_avg_window=25, **shared)
    else:
        model = LSTM(
            encoder_n_layers=1, encoder_hidden_size=job.width, decoder_layers=1, decoder_hidden_size=job.width, **shared
        )
    forecaster = NeuralForecast(models=[model], freq="h")
    forecaster.fit(frame(series[None]))
    return forecaster


def fit(job, series):
    forecaster = fitted(job, series)
    name = "DLinear" if job.network == "linear" else "LSTM"

    def forecasts(windows):
        said = forecaster.predict(frame(windows)).sort_values(["unique_id", "ds"])
        return said[name].to_numpy().reshape(len(windows), job.horizon)

    return forecasts


if __name__ == "__main__":
    contend_to_forecast(fit, ["neuralforecast", "torch", "pytorch-lightning", "numpy"])
