"""Spectral normalisation: the largest singular value, its gradient, and a peer."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ganglion.networks.spectral_norm import SpectralConv2d, SpectralLinear, norm_of, settle


def layers():
    torch.manual_seed(0)
    return [SpectralLinear(7, 5).double(), SpectralConv2d(3, 4, 3, padding=1).double()]


@pytest.mark.parametrize("layer", layers(), ids=["linear", "convolution"])
def test_the_norm_is_the_largest_singular_value(layer):
    for _ in range(200):
        norm = norm_of(layer)
    largest = torch.linalg.svdvals(layer.weight.flatten(1))[0]
    torch.testing.assert_close(norm, largest)
    settle(layer)
    torch.testing.assert_close(norm_of(layer.eval()), largest)


@pytest.mark.parametrize("layer", layers(), ids=["linear", "convolution"])
def test_its_gradient_is_that_of_the_singular_value(layer):
    for _ in range(500):
        norm_of(layer)
    (found,) = torch.autograd.grad(norm_of(layer), layer.weight)
    matrix = layer.weight.detach().flatten(1).requires_grad_()
    (expected,) = torch.autograd.grad(torch.linalg.matrix_norm(matrix, 2), matrix)
    torch.testing.assert_close(found.flatten(1), expected)


def test_it_answers_as_its_peer():
    layer = layers()[0]
    peer = spectral_norm(nn.Linear(7, 5).double(), n_power_iterations=1)
    with torch.no_grad():
        peer.parametrizations.weight.original.copy_(layer.weight)
        peer.bias.copy_(layer.bias)
    x = torch.randn(6, 7, dtype=torch.float64)
    for _ in range(300):
        one, other = layer(x), peer(x)
    torch.testing.assert_close(one, other)


def test_no_input_is_stretched():
    for layer in layers():
        settle(layer)
        shape = (2, 3, 6, 6) if isinstance(layer, nn.Conv2d) else (2, 7)
        for _ in range(50):
            layer(torch.randn(shape, dtype=torch.float64))
        a, b = torch.randn(2, *shape, dtype=torch.float64)
        bound = 3.0 if isinstance(layer, nn.Conv2d) else 1.0  # a pixel is in up to k² patches: √9
        assert (layer(a) - layer(b)).norm() <= bound * (a - b).norm() * (1 + 1e-6)


def test_answers_move_nothing():
    layer = layers()[0].eval()
    before = layer.u.clone()
    layer(torch.ones(1, 7, dtype=torch.float64))
    assert torch.equal(layer.u, before)
