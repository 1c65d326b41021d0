"""The fastest ways found by hand: channels last, and the arithmetic in the precision that `precision` names."""

import torch
from torch import nn

from benchmarks.contenders.by_hand import Adam, batches
from benchmarks.contenders.cnn.network import cnn
from benchmarks.contenders.harness import contend_to_fit
from benchmarks.contenders.torch_mlp import probabilities_of


def fit(job, X, y):
    torch.manual_seed(job.seed)
    torch.set_float32_matmul_precision("medium")
    network = cnn().to(memory_format=torch.channels_last)
    parameters = list(network.parameters())
    adam = Adam(parameters, job.learning_rate)
    low = job.precision == "bfloat16"
    for images, labels in batches(job, torch.from_numpy(X), torch.from_numpy(y)):
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            scores = network(images)
        adam.step(torch.autograd.grad(nn.functional.cross_entropy(scores.float(), labels), parameters))
    return probabilities_of(network)


if __name__ == "__main__":
    contend_to_fit(fit, ["torch", "numpy"])
