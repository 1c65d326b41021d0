"""A network that follows another one, smoothed over its last steps.

    θ̄ ← d_t θ̄ + (1 - d_t) θ,    d_t = min(d, (1 + t) / (10 + t))

so that what is far back, the beginning above all, is soon forgotten. Polyak & Juditsky 1992, "Acceleration of
stochastic approximation by averaging"; of a GAN's generator: Yazıcı et al. 2019, arXiv:1806.04498; of a diffusion
model: Ho et al. 2020, arXiv:2006.11239, section 4.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class MovingAverage(nn.Module):
    """The average of a module's weights, itself part of the network: it is saved, and goes on when a run is resumed.

    Parameters
    ----------
    module : Module
        Is copied; other buffers than weights (the statistics of batch normalisation) are taken as they are.
    decay : float in [0, 1)
        d. With 0 the average is the module.
    """

    n_steps: Tensor

    def __init__(self, module: nn.Module, decay: float) -> None:
        super().__init__()
        self.decay, self.module = decay, copy.deepcopy(module).requires_grad_(False)
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.float64))

    @torch.no_grad()
    def follow(self, module: nn.Module) -> None:
        """Go one step towards a module's present weights."""
        t = self.n_steps.add_(1).item()
        share = 1 - min(self.decay, (1 + t) / (10 + t))
        own: list[Tensor] = list(self.module.parameters())
        its: list[Tensor] = list(module.parameters())
        torch._foreach_lerp_(own, its, share)
        for mine, other in zip(self.module.buffers(), module.buffers(), strict=True):
            mine.copy_(other)

    def train(self, mode: bool = True) -> MovingAverage:
        """Stay as in use: an average is asked for answers, and never trained."""
        return super().train(False)
