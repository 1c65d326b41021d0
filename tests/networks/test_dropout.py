"""Dropout by bytes: the shares, the sizes, and what it leaves alone."""

import pytest
import torch

from ganglion.networks.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
def test_a_share_is_silenced_and_the_rest_made_larger(p):
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(1000, 333))
    share = round(256 * p) / 256
    values = out.unique()
    torch.testing.assert_close(values, torch.tensor([0.0, 1 / (1 - share)]))
    assert abs(float((out == 0).float().mean()) - share) < 4 * (p * (1 - p) / 333_000) ** 0.5
    assert abs(float(out.mean()) - 1) < 0.02


def test_the_gradient_is_silenced_alike():
    torch.manual_seed(0)
    x = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    layer = Dropout(0.5)
    state = torch.get_rng_state()
    out = layer(x)
    torch.set_rng_state(state)
    assert torch.autograd.gradcheck(lambda x: (torch.set_rng_state(state), layer(x))[1], (x,))
    (gradient,) = torch.autograd.grad(out.sum(), x)
    torch.testing.assert_close(gradient * x, out)


def test_every_place_of_any_shape_may_be_silenced():
    torch.manual_seed(0)
    layer = Dropout(0.5)
    silenced = sum((layer(torch.ones(3, 3)) == 0).int() for _ in range(60))
    assert ((silenced > 10) & (silenced < 50)).all()


@pytest.mark.parametrize("layer", [Dropout(0.5).eval(), Dropout(0.0), Dropout(0.0).eval()])
def test_nothing_is_changed_in_use(layer):
    x = torch.randn(3)
    assert layer(x) is x


@pytest.mark.parametrize("p", [0.001, 0.999])
def test_shares_that_a_byte_cannot_say(p):
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(100_000))
    assert abs(float((out == 0).float().mean()) - p) < 1e-3


def test_precision_is_kept():
    for dtype in (torch.bfloat16, torch.float32, torch.float64):
        assert Dropout(0.5)(torch.ones(9, dtype=dtype)).dtype == dtype
    assert Dropout(0.5)(torch.ones(0, 3)).shape == (0, 3)
