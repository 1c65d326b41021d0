"""The network of the torch-based contenders, and how they predict."""

from itertools import pairwise

import torch
from torch import nn

from benchmarks.contenders.harness import softmax


def mlp(widths: list[int]) -> nn.Sequential:
    """Return linear layers with ReLU between them, scores at the end."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def widths_of(job, X, y) -> list[int]:
    """Return the widths from the rows to the classes."""
    return [X.shape[1], *job.hidden, int(y.max()) + 1]


def probabilities_of(network: nn.Module):
    """Return a function from rows to class probabilities, a thousand rows at a time."""

    def probabilities(rows):
        with torch.inference_mode():
            return softmax(torch.cat([network.eval()(part) for part in torch.from_numpy(rows).split(1000)]).numpy())

    return probabilities
