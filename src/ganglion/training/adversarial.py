"""The losses of generator and critic as functions of scores, and the penalties on the critic's slope.

s = D(x) of real samples, t = D(G(z)) of made ones; means over a batch are lowered:

                  critic                           generator
non_saturating    softplus(-s) + softplus(t)       softplus(-t)    Goodfellow et al. 2014, eq. 1 and section 3
wasserstein       -s + t                           -t              Arjovsky et al. 2017, arXiv:1701.07875, eq. 3
hinge             max(0, 1 - s) + max(0, 1 + t)    -t              Lim & Ye 2017, arXiv:1705.02894

gradient_penalty  E (|∇D(x̂)| - 1)²,  x̂ = ε x + (1 - ε) G(z)      Gulrajani et al. 2017, arXiv:1704.00028, eq. 3
slope_penalty     E |∇D(x)|² / 2 + E |∇D(G(z))|² / 2               Mescheder et al. 2018, arXiv:1801.04406, eq. 9, 10

The paper takes one of the two terms. With the first alone a critic that is sure of what is far from the data learns no
more there, whichever way it slopes, and a generator may follow it outwards without end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class AdversarialLoss:
    """What each score costs, (n,) → (n,): the critic's of real and of made samples, and the generator's."""

    real: Score
    made: Score
    generator: Score


ADVERSARIAL_LOSSES: dict[str, AdversarialLoss] = {
    "non_saturating": AdversarialLoss(
        real=lambda s: F.softplus(-s), made=lambda t: F.softplus(t), generator=lambda t: F.softplus(-t)
    ),
    "wasserstein": AdversarialLoss(real=lambda s: -s, made=lambda t: t, generator=lambda t: -t),
    "hinge": AdversarialLoss(real=lambda s: F.relu(1 - s), made=lambda t: F.relu(1 + t), generator=lambda t: -t),
}


def gradient_penalty(critic: Score, real: Tensor, made: Tensor, share: Tensor) -> Tensor:
    """Return how far the critic's slope is from 1 between real and made samples, squared: (n,).

    Parameters
    ----------
    critic : callable
        Samples (n, d) → scores (n,), each of its own sample alone.
    real, made : Tensor of shape (n, d)
    share : Tensor of shape (n, 1) in [0, 1]
        ε: where between the two.
    """
    return (slope(critic, made.lerp(real, share)).square().sum(1).add(1e-12).sqrt() - 1).square()


def slope_penalty(slopes: Tensor) -> Tensor:
    """Return half the square of slopes, (n, d) → (n,)."""
    return 0.5 * slopes.square().sum(1)


def slope(critic: Score, x: Tensor) -> Tensor:
    """Return ∇_x D(x) of every sample, (n, d), as what can be gone back through once more."""
    return scores_and_slopes(critic, x)[1]


def scores_and_slopes(critic: Score, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return D(x), (n,), and ∇_x D(x), (n, d), of samples whose scores do not depend on one another."""
    with torch.enable_grad():  # also where a loss is only looked at
        x = x.detach().requires_grad_()
        scores = critic(x)
        # of the sum: with `grad_outputs` the first call in a process imports sympy
        (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return scores, gradient


def ranked_rightly(real: Tensor, made: Tensor) -> float:
    """Return the chance that a real sample scores above a made one, ties half: 0.5 where the critic cannot tell."""
    above = torch.searchsorted(made.sort().values, real.contiguous())
    not_below = torch.searchsorted(made.sort().values, real.contiguous(), right=True)
    return float((above + not_below).double().mean() / (2 * len(made)))
