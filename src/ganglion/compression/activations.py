"""Numbers between layers in eight bits: rounded on the way into every linear layer and convolution.

    x' = s (clamp(round(x / s) + z, 0, 255) - z)            s the step, z the code of 0

static    s and z of each layer are fixed, from what it read of calibration data (Jacob et al. 2018, arXiv:1712.05877)
dynamic   s and z are those of what it reads at that moment, for each sample by itself

Weights are whole numbers times a scale already (`quantize`), so that these are the answers of int8 kernels, but for
the order of sums. Here they are multiplied as floats: int8 kernels belong to runtimes such as onnxruntime.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

LEVELS = 255


class RoundedInput(nn.Module):
    """Rounds what the layer behind it reads, (n, …) → the same shape.

    Parameters
    ----------
    dynamic : bool
        Whether each sample has its own step; else that of `low` and `high`.
    """

    low: Tensor
    high: Tensor

    def __init__(self, *, dynamic: bool) -> None:
        super().__init__()
        self.dynamic, self.watching = dynamic, False
        if not dynamic:
            self.register_buffer("low", torch.zeros((), dtype=torch.float64))
            self.register_buffer("high", torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return x rounded; while `watching`, x as it is, and its range becomes part of that of the layer."""
        if self.dynamic:
            flat = x.flatten(1)
            low, high = flat.amin(1).clamp(max=0.0), flat.amax(1).clamp(min=0.0)
            shape = (-1, *(1,) * (x.dim() - 1))
            return rounded(x, low.view(shape), high.view(shape))
        if self.watching:
            self.low.copy_(torch.minimum(self.low, x.detach().min().double()))
            self.high.copy_(torch.maximum(self.high, x.detach().max().double()))
            return x
        return rounded(x, self.low.to(x.dtype), self.high.to(x.dtype))


def rounded(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return x at the nearest of 256 levels from `low` to `high`, one of which is 0; slopes pass as if it were x.

    Bengio, Léonard & Courville 2013, arXiv:1308.3432 (straight through); beyond the ends there is none.
    """
    step = (high - low) / LEVELS
    step = torch.where(step > 0, step, torch.ones_like(step))
    zero = (-low / step).round()
    code = ((x / step).round() + zero).clamp(0, LEVELS)
    near = step * (code - zero)
    inside = ((x / step).round() + zero == code).to(x.dtype)
    return near.detach() + (x - x.detach()) * inside if torch.is_grad_enabled() else near


def read_by_layers(network: nn.Module, *, dynamic: bool) -> list[RoundedInput]:
    """Put a `RoundedInput` before every linear layer and convolution of a network, in place, and return them."""
    added: list[RoundedInput] = []
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear | nn.Conv1d | nn.Conv2d) and not isinstance(parent, _Rounding):
                rounding = _Rounding(child, dynamic=dynamic)
                setattr(parent, name, rounding)
                added.append(rounding.input)
    return added


class _Rounding(nn.Module):
    """A layer that reads rounded numbers."""

    def __init__(self, layer: nn.Module, *, dynamic: bool) -> None:
        super().__init__()
        self.input, self.layer = RoundedInput(dynamic=dynamic), layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.input(x))


def reform(network: Any, change: Mapping[str, Any]) -> None:
    """Change the layers of a network without weights as `quantize` did."""
    read_by_layers(network.body, dynamic=bool(change["dynamic"]))
