"""Contrastive divergence: the free-energy gap as a loss, and its gradient written out.

    p⁰ = σ(c + W v⁰),  pᵏ = σ(c + W vᵏ)                       n rows of data, m of the chain
    ∂loss/∂W = ⟨pᵏ vᵏᵀ⟩ - ⟨p⁰ v⁰ᵀ⟩,  ∂loss/∂b = ⟨vᵏ⟩ - ⟨v⁰⟩,  ∂loss/∂c = ⟨pᵏ⟩ - ⟨p⁰⟩

Hinton 2002, eq. 10; the persistent chain is Tieleman's (2008). A target for how often a hidden unit is on adds
λ Σ_j (q_j - target)², q_j its mean over the batch (Lee, Ekanadham & Ng 2008, NIPS, eq. 5).

Data and chain lie in one matrix, so that both statistics are one product; the parameters become views of one vector,
as in `networks.backpropagation`.
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
        self._v = self._x = torch.empty(0)

    def __call__(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of a batch, a scalar, and leave its gradient in `gradient`."""
        data = self.read(batch)
        n = len(data)
        v, x = self._buffers(data, len(self.machine.chain) if self.contrast.persistent else n)
        v[:n].copy_(data)
        if self.contrast.persistent:
            self._go_on(v, x, n)
        else:
            self._begin_at_data(v, x, n)
        return self._leave_gradient(v, x, n, batch.get("weight"))

    def _go_on(self, v: Tensor, x: Tensor, n: int) -> None:
        """Fill in what the persistent chains dream, and all hidden inputs; then move the chains."""
        machine = self.machine
        if self.contrast.steps > 1:
            machine.persist(self.contrast.steps - 1)
        v[n:].copy_(machine.units.draw(machine.visible_input(machine.chain)))
        torch.addmm(machine.hidden_bias, v, machine.weight.t(), out=x)
        machine.chain.copy_(draw_bernoulli(x[n:]))

    def _begin_at_data(self, v: Tensor, x: Tensor, n: int) -> None:
        """Fill in what k steps from the data lead to, and all hidden inputs."""
        machine, more = self.machine, self.contrast.steps - 1
        torch.addmm(machine.hidden_bias, v[:n], machine.weight.t(), out=x[:n])
        if self.contrast.sampled:
            dreamt = machine.units.draw(machine.visible_input(draw_bernoulli(x[:n])))
            v[n:].copy_(machine.gibbs(dreamt, more))
        else:
            v[n:].copy_(machine.mean_field(machine.visible_mean(x[:n].sigmoid()), more))
        torch.addmm(machine.hidden_bias, v[n:], machine.weight.t(), out=x[n:])

    def _leave_gradient(self, v: Tensor, x: Tensor, n: int, weight_n: Tensor | None) -> Tensor:
        share = self._shares(v, n, weight_n)
        of_weight, of_visible, of_hidden = self.gradients
        loss = share @ functional.softplus(x).sum(1) - share @ self.machine.units.base(v)
        slope = x.sigmoid_()
        penalty = self._penalise(slope[:n], share[:n]) if self.contrast.cost else None
        slope.mul_(share[:, None])
        if penalty is not None:
            slope[:n].add_(penalty[1])
            loss = loss + penalty[0]
        torch.mm(slope.t(), v, out=of_weight)
        torch.mv(v.t(), share, out=of_visible)
        torch.sum(slope, 0, out=of_hidden)
        return loss + of_visible @ self.machine.visible_bias

    def _shares(self, v: Tensor, n: int, weight_n: Tensor | None) -> Tensor:
        """Return how much each row counts, (n + m,): below zero for data, whose energy falls; above it for dreams."""
        m = len(v) - n
        share = v.new_full((len(v),), 1 / m)
        share[:n] = -1 / n
        if weight_n is not None:
            share[:n] *= weight_n
            if not self.contrast.persistent:
                share[n:] *= weight_n
        return share

    def _penalise(self, p_nh: Tensor, share_n: Tensor) -> tuple[Tensor, Tensor]:
        """Return what units cost that are on too often or too seldom, and its slope by their inputs, (n, h)."""
        off = -(share_n @ p_nh) - self.contrast.target
        slope = p_nh * (1 - p_nh) * off.mul(-2 * self.contrast.cost) * share_n[:, None]
        return self.contrast.cost * off.square().sum(), slope

    def _buffers(self, data: Tensor, n_dreamt: int) -> tuple[Tensor, Tensor]:
        """Return room for visible units and hidden inputs of data and dreams; that of the last batch if it fits."""
        rows = len(data) + n_dreamt
        if len(self._v) != rows:
            self._v = self.vector.new_empty(rows, self.machine.units.n_units)
            self._x = self.vector.new_empty(rows, len(self.machine.hidden_bias))
        return self._v, self._x

    def release(self) -> None:
        """Give each parameter its own memory back."""
        for parameter in self.machine.parameters():
            parameter.data = parameter.data.clone()
