"""The network of the torch-based contenders."""

from itertools import pairwise

from torch import nn


def mlp(widths: list[int]) -> nn.Sequential:
    """Return linear layers with ReLU between them, scores at the end."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def widths_of(job, X, y) -> list[int]:
    """Return the widths from the rows to the classes."""
    return [X.shape[1], *job.hidden, int(y.max()) + 1]
