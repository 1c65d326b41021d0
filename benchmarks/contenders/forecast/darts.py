"""Darts: `DLinearModel` and `BlockRNNModel`, without progress bars, loggers and checkpoints."""

import logging
import warnings

import numpy as np
from darts import TimeSeries
from darts.models import BlockRNNModel, DLinearModel

from benchmarks.contenders.forecasts import contend_to_forecast

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


def fitted(job, series):
    trainer = {
        "max_steps": job.steps,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
    }
    shared = {
        "input_chunk_length": job.window,
        "output_chunk_length": job.horizon,
        "batch_size": job.batch_size,
        "n_epochs": 1 + job.steps * job.batch_size // (len(series) - job.window - job.horizon),
        "optimizer_kwargs": {"lr": job.learning_rate},
        "random_state": job.seed,
        "pl_trainer_kwargs": trainer,
    }
    if job.network == "linear":
        model = DLinearModel(kernel_size=25, const_init=True, **shared)
    else:
        model = BlockRNNModel(model="LSTM", hidden_dim=job.width, n_rnn_layers=1, **shared)
    model.fit(TimeSeries.from_values(series.astype(np.float32)))
    return model


def fit(job, series):
    model = fitted(job, series)

    def forecasts(windows):
        given = [TimeSeries.from_values(window.astype(np.float32)) for window in windows]
        return np.stack([each.values()[:, 0] for each in model.predict(job.horizon, series=given, verbose=False)])

    return forecasts


if __name__ == "__main__":
    contend_to_forecast(fit, ["darts", "torch", "pytorch-lightning", "numpy"])
