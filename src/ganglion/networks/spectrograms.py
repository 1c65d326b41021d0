"""Spectrograms as pictures: convolutions over steps and bands, whatever the length of a recording.

What is filling is silenced after every layer, and all lengths are filled up to a multiple of what the pools take
together: a recording's features are the same alone and beside longer ones.

Letters: n recordings, T steps, B bands, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganglion.networks.convolution import ConvolutionStack, ResidualBlock, channels_last
from ganglion.networks.sequences import Steps


class SpectrogramStack(nn.Module):
    """Stages of convolutions, then the mean and the maximum over all steps: `Steps` (n, T, B) → (n, n_out).

    Parameters
    ----------
    stack : ConvolutionStack
        Made for pictures of one channel, B wide; its stages are taken.
    bands : int
    channels : int
        Of the last stage.
    head : {"flatten", "average"}
        Whether each band of the last stage is a feature, or the mean of all.
    """

    def __init__(self, stack: ConvolutionStack, bands: int, channels: int, head: str) -> None:
        super().__init__()
        self.stages, self.head = stack.stages, head
        left = bands
        for _ in self.stages:
            left = -(-left // 2)
        self.n_out = 2 * channels * (left if head == "flatten" else 1)
        channels_last(self)

    def maps(self, steps: Steps) -> list[Steps]:
        """Return what every stage makes of spectrograms: steps (n, C, T, B), half as many each time."""
        together = 2 ** len(self.stages)
        x = nn.functional.pad(steps.x, (0, 0, 0, -steps.x.shape[1] % together))[:, None]
        x, lengths, found = x.contiguous(memory_format=torch.channels_last), steps.lengths, []
        for stage in self.stages:
            there = _there(x, lengths)
            for part in stage:  # type: ignore[union-attr]
                x = part(x, there) if isinstance(part, ResidualBlock) else part(x)
                there = there if x.shape[2] == there.shape[2] else _there(x, lengths := (lengths + 1) // 2)
                x = x * there
            found.append(Steps(x, lengths))
        return found

    def forward(self, steps: Steps) -> Tensor:
        """Return the features of spectrograms, (n, n_out)."""
        last, lengths = self.maps(steps)[-1]
        last = last if self.head == "flatten" else last.mean(3, keepdim=True)
        mean = last.sum(2) / lengths[:, None, None].to(last.dtype)
        most = last.masked_fill(_there(last, lengths) == 0, torch.finfo(last.dtype).min).amax(2)
        return torch.cat([mean.flatten(1), most.flatten(1)], 1)


class SpectrogramPicture(nn.Module):
    """Spectrograms of one number of steps as pictures: `Steps` (n, T, B) → (n, n_out), what `stack` makes of them."""

    def __init__(self, stack: ConvolutionStack) -> None:
        super().__init__()
        self.stack, self.n_out = stack, stack.n_out

    def maps(self, steps: Steps) -> list[Tensor]:
        """Return what every stage makes of spectrograms: (n, C, T, B), half as large each time."""
        return self.stack.maps(steps.x[:, None])

    def forward(self, steps: Steps) -> Tensor:
        """Return the features of spectrograms, (n, n_out)."""
        return self.stack(steps.x[:, None].contiguous(memory_format=torch.channels_last))


def _there(x: Tensor, lengths: Tensor) -> Tensor:
    """Return 1 where a step counts and 0 where it is filling, (n, 1, T, 1)."""
    return (torch.arange(x.shape[2], device=x.device) < lengths[:, None]).to(x.dtype)[:, None, :, None]
