"""The restricted Boltzmann machine: visible and hidden units, an energy for each state of both, and Gibbs steps.

    E(v, h) = B(v) - b·v - c·h - h·W v                    low energy is likely: p(v, h) = e^{-E(v, h)} / Z
    F(v) = -log Σ_h e^{-E(v, h)} = B(v) - b·v - Σ_j log(1 + exp(c_j + W_j·v))          the free energy of v
    p(h_j = 1 | v) = σ(c_j + W_j·v)                       p(v | h): natural parameters b + Wᵀh
    loss = mean F(v⁰) - mean F(vᵏ),   ∂loss/∂W = -(⟨h v⟩⁰ - ⟨h v⟩ᵏ)                    the free-energy gap

vᵏ are k Gibbs steps from the data v⁰ (contrastive divergence, Hinton 2002, Neural Computation 14, eq. 10), or k
more steps of chains that go on from one batch to the next (persistent: Tieleman 2008, ICML). With vᵏ held fixed the
gradient of the gap is the textbook's difference of two statistics.

B is 0 for units that are on or off and v²/2 for Gaussian ones (`networks.visible_units`), whose ½(v - b)² of other
texts differs by ½b², the same for all v.   Letters: n rows, m chains, d visible and h hidden units.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganglion.networks.visible_units import VisibleUnits, draw_bernoulli

SPREAD = 0.01  # of the first weights: Hinton 2012, "A practical guide to training RBMs", section 8


class BoltzmannMachine(nn.Module):
    """A restricted Boltzmann machine; `forward` gives the chances of its hidden units.

    Parameters
    ----------
    units : VisibleUnits
    n_hidden : int
    n_chains : int
        Persistent chains, whose hidden states a checkpoint has among the weights; 0 for none.

    Attributes
    ----------
    weight : Parameter of shape (n_hidden, n_visible)
    visible_bias, hidden_bias : Parameter of shape (n_visible,), (n_hidden,)
    base : Tensor of shape (n_visible,)
        Biases of the same units without hidden ones, as frequent as in the data: the base-rate model.
    chain : Tensor of shape (n_chains, n_hidden)
    """

    base: Tensor
    chain: Tensor

    def __init__(self, units: VisibleUnits, n_hidden: int, *, n_chains: int = 0) -> None:
        super().__init__()
        self.units = units
        self.weight = nn.Parameter(SPREAD * torch.randn(n_hidden, units.n_units))
        self.visible_bias = nn.Parameter(torch.zeros(units.n_units))
        self.hidden_bias = nn.Parameter(torch.zeros(n_hidden))
        self.register_buffer("base", torch.zeros(units.n_units))
        self.register_buffer("chain", torch.zeros(n_chains, n_hidden))

    @classmethod
    def of(
        cls, units: VisibleUnits, weight: nn.Parameter, visible_bias: nn.Parameter, hidden_bias: nn.Parameter
    ) -> BoltzmannMachine:
        """Return a machine of parameters that belong to another network too, whose layer it then is."""
        with torch.device("meta"):
            machine = cls(units, len(hidden_bias))
        machine.weight, machine.visible_bias, machine.hidden_bias = weight, visible_bias, hidden_bias
        machine.base, machine.chain = torch.zeros_like(visible_bias), hidden_bias.new_zeros(0, len(hidden_bias))
        return machine

    @torch.no_grad()
    def start_from(self, mean_d: Tensor) -> None:
        """Let the machine begin as the base-rate model of data with this mean, (d,)."""
        self.base.copy_(self.units.natural(mean_d))
        self.visible_bias.copy_(self.base)

    def hidden_input(self, v_nd: Tensor) -> Tensor:
        """Return the log odds of the hidden units given the visible ones, (n, h)."""
        return torch.addmm(self.hidden_bias, v_nd, self.weight.t())

    def visible_input(self, h_nh: Tensor) -> Tensor:
        """Return the natural parameters of the visible units given the hidden ones, (n, d)."""
        return torch.addmm(self.visible_bias, h_nh, self.weight)

    def forward(self, v_nd: Tensor) -> Tensor:
        """Return the chance of each hidden unit to be on, (n, h)."""
        return self.hidden_input(v_nd).sigmoid()

    def visible_mean(self, h_nh: Tensor) -> Tensor:
        """Return the mean of each visible unit given the hidden ones, (n, d)."""
        return self.units.mean(self.visible_input(h_nh))

    def free_energy(self, v_nd: Tensor) -> Tensor:
        """Return F(v) of each row, (n,), in nats."""
        soft = functional.softplus(self.hidden_input(v_nd)).sum(1)
        return self.units.base(v_nd) - v_nd @ self.visible_bias - soft

    def gibbs(self, v_nd: Tensor, steps: int) -> Tensor:
        """Return the visible units after so many Gibbs steps, hidden and visible each, (n, d)."""
        for _ in range(steps):
            v_nd = self.units.draw(self.visible_input(draw_bernoulli(self.hidden_input(v_nd))))
        return v_nd

    def mean_field(self, v_nd: Tensor, steps: int) -> Tensor:
        """Return what becomes of the visible units if every unit takes its mean in place of a sample, (n, d)."""
        for _ in range(steps):
            v_nd = self.visible_mean(self(v_nd))
        return v_nd

    def persist(self, steps: int) -> Tensor:
        """Let the persistent chains go on for so many Gibbs steps, 1 or more; return their visible units, (m, d)."""
        for _ in range(steps - 1):
            self.persist(1)
        v_md = self.units.draw(self.visible_input(self.chain))
        self.chain.copy_(draw_bernoulli(self.hidden_input(v_md)))
        return v_md


def free_energy_gap(machine: BoltzmannMachine, v_nd: Tensor, v_md: Tensor) -> Tensor:
    """Return the mean free energy of data, (n, d), less that of what the machine dreams, (m, d): a scalar, in nats."""
    return machine.free_energy(v_nd).mean() - machine.free_energy(v_md.detach()).mean()
