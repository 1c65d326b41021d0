"""Contrastive divergence: the free-energy gap as a loss, and its gradient written out.

    p⁰ = σ(c + W v⁰),  pᵏ = σ(c + W vᵏ)                       n rows of data, m of the chain
    ∂loss/∂W = ⟨pᵏ vᵏᵀ⟩ - ⟨p⁰ v⁰ᵀ⟩,  ∂loss/∂b = ⟨vᵏ⟩ - ⟨v⁰⟩,  ∂loss/∂c = ⟨pᵏ⟩ - ⟨p⁰⟩

Hinton 2002, eq. 10; the persistent chain is Tieleman's (2008). A target for how often a hidden unit is on adds
λ Σ_j (q_j - target)², q_j its mean over the batch (Lee, Ekanadham & Ng 2008, NIPS, eq. 5).

Data and chain lie in one matrix, so that both statistics are one product; the parameters become views of one vector,
as in `networks.backpropagation`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ganglion.networks.backpropagation import packed
from ganglion.networks.energy import BoltzmannMachine, free_energy_gap
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
    target : float
        The share of the data for which a hidden unit should be on.
    cost : float
        How much a deviation from it counts, λ; 0 for not at all.
    """

    steps: int = 1
    persistent: bool = False
    target: float = 0.0
    cost: float = 0.0

    def loss(self, machine: BoltzmannMachine, v_nd: Tensor) -> Tensor:
        """Return the loss of data, (n, d), as autograd follows it: a scalar, in nats."""
        with torch.no_grad():
            v_md = machine.persist(self.steps) if self.persistent else machine.gibbs(v_nd, self.steps)
        gap = free_energy_gap(machine, v_nd, v_md)
        if not self.cost:
            return gap
        return gap + self.cost * (machine(v_nd).mean(0) - self.target).square().sum()


class ContrastiveDivergence:
    """The loss of a restricted Boltzmann machine and its gradient, in closed form.

    Parameters
    ----------
    machine : BoltzmannMachine
        Its parameters are views of `vector` until `release`.
    read : callable
        A batch → its visible units, (n, d).
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

    def __call__(self, batch: Any) -> Tensor:
        """Return the loss of a batch, a scalar, and leave its gradient in `gradient`."""
        data = self.read(batch)
        n = len(data)
        v, x = self._buffers(data, len(self.machine.chain) if self.contrast.persistent else n)
        v[:n].copy_(data)
        if self.contrast.persistent:
            self._go_on(v, x, n)
        else:
            self._begin_at_data(v, x, n)
        return self._leave_gradient(v, x, n)

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
        machine = self.machine
        torch.addmm(machine.hidden_bias, v[:n], machine.weight.t(), out=x[:n])
        dreamt = machine.units.draw(machine.visible_input(draw_bernoulli(x[:n])))
        v[n:].copy_(machine.gibbs(dreamt, self.contrast.steps - 1))
        torch.addmm(machine.hidden_bias, v[n:], machine.weight.t(), out=x[n:])

    def _leave_gradient(self, v: Tensor, x: Tensor, n: int) -> Tensor:
        m = len(v) - n
        share = v.new_full((len(v),), 1 / m)
        share[:n] = -1 / n  # lower the energy of data, raise that of dreams
        of_weight, of_visible, of_hidden = self.gradients
        loss = share @ functional.softplus(x).sum(1) - share @ self.machine.units.base(v)
        slope = x.sigmoid_()
        penalty = self._penalise(slope[:n]) if self.contrast.cost else None
        slope.mul_(share[:, None])
        if penalty is not None:
            slope[:n].add_(penalty[1])
            loss = loss + penalty[0]
        torch.mm(slope.t(), v, out=of_weight)
        torch.mv(v.t(), share, out=of_visible)
        torch.sum(slope, 0, out=of_hidden)
        return loss + of_visible @ self.machine.visible_bias

    def _penalise(self, p_nh: Tensor) -> tuple[Tensor, Tensor]:
        """Return what units cost that are on too often or too seldom, and its slope by their inputs, (n, h)."""
        off = p_nh.mean(0) - self.contrast.target
        slope = p_nh * (1 - p_nh) * off.mul(2 * self.contrast.cost / len(p_nh))
        return self.contrast.cost * off.square().sum(), slope

    def _buffers(self, data: Tensor, n_dreamt: int) -> tuple[Tensor, Tensor]:
        """Return room for visible units and hidden inputs of data and dreams; that of the last batch if it fits."""
        rows = len(data) + n_dreamt
        if len(self._v) != rows:
            self._v = data.new_empty(rows, self.machine.units.n_units)
            self._x = data.new_empty(rows, len(self.machine.hidden_bias))
        return self._v, self._x

    def release(self) -> None:
        """Give each parameter its own memory back."""
        for parameter in self.machine.parameters():
            parameter.data = parameter.data.clone()
