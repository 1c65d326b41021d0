"""An optimiser's state in a checkpoint is the same, whether the parameters were packed in a vector or not."""

import pytest
import torch

from ganglion.networks.backpropagation import Backpropagation
from ganglion.networks.inputs import TableInput
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.training.layout import Layout
from ganglion.training.optimizers import LBFGS, SGD, Adagrad, Adam, RMSprop

N = 5  # features


def network():
    torch.manual_seed(0)
    return Network(TableInput(N), MLP(N, 2, (3,)), torch.nn.Identity()).cast(torch.float64)


def packed():
    net = network()
    return list(net.parameters()), Backpropagation(net, lambda scores, batch: (scores.sum(), torch.ones_like(scores)))


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.0), Adam(), Adagrad(), RMSprop()])
def test_packed_and_back(optimizer):
    parameters, closed = packed()
    state = optimizer.start([closed.vector])
    for several in state.values():
        for tensor in several:
            tensor.copy_(closed.vector if tensor.dim() else torch.tensor(7.0))
    layout, plain = Layout(parameters, closed, state), optimizer.start(parameters)
    whole = layout.whole(state)
    assert {name: [t.shape for t in several] for name, several in whole.items()} == {
        name: [t.shape for t in several] for name, several in plain.items()
    }
    torch.testing.assert_close(layout.own(whole), state, rtol=0, atol=0)


def test_lbfgs_remembers_the_same_steps_packed_or_not():
    parameters, closed = packed()
    layout = Layout(parameters, closed, LBFGS().start([closed.vector]))
    moves = [torch.cat([parameter.detach().flatten() for parameter in parameters]) * k for k in (1.0, 2.0)]
    own = layout.own({"moves": moves, "changes": []})
    torch.testing.assert_close(own["moves"][1], 2 * closed.vector, rtol=0, atol=0)
    assert own["changes"] == []
    torch.testing.assert_close(layout.whole(own)["moves"], moves, rtol=0, atol=0)


def test_unpacked_it_has_the_strides_of_the_parameters():
    kernel = torch.randn(4, 3, 5, 5).contiguous(memory_format=torch.channels_last)
    parameters = [kernel, torch.randn(4)]
    state = Adam().start(parameters)
    layout = Layout(parameters, None, state)
    assert layout.whole(state) is state
    written = {name: [each.contiguous() for each in several] for name, several in state.items()}
    written["first"] = [kernel.contiguous(), parameters[1]]
    own = Layout(parameters, None, {**state, "first": parameters}).own(written)
    assert own["first"][0].stride() == kernel.stride() != written["first"][0].stride()
    torch.testing.assert_close(own, written, rtol=0, atol=0)
