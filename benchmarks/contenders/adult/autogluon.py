"""AutoGluon's network alone (no ensemble, no other models) with its own settings, but ten epochs.

In five it reaches 0.850; left to itself it trains for nearly fifty, and is no better for it than after ten.
"""

import tempfile
import warnings

import pandas as pd  # noqa: F401 - a top-level import of the user's script: outside the clock
from autogluon.tabular import TabularPredictor

from benchmarks.contenders.adult.rows import labels, read
from benchmarks.contenders.harness import contend_from_file


def run(job):
    train, test = read(job.train), read(job.test)
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(label="income", path=folder, verbosity=0)
        predictor.fit(
            train,
            hyperparameters={"NN_TORCH": {"num_epochs": 10, "seed_value": job.seed}},
            fit_weighted_ensemble=False,
            num_cpus=2,
            num_gpus=0,
        )
        return predictor.predict_proba(test.drop(columns="income"), as_multiclass=False).to_numpy()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    contend_from_file(run, labels, ["autogluon.tabular", "torch", "pandas"])
