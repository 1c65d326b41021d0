"""What an autoencoder lowers, against autograd, closed forms and counts."""

import math

import pytest
import torch
from torch.nn import functional

from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.mlp import MLP
from ganglion.networks.reconstruction import (
    contraction,
    corrupted,
    knows_slopes,
    means,
    naturals,
    reconstruction_errors,
    sparseness,
)
from ganglion.networks.visible import VisibleInput

TABLE = VisibleInput(2, (4,)).blocks
PIXELS = VisibleInput(image=(1, 10, 100)).blocks


@pytest.mark.parametrize("hidden", [(), (5,), (6, 5), (7, 6, 5)])
@pytest.mark.parametrize(("activation", "code"), [("tanh", "identity"), ("sigmoid", "sigmoid"), ("relu", "tanh")])
def test_contraction_is_the_squared_norm_of_the_jacobian(hidden, activation, code):
    torch.manual_seed(0)
    encoder = MLP(4, 3, hidden, activation=activation).double()
    assert knows_slopes(encoder)
    activate = ACTIVATIONS[code].module()
    v = torch.randn(6, 4).double()
    each = [torch.autograd.functional.jacobian(lambda x: activate(encoder(x[None]))[0], row) for row in v]
    expected = torch.stack([jacobian.square().sum() for jacobian in each])
    torch.testing.assert_close(contraction(encoder, activate, v), expected)
    assert torch.autograd.grad(contraction(encoder, activate, v).sum(), next(iter(encoder.parameters())))[0].any()


def test_slopes_of_other_networks_are_not_known():
    assert not knows_slopes(MLP(4, 3, (5,), activation="gelu"))
    assert not knows_slopes(MLP(4, 3, (5,), normalization="layer", activation="tanh"))


def test_errors_are_means_over_columns():
    v = torch.tensor([[1.0, -1.0, 0.0, 1.0, 0.0]])
    raw = torch.tensor([[0.5, 1.0, 0.3, -0.2, 2.0]])
    expected = (0.25 + 4.0 + float(functional.cross_entropy(raw[:, 2:], torch.tensor([1])))) / 3
    assert reconstruction_errors(TABLE, v, raw).item() == pytest.approx(expected)
    p, r = torch.rand(2, 1000), torch.randn(2, 1000)
    cross = functional.binary_cross_entropy_with_logits(r, p, reduction="none").mean(1)
    torch.testing.assert_close(reconstruction_errors(PIXELS, p, r, pixels="cross_entropy"), cross)
    torch.testing.assert_close(reconstruction_errors(PIXELS, p, r), (p - r).square().mean(1))


@pytest.mark.parametrize("pixels", ["squared", "cross_entropy"])
def test_raw_numbers_of_means_have_these_means(pixels):
    mean = torch.rand(1000) * 0.9 + 0.05
    torch.testing.assert_close(means(PIXELS, naturals(PIXELS, mean, pixels=pixels)[None], pixels=pixels)[0], mean)


def test_corruption_spoils_the_share_that_it_says():
    v = torch.full((200, 1000), 0.5)
    torch.manual_seed(0)
    spoiled = corrupted(PIXELS, v, "salt_and_pepper", 0.25)
    shares = [float((spoiled == value).double().mean()) for value in (0.0, 1.0, 0.5)]
    assert shares == pytest.approx([0.125, 0.125, 0.75], abs=0.003)
    masked = corrupted(PIXELS, v, "masking", 0.4)
    assert float((masked == 0).double().mean()) == pytest.approx(0.4, abs=0.003)
    noisy = corrupted(PIXELS, v, "gaussian", 0.3) - v
    assert float(noisy.std()) == pytest.approx(0.3, abs=0.003)
    assert float(noisy.mean()) == pytest.approx(0.0, abs=0.003)
    assert corrupted(PIXELS, v, "none", 0.25) is v


def test_a_category_is_masked_as_a_whole():
    v = torch.tensor([[1.0, 2.0, 0.0, 1.0, 0.0]]).expand(1000, 5)
    for kind in ("masking", "salt_and_pepper"):
        places = corrupted(TABLE, v, kind, 0.5)[:, 2:]
        assert {tuple(row) for row in places.tolist()} == {(0.0, 1.0, 0.0), (0.0, 0.0, 0.0)}
    assert torch.equal(corrupted(TABLE, v, "gaussian", 1.0)[:, 2:], v[:, 2:])


def test_sparseness_is_the_formula_of_the_paper():
    z = torch.tensor([[0.2, -0.5], [0.4, 0.1]])
    assert sparseness(z, "l1", 0.05).item() == pytest.approx(0.6)
    rho, means_ = 0.05, [0.3, 0.2]
    expected = sum(rho * math.log(rho / m) + (1 - rho) * math.log((1 - rho) / (1 - m)) for m in means_)
    units = torch.tensor([[0.2, 0.3], [0.4, 0.1]])
    assert sparseness(units, "kl", rho).item() == pytest.approx(expected, rel=1e-5)
    assert sparseness(torch.full((4, 2), rho), "kl", rho).item() == pytest.approx(0.0, abs=1e-6)
    twice = sparseness(units.repeat_interleave(torch.tensor([2, 1]), 0), "kl", rho)
    torch.testing.assert_close(sparseness(units, "kl", rho, torch.tensor([2.0, 1.0])), twice)
