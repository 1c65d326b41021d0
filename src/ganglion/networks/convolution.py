"""Convolutional networks as blocks: plain stacks and residual ones, over pictures and over signals.

A signal is a picture of height 1: its kernels are (1, k), its pools (1, 2). Letters: C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganglion.networks.activations import ACTIVATIONS, initialize

Size = tuple[int, int]
POOLS: dict[str, type[nn.Module]] = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}


def convolution(n_in: int, n_out: int, kernel: Size, *, activation: str, normalization: str | None) -> nn.Sequential:
    """Return a convolution that keeps the size, normalisation, activation: (n, C_in, H, W) → (n, C_out, H, W)."""
    # batch normalisation takes every constant away: the gradient of a bias would be rounding alone
    layer = nn.Conv2d(n_in, n_out, kernel, padding="same", bias=normalization is None)
    if layer.weight.device.type != "meta":
        initialize(layer.weight, activation)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    parts: list[nn.Module] = [layer]
    if normalization is not None:
        parts.append(nn.BatchNorm2d(n_out))
    return nn.Sequential(*parts, ACTIVATIONS[activation].module())


def channels_last(module: nn.Module) -> None:
    """Keep a module's kernels in the order of axes in which convolutions are fastest, also when weights are loaded.

    A picture of one channel does not tell by itself in which order it is meant: the kernel decides.
    """
    _in_that_order(module)
    module.register_load_state_dict_post_hook(_in_that_order)


def _in_that_order(module: nn.Module, *_: Any) -> None:
    for parameter in module.parameters():
        if parameter.dim() == 4:  # `contiguous` would leave a kernel of one channel as it is: it fits both orders
            ordered = torch.empty_like(parameter, memory_format=torch.channels_last)
            parameter.data = ordered.copy_(parameter.detach()).detach()


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut around them: a(F(x) + x), (n, C_in, H, W) → (n, C_out, H, W).

    He et al. 2016, arXiv:1512.03385, eq. 1; where channels differ the shortcut is a 1 × 1 convolution (eq. 2).
    """

    def __init__(self, n_in: int, n_out: int, kernel: Size, *, activation: str, normalization: str | None) -> None:
        super().__init__()
        self.first = convolution(n_in, n_out, kernel, activation=activation, normalization=normalization)
        self.second = convolution(n_out, n_out, kernel, activation=activation, normalization=normalization)[:-1]
        self.shortcut: nn.Module = nn.Identity()
        if n_in != n_out:
            self.shortcut = convolution(n_in, n_out, (1, 1), activation="identity", normalization=normalization)[:-1]
        self.activation = ACTIVATIONS[activation].module()

    def forward(self, x: Tensor, there: Tensor | None = None) -> Tensor:
        """Return a(F(x) + x); between the two convolutions only what is `there`, (n, 1, H, 1) of 1 and 0, is kept."""
        first = self.first(x)
        return self.activation(self.second(first if there is None else first * there) + self.shortcut(x))


def widths_of(channels: Sequence[int | Sequence[int]], depth: int) -> tuple[tuple[int, ...], ...]:
    """Return the channels of each convolution of each stage; a stage of one number has `depth` of so many."""
    return tuple(tuple(each) if isinstance(each, Sequence) else (each,) * depth for each in channels)


class ConvolutionStack(nn.Module):
    """Stages of convolutions, each at half the size of the one before: (n, C, H, W) → (n, n_out) features.

    Parameters
    ----------
    shape : (C, H, W)
        Of one picture.
    channels : sequence of int, or of sequences of int
        Channels of each stage, or of each of its convolutions or residual blocks.
    depth : int
        Convolutions, or residual blocks, in a stage, where `channels` does not say so.
    kernel_size : int
    residual : bool
    pooling : {"max", "average"}
        How a stage's output is halved. A side that is 1 already stays.
    head : {"flatten", "average"}
        Whether all places of the last stage are features, or their mean over the picture.
    activation, normalization, dropout
        As of the MLP; dropout silences whole channels after each stage (Tompson et al. 2015, arXiv:1411.4280).
    """

    def __init__(
        self,
        shape: Sequence[int],
        channels: Sequence[int | Sequence[int]],
        *,
        depth: int = 1,
        kernel_size: int = 3,
        residual: bool = False,
        pooling: Literal["max", "average"] = "max",
        head: Literal["flatten", "average"] = "flatten",
        activation: str = "relu",
        normalization: str | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        n_in, height, width = shape
        kernel = (min(kernel_size, 2 * height - 1), min(kernel_size, 2 * width - 1))  # wider ones see padding only
        block = ResidualBlock if residual else convolution
        stages: list[nn.Module] = []
        for widths in widths_of(channels, depth):
            parts: list[nn.Module] = [
                block(*pair, kernel, activation=activation, normalization=normalization)
                for pair in pairwise([n_in, *widths])
            ]
            n_in = widths[-1]
            pool = (min(2, height), min(2, width))
            parts.append(POOLS[pooling](pool, ceil_mode=True))
            if dropout > 0:
                parts.append(nn.Dropout2d(dropout))
            stages.append(nn.Sequential(*parts))
            height, width = -(-height // 2), -(-width // 2)
        self.stages = nn.Sequential(*stages)
        self.head = nn.Flatten() if head == "flatten" else nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.n_out = n_in * height * width if head == "flatten" else n_in
        channels_last(self)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return what every stage makes of pictures, (n, C, H, W) each; rows of numbers are signals."""
        x = self._picture(x)
        return [x := stage(x) for stage in self.stages]

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of pictures, (n, n_out)."""
        return self.head(self.stages(self._picture(x)))

    def chain(self) -> tuple[Callable[[Tensor], Tensor], ...]:
        """Return what `forward` consists of (see `networks.straight`)."""
        return self._picture, self.stages, self.head

    def _picture(self, x: Tensor) -> Tensor:
        # channels last: convolutions read all channels of a place at once
        return x.reshape(x.shape[0], *self.shape).contiguous(memory_format=torch.channels_last)
