"""Which weights stay: those of the largest size, in each layer or of all layers together.

Han, Pool, Tran & Dally 2015, "Learning both weights and connections for efficient neural networks", arXiv:1506.02626.
Matrices and kernels are pruned; biases and what normalises are few, and stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

Scope = Literal["layer", "network"]


def prunable(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of two axes or more, by name."""
    return {name: weight for name, weight in network.named_parameters() if weight.dim() > 1}


def magnitude_masks(weights: Mapping[str, Tensor], sparsity: float, *, scope: Scope = "layer") -> dict[str, Tensor]:
    """Return True where a weight stays, for each tensor.

    Parameters
    ----------
    weights : mapping of str to Tensor
    sparsity : float in [0, 1)
        Share of weights to go: of every tensor, or of all together.
    scope : {"layer", "network"}

    Returns
    -------
    dict of str to Tensor of bool
        Exactly round(sparsity · n) are False; of equal weights the first ones go.
    """
    if scope == "layer":
        return {
            name: _largest(weight.detach().abs().flatten(), sparsity).view(weight.shape)
            for name, weight in weights.items()
        }
    sizes = [weight.numel() for weight in weights.values()]
    kept = _largest(torch.cat([weight.detach().abs().flatten() for weight in weights.values()]), sparsity)
    parts = zip(weights.items(), kept.split(sizes), strict=True)
    return {name: part.view(weight.shape) for (name, weight), part in parts}


def apply_masks(weights: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> None:
    """Set to zero, in place, what does not stay."""
    with torch.no_grad():
        for name, mask in masks.items():
            weights[name].mul_(mask)


def sparsity_of(network: nn.Module) -> float:
    """Return the share of zeros among the weights that can be pruned."""
    weights = prunable(network).values()
    return 1 - sum(int(weight.count_nonzero()) for weight in weights) / max(1, sum(map(torch.numel, weights)))


def _largest(sizes: Tensor, sparsity: float) -> Tensor:
    """Return True at all but the smallest entries of a vector."""
    kept = torch.ones_like(sizes, dtype=torch.bool)
    kept[sizes.argsort(stable=True)[: round(sparsity * len(sizes))]] = False
    return kept
