"""How much a network multiplies, counted by hand."""

import torch
from torch import nn

from ganglion.networks.convolution import ConvolutionStack
from ganglion.networks.inputs import ImageInput, TableInput
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.networks.work import gains_from_bfloat16, products_per_sample


def test_a_convolution_multiplies_at_every_place():
    stack = ConvolutionStack((2, 8, 6), (5,), normalization="batch")
    network = Network(ImageInput((2, 8, 6)), nn.Sequential(stack, MLP(stack.n_out, 3, ())), nn.Identity())
    images = {"image": torch.zeros(4, 2, 8, 6, dtype=torch.uint8)}
    places, window = 8 * 6, 2 * 9
    assert products_per_sample(network, images) == 5 * places * window + 3 * (5 * 4 * 3)
    assert network.training
    assert gains_from_bfloat16(network)


def test_an_mlp_multiplies_once_a_weight():
    network = Network(TableInput(4), MLP(4, 2, (7,)), nn.Identity())
    assert products_per_sample(network, {"numeric": torch.zeros(3, 4)}) == 4 * 7 + 7 + 7 * 2 + 2
    gelu = Network(TableInput(4), MLP(4, 2, (7,), activation="gelu"), nn.Identity())
    assert products_per_sample(gelu, {"numeric": torch.zeros(3, 4)}) == 4 * 7 + 7 * 2
    assert gains_from_bfloat16(network)
    assert not gains_from_bfloat16(gelu)
