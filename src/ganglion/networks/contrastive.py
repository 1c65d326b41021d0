"""Contrastive divergence: the free-energy gap as a loss, and its gradient written out.

    p⁰ = σ(c + W v⁰),  pᵏ = σ(c + W vᵏ)                       n rows of data, m of the chain
    ∂loss/∂W = ⟨pᵏ vᵏᵀ⟩ - ⟨p⁰ v⁰ᵀ⟩,  ∂loss/∂b = ⟨vᵏ⟩ - ⟨v⁰⟩,  ∂loss/∂c = ⟨pᵏ⟩ - ⟨p⁰⟩

Hinton 2002, eq. 10; the persistent chain is Tieleman's (2008). A target for how often a hidden unit is on adds
λ Σ_j (q_j - target)², q_j its mean over the batch (Lee, Ekanadham & Ng 2008, NIPS, eq. 5).

The parameters become views of one vector, as in `networks.backpropagation`. Data and dreams stand in one matrix, r
rows, so that there is one product where each alone would have its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganglion.networks.backpropagation import packed
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.visible_units import draw_bernoulli, toss

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
        v_rd, x_rh = self._go_on(data) if self.contrast.persistent else self._begin_at(data)
        share_r = _shares(data, len(v_rd), weight, dreams_are_of_data=not self.contrast.persistent)
        p_rh = x_rh.sigmoid()
        if self.contrast.persistent:
            self.machine.chain.copy_(toss(p_rh[len(data) :]))
        loss = self._gap(v_rd, x_rh, p_rh, share_r)
        penalty = self._penalise(p_rh[: len(data)], weight) if self.contrast.cost else 0.0
        of_weight, of_visible, of_hidden = self.gradients
        torch.mm(p_rh.mul_(share_r[:, None]).t(), v_rd, out=of_weight)
        torch.mv(v_rd.t(), share_r, out=of_visible)
        torch.sum(p_rh, 0, out=of_hidden)
        return loss + penalty

    def _go_on(self, data: Tensor) -> tuple[Tensor, Tensor]:
        """Return data and what the persistent chains dream next, and the inputs of the hidden units of both."""
        machine = self.machine
        if self.contrast.steps > 1:
            machine.persist(self.contrast.steps - 1)
        v_rd = torch.cat([data, machine.units.draw(machine.visible_input(machine.chain))])
        return v_rd, machine.hidden_input(v_rd)

    def _begin_at(self, data: Tensor) -> tuple[Tensor, Tensor]:
        """Return data and what k steps from them lead to, and the inputs of the hidden units of both."""
        machine, more = self.machine, self.contrast.steps - 1
        x_nh = machine.hidden_input(data)
        if self.contrast.sampled:
            v_nd = machine.gibbs(machine.units.draw(machine.visible_input(draw_bernoulli(x_nh))), more)
        else:
            v_nd = machine.mean_field(machine.visible_mean(x_nh.sigmoid()), more)
        return torch.cat([data, v_nd]), torch.cat([x_nh, machine.hidden_input(v_nd)])

    def _gap(self, v_rd: Tensor, x_rh: Tensor, p_rh: Tensor, share_r: Tensor) -> Tensor:
        """Return the free energies, each times its share, but for the sign: a scalar.

        log(1 + eˣ) = max(x, 0) - log max(p, 1 - p) costs a third of the logarithm and exponential that it is made of.
        """
        soft_rh = x_rh.relu().sub_(torch.maximum(p_rh, 1 - p_rh).log_())
        energy_r = torch.mv(v_rd, self.machine.visible_bias).add_(soft_rh.sum(1))
        if not self.machine.units.are_binary:
            energy_r.sub_(self.machine.units.base(v_rd))
        return energy_r @ share_r

    def _penalise(self, p_nh: Tensor, weight_n: Tensor | None) -> Tensor:
        """Return what units cost that are on too often or too seldom; take the slope of that cost from the chances."""
        mean = p_nh.mean(0) if weight_n is None else weight_n @ p_nh / len(p_nh)
        off = mean - self.contrast.target
        p_nh.mul_(1 - 2 * self.contrast.cost * off * (1 - p_nh))
        return self.contrast.cost * off.square().sum()

    def release(self) -> None:
        """Give each parameter its own memory back."""
        for parameter in self.machine.parameters():
            parameter.data = parameter.data.clone()


def _shares(data: Tensor, n_rows: int, weight_n: Tensor | None, *, dreams_are_of_data: bool) -> Tensor:
    """Return how much each row counts: data, which come first, below zero, since their energy falls; dreams above."""
    n = len(data)
    share_r = data.new_full((n_rows,), 1 / (n_rows - n))
    share_r[:n] = -1 / n
    if weight_n is not None:
        share_r[:n] *= weight_n
        if dreams_are_of_data:
            share_r[n:] *= weight_n
    return share_r
