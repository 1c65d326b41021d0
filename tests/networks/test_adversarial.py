"""Generators and critics: shapes of any picture, labels, and how weights begin."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ganglion.networks.adversarial import ConvGenerator, DenseGenerator, conv_critic, dense_critic, n_stages
from ganglion.networks.spectral_norm import SpectralConv2d, SpectralLinear

Y = torch.tensor([0, 1, 2, 0])


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40)), st.sampled_from([0, 3]), st.booleans())
def test_pictures_of_any_size_are_made_and_scored(shape, n_classes, spectral):
    torch.manual_seed(0)
    generator = ConvGenerator(5, shape, 2, n_classes=n_classes)
    critic = conv_critic(shape, 2, n_classes=n_classes, spectral=spectral, normalization=not spectral)
    made = generator(torch.randn(4, 5), Y)
    assert made.shape == (4, shape[0] * shape[1] * shape[2])
    assert critic(made, Y).shape == (4,)


@pytest.mark.parametrize(
    ("shape", "stages"), [((1, 28, 28), 2), ((3, 32, 32), 3), ((1, 4, 99), 0), ((1, 8, 8), 1), ((1, 999, 999), 5)]
)
def test_pictures_are_halved_until_a_side_is_about_four(shape, stages):
    assert n_stages(shape) == stages


def test_a_generator_makes_raw_numbers_of_about_unit_size():
    torch.manual_seed(0)
    z = torch.randn(256, 32)
    for made in (ConvGenerator(32, (1, 28, 28), 16)(z), DenseGenerator(32, 50, (64, 64))(z)):
        assert 0.5 < made.square().mean() < 2.5


def test_the_label_moves_the_score_by_its_product_with_the_features():
    torch.manual_seed(0)
    critic = dense_critic(6, (8, 7), n_classes=3)
    x = torch.randn(4, 6)
    phi = critic.features(x)
    plain = (phi @ critic.score.weight.T + critic.score.bias)[:, 0]
    torch.testing.assert_close(critic(x, Y), plain + (critic.label.weight[Y] * phi).sum(1))


def test_labels_join_the_noise():
    torch.manual_seed(0)
    generator = DenseGenerator(2, 3, (), n_classes=3)
    (weight, bias), z = generator.layers[0].parameters(), torch.randn(4, 2)
    torch.testing.assert_close(generator(z, Y), z @ weight[:, :2].T + weight[:, 2:].T[Y] + bias)


@pytest.mark.parametrize("critic", [dense_critic(6, (8,), spectral=True), conv_critic((1, 8, 8), 4, spectral=True)])
def test_every_layer_of_a_spectral_critic_is_normalised(critic):
    layers = [module for module in critic.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    assert layers
    assert all(isinstance(layer, SpectralLinear | SpectralConv2d) for layer in layers)
