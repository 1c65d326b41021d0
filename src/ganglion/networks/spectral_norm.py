"""Spectral normalisation: layers that stretch no direction by more than 1.

    W̄ = W / σ(W),   σ(W) ≈ uᵀ W v,   v = Wᵀ u / |Wᵀ u|,   u ← W v / |W v|

one step of the power iteration for each batch of training. Miyato et al. 2018, arXiv:1802.05957, algorithm 1; a kernel
of a convolution is a matrix of one row for each channel that comes out (section 2.1).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-12
FIRST_STEPS = 15  # of the power iteration before training, so that the first batches are scaled rightly as well


class SpectralLinear(nn.Linear):
    """A linear layer whose largest singular value is 1, (n, n_in) → (n, n_out)."""

    u: Tensor

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out)
        self.register_buffer("u", _direction(n_out))

    def forward(self, input: Tensor) -> Tensor:
        """Return W̄ x + b."""
        return F.linear(input, self.weight / norm_of(self), self.bias)


class SpectralConv2d(nn.Conv2d):
    """A convolution whose kernel, as a matrix, has the largest singular value 1, (n, C_in, H, W) → (n, C_out, …)."""

    u: Tensor

    def __init__(self, n_in: int, n_out: int, kernel_size: int, **options: Any) -> None:
        super().__init__(n_in, n_out, kernel_size, **options)
        self.register_buffer("u", _direction(n_out))

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution of W̄."""
        return self._conv_forward(input, self.weight / norm_of(self), self.bias)


def norm_of(layer: SpectralLinear | SpectralConv2d) -> Tensor:
    """Return σ(W), a scalar that knows its gradient; while training, u goes one step on."""
    matrix = layer.weight.flatten(1)
    with torch.no_grad():
        u, v = _step(matrix, layer.u)
        if layer.training:
            layer.u.copy_(u)
    return torch.dot(u, torch.mv(matrix, v))


@torch.no_grad()
def settle(network: nn.Module) -> None:
    """Bring the direction of every normalised layer close to its own largest one; call it when weights were drawn."""
    for layer in network.modules():
        if isinstance(layer, SpectralLinear | SpectralConv2d) and layer.weight.device.type != "meta":
            for _ in range(FIRST_STEPS):
                layer.u.copy_(_step(layer.weight.flatten(1), layer.u)[0])


def _step(matrix: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    v = F.normalize(torch.mv(matrix.T, u), dim=0, eps=EPSILON)
    return F.normalize(torch.mv(matrix, v), dim=0, eps=EPSILON), v


def _direction(n: int) -> Tensor:
    drawn = torch.empty(n)
    return drawn if drawn.device.type == "meta" else F.normalize(drawn.normal_(), dim=0, eps=EPSILON)
