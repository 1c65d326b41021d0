"""pytorch-tabular's CategoryEmbeddingModel."""

import logging
import warnings

import pandas as pd  # noqa: F401 - a top-level import of the user's script: outside the clock
from pytorch_tabular import TabularModel
from pytorch_tabular.config import DataConfig, OptimizerConfig, TrainerConfig
from pytorch_tabular.models import CategoryEmbeddingModelConfig

from benchmarks.contenders.adult.rows import CATEGORICAL, NUMERIC, labels, read
from benchmarks.contenders.harness import contend_from_file


def run(job):
    train, test = read(job.train), read(job.test)
    model = TabularModel(
        data_config=DataConfig(target=["income"], continuous_cols=NUMERIC, categorical_cols=CATEGORICAL),
        model_config=CategoryEmbeddingModelConfig(
            task="classification", layers="64", learning_rate=1e-3, seed=job.seed
        ),
        optimizer_config=OptimizerConfig(),
        trainer_config=TrainerConfig(
            batch_size=256,
            max_epochs=5,
            accelerator="cpu",
            early_stopping=None,
            checkpoints=None,
            load_best=False,
            progress_bar="none",
            trainer_kwargs={"enable_model_summary": False},
            seed=job.seed,
        ),
        verbose=False,
        suppress_lightning_logger=True,
    )
    model.fit(train=train, seed=job.seed)
    answer = model.predict(test)
    return answer["income_1_probability"].to_numpy()


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    contend_from_file(run, labels, ["pytorch_tabular", "torch", "pandas"])
