"""Random numbers that are the same ones in every precision: drawn as float32, then cast.

So a small job, which runs in float64 if its data are float64, learns what it would learn in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor


def normal(shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return standard normal numbers of a shape, where and as precise as `like` is."""
    device = like.device if generator is None else generator.device
    return torch.randn(shape, generator=generator, device=device).to(like)


def uniform(shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return numbers that are uniform on [0, 1), where and as precise as `like` is."""
    device = like.device if generator is None else generator.device
    return torch.rand(shape, generator=generator, device=device).to(like)
