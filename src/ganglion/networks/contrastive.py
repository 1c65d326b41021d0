"""Contrastive divergence: the free-energy gap as a loss, and its gradient written out.

    p⁰ = σ(c + W v⁰),  pᵏ = σ(c + W vᵏ)                       n rows of data, m of the chain
    ∂loss/∂W = ⟨pᵏ vᵏᵀ⟩ - ⟨p⁰ v⁰ᵀ⟩,  ∂loss/∂b = ⟨vᵏ⟩ - ⟨v⁰⟩,  ∂loss/∂c = ⟨pᵏ⟩ - ⟨p⁰⟩

Hinton 2002, eq. 10; the persistent chain is Tieleman's (2008). A target for how often a hidden unit is on adds
λ Σ_j (q_j - target)², q_j its mean over the batch (Lee, Ekanadham & Ng 2008, NIPS, eq. 5).

The parameters become views of one vector, as in `networks.backpropagation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ganglion.networks.backpropagation import packed
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.visible_units import draw_bernoulli

Reader = Callable[[Any], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """How the machine is asked for what it dreams, and how often its hidden units should be on.

    Parameters
    ----------
    steps : int
        Gibbs steps, k.
    persistent : bool
        Whether chains go on from one batch to the next, in place of beginning at the data.
    sampled : bool
        Whether units are drawn, or take their means (mean-field: Welling & Hinton 2002, ICANN), which leaves nothing
        to chance. Not for persistent chains.
    target : float
        The share of the data for which a hidden unit should be on.
    cost : float
        How much a deviation from it counts, λ; 0 for not at all.
    """

    steps: int = 1
    persistent: bool = False
    sampled: bool = True
    target: float = 0.0
    cost: float = 0.0

    def loss(self, machine: BoltzmannMachine, v_nd: Tensor, weight_n: Tensor | None = None) -> Tensor:
        """Return the loss of data, (n, d), as autograd follows it: a scalar, in nats.

        Each row, and the chain that begins there, counts by its weight, 1 on average over the training data.
        """
        with torch.no_grad():
            v_md = self._dreamt(machine, v_nd)
        energies, dreamt = machine.free_energy(v_nd), machine.free_energy(v_md)
        if weight_n is not None:
            energies, dreamt = weight_n * energies, dreamt if self.persistent else weight_n * dreamt
        gap = energies.mean() - dreamt.mean()
        if not self.cost:
            return gap
        p_nh = machine(v_nd)
        often = p_nh.mean(0) if weight_n is None else (weight_n[:, None] * p_nh).mean(0)
        return gap + self.cost * (often - self.target).square().sum()

    def _dreamt(self, machine: BoltzmannMachine, v_nd: Tensor) -> Tensor:
        if self.persistent:
            return machine.persist(self.steps)
        return machine.gibbs(v_nd, self.steps) if self.sampled else machine.mean_field(v_nd, self.steps)


class ContrastiveDivergence:
    """The loss of a restricted Boltzmann machine and its gradient, in closed form.

    Parameters
    ----------
    machine : BoltzmannMachine
        Its parameters are views of `vector` until `release`.
    read : callable
        A batch → its visible units, (n, d), in the precision of the parameters.
    contrast : Contrast

    Attributes
    ----------
    vector, gradient : Tensor of shape (p,)
        All parameters, and the loss's gradient by them.
    gradients : list of Tensor
        Views of `gradient`: by weight, visible and hidden bias.
    """

    def __init__(self, machine: BoltzmannMachine, read: Reader, contrast: Contrast) -> None:
        self.machine, self.read, self.contrast = machine, read, contrast
        parameters = list(machine.parameters())
        self.vector, views = packed(parameters)
        for parameter, view in zip(parameters, views, strict=True):
            parameter.data = view.copy_(parameter.data)
        self.gradient, self.gradients = packed(parameters)

    def __call__(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of a batch, a scalar, and leave its gradient in `gradient`."""
        with torch.autocast(self.vector.device.type, enabled=False):  # energies need all their digits
            return self._loss(batch)

    def _loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        data, weight = self.read(batch), batch.get("weight")
        x_nh = self.machine.hidden_input(data)
        dreamt, x_mh = self._go_on() if self.contrast.persistent else self._begin_at(x_nh)
        loss = self._half(data, x_nh, -1 / len(data), weight, self.contrast.cost)
        return loss + self._half(dreamt, x_mh, 1 / len(dreamt), None if self.contrast.persistent else weight)

    def _go_on(self) -> tuple[Tensor, Tensor]:
        """Return what the persistent chains dream next, and the inputs of the hidden units, and move the chains."""
        machine = self.machine
        if self.contrast.steps > 1:
            machine.persist(self.contrast.steps - 1)
        v_md = machine.units.draw(machine.visible_input(machine.chain))
        x_mh = machine.hidden_input(v_md)
        machine.chain.copy_(draw_bernoulli(x_mh))
        return v_md, x_mh

    def _begin_at(self, x_nh: Tensor) -> tuple[Tensor, Tensor]:
        """Return what k steps from the data lead to, and the inputs of the hidden units."""
        machine, more = self.machine, self.contrast.steps - 1
        if self.contrast.sampled:
            v_md = machine.gibbs(machine.units.draw(machine.visible_input(draw_bernoulli(x_nh))), more)
        else:
            v_md = machine.mean_field(machine.visible_mean(x_nh.sigmoid()), more)
        return v_md, machine.hidden_input(v_md)

    def _half(self, v_nd: Tensor, x_nh: Tensor, share: float, weight_n: Tensor | None, cost: float = 0.0) -> Tensor:
        """Leave, or add, one of the two statistics, times `share`, and return its part of the loss.

        The share is below zero for data, whose energy falls, and comes first; above it for dreams.
        """
        of_weight, of_visible, of_hidden = self.gradients
        energies = functional.softplus(x_nh)
        if not self.machine.units.are_binary:
            energies = energies.sum(1) - self.machine.units.base(v_nd)
        energy = energies.sum() if weight_n is None else weight_n @ energies.view(len(v_nd), -1).sum(1)
        seen = v_nd.sum(0) if weight_n is None else weight_n @ v_nd
        loss = share * (energy + seen @ self.machine.visible_bias)
        slope = x_nh.sigmoid_()
        if cost:
            penalty, slope = self._penalised(slope, weight_n)
            loss = loss + penalty
        elif weight_n is not None:
            slope.mul_(weight_n[:, None])
        if share < 0:  # the first of the two: what is there is of the last batch
            self.gradient.zero_()
        of_weight.addmm_(slope.t(), v_nd, alpha=share)
        of_visible.add_(seen, alpha=share)
        of_hidden.add_(slope.sum(0), alpha=share)
        return loss

    def _penalised(self, p_nh: Tensor, weight_n: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what units cost that are on too often or too seldom, and the chances less the slope of that cost."""
        weight_n1 = 1.0 if weight_n is None else weight_n[:, None]
        off = (weight_n1 * p_nh).mean(0) - self.contrast.target
        slope = weight_n1 * p_nh * (1 - 2 * self.contrast.cost * off * (1 - p_nh))
        return self.contrast.cost * off.square().sum(), slope

    def release(self) -> None:
        """Give each parameter its own memory back."""
        for parameter in self.machine.parameters():
            parameter.data = parameter.data.clone()
