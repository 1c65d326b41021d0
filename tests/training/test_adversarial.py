"""Losses of generator and critic: the papers' formulas, what is best against what, and penalties with a known slope."""

import math

import pytest
import torch

from ganglion.training.adversarial import (
    ADVERSARIAL_LOSSES,
    gradient_penalty,
    ranked_rightly,
    scores_and_slopes,
    slope,
    slope_penalty,
)

S = torch.linspace(-6, 6, 49, dtype=torch.float64)


def test_non_saturating_is_the_log_loss_of_chances():
    loss, d = ADVERSARIAL_LOSSES["non_saturating"], S.sigmoid()
    torch.testing.assert_close(loss.real(S), -d.log())
    torch.testing.assert_close(loss.made(S), -(1 - d).log())
    torch.testing.assert_close(loss.generator(S), -d.log())


def test_wasserstein_and_hinge():
    loss = ADVERSARIAL_LOSSES["wasserstein"]
    assert torch.equal(loss.made(S) + loss.real(S), torch.zeros_like(S))
    hinge = ADVERSARIAL_LOSSES["hinge"]
    assert torch.equal(hinge.real(S), (1 - S).clamp(min=0))
    assert torch.equal(hinge.made(S), (1 + S).clamp(min=0))
    assert torch.equal(hinge.generator(S), -S)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_the_best_critic_tells_the_share_of_real_samples(p):
    """Goodfellow 2014, proposition 1: D* = p_data / (p_data + p_model)."""
    loss, s = ADVERSARIAL_LOSSES["non_saturating"], torch.linspace(-5, 5, 10_001, dtype=torch.float64)
    best = s[(p * loss.real(s) + (1 - p) * loss.made(s)).argmin()]
    assert best.sigmoid().item() == pytest.approx(p, abs=1e-3)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_generator_and_critic_pull_in_opposite_directions(name):
    loss, s = ADVERSARIAL_LOSSES[name], torch.tensor([0.1], requires_grad=True)
    (up,) = torch.autograd.grad(loss.generator(s).sum(), s)
    (down,) = torch.autograd.grad(loss.made(s).sum(), s)
    assert up < 0 < down


def test_penalties_of_a_plane_follow_from_its_slope():
    w = torch.tensor([3.0, 4.0], dtype=torch.float64)
    real, made = torch.randn(2, 6, 2, dtype=torch.float64)
    share = torch.rand(6, 1, dtype=torch.float64)
    torch.testing.assert_close(gradient_penalty(lambda x: x @ w, real, made, share), torch.full_like(real[:, 0], 16.0))
    torch.testing.assert_close(slope_penalty(slope(lambda x: x @ w, real)), torch.full_like(real[:, 0], 12.5))


def test_the_slope_is_measured_between_the_two():
    real, made = torch.full((3, 1), 5.0), torch.full((3, 1), 1.0)
    share = torch.tensor([[0.0], [0.25], [1.0]])
    found = gradient_penalty(lambda x: 0.5 * x.square().sum(1), real, made, share)  # its slope is where it is
    torch.testing.assert_close(found, torch.tensor([0.0, 1.0, 16.0]))


@pytest.mark.parametrize("between", [True, False])
def test_the_penalty_knows_its_gradient_by_the_weights(between):
    torch.manual_seed(0)
    real, made, share = (torch.rand(4, k, dtype=torch.float64) for k in (3, 3, 1))

    def of(a, b):
        def critic(x):
            return torch.tanh(x @ a) @ b

        penalties = gradient_penalty(critic, real, made, share) if between else slope_penalty(slope(critic, real))
        return penalties.mean()

    weights = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((3, 5), (5,))]
    assert torch.autograd.gradcheck(of, weights)


def test_a_flat_critic_has_a_finite_penalty():
    x = torch.zeros(2, 3)
    w = torch.zeros(3, requires_grad=True)
    loss = gradient_penalty(lambda x: x @ w, x, x, torch.zeros(2, 1)).mean()
    assert loss.item() == pytest.approx(1.0, abs=1e-5)
    assert torch.autograd.grad(loss, w)[0].isfinite().all()


def test_the_chance_of_a_right_order():
    a, b = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([0.0, 2.0])
    pairs = [(x > y) + 0.5 * (x == y) for x in a.tolist() for y in b.tolist()]
    assert ranked_rightly(a, b) == pytest.approx(sum(pairs) / 6)
    assert ranked_rightly(a, a) == 0.5
    assert math.isclose(ranked_rightly(a + 9, b), 1.0)


def test_the_slope_is_of_each_sample_alone():
    x = torch.randn(5, 2)
    torch.testing.assert_close(slope(lambda x: x.square().sum(1), x), 2 * x)
    with torch.no_grad():
        scores, slopes = scores_and_slopes(lambda x: x.square().sum(1), x)
    torch.testing.assert_close(scores, x.square().sum(1))
    torch.testing.assert_close(slopes, 2 * x)
