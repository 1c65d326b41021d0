"""The detector's network: its sizes, its places, and what it computes."""

import pytest
import torch

from ganglion.networks.detector import LARGEST, PyramidDetector


def detector(n_in=3, **options):
    torch.manual_seed(0)
    return PyramidDetector(n_in, 2, **({"channels": 4, "depth": 1, "stride": 4, "activation": "relu"} | options)).eval()


@pytest.mark.parametrize("stride", [4, 8])
@pytest.mark.parametrize("sides", [(64, 96), (33, 45), (8, 6), (1, 1)])
def test_maps_are_the_sides_over_the_stride_rounded_up(stride, sides):
    maps = detector(stride=stride)(torch.randn(2, 3, *sides))
    assert maps.shape == (2, 6, *(-(-side // stride) for side in sides))


def test_stages_halve_and_the_pyramid_doubles():
    sizes = [tuple(each.shape[1:]) for each in detector().maps(torch.randn(1, 3, 64, 32))]
    down = [(4, 32, 16), (4, 16, 8), (8, 8, 4), (16, 4, 2), (32, 2, 1)]
    assert sizes == [*down, (8, 2, 1), (8, 4, 2), (8, 8, 4), (8, 16, 8)]
    assert len(detector(depth=3).stages[0]) == 1 + 3


def test_at_first_nothing_is_likely_and_boxes_are_around_the_middle_of_their_cell():
    network = detector()
    assert (network(torch.randn(2, 3, 32, 48))[:, :2].sigmoid() - 0.01).abs().max() < 0.01
    torch.nn.init.zeros_(network.reach.weight)
    maps = network(torch.randn(2, 3, 32, 48))
    left, top, right, bottom = maps[0, 2:, 3, 5]
    torch.testing.assert_close(torch.stack([left + right, top + bottom]) / 2, torch.tensor([22.0, 14.0]))
    torch.testing.assert_close(right - left, torch.tensor(32.0))  # twice 4 strides


def test_places_keep_their_digits_in_bfloat16():
    network = detector(stride=8)
    torch.nn.init.zeros_(network.reach.weight)
    with torch.autocast("cpu", torch.bfloat16):
        maps = network(torch.randn(1, 3, 16, 1024))
    assert maps.dtype == torch.float32
    assert (maps[0, 2] + maps[0, 4]).div(2)[0].tolist() == [8 * (i + 0.5) for i in range(128)]


def test_distances_do_not_overflow():
    network = detector()
    torch.nn.init.constant_(network.reach.bias, 1e4)
    maps = network(torch.randn(1, 3, 8, 8))
    widest = 16 * torch.tensor(LARGEST).exp()
    torch.testing.assert_close((maps[0, 4] - maps[0, 2]) / 2, widest.expand(2, 2))
