"""Activations by name, each with the initialisation that keeps the variance of its layer's output steady.

He et al. 2015, arXiv:1502.01852 (rectifiers); Glorot & Bengio 2010 (sigmoid, tanh); Klambauer et al. 2017,
arXiv:1706.02515 (SELU needs LeCun's normal).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation: its module, and the standard deviation of weights feeding it, sqrt(gain / fan).

    `gain` is 1 / E[a(z)²] for standard normal z where `fan` is "in", which keeps the mean square from layer to layer.
    `fan` is "in" (He, LeCun: variance of fan-in) or "average" (Glorot: mean of fan-in and fan-out).
    """

    module: type[nn.Module]
    gain: float = 2.0
    fan: str = "in"


ACTIVATIONS: dict[str, Activation] = {
    "celu": Activation(nn.CELU, gain=1.55),
    "elu": Activation(nn.ELU, gain=1.55),
    "gelu": Activation(nn.GELU, gain=2.35),
    "hardswish": Activation(nn.Hardswish, gain=3.0),
    "identity": Activation(nn.Identity, gain=1.0, fan="average"),
    "leaky_relu": Activation(nn.LeakyReLU),
    "mish": Activation(nn.Mish, gain=2.2),
    "relu": Activation(nn.ReLU),
    "relu6": Activation(nn.ReLU6),
    "selu": Activation(nn.SELU, gain=1.0),
    "sigmoid": Activation(nn.Sigmoid, gain=1.0, fan="average"),
    "silu": Activation(nn.SiLU, gain=2.8),
    "softplus": Activation(nn.Softplus, gain=1.0, fan="average"),
    "softsign": Activation(nn.Softsign, gain=1.0, fan="average"),
    "tanh": Activation(nn.Tanh, gain=1.0, fan="average"),
}


def initialize(weight: Tensor, activation: str, *, most: float | None = None) -> None:
    """Fill the weight of a layer, (n_out, n_in, …), in place, as suits the activation before and after it.

    The gain makes up for what the activation before the layer took away. A first layer has none before it: there a
    gain of 1 keeps the variance of standardised inputs (He et al. 2015, after eq. 10), so `most` bounds the gain.

    Draws from torch's current random state; the estimator puts its own there while it builds.
    """
    fan_in = weight[0].numel()
    fan_out = weight.numel() // weight.shape[1]
    chosen = ACTIVATIONS[activation]
    fan = fan_in if chosen.fan == "in" else (fan_in + fan_out) / 2
    gain = chosen.gain if most is None else min(most, chosen.gain)
    with torch.no_grad():
        weight.normal_(0.0, math.sqrt(gain / max(fan, 1)))
