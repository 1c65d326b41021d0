"""Convolutions that look back only, farther from layer to layer.

    block(x) = relu(x + F(x)),  F: twice a causal convolution of k steps that are d apart, relu, dropout
    d = 1, 2, 4, …: the last place sees 1 + 2 (k - 1) (2^blocks - 1) steps

Bai, Kolter & Koltun 2018, arXiv:1803.01271, figure 1. Differs: no weight normalisation, which Adam does not need.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganglion.networks.activations import initialize
from ganglion.networks.ahead import Ahead
from ganglion.networks.series import Shape


class CausalBlock(nn.Module):
    """(b, D_in, L) → (b, D, L), each place from places up to it."""

    def __init__(self, n_in: int, width: int, *, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.reach = (kernel - 1) * dilation
        self.first = _convolution(n_in, width, kernel, dilation)
        self.second = _convolution(width, width, kernel, dilation)
        self.shortcut = _convolution(n_in, width, 1, 1) if n_in != width else nn.Identity()
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return every place as the block has made it."""
        inner = x
        for layer in (self.first, self.second):
            inner = self.dropout(layer(nn.functional.pad(inner, (self.reach, 0))).relu())
        return (inner + self.shortcut(x)).relu()


class TemporalConvolution(nn.Module):
    """TCN: columns (b, c, L), and those known ahead (b, k, H) → (b, t, H, n), from the last place.

    Parameters
    ----------
    shape : Shape
    width, kernel : int
        Maps of each layer, and steps of a convolution.
    dropout : float
        Share of the maps silenced.
    """

    def __init__(self, shape: Shape, width: int, *, kernel: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        blocks, seen = [], 1
        while seen < shape.length or not blocks:
            n_in, dilation = (width if blocks else shape.read), 2 ** len(blocks)
            blocks.append(CausalBlock(n_in, width, kernel=kernel, dilation=dilation, dropout=dropout))
            seen += 2 * (kernel - 1) * dilation
        self.blocks, self.ahead = nn.Sequential(*blocks), Ahead(width, shape)

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        """Return what is told of each step."""
        return self.ahead(self.blocks(x)[:, :, -1], known)


def _convolution(n_in: int, n_out: int, kernel: int, dilation: int) -> nn.Conv1d:
    layer = nn.Conv1d(n_in, n_out, kernel, dilation=dilation)
    if layer.weight.device.type != "meta":
        initialize(layer.weight, "relu")
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
