"""Waves of numbers: the formula, and that they are kept."""

import math

import torch

from ganglion.networks.waves import Waves


def test_the_formula_by_hand():
    waves, x = Waves(2, 5, scale=0.7), torch.randn(4, 2)
    made = waves(x)
    assert made.shape == (4, waves.n_out) == (4, 12)
    torch.testing.assert_close(made[:, :2], x)
    torch.testing.assert_close(made[1, 2:7], (x[1] @ waves.frequencies).sin())
    torch.testing.assert_close(made[:, 2:7].square() + made[:, 7:].square(), torch.ones(4, 5))


def test_frequencies_have_their_size_and_are_saved():
    waves = Waves(50, 400, scale=0.3)
    assert abs(waves.frequencies.std() / (2 * math.pi * 0.3) - 1) < 0.02
    assert "frequencies" in waves.state_dict()
    assert not list(waves.parameters())
