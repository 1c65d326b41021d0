"""Windows over steps: the equation of the paper, and filling that changes nothing."""

import pytest
import torch

from ganglion.networks.sequences import Steps
from ganglion.networks.windows import Windows


def steps(lengths, *, longest=None, width=4):
    generator = torch.Generator().manual_seed(0)
    longest = longest or max(lengths)
    x = torch.randn(len(lengths), longest, width, dtype=torch.float64, generator=generator)
    return Steps(x, torch.tensor(lengths))


def test_the_largest_value_of_each_window():
    torch.manual_seed(0)
    layer = Windows(4, 3, (2, 3)).double()
    given = steps([6])
    found = layer(given)[0]
    for w, k in enumerate((2, 3)):
        outside = torch.zeros(k - 1, 4, dtype=torch.float64)
        x = torch.cat([outside, given.x[0], outside])
        window = layer.windows[w]
        for m in range(3):
            kernel = window.weight[m, :, 0].T  # (k, D)
            values = [(kernel * x[i : i + k]).sum() + window.bias[m] for i in range(6 + k - 1)]
            torch.testing.assert_close(found[3 * w + m], torch.stack(values).max().relu())


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_filling_changes_nothing(activation):
    torch.manual_seed(0)
    layer = Windows(4, 5, (1, 3, 4), activation=activation).double()
    together = steps([2, 7, 1, 5], longest=9)
    found = layer(together)
    for i, length in enumerate(together.lengths.tolist()):
        alone = Steps(together.x[i : i + 1, :length], together.lengths[i : i + 1])
        torch.testing.assert_close(found[i : i + 1], layer(alone))
    together.x[0, 2:] = 1e6
    torch.testing.assert_close(layer(together), found)


def test_gradient():
    torch.manual_seed(0)
    layer, given = Windows(2, 2, (2,)).double(), steps([3, 2], width=2)
    assert torch.autograd.gradcheck(lambda x: layer(Steps(x, given.lengths)), [given.x.requires_grad_()])
