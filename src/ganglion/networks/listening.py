"""The body of a speech recognizer: convolutions over steps and bands, recurrent layers both ways, scores of each step.

After Amodei et al. 2016, "Deep Speech 2", arXiv:1512.02595, section 3, much smaller. What is filling is silenced after
every convolution, so that a recording is heard the same alone and beside longer ones.

Letters: n recordings, T steps, B bands, D numbers in a step, V symbols.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganglion.networks.activations import initialize
from ganglion.networks.convolution import channels_last
from ganglion.networks.mlp import linear
from ganglion.networks.recurrent import Recurrent
from ganglion.networks.sequences import Steps

STRIDES = {1: (1, 1), 2: (2, 1), 4: (2, 2)}  # of both convolutions, by how many steps become one


def steps_left(n_steps: Tensor, subsampling: int) -> Tensor:
    """Return how many steps are left of so many, (n,) int64."""
    for stride in STRIDES[subsampling]:
        n_steps = (n_steps + stride - 1).div(stride, rounding_mode="floor")
    return n_steps


class ConvolutionFront(nn.Module):
    """Two convolutions, each of which halves the bands: `Steps` (n, T, B) → (n, T / subsampling, D).

    Parameters
    ----------
    bands, channels, n_out : int
        B, those of both convolutions, and D.
    subsampling : {1, 2, 4}
        Steps that become one.
    """

    def __init__(self, bands: int, channels: int, n_out: int, subsampling: int) -> None:
        super().__init__()
        self.strides = STRIDES[subsampling]
        self.layers = nn.ModuleList(
            _convolution(1 if i == 0 else channels, channels, (stride, 2)) for i, stride in enumerate(self.strides)
        )
        left = (bands + 3) // 4
        self.join = linear(channels * left, n_out, "relu")
        channels_last(self.layers)

    def forward(self, steps: Steps) -> Steps:
        """Return what is heard in each of the steps that are left."""
        x, lengths = steps.x[:, None].contiguous(memory_format=torch.channels_last), steps.lengths
        for layer, stride in zip(self.layers, self.strides, strict=True):
            lengths = (lengths + stride - 1).div(stride, rounding_mode="floor")
            x = layer(x)
            there = torch.arange(x.shape[2], device=x.device) < lengths[:, None]
            x = x * there[:, None, :, None].to(x.dtype)
        return Steps(self.join(x.transpose(1, 2).flatten(2)).relu(), lengths)


def _convolution(n_in: int, n_out: int, stride: tuple[int, int]) -> nn.Sequential:
    layer = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
    if layer.weight.device.type != "meta":
        initialize(layer.weight, "relu")
    return nn.Sequential(layer, nn.BatchNorm2d(n_out), nn.ReLU())


class Listener(nn.Module):
    """Convolutions, recurrent layers, scores: `Steps` (n, T, B) → `Steps` (n, T', V)."""

    def __init__(self, front: ConvolutionFront, cells: Recurrent, n_out: int, dropout: float) -> None:
        super().__init__()
        self.front, self.cells, self.dropout = front, cells, nn.Dropout(dropout)
        self.layer = linear(cells.n_out, n_out, "identity")

    def forward(self, steps: Steps) -> Steps:
        """Return the scores of the symbols at every step; of filling, something that no step depends on."""
        heard = self.front(steps)
        read = self.cells(Steps(self.dropout(heard.x), heard.lengths))
        return Steps(self.layer(self.dropout(read.x)), read.lengths)
