"""Layers gone through without calls of their containers: the same answers, and nothing that is missed."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from ganglion.networks.convolution import ConvolutionStack
from ganglion.networks.inputs import ImageInput
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network, device_of
from ganglion.networks.outputs import Softmax
from ganglion.networks.straight import StraightLine

PICTURES = torch.rand(3, 1, 6, 6, generator=torch.Generator().manual_seed(0))


def network(**options) -> Any:
    torch.manual_seed(0)
    stack = ConvolutionStack((1, 6, 6), (4, 4), depth=2, normalization="batch", **options)
    body = nn.Sequential(stack, MLP(stack.n_out, 2, (5, 5), residual=True, dropout=0.5))
    return Network(ImageInput((1, 6, 6)), body, Softmax()).eval()


@pytest.mark.parametrize("options", [{}, {"residual": True, "dropout": 0.2, "head": "average"}])
def test_the_steps_make_what_the_module_makes(options):
    whole = network(**options)
    with torch.inference_mode():
        assert torch.equal(StraightLine(whole.body)(PICTURES), whole.body(PICTURES))


def test_containers_and_what_does_nothing_are_no_steps():
    line = StraightLine(nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.Identity()), nn.ReLU()))
    assert [step.__self__.__class__ for step in line.steps] == [nn.Linear, nn.ReLU]  # type: ignore[attr-defined]


def test_a_network_that_answers_follows_its_layers():
    whole = network()
    with torch.inference_mode():
        first = whole.scores({"image": PICTURES})
        assert torch.equal(first, whole.body(PICTURES))
        whole.body[1] = MLP(whole.body[0].n_out, 2, ())  # another layer
        assert torch.equal(whole.scores({"image": PICTURES}), whole.body(PICTURES))
        with torch.no_grad():
            whole.body[1][-1].bias.add_(1.0)  # other weights
        assert torch.equal(whole.scores({"image": PICTURES}), whole.body(PICTURES))


def test_who_listens_to_a_layer_is_told():
    whole, seen = network(), []
    with torch.inference_mode():
        whole.scores({"image": PICTURES})
        hook = whole.body[0].head.register_forward_hook(lambda _, given, made: seen.append(made.shape))
        whole.scores({"image": PICTURES})
        hook.remove()
        whole.scores({"image": PICTURES})
    assert seen == [(3, 16)]


def test_a_copy_answers_with_its_own_layers():
    whole = network()
    with torch.inference_mode():
        before = whole.scores({"image": PICTURES})
        other = copy.deepcopy(whole)
        other.body[1][-1].bias.add_(1.0)
        assert torch.equal(whole.scores({"image": PICTURES}), before)
        assert torch.allclose(other.scores({"image": PICTURES}), before + 1)


def test_the_device_is_that_of_the_first_parameter():
    assert device_of(nn.Sequential(nn.ReLU(), nn.Linear(1, 1, device="meta"))) == torch.device("meta")
    assert network().device == torch.device("cpu")


class Doubled(ConvolutionStack):
    """Says in its `forward` what its parts do not say."""

    def forward(self, x_nchw):
        return 2 * super().forward(x_nchw)


def test_a_forward_that_others_wrote_is_called():
    torch.manual_seed(0)
    doubled = nn.Sequential(Doubled((1, 6, 6), (4,), depth=1)).eval()
    other = nn.Sequential(nn.Linear(6, 6))
    other.forward = lambda x: x + 1  # type: ignore[method-assign]
    with torch.inference_mode():
        assert torch.equal(StraightLine(doubled)(PICTURES), doubled(PICTURES))
        assert torch.equal(StraightLine(other)(PICTURES), PICTURES + 1)
