"""Ludwig's default encoders and combiner, five epochs, a tenth held out (it wants a part); the best rate of three."""

import importlib.machinery
import logging
import sys
import tempfile
import types
import warnings

import pandas as pd  # noqa: F401 - a top-level import of the user's script: outside the clock
import torch

# Ludwig imports torchvision and torchaudio, whose compiled parts are not to be had for this CPU build of torch. Images
# and sound are not used here: two names of operators and an empty module are enough for the imports to work.
_OPERATORS = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _OPERATORS.define(f"{_name}(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")
_AUDIO = types.ModuleType("torchaudio")
_AUDIO.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
_AUDIO.__version__ = "2.11.0"
sys.modules["torchaudio"] = _AUDIO

from ludwig.api import LudwigModel  # noqa: E402

from benchmarks.contenders.adult.rows import CATEGORICAL, NUMERIC, labels, read  # noqa: E402
from benchmarks.contenders.harness import contend_from_file  # noqa: E402


def run(job):
    train, test = read(job.train), read(job.test)
    features = [{"name": name, "type": "number", "preprocessing": {"normalization": "zscore"}} for name in NUMERIC]
    features += [{"name": name, "type": "category"} for name in CATEGORICAL]
    config = {
        "input_features": features,
        "output_features": [{"name": "income", "type": "binary"}],
        "preprocessing": {"split": {"type": "random", "probabilities": [0.9, 0.1, 0.0]}},
        "trainer": {"epochs": 5, "batch_size": 256, "learning_rate": 3e-3},
    }
    model = LudwigModel(config, logging_level=logging.ERROR, backend="local")
    with tempfile.TemporaryDirectory() as folder:
        model.train(
            dataset=train,
            output_directory=folder,
            random_seed=job.seed,
            skip_save_training_description=True,
            skip_save_training_statistics=True,
            skip_save_model=True,
            skip_save_progress=True,
            skip_save_log=True,
            skip_save_processed_input=True,
        )
        answer, _ = model.predict(
            dataset=test.drop(columns="income"), skip_save_predictions=True, output_directory=folder
        )
    column = next(name for name in answer.columns if name in ("income_probabilities_True", "income_probabilities_1"))
    return answer[column].to_numpy()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    contend_from_file(run, labels, ["ludwig", "torch", "pandas"])
