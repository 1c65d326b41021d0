"""The U-Net: its formula by hand, shapes, and what an answer depends on."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ganglion.networks.inputs import ImageInput
from ganglion.networks.network import Network
from ganglion.networks.unet import UNet
from ganglion.networks.work import IMAGE_BYTES, most_images, work_per_sample


def pictures(n, *shape, seed=0):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unet(*args, **options):
    torch.manual_seed(0)
    return UNet(*args, **options).double().eval()


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40)),
    st.integers(1, 4),
    st.integers(2, 5),
    st.booleans(),
)
def test_every_pixel_of_any_picture_has_its_scores(shape, depth, n_out, residual):
    network = unet(shape[0], n_out, channels=3, depth=depth, residual=residual)
    assert network(pictures(2, *shape)).shape == (2, n_out, *shape[1:])


def test_the_formula_by_hand():
    network = unet(2, 3, channels=4, depth=1, normalization=None)

    def two(stage, x):
        for block in stage:
            x = torch.relu(F.conv2d(x, block[0].weight, block[0].bias, padding=1))
        return x

    x = pictures(2, 2, 6, 8)
    first = two(network.down[0], x)
    below = two(network.down[1], F.max_pool2d(first, 2))
    wider = F.conv_transpose2d(below, network.widen[0].weight, stride=2)
    last = two(network.up[0], torch.cat([first, wider], 1))
    scores = torch.einsum("kc,nchw->nkhw", network.head.weight[..., 0, 0], last) + network.head.bias[:, None, None]
    torch.testing.assert_close(network(x), scores)
    for found, expected in zip(network.maps(x), [first, below, last], strict=True):
        torch.testing.assert_close(found, expected)


def test_a_place_becomes_two_by_two_of_the_same_mean_square():
    network = unet(1, 2, channels=64, depth=1)
    wide = network.widen[0](pictures(3, 128, 8, 8))
    assert wide.shape == (3, 64, 16, 16)
    assert 0.9 < wide.square().mean() < 1.1


def test_stages_halve_and_double():
    maps = unet(3, 2, channels=4, depth=3).maps(pictures(1, 3, 17, 24))  # 17 is continued to 24
    assert [tuple(each.shape[1:]) for each in maps] == [
        *((4, 24, 24), (8, 12, 12), (16, 6, 6), (32, 3, 3)),
        *((16, 6, 6), (8, 12, 12), (4, 24, 24)),
    ]


def test_sides_are_continued_by_their_last_row_and_column():
    network = unet(1, 2, channels=4, depth=3)
    x = pictures(2, 1, 21, 30)
    continued = F.pad(x, (0, 2, 0, 3), mode="replicate")
    torch.testing.assert_close(network(x), network(continued)[..., :21, :30])


@pytest.mark.parametrize("normalization", [None, "batch"])
def test_a_picture_answers_alike_in_any_batch(normalization):
    network = unet(3, 4, channels=4, depth=2, normalization=normalization, dropout=0.5)
    x = pictures(6, 3, 19, 13)
    torch.testing.assert_close(network(x), torch.cat([network(one[None]) for one in x]), rtol=1e-9, atol=1e-12)


def test_what_moves_in_the_picture_moves_in_the_answer():
    network = unet(1, 2, channels=4, depth=2)
    x = torch.zeros(2, 1, 128, 128, dtype=torch.float64)
    x[0, :, 56:72, 56:72] = pictures(1, 1, 16, 16)[0]  # far from the border
    x[1] = x[0].roll((4, -8), (1, 2))
    scores = network(x)
    torch.testing.assert_close(scores[1], scores[0].roll((4, -8), (1, 2)))


def test_the_smallest_batch_can_be_trained():
    for side in (1, 2, 9, 16):
        assert unet(1, 2, channels=2, depth=3).train()(pictures(1, 1, side, side)).isfinite().all()


def test_dropout_is_at_the_end_of_the_way_down():
    network = unet(1, 2, channels=8, depth=1, dropout=0.5).train()
    silent = (network.maps(pictures(4, 1, 8, 8))[1] == 0).all((2, 3))
    assert 0.2 < silent.double().mean() < 0.8


def test_the_scores_have_the_weights_precision():
    network = UNet(1, 2, channels=4, depth=1)
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.zeros(1, 1, 8, 8)).dtype == torch.float32


def test_its_products_are_counted():
    body = UNet(1, 3, channels=2, depth=1)
    network = Network(ImageInput((1, 8, 6)), body, nn.Identity())
    down = 48 * 9 * (1 * 2 + 2 * 2) + 12 * 9 * (2 * 4 + 4 * 4)
    up = 48 * (4 * 2) + 48 * 9 * (4 * 2 + 2 * 2) + 48 * 2 * 3
    assert work_per_sample(network, {"image": torch.zeros(5, 1, 8, 6)}).products == down + up


def test_images_together_are_bounded_by_their_size_and_the_widest_layer():
    body = UNet(1, 2, channels=16, depth=1)
    assert most_images(body, torch.zeros(1, 1, 64, 64)) == IMAGE_BYTES // (64 * 64 * 32 * 4)
    assert most_images(body, torch.zeros(1, 1, 4096, 4096)) == 1
    assert most_images(nn.Linear(3, 3), torch.zeros(1, 1, 64, 64)) is None
