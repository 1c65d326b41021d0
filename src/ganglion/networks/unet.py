"""The U-Net: down to where a unit sees much of the picture, and up again to a score for every pixel.

    h_0 = f_0(x)                          f: two convolutions
    h_l = f_l(pool(h_{l-1}))              l = 1 … L: half the size, twice the channels
    u_L = h_L
    u_l = g_l([h_l, up_l(u_{l+1})])       l = L-1 … 0: twice the size, half the channels; h_l is the skip connection
    s   = W u_0 + b                       a 1 × 1 convolution

Ronneberger, Fischer & Brox 2015, arXiv:1505.04597, figure 1. Letters: C channels, H height, W width, K classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganglion.networks.convolution import ResidualBlock, channels_last, convolution

KERNEL = (3, 3)


class UNet(nn.Module):
    """Pictures of any size to scores for every pixel, (n, C, H, W) → (n, K, H, W).

    Parameters
    ----------
    n_in, n_out : int
        Channels of a picture, and scores for each pixel.
    channels : int
        Of the first stage; each stage below has twice as many.
    depth : int
        How often the picture is halved.
    residual : bool
        Whether the two convolutions of a stage have a shortcut around them.
    activation : str
        A name in `ACTIVATIONS`.
    normalization : {"batch"} or None
        Before each activation.
    dropout : float in [0, 1)
        Share of the channels silenced in training at the end of the way down (Tompson et al. 2015, arXiv:1411.4280).

    Notes
    -----
    Sides that are no multiple of 2^depth (twice or more) are continued by their last row and column, and the scores
    cut back.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        channels: int = 64,
        depth: int = 4,
        residual: bool = False,
        activation: str = "relu",
        normalization: str | None = "batch",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()

        def stage(n_in: int, n_out: int) -> nn.Module:
            if residual:
                return ResidualBlock(n_in, n_out, KERNEL, activation=activation, normalization=normalization)
            first = convolution(n_in, n_out, KERNEL, activation=activation, normalization=normalization)
            second = convolution(n_out, n_out, KERNEL, activation=activation, normalization=normalization)
            return nn.Sequential(first, second)

        widths = [channels * 2**level for level in range(depth + 1)]
        self.multiple = 2**depth
        self.down = nn.ModuleList(stage(*pair) for pair in zip([n_in, *widths], widths, strict=False))
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(dropout)
        self.widen = nn.ModuleList(_up_convolution(2 * width, width) for width in reversed(widths[:-1]))
        self.up = nn.ModuleList(stage(2 * width, width) for width in reversed(widths[:-1]))
        self.head = convolution(channels, n_out, (1, 1), activation="identity", normalization=None)[0]
        channels_last(self)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return what every stage makes of pictures, on the way down, then up: 2 depth + 1 of (n, C, H, W)."""
        found = [self.down[0](self._padded(x))]
        for stage in self.down[1:]:
            found.append(stage(self.pool(found[-1])))
        found[-1] = self.dropout(found[-1])
        for widen, stage, skip in zip(self.widen, self.up, found[-2::-1], strict=True):
            found.append(stage(torch.cat([skip, widen(found[-1])], dim=1)))
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Return a score for every pixel and class, (n, K, H, W)."""
        height, width = x.shape[-2:]
        scores = self.head(self.maps(x)[-1])[..., :height, :width]
        return scores.to(self.head.weight.dtype)  # sums over many pixels want more digits than bfloat16 has

    def _padded(self, x: Tensor) -> Tensor:
        # two rows and columns at least are left below: batch normalisation cannot be trained on one place
        below, right = (max(-side % self.multiple, 2 * self.multiple - side) for side in x.shape[-2:])
        if below or right:
            x = F.pad(x, (0, right, 0, below), mode="replicate")
        # channels last: convolutions read all channels of a place at once
        return x.contiguous(memory_format=torch.channels_last)


def _up_convolution(n_in: int, n_out: int) -> nn.ConvTranspose2d:
    """Return the layer that makes 2 × 2 places of each: (n, C_in, H, W) → (n, C_out, 2 H, 2 W)."""
    layer = nn.ConvTranspose2d(n_in, n_out, 2, stride=2, bias=False)  # the convolutions that follow have one
    if layer.weight.device.type != "meta":
        nn.init.normal_(layer.weight, std=n_in**-0.5)  # a new place sees one old one: this keeps the mean square
    return layer
