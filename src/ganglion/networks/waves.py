"""Numbers beside waves of them, so that a network of layers can tell places that lie close together.

    x → [x, sin 2π B x, cos 2π B x],   B_ij ~ N(0, scale²), drawn once

Layers of units learn what changes slowly long before what changes fast (Rahaman et al. 2019, arXiv:1806.08734). Tancik
et al. 2020, arXiv:2006.10739, eq. 5. Letters: n samples, d numbers of each, k waves.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

WAVES_A_UNIT = 0.24  # beside numbers of unit variance
FEW_NUMBERS, N_WAVES = 8, 32  # of so few numbers a network sees so many waves


def waves_of(n_numbers: int) -> int:
    """Return how many waves help a network to tell apart rows of so many numbers: none of many, which lie far apart."""
    return N_WAVES if n_numbers <= FEW_NUMBERS else 0


class Waves(nn.Module):
    """Rows to rows beside sines and cosines, (n, d) → (n, d + 2 k).

    Parameters
    ----------
    n_in, n_waves : int
        d and k.
    scale : float
        Of the frequencies, in waves a unit.
    """

    frequencies: Tensor

    def __init__(self, n_in: int, n_waves: int, *, scale: float) -> None:
        super().__init__()
        self.n_out = n_in + 2 * n_waves
        drawn = torch.empty(n_in, n_waves)
        if drawn.device.type != "meta":
            drawn.normal_(0.0, 2 * math.pi * scale)
        self.register_buffer("frequencies", drawn)

    def forward(self, x: Tensor) -> Tensor:
        """Return the rows and their waves."""
        phase = x @ self.frequencies
        return torch.cat([x, phase.sin(), phase.cos()], dim=1)
