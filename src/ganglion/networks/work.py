"""How much a network has to compute, and whether it may be computed in fewer digits."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ganglion.networks.backpropagation import is_plain
from ganglion.networks.network import Inputs, Network


@torch.no_grad()
def products_per_sample(network: Network, inputs: Inputs) -> int:
    """Return the multiplications of one sample, counted while one of `inputs` goes through the network."""
    if is_plain(network):
        return sum(parameter.numel() for parameter in network.parameters())
    counted = [0]

    def count(module: Any, _: Any, output: Any) -> None:
        counted[0] += output.numel() * module.weight[0].numel()

    layers = [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = network.training
    try:
        network.eval()
        network.raw_scores({name: tensor[:1] for name, tensor in inputs.items()})
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return counted[0]


def gains_from_bfloat16(network: nn.Module) -> bool:
    """Return whether products in bfloat16 make training faster: measured for plain MLPs and for convolutions."""
    return is_plain(network) or any(isinstance(module, nn.Conv2d) for module in network.modules())
