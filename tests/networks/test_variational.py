"""The evidence bound and the importance-weighted likelihood, against closed forms and a model that is solved."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from ganglion.networks.coding import decoder_of, encoder_of
from ganglion.networks.variational import (
    VariationalNetwork,
    active_units,
    divergence,
    evidence_bound,
    log_likelihood,
    posterior,
    reparametrised,
)
from ganglion.networks.visible import VisibleInput
from ganglion.networks.visible_law import VisibleLaw

D, L, SIGMA = 3, 2, 0.5


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def solved(*, exact=True):
    """Return a linear model v = W z + σ ε whose encoder knows the posterior (or one twice as wide), and W."""
    w = torch.randn(D, L, generator=seeded(5)).double()
    precision = torch.eye(L).double() + w.T @ w / SIGMA**2
    # a diagonal posterior is exact where the columns of W are orthogonal
    u, s, _ = torch.linalg.svd(w, full_matrices=False)
    w = u * s
    precision = torch.eye(L).double() + torch.diag(s**2) / SIGMA**2
    covariance = torch.linalg.inv(precision)
    entry = VisibleInput(D, scaling="none")
    encoder, decoder = nn.Linear(D, 2 * L), nn.Linear(L, D)
    network = VariationalNetwork(entry, encoder, decoder, VisibleLaw(entry.blocks), latent=L).cast(torch.float64)
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.weight[:L] = covariance @ w.T / SIGMA**2
        encoder.bias.zero_()
        encoder.bias[L:] = covariance.diagonal().log() + (0.0 if exact else math.log(4.0))
        decoder.weight.copy_(w)
        decoder.bias.zero_()
        network.law.log_deviation.fill_(math.log(SIGMA))
    evidence = torch.distributions.MultivariateNormal(
        torch.zeros(D).double(), w @ w.T + SIGMA**2 * torch.eye(D).double()
    )
    return network, evidence


def test_divergence_is_that_of_two_normal_laws():
    mean, log_variance = torch.randn(4, 3).double(), torch.randn(4, 3).double()
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(divergence(mean, log_variance), expected)


@torch.no_grad()
def test_with_the_true_posterior_one_draw_tells_the_likelihood():
    network, evidence = solved()
    v = evidence.sample((6,))
    expected = evidence.log_prob(v)
    for seed in range(3):
        torch.testing.assert_close(log_likelihood(network, v, None, 1, seeded(seed)), expected)
    bounds = [evidence_bound(network, v, generator=seeded(seed)) for seed in range(4000)]
    torch.testing.assert_close(torch.stack(bounds).mean(0), expected, atol=0.08, rtol=0)


@torch.no_grad()
def test_with_another_posterior_more_draws_come_closer_from_below():
    network, evidence = solved(exact=False)
    v = evidence.sample((200,))
    gaps = [float((evidence.log_prob(v) - log_likelihood(network, v, None, k, seeded())).mean()) for k in (1, 10, 2000)]
    assert gaps[0] > gaps[1] > gaps[2] > -0.02
    assert abs(gaps[2]) < 0.02


@torch.no_grad()
def test_draws_in_pieces_are_draws_of_the_same_law(monkeypatch):
    network, evidence = solved()
    v = evidence.sample((5,))
    monkeypatch.setattr("ganglion.networks.variational.DRAWS_NUMBERS", 2 * D * 5)
    torch.testing.assert_close(log_likelihood(network, v, None, 33, seeded()), evidence.log_prob(v))


def test_gradients_go_through_the_draw():
    mean, log_variance = torch.zeros(2, 3, requires_grad=True), torch.zeros(2, 3, requires_grad=True)
    z = reparametrised(mean, log_variance, seeded())
    by_mean, by_variance = torch.autograd.grad(z.sum(), [mean, log_variance])
    torch.testing.assert_close(by_mean, torch.ones(2, 3))
    torch.testing.assert_close(by_variance, 0.5 * z.detach())


def test_beta_counts_the_divergence():
    network, evidence = solved(exact=False)
    v = evidence.sample((4,))
    one, three = (evidence_bound(network, v, beta=beta, generator=seeded()) for beta in (1.0, 3.0))
    torch.testing.assert_close(one - three, 2 * divergence(*posterior(network, v)).sum(1))


def test_units_that_follow_the_data_are_active():
    means = torch.stack([torch.linspace(-1, 1, 50), torch.zeros(50), 0.05 * torch.linspace(-1, 1, 50)], 1)
    assert active_units(means) == 1
    assert active_units(means[:1]) == 0


@pytest.mark.parametrize("architecture", ["dense", "convolutional"])
def test_labels_reach_both_halves(architecture):
    torch.manual_seed(0)
    entry = VisibleInput(image=(1, 9, 7), scaling="unit")
    shape = {"architecture": architecture, "channels": 4, "n_classes": 3}
    network = VariationalNetwork(
        entry,
        encoder_of(entry, 2 * L, (8,), **shape),
        decoder_of(entry, L, (8,), **shape),
        VisibleLaw(entry.blocks),
        latent=L,
        n_classes=3,
    ).eval()
    v, z = torch.rand(4, 63), torch.randn(4, L)
    zeros, ones = torch.zeros(4).long(), torch.ones(4).long()
    for half, given in ((network.encoded, v), (network.decoded, z)):
        assert half(given, zeros).shape == (4, 2 * L if half == network.encoded else 63)
        assert not torch.equal(half(given, zeros), half(given, ones))
