"""How much a network multiplies, counted by hand."""

import torch
from torch import nn

from ganglion.networks.convolution import ConvolutionStack
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.inputs import ImageInput, TableInput
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.networks.sequences import SequenceInput
from ganglion.networks.visible import VisibleInput
from ganglion.networks.visible_units import VisibleUnits
from ganglion.networks.work import gains_from_bfloat16, work_per_sample


def test_a_convolution_multiplies_at_every_place():
    stack = ConvolutionStack((2, 8, 6), (5,), normalization="batch")
    network = Network(ImageInput((2, 8, 6)), nn.Sequential(stack, MLP(stack.n_out, 3, ())), nn.Identity())
    images = {"image": torch.zeros(4, 2, 8, 6, dtype=torch.uint8)}
    places, window = 8 * 6, 2 * 9
    assert work_per_sample(network, images).products == 5 * places * window + 3 * (5 * 4 * 3)
    assert network.training
    assert gains_from_bfloat16(network)


def test_an_mlp_multiplies_once_a_weight():
    network = Network(TableInput(4), MLP(4, 2, (7,)), nn.Identity())
    assert work_per_sample(network, {"numeric": torch.zeros(3, 4)}).products == 4 * 7 + 7 + 7 * 2 + 2
    gelu = Network(TableInput(4), MLP(4, 2, (7,), activation="gelu"), nn.Identity())
    assert work_per_sample(gelu, {"numeric": torch.zeros(3, 4)}).products == 4 * 7 + 7 * 2
    assert gains_from_bfloat16(network)
    assert not gains_from_bfloat16(gelu)


def test_cells_go_through_their_weights_once_a_step_and_each_step_waits():
    class LastState(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = nn.LSTM(3, 5, batch_first=True)

        def forward(self, steps):
            return self.cells(steps.x)[0][:, -1]

    network = Network(SequenceInput(3), LastState(), nn.Identity())
    sequences = {"sequence": torch.zeros(4, 7, 3), "sequence_length": torch.full((4,), 7)}
    work = work_per_sample(network, sequences)
    assert (work.products, work.steps) == (7 * 4 * 5 * (3 + 5 + 2), 7)


def test_a_boltzmann_machine_counts_its_weights():
    entry = VisibleInput(7)
    network = Network(entry, BoltzmannMachine(VisibleUnits([("gaussian", 7)]), 5), nn.Identity())
    assert work_per_sample(network, {"numeric": torch.zeros(1, 7)}).products == 35
