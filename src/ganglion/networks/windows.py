"""Convolutions over the steps of a sequence, of which the largest value over all places is kept.

    c_i = a(w · x_{i:i+k-1} + b),   ĉ = max_i c_i                     Kim 2014, arXiv:1408.5882, eq. 2 and 3

Letters: n samples, T steps, D numbers in a step, k width of a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ganglion.networks.activations import ACTIVATIONS, initialize
from ganglion.networks.convolution import channels_last
from ganglion.networks.sequences import Steps, most_of


class Windows(nn.Module):
    """Maps of windows of several widths, each the largest value over all places: `Steps` (n, T, D) → (n, n_out).

    A window may stand half outside a sequence, where there are zeros: one that is shorter than the window has an answer
    too, and what fills up shorter samples of a batch changes none.

    Parameters
    ----------
    n_in : int
        Numbers in a step, D.
    maps : int
        Windows of each width that are learned.
    widths : sequence of int
        Steps in a window, k.
    activation : str
    """

    def __init__(self, n_in: int, maps: int, widths: Sequence[int], *, activation: str = "relu") -> None:
        super().__init__()
        self.n_out = maps * len(widths)
        # pictures of height 1: their kernels are the fast ones
        windows = [nn.Conv2d(n_in, maps, (1, k), padding=(0, k - 1)) for k in widths]
        self.activation = ACTIVATIONS[activation].module()
        for window in windows:
            if window.weight.device.type != "meta":
                initialize(window.weight, activation)
                nn.init.zeros_(cast(Tensor, window.bias))
        self.windows = nn.ModuleList(windows)
        channels_last(self)

    def forward(self, steps: Steps) -> Tensor:
        """Return the largest value of each map over the places where a window sees a step that counts."""
        x = steps.x if steps.full else steps.x * steps.there[:, :, None].to(steps.x.dtype)
        picture = x.transpose(1, 2)[:, :, None].contiguous(memory_format=torch.channels_last)
        found = [self._largest(window, picture, steps.lengths) for window in self.windows]
        return torch.cat(found, 1)

    def _largest(self, window: nn.Module, picture: Tensor, lengths: Tensor) -> Tensor:
        values = window(picture)[:, :, 0].transpose(1, 2)
        # activations never fall, so the largest may be taken before them: fewer numbers go through
        return self.activation(most_of(Steps(values, lengths + values.shape[1] - picture.shape[3])))
