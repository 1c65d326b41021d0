"""Activations are those of the formulas, and weights keep the size of signals from layer to layer."""

import numpy as np
import pytest
import torch
from scipy.special import erf, expit
from torch import nn

from ganglion.networks.activations import ACTIVATIONS, initialize
from ganglion.networks.mlp import MLP, linear

Z = np.linspace(-8, 8, 101)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

FORMULAS = {
    "celu": np.where(Z > 0, Z, np.expm1(Z)),
    "elu": np.where(Z > 0, Z, np.expm1(Z)),
    "gelu": Z * (1 + erf(Z / np.sqrt(2))) / 2,
    "hardswish": Z * np.clip(Z + 3, 0, 6) / 6,
    "identity": Z,
    "leaky_relu": np.where(Z > 0, Z, 0.01 * Z),
    "mish": Z * np.tanh(np.log1p(np.exp(Z))),
    "relu": np.maximum(Z, 0),
    "relu6": np.clip(Z, 0, 6),
    "selu": SELU_SCALE * np.where(Z > 0, Z, SELU_ALPHA * np.expm1(Z)),
    "sigmoid": expit(Z),
    "silu": Z * expit(Z),
    "softplus": np.log1p(np.exp(Z)),
    "softsign": Z / (1 + np.abs(Z)),
    "tanh": np.tanh(Z),
}


def test_every_activation_has_its_formula_here():
    assert ACTIVATIONS.keys() == FORMULAS.keys()


@pytest.mark.parametrize("name", FORMULAS)
def test_value(name):
    found = ACTIVATIONS[name].module()(torch.from_numpy(Z)).numpy()
    np.testing.assert_allclose(found, FORMULAS[name], atol=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_gradient(name):
    z = torch.linspace(-7.3, 7.4, 40, dtype=torch.float64, requires_grad=True)  # no kink is hit
    assert torch.autograd.gradcheck(ACTIVATIONS[name].module(), z)


def deviation(name: str, n_in: int, n_out: int) -> float:
    torch.manual_seed(0)
    weight = torch.empty(n_out, n_in, dtype=torch.float64)
    initialize(weight, name)
    assert abs(weight.mean()) < 4 * weight.std() / weight.numel() ** 0.5
    return float(weight.std())


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "gelu", "silu", "mish", "celu", "relu6", "hardswish"])
def test_rectifiers_begin_as_he(name):
    z = torch.linspace(-12, 12, 100_001, dtype=torch.float64)
    density = (-z.square() / 2).exp() / (2 * torch.pi) ** 0.5
    kept = torch.trapezoid(ACTIVATIONS[name].module()(z).square() * density, z).item()  # ½ for ReLU
    assert deviation(name, 200, 900) == pytest.approx((1 / kept / 200) ** 0.5, rel=0.02)


def test_selu_begins_as_lecun():
    assert deviation("selu", 200, 900) == pytest.approx((1 / 200) ** 0.5, rel=0.02)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softsign", "softplus", "identity"])
def test_squashing_functions_begin_as_glorot(name):
    assert deviation(name, 200, 900) == pytest.approx((2 / 1100) ** 0.5, rel=0.02)


def test_a_convolution_counts_its_whole_window():
    torch.manual_seed(0)
    weight = torch.empty(64, 16, 5, 5)
    initialize(weight, "relu")
    assert float(weight.std()) == pytest.approx((2 / (16 * 25)) ** 0.5, rel=0.02)
    initialize(weight, "tanh")
    assert float(weight.std()) == pytest.approx((2 / (16 * 25 + 64 * 25)) ** 0.5, rel=0.02)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "celu"])
def test_signals_neither_die_nor_explode_through_ten_layers(name):
    torch.manual_seed(0)
    network, x = MLP(256, 1, [256] * 10, activation=name), torch.randn(500, 256)
    with torch.no_grad():
        sizes = []
        for layer in list(network)[:10]:
            x = layer(x)
            sizes.append(float(x.square().mean()))
    assert 0.1 < sizes[-1] / sizes[0] < 10


def test_he_keeps_the_mean_square_of_rectified_signals():
    torch.manual_seed(0)
    network, x = MLP(512, 1, [512] * 10), torch.randn(2000, 512)
    with torch.no_grad():
        squares = [float((x := layer(x)).square().mean()) for layer in list(network)[:10]]
    # He et al. 2015, eq. 10: constant in expectation; inputs of variance 1 leave ½ behind the first ReLU
    assert all(0.35 < square < 0.7 for square in squares)


def test_a_linear_layer_begins_without_a_bias():
    assert not linear(3, 4, "relu").bias.any()
    assert isinstance(linear(3, 4, "relu"), nn.Linear)
    assert linear(3, 4, "relu", bias=False).bias is None
