"""The block computes what one computes by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from ganglion.errors import InvalidInput
from ganglion.networks.mlp import MLP, DenseLayer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4))


def doubled(network: nn.Module) -> nn.Module:
    """Return the network in float64, every parameter drawn anew, so that no zero hides a mistake."""
    torch.manual_seed(1)
    network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    return network


def weights(layer: nn.Module) -> list[np.ndarray]:
    return [parameter.detach().numpy() for parameter in layer.parameters()]


def run(network: nn.Module, x: np.ndarray = X) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(x)).numpy()


def test_two_hidden_layers_by_hand():
    network = doubled(MLP(4, 2, (5, 3), activation="tanh"))
    W1, b1, W2, b2, W3, b3 = weights(network)
    h1 = np.tanh(X @ W1.T + b1)
    h2 = np.tanh(h1 @ W2.T + b2)
    np.testing.assert_allclose(run(network), h2 @ W3.T + b3, rtol=1e-12)


def test_without_hidden_layers_it_is_linear():
    network = doubled(MLP(4, 2, ()))
    W, b = weights(network)
    np.testing.assert_allclose(run(network), X @ W.T + b, rtol=1e-12)
    assert len(network) == 1


def test_layer_normalization_by_hand():
    network = doubled(MLP(4, 1, (5,), normalization="layer"))
    W1, b1, scale, shift, W2, b2 = weights(network)
    z = X @ W1.T + b1
    z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(run(network), np.maximum(z * scale + shift, 0) @ W2.T + b2, rtol=1e-10)


def test_batch_normalization_by_hand():
    network = doubled(MLP(4, 1, (5,), normalization="batch"))
    W1, scale, shift, W2, b2 = weights(network)  # no bias: normalisation would take it away again
    z = X @ W1.T
    normal = (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)
    np.testing.assert_allclose(run(network.train()), np.maximum(normal * scale + shift, 0) @ W2.T + b2, rtol=1e-10)
    # the first batch moved the running statistics a tenth of the way
    mean, var = 0.1 * z.mean(0), 0.9 + 0.1 * z.var(0, ddof=1)
    normal = (z - mean) / np.sqrt(var + 1e-5)
    np.testing.assert_allclose(run(network.eval()), np.maximum(normal * scale + shift, 0) @ W2.T + b2, rtol=1e-10)


def test_batch_normalization_of_one_sample_says_what_to_do():
    network = MLP(4, 1, (5,), normalization="batch").double()
    with pytest.raises(InvalidInput, match=r"batch of 1 sample.*batch_size of 2 or more, or normalization='layer'"):
        network.train()(torch.from_numpy(X[:1]))
    assert network.eval()(torch.from_numpy(X[:1])).shape == (1, 1)


def test_a_shortcut_stands_where_widths_agree_only():
    network = doubled(MLP(4, 1, (4, 4, 5), residual=True, activation="sigmoid"))
    assert [layer.shortcut for layer in list(network)[:-1]] == [True, True, False]
    first = network[0]
    np.testing.assert_allclose(run(first), X + run(first.layers), rtol=1e-12)
    assert not any(layer.shortcut for layer in list(MLP(4, 1, (4, 4)))[:-1])


def test_dropout_silences_in_training_only_and_keeps_the_mean():
    torch.manual_seed(0)
    layer = DenseLayer(4, 20_000, activation="relu", dropout=0.25, normalization=None, residual=False).double()
    whole, dropped = run(layer.eval()), run(layer.train())
    silenced = (dropped == 0) & (whole > 0)
    assert silenced.sum() / (whole > 0).sum() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(dropped[dropped > 0], (whole / 0.75)[dropped > 0], rtol=1e-12)
    assert not any(isinstance(part, nn.Dropout) for part in MLP(2, 1, (3,)).modules())


@pytest.mark.parametrize("normalization", [None, "layer", "batch"])
def test_gradient(normalization):
    network = doubled(MLP(3, 2, (4, 4), activation="tanh", normalization=normalization, residual=True)).eval()
    names = [name for name, _ in network.named_parameters()]

    def output(x, *parameters):
        return torch.func.functional_call(network, dict(zip(names, parameters, strict=True)), (x,))

    x = torch.from_numpy(X[:3, :3].copy()).requires_grad_()
    assert torch.autograd.gradcheck(output, (x, *network.parameters()))


def test_the_same_seed_draws_the_same_network():
    def drawn(seed):
        torch.manual_seed(seed)
        return torch.cat([parameter.flatten() for parameter in MLP(3, 2, (4,)).parameters()])

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))


def test_it_can_be_built_without_memory():
    with torch.device("meta"):
        network = MLP(10**6, 10**6, (10**6,), normalization="batch")
    assert all(parameter.is_meta for parameter in network.parameters())
