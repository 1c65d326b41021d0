"""Back-propagation by hand beside autograd: the plain twin."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ganglion.networks.backpropagation import ALIGNMENT, Backpropagation, is_plain
from ganglion.networks.inputs import ImageInput, TableInput
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network


def network_of(entry, hidden=(5, 3), n_scores=2, **options):
    torch.manual_seed(0)
    return Network(entry, MLP(entry.n_out, n_scores, hidden, **options), nn.Identity()).cast(torch.float64)


def squared(scores, batch):
    error = scores - batch["target"]
    return error.square().mean(), 2 * error / error.numel()


def table(n_rows, width, codes=()):
    generator = torch.Generator().manual_seed(1)
    batch = {"target": torch.randn(n_rows, 2, generator=generator, dtype=torch.float64)}
    if width:
        batch["numeric"] = torch.randn(n_rows, width, generator=generator, dtype=torch.float64)
    if codes:
        batch["categorical"] = torch.stack([torch.randint(c, (n_rows,), generator=generator) for c in codes], 1)
        batch["categorical"] += torch.tensor([0, *codes]).cumsum(0)[:-1]
    return batch


def by_autograd(network, batch):
    loss = (network.scores(batch) - batch["target"]).square().mean()
    return loss.detach(), torch.autograd.grad(loss, list(network.parameters()))


def assert_same(network, batch):
    loss, gradients = by_autograd(network, batch)
    closed = Backpropagation(network, squared)
    with torch.no_grad():
        found = closed(batch)
    torch.testing.assert_close(found, loss, rtol=1e-12, atol=0)
    for name, own, theirs in zip(dict(network.named_parameters()), closed.gradients, gradients, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-10, atol=1e-14, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("hidden", [(), (4,), (7, 5, 3)])
def test_gradient_is_that_of_autograd(activation, hidden):
    assert_same(network_of(TableInput(6), hidden, activation=activation), table(11, 6))


@pytest.mark.parametrize("hidden", [(), (5, 3)])
@pytest.mark.parametrize("width", [0, 3])
def test_embeddings_move_with_the_rest(width, hidden):
    assert_same(network_of(TableInput(width, (4, 3)), hidden), table(9, width, (4, 3)))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_that_of_autograd(activation, training):
    network, batch = (
        network_of(TableInput(6), (40, 30), activation=activation, dropout=0.4).train(training),
        table(11, 6),
    )
    torch.manual_seed(1)
    loss, gradients = by_autograd(network, batch)
    closed = Backpropagation(network, squared)
    torch.manual_seed(1)
    with torch.no_grad():
        found = closed(batch)
    torch.testing.assert_close(found, loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(closed.gradients, list(gradients), rtol=1e-10, atol=1e-14)


def test_images_are_flattened():
    entry = ImageInput((2, 3, 3))
    torch.manual_seed(0)
    body = nn.Sequential(nn.Flatten(), MLP(18, 2, (4,)))
    network = Network(entry, body, nn.Identity()).cast(torch.float64)
    batch = {"image": torch.randn(5, 2, 3, 3, dtype=torch.float64), "target": torch.zeros(5, 2, dtype=torch.float64)}
    assert_same(network, batch)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 20), max_size=4), st.integers(1, 9), st.integers(1, 40))
def test_any_widths(hidden, width, n_rows):
    assert_same(network_of(TableInput(width), hidden), table(n_rows, width))


def test_bfloat16_products_point_the_same_way():
    batch = table(64, 30)
    exact = network_of(TableInput(30), (32, 16))
    _, gradients = by_autograd(exact, batch)
    exact.cast(torch.float32, inputs=torch.bfloat16)
    low = {name: tensor.float() for name, tensor in batch.items()} | {"numeric": batch["numeric"].bfloat16()}
    closed = Backpropagation(exact, squared)
    with torch.no_grad():
        closed(low)
    for own, theirs in zip(closed.gradients, gradients, strict=True):
        assert own.dtype == torch.float32
        assert torch.nn.functional.cosine_similarity(own.flatten().double(), theirs.flatten(), dim=0) > 0.999


def test_autocast_around_it_is_left_alone():
    network, batch = network_of(TableInput(3)), table(4, 3)
    _, gradients = by_autograd(network, batch)
    closed = Backpropagation(network, squared)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        closed(batch)
        assert torch.is_autocast_enabled("cpu")
    torch.testing.assert_close(closed.gradients[0], gradients[0], rtol=1e-10, atol=1e-14)


def test_parameters_share_one_vector_until_released():
    network = network_of(TableInput(3))
    before = [parameter.detach().clone() for parameter in network.parameters()]
    closed = Backpropagation(network, squared)
    assert len({parameter.untyped_storage().data_ptr() for parameter in network.parameters()}) == 1
    assert all(parameter.storage_offset() % ALIGNMENT == 0 for parameter in network.parameters())
    closed.vector.add_(1.0)
    closed.release()
    assert len({parameter.untyped_storage().data_ptr() for parameter in network.parameters()}) == len(before)
    for parameter, old in zip(network.parameters(), before, strict=True):
        torch.testing.assert_close(parameter.detach(), old + 1.0)


@pytest.mark.parametrize(
    "options", [{"normalization": "layer"}, {"activation": "gelu"}, {"hidden": (5, 5), "residual": 1}]
)
def test_other_networks_are_left_to_autograd(options):
    assert is_plain(network_of(TableInput(3)))
    assert not is_plain(network_of(TableInput(3), **options))


def test_frozen_parameters_are_left_to_autograd():
    network = network_of(TableInput(3))
    network.body[0].requires_grad_(False)
    assert not is_plain(network)
    assert not is_plain(nn.Linear(2, 2))
