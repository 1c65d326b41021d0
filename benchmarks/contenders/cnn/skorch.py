"""skorch's NeuralNetClassifier, with its default callbacks."""

import torch

from benchmarks.contenders.cnn.network import cnn
from benchmarks.contenders.harness import contend_to_fit
from benchmarks.contenders.mlp.skorch import train


def fit(job, X, y):
    torch.manual_seed(job.seed)
    return train(job, cnn(), X, y)


if __name__ == "__main__":
    contend_to_fit(fit, ["skorch", "torch", "numpy"])
