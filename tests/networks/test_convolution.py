"""Convolutional blocks: shapes, the paper's sum, and what one picture's answer depends on."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.networks.convolution import ConvolutionStack, ResidualBlock, convolution


def pictures(n, *shape):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 13), st.integers(1, 13)),
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.sampled_from([1, 3, 5]),
    st.booleans(),
    st.sampled_from(["flatten", "average"]),
)
def test_any_picture_becomes_as_many_features_as_are_promised(shape, channels, kernel, residual, head):
    stack = ConvolutionStack(shape, channels, kernel_size=kernel, residual=residual, head=head).double()
    x = pictures(3, *shape)
    assert stack(x).shape == (3, stack.n_out)
    sides = [tuple(maps.shape[1:]) for maps in stack.maps(x)]
    height, width = shape[1:]
    for n_channels, found in zip(channels, sides, strict=True):
        height, width = -(-height // 2), -(-width // 2)
        assert found == (n_channels, height, width)


def test_a_convolution_is_the_sum_over_a_window():
    layer = convolution(2, 1, (3, 3), activation="identity", normalization=None).double()
    x, weight = pictures(1, 2, 5, 4), layer[0].weight
    padded = F.pad(x, (1, 1, 1, 1))
    by_hand = [[(padded[0, :, i : i + 3, j : j + 3] * weight[0]).sum() for j in range(4)] for i in range(5)]
    torch.testing.assert_close(layer(x)[0, 0], torch.stack([torch.stack(row) for row in by_hand]))


@pytest.mark.parametrize("n_out", [3, 4])
def test_a_residual_block_adds_its_input(n_out):
    block = ResidualBlock(3, n_out, (3, 3), activation="relu", normalization=None).double()
    x = pictures(2, 3, 6, 6)
    inner = block.second[0](torch.relu(block.first[0](x)))
    shortcut = x if n_out == 3 else block.shortcut[0](x)
    torch.testing.assert_close(block(x), torch.relu(inner + shortcut))
    assert len(list(block.shortcut.parameters())) == (0 if n_out == 3 else 2)


def test_rows_are_signals():
    stack = ConvolutionStack((1, 1, 12), (4,)).double()
    x = pictures(5, 12)
    torch.testing.assert_close(stack(x), stack(x[:, None, None]))
    assert stack.stages[0][0][0].weight.shape == (4, 1, 1, 3)


@pytest.mark.parametrize("normalization", [None, "batch"])
def test_a_picture_answers_alike_in_any_batch(normalization):
    stack = ConvolutionStack((3, 9, 7), (4, 6), residual=True, normalization=normalization).double().eval()
    x = pictures(6, 3, 9, 7)
    torch.testing.assert_close(stack(x), torch.cat([stack(one[None]) for one in x]), rtol=1e-9, atol=1e-12)


def test_variance_is_kept_through_deep_stacks():
    torch.manual_seed(0)
    stack = ConvolutionStack((8, 32, 32), (64,), depth=10)
    x = torch.randn(16, 8, 32, 32)
    deep = stack.stages[0][:-1](x)  # before the pool, whose maximum is larger
    assert 0.2 < deep.square().mean() / x.square().mean() < 5


def test_kernels_lie_channels_last_also_of_one_channel_and_after_loading():
    stack = ConvolutionStack((1, 8, 8), (4, 6))
    other = ConvolutionStack((1, 8, 8), (4, 6))
    state = {name: tensor.contiguous() for name, tensor in stack.state_dict().items()}
    other.load_state_dict(state, assign=True)
    for each in (stack, other):
        kernels = [parameter for parameter in each.parameters() if parameter.dim() == 4]
        assert [kernel.stride() for kernel in kernels] == [(9, 1, 3, 1), (36, 1, 12, 4)]
        maps = each.stages[0][0](torch.rand(2, 1, 8, 8).to(memory_format=torch.channels_last))
        assert maps.stride(1) == 1
