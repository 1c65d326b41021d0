"""Dropout whose random numbers cost little: a byte each.

    y = x m / (1 - k / 256),   m = 1 where a random byte is k or more,   k = round(256 p)

Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting". The library draws a number
of 32 bits for each element and turns it into a float, which on a processor takes as long as a small layer's products.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout


class Dropout(nn.Dropout):
    """Silences a share of what comes in while training, and makes the rest larger by as much.

    On a processor the share is a multiple of 1/256.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the same shape."""
        if not self.training or self.p == 0:
            return input
        return input * self.mask(input) if self._by_bytes(input) else dropout(input, self.p)

    def mask(self, like: Tensor) -> Tensor:
        """Return what to multiply with while training, of the shape of `like`: 0, or what makes up for the zeros."""
        if not self._by_bytes(like):
            return dropout(torch.ones_like(like), self.p)
        k = round(256 * self.p)
        words = torch.empty(-(-like.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: like.numel()].view(like.shape) >= k
        return kept.to(like.dtype).mul_(256 / (256 - k))

    def _by_bytes(self, input: Tensor) -> bool:
        return input.device.type == "cpu" and 0 < round(256 * self.p) < 256
