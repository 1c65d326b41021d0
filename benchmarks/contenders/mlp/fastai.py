"""fastai's Learner at a constant rate; bar and log are off."""

import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import Adam
from torch import nn
from torch.utils.data import TensorDataset

from benchmarks.contenders.harness import contend_to_fit
from benchmarks.contenders.torch_mlp import mlp, probabilities_of, widths_of


def fit(job, X, y):
    torch.manual_seed(job.seed)
    rows = TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    held_out = TensorDataset(torch.from_numpy(X[:1]), torch.from_numpy(y[:1]))  # it wants one; a row costs nothing
    loaders = DataLoaders.from_dsets(rows, held_out, bs=job.batch_size, shuffle=True, num_workers=0, device="cpu")
    network = mlp(widths_of(job, X, y))
    learner = Learner(loaders, network, loss_func=nn.CrossEntropyLoss(), opt_func=Adam, lr=job.learning_rate)
    with learner.no_logging():  # and there is no bar, for `fastai.callback.progress` is not imported
        learner.fit(job.epochs)
    return probabilities_of(network)


if __name__ == "__main__":
    contend_to_fit(fit, ["fastai", "torch", "numpy"])
