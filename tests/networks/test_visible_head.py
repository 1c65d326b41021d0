"""From raw numbers to data: each kind of column by its own formula, and the chances of categories."""

import torch

from ganglion.networks.visible_head import VisibleHead, chosen

RAW = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))


def test_each_kind_has_its_own_formula():
    torch.manual_seed(0)
    made = VisibleHead([("number", 2), ("category", 3), ("pixel", 2)])(RAW)
    assert torch.equal(made[:, :2], RAW[:, :2])
    torch.testing.assert_close(made[:, 5:], RAW[:, 5:].tanh())
    assert ((made[:, 2:5] - made[:, 2:5].round()).abs() < 1e-6).all()
    torch.testing.assert_close(made[:, 2:5].sum(1), torch.ones(5))


def test_one_kind_alone_takes_the_short_way():
    assert torch.equal(VisibleHead([("number", 7)])(RAW), RAW)
    assert torch.equal(VisibleHead([("pixel", 7)])(RAW), RAW.tanh())


def test_categories_are_drawn_with_their_chances():
    raw = torch.tensor([0.0, 1.0, -1.0, 2.0])
    drawn = chosen(raw.expand(40_000, 4), 0.5, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.mean(0), raw.softmax(0), atol=0.01, rtol=0)


def test_the_gradient_is_that_of_the_soft_choice():
    raw = torch.tensor([[0.3, -0.2, 0.1]], dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([[1.0, 2.0, 4.0]], dtype=torch.float64)
    (found,) = torch.autograd.grad((chosen(raw, 0.7, torch.Generator().manual_seed(1)) * weights).sum(), raw)
    uniform = torch.rand(1, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    soft = ((raw - (-uniform.log()).log()) / 0.7).softmax(1)
    (expected,) = torch.autograd.grad((soft * weights).sum(), raw)
    torch.testing.assert_close(found, expected)


def test_the_same_generator_gives_the_same_choice():
    one, other = (chosen(RAW, 0.5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)
