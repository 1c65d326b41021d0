"""Input layer, body and output layer together."""

import numpy as np
import torch
from torch import nn

from ganglion.networks.inputs import TableInput
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.networks.outputs import Rescale, Softmax

X = torch.from_numpy(np.random.default_rng(0).normal(5, 3, size=(20, 3)))


def network(output: nn.Module | None = None) -> Network:
    torch.manual_seed(0)
    built = Network(TableInput(3), MLP(3, 2, (4,)), output or Softmax())
    built.entry.adapt({"numeric": X})
    return built


def test_the_parts_are_applied_in_turn():
    built = network()
    prepared = built.prepare({"numeric": X})
    np.testing.assert_allclose(prepared["numeric"].mean(0), 0, atol=1e-6)
    scores = built.body(prepared["numeric"])
    assert torch.equal(built.scores(prepared), scores)
    assert torch.equal(built.raw_scores({"numeric": X}), scores)
    assert torch.equal(built({"numeric": X}), scores.softmax(1))


def test_cast_changes_the_arithmetic_and_keeps_the_statistics():
    built = network(Rescale(2))
    single = built({"numeric": X}).detach()
    center = built.input.center.clone()
    built.cast(torch.float64)
    assert built.dtype == built.scores(built.prepare({"numeric": X})).dtype == torch.float64
    assert torch.equal(built.input.center, center)
    np.testing.assert_allclose(built({"numeric": X}).detach(), single, atol=1e-6)
    built.cast(torch.float32)
    assert built.input.center.dtype == built.output.mean.dtype == torch.float64
    assert all(parameter.dtype == torch.float32 for parameter in built.parameters())
