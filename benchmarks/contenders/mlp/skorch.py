"""skorch's NeuralNetClassifier, with its default callbacks."""

import torch
from skorch import NeuralNetClassifier
from torch import nn

from benchmarks.contenders.harness import contend_to_fit, softmax
from benchmarks.contenders.torch_mlp import mlp, widths_of


def fit(job, X, y):
    torch.manual_seed(job.seed)
    return train(job, mlp(widths_of(job, X, y)), X, y)


def train(job, network, X, y):
    net = NeuralNetClassifier(
        network,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=job.learning_rate,
        batch_size=job.batch_size,
        max_epochs=job.epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )
    net.fit(X, y)
    return lambda rows: softmax(net.forward(rows).numpy())


if __name__ == "__main__":
    contend_to_fit(fit, ["skorch", "torch", "numpy"])
