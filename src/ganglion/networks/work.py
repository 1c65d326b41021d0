"""How much a network has to compute, and whether it may be computed in fewer digits."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganglion.networks.attention import SelfAttention
from ganglion.networks.backpropagation import is_plain
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.network import Inputs, Network

IMAGE_BYTES = 64 * 2**20  # of what one layer makes of images that go through a network together


class Work(NamedTuple):
    """What a network computes for one sample: multiplications, in how many steps of which each waits for the last."""

    products: int
    steps: int = 1


@torch.no_grad()
def work_per_sample(network: Network, inputs: Inputs) -> Work:
    """Return the work of one sample, counted while one of `inputs` goes through the network."""
    if is_plain(network):
        return Work(sum(parameter.numel() for parameter in network.parameters()))
    counted, lengths = [0], [1]

    def count(module: Any, given: Any, output: Any) -> None:
        if isinstance(module, nn.RNNBase):  # goes through all its weights once a step
            counted[0] += given[0].shape[:-1].numel() * sum(weight.numel() for weight in module.parameters())
            lengths.append(given[0].shape[:-1].numel())
            return
        # a transposed convolution goes through its weights once a place of its input, the others of their output
        places = given[0] if isinstance(module, nn.ConvTranspose2d) else output
        counted[0] += places.numel() * module.weight[0].numel()

    kinds = nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d | nn.RNNBase | BoltzmannMachine
    layers = [module for module in network.modules() if isinstance(module, kinds)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = network.training
    try:
        network.eval()
        network.raw_scores({name: tensor[:1] for name, tensor in inputs.items()})
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return Work(counted[0], max(lengths))


def most_images(network: nn.Module, images: Tensor) -> int | None:
    """Return how many images, (n, C, H, W), may go through a network together; None if it has no convolutions.

    What convolutions make of an image is many times its size. This is a bound: as if the widest saw every pixel.
    """
    widths = [module.out_channels for module in network.modules() if isinstance(module, nn.Conv2d)]
    if not widths:
        return None
    return max(1, IMAGE_BYTES // (4 * math.prod(images.shape[2:]) * max(widths)))


def gains_from_bfloat16(network: nn.Module) -> bool:
    """Return whether products in bfloat16 make training faster: measured for plain MLPs, convolutions and the rest."""
    kinds = nn.Conv2d | nn.RNNBase | SelfAttention
    return is_plain(network) or any(isinstance(module, kinds) for module in network.modules())
