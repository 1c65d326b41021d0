"""Batch normalisation folded into the layer before it: one layer in place of two, and the same answers.

    (W x - m) γ / √(v + ε) + β  =  (W γ / √(v + ε)) x + (β - m γ / √(v + ε))          m, v fixed after training

Jacob et al. 2018, arXiv:1712.05877, section 3.2. Quantised weights must be those that are multiplied by.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from ganglion.compression.settings import check_model, noted
from ganglion.networks.network import Network


def fold(model: Any) -> Any:
    """Return a copy of a fitted estimator without batch normalisation, which its other layers have taken in.

    Parameters
    ----------
    model : Estimator
        Fitted. It is left as it is.

    Returns
    -------
    Estimator
        With the same answers, to rounding; the model itself if it has nothing to fold.
    """
    check_model(model)
    if next(_pairs(model.network_), None) is None:
        return model
    folded = copy.copy(model)
    folded.network_ = copy.deepcopy(model.network_)
    reform(folded.network_)
    folded.network_.eval()
    return noted(folded, model, "fold")


def reform(network: Network, change: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Fold batch normalisation in place, whatever `change` says; on the device "meta" only the layers change."""
    for parent, layer, norm, name in list(_pairs(network)):
        _fold(layer, norm)
        del parent._modules[name]


def _pairs(network: nn.Module) -> Iterator[tuple[Any, Any, Any, str]]:
    """Yield the container, the linear layer or convolution, the normalisation right behind it, and its name."""
    for parent in network.modules():
        if isinstance(parent, nn.Sequential):
            names = list(parent._modules)
            for first, second in itertools.pairwise(names):
                layer, norm = parent._modules[first], parent._modules[second]
                if isinstance(layer, nn.Linear | nn.Conv2d) and isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                    yield parent, layer, norm, second


@torch.no_grad()
def _fold(layer: Any, norm: Any) -> None:
    weight = layer.weight
    bias = torch.zeros(len(weight), dtype=weight.dtype, device=weight.device) if layer.bias is None else layer.bias
    if weight.device.type != "meta":
        factor = norm.weight.double() * (norm.running_var.double() + norm.eps).rsqrt()
        shift = norm.bias.double() - norm.running_mean.double() * factor
        bias = (bias.double() * factor + shift).to(weight.dtype)
        weight.mul_(factor.to(weight.dtype).view(-1, *(1,) * (weight.dim() - 1)))
    layer.bias = nn.Parameter(bias.detach().clone())
