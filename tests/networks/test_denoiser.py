"""Denoisers: shapes of any picture, what they are told, and how they begin."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.networks.denoiser import TIMES, ChannelNorm, ConvDenoiser, DenseDenoiser, times

T, Y = torch.tensor([0.0, 0.3, 0.6, 1.0]), torch.tensor([0, 1, 3, 0])


def woken(network):
    """Return a denoiser whose last layers of blocks no longer answer 0."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.double()


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40)), st.integers(0, 2), st.sampled_from([0, 3]))
def test_pictures_of_any_size_have_velocities(shape, depth, n_classes):
    network = ConvDenoiser(shape, 4, depth=depth, n_classes=n_classes)
    x = torch.randn(4, shape[0] * shape[1] * shape[2])
    assert network(x, T, Y).shape == x.shape


@pytest.mark.parametrize("network", [DenseDenoiser(6, 8, 2), ConvDenoiser((1, 2, 3), 4)])
def test_at_first_nothing_moves(network):
    assert not network(torch.randn(4, 6), T).any()


@pytest.mark.parametrize("network", [DenseDenoiser(6, 8, 2, n_classes=3), ConvDenoiser((1, 2, 3), 4, n_classes=3)])
def test_it_is_told_time_and_label(network):
    network, x = woken(network), torch.ones(4, 6, dtype=torch.float64)
    noise = network(x, T.double(), Y)
    assert len({tuple(row) for row in noise.tolist()}) == 4
    any_label = network(x, T.double())
    torch.testing.assert_close(noise[2], any_label[2])  # K means any
    assert not torch.allclose(noise[1], any_label[1])


def test_times_near_and_far_can_be_told_apart():
    told = times(torch.linspace(0, 1, 1001))
    assert told.shape == (1001, TIMES)
    distance = torch.cdist(told, told) + 9 * torch.eye(1001)
    assert distance.min() > 0.1


def test_every_place_is_normalised_over_its_channels():
    x = torch.randn(2, 6, 3, 4) * 5 + 2
    found = ChannelNorm(6)(x)
    torch.testing.assert_close(found, (x - x.mean(1, True)) / (x.var(1, correction=0, keepdim=True) + 1e-5).sqrt())
