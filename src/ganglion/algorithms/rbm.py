"""Restricted Boltzmann machines: visible and hidden units that excite one another, and no connection within a layer.

    E(v, h) = B(v) - b·v - c·h - h·W v,    p(v, h) = e^{-E(v, h)} / Z
    F(v) = B(v) - b·v - Σ_j log(1 + exp(c_j + W_j·v)),    log p(v) = -F(v) - log Z
    loss = mean F(v⁰) - mean F(vᵏ),    whose gradient by W is -(⟨h v⟩⁰ - ⟨h v⟩ᵏ)                      (eq. 10)

v⁰ are data and vᵏ what k Gibbs steps make of them (CD-k), or of chains that go on (persistent=True). Learning and
Gibbs steps: `networks.energy`, `networks.contrastive`; log Z, by enumeration or annealed importance sampling:
`networks.partition`. Units that are on or off, or Gaussian of variance 1, and one softmax unit a category:
`networks.visible_units`.

Hinton 2002, "Training products of experts by minimizing contrastive divergence", Neural Computation 14; persistent
chains: Tieleman 2008; log Z: Salakhutdinov & Murray 2008; sparsity: Lee, Ekanadham & Ng 2008. Differs: visible biases
begin at the frequencies of the data (Hinton 2012, section 8), and the chance of a hidden unit to be on stands in for
its state in the statistics, as is usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganglion.estimators.base import Tags
from ganglion.estimators.boltzmann import blocks_of, scaling_of
from ganglion.estimators.energies import Energies, machine_of
from ganglion.estimators.spec import Spec
from ganglion.networks.belief import shown
from ganglion.networks.contrastive import Contrast
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.network import Network
from ganglion.networks.visible_units import VisibleUnits, toss
from ganglion.options import hyperparameters, option
from ganglion.training.objective import Objective
from ganglion.training.phases import Phase


@hyperparameters
class RBM(Energies):
    """Restricted Boltzmann machine: features of the data (`transform`), their energy, and new data (`sample`).

    Reads images, whose pixels are on or off with their intensity as chance, and tables. Learns from X alone.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 50, axis=0)
    >>> model = RBM(units=2, visible="bernoulli", persistent=True, epochs=500, learning_rate=0.1, random_state=0).fit(X)
    >>> strange = np.array([[1, 0, 1, 0]])
    >>> bool(model.free_energy(X).max() < model.free_energy(strange)[0])
    True
    >>> log_z = model.log_partition().value
    >>> bool(np.exp(model.score_samples(X[:1])[0] - log_z) > 0.3)  # of 16 states
    True

    References
    ----------
    Hinton 2002, Neural Computation 14, 1771-1800; Tieleman 2008; Salakhutdinov & Murray 2008.
    """

    sparsity_target: float | None = option(
        None, "Share of the data for which a hidden unit should be on; None for none.", above=0, below=1
    )
    sparsity_cost: float = option(1.0, "How much a deviation from it costs, for each unit its square.", above=0)
    burn_in: int = option(500, "Gibbs steps before a sample is taken.", at_least=0)

    tags: ClassVar[Tags] = Tags(task="generation")

    # learning

    def build(self, spec: Spec) -> Network:
        """Return input layer and machine for data that look like `spec`."""
        entry = spec.visible_layer(scaling_of(self.visible, spec.inputs))
        units = VisibleUnits(blocks_of(entry, self.visible, spec.inputs))
        return Network(entry, BoltzmannMachine(units, self.units, n_chains=self._n_chains()), spec.output)

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return the free-energy gap."""
        machine = machine_of(network)
        return [self._objective("free_energy", machine, self._reader(network, machine.units))]

    def _contrast(self) -> Contrast:
        plain = super()._contrast()
        if self.sparsity_target is None:
            return plain
        return replace(plain, target=self.sparsity_target, cost=self.sparsity_cost)

    def _phases(self, network: Network, last: Phase) -> Sequence[Phase]:
        machine = machine_of(network)
        return [self._watching(network, last, machine, self._reader(network, machine.units))]

    def _lowest(self, network: Network) -> BoltzmannMachine:
        return machine_of(network)

    def _n_hidden(self, row: Mapping[str, Any]) -> int:
        return self.units

    def _sampled(self, n: int, codes: Tensor | None, generator: torch.Generator) -> Tensor:
        seed = int(torch.randint(2**62, (), generator=generator))
        return self._drawn(seed, n, lambda machine: self._dreamt(machine, n))

    def _dreamt(self, machine: BoltzmannMachine, n: int) -> Tensor:
        """Return visible units after the burn-in, which begins at the persistent chains, or at the base-rate model."""
        if len(machine.chain):
            h_nh = machine.chain[torch.randint(len(machine.chain), (n,))]
        else:
            h_nh = toss(machine(machine.units.draw(machine.base.expand(n, -1))))
        for _ in range(self.burn_in):
            h_nh = toss(machine(machine.units.draw(machine.visible_input(h_nh))))
        return shown(machine, h_nh)
