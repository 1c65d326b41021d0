"""Lightning's Trainer with a DataLoader; logger, checkpoints, bar and summary are off."""

import torch

from benchmarks.contenders.cnn.network import cnn
from benchmarks.contenders.harness import contend_to_fit
from benchmarks.contenders.mlp.lightning import be_quiet, train


def fit(job, X, y):
    torch.manual_seed(job.seed)
    return train(job, cnn(), X, y)


if __name__ == "__main__":
    be_quiet()
    contend_to_fit(fit, ["lightning", "torch", "numpy"])
