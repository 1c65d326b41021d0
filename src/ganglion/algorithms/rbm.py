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

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from torch import Tensor

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.base import Tags, random_state
from ganglion.estimators.boltzmann import Boltzmann, blocks_of, scaling_of
from ganglion.estimators.generative import TOGETHER, check_count, generator_of
from ganglion.estimators.spec import Spec
from ganglion.networks.belief import shown
from ganglion.networks.contrastive import Contrast
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.network import Network
from ganglion.networks.partition import (
    MOST_ENUMERATED,
    Interval,
    annealed_log_partition,
    exact_log_partition,
    is_enumerable,
)
from ganglion.networks.visible_units import VisibleUnits, toss
from ganglion.options import hyperparameters, option
from ganglion.training.execution import fast_products
from ganglion.training.objective import Objective
from ganglion.training.phases import Phase


@hyperparameters
class RBM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Boltzmann):
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

    units: int = option(256, "Hidden units.", at_least=1)
    sparsity_target: float | None = option(
        None, "Share of the data for which a hidden unit should be on; None for none.", above=0, below=1
    )
    sparsity_cost: float = option(1.0, "How much a deviation from it costs, for each unit its square.", above=0)
    burn_in: int = option(500, "Gibbs steps before a sample is taken.", at_least=0)

    tags: ClassVar[Tags] = Tags(task="generation")

    # learning

    def build(self, spec: Spec) -> Network:
        """Return input layer and machine for data that look like `spec`."""
        entry = self._input_layer(spec, scaling_of(self.visible, spec.inputs))
        units = VisibleUnits(blocks_of(entry, self.visible, spec.inputs))
        return Network(entry, BoltzmannMachine(units, self.units, n_chains=self._n_chains()), spec.output)

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return the free-energy gap."""
        machine = _machine(network)
        return [self._objective("free_energy", machine, self._reader(network, machine.units))]

    def _contrast(self) -> Contrast:
        plain = super()._contrast()
        if self.sparsity_target is None:
            return plain
        return replace(plain, target=self.sparsity_target, cost=self.sparsity_cost)

    def _phases(self, network: Network, last: Phase) -> Sequence[Phase]:
        machine = _machine(network)
        return [self._watching(network, last, machine, self._reader(network, machine.units))]

    def _lowest(self, network: Network) -> BoltzmannMachine:
        return _machine(network)

    def _n_hidden(self, row: Mapping[str, Any]) -> int:
        return self.units

    # answers

    @property
    def machine_(self) -> BoltzmannMachine:
        """The machine: its weights, biases and energies as tensors."""
        self._check_fitted()
        return _machine(self.network_)

    @property
    def components_(self) -> np.ndarray:
        """The weights, (units, n_visible): what each hidden unit looks for."""
        return self.machine_.weight.detach().numpy()

    @property
    def intercept_hidden_(self) -> np.ndarray:
        """The biases of the hidden units, (units,)."""
        return self.machine_.hidden_bias.detach().numpy()

    @property
    def intercept_visible_(self) -> np.ndarray:
        """The biases of the visible units, (n_visible,)."""
        return self.machine_.visible_bias.detach().numpy()

    @property
    def _n_features_out(self) -> int:
        return self.units

    def transform(self, X: Any) -> np.ndarray:
        """Return the chance of each hidden unit to be on; nothing in it is random.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples, units)
        """
        return self._answers(X, scores=True).numpy()

    def inverse_transform(self, H: Any) -> Any:
        """Return the mean of the visible units given hidden ones, in the form of X.

        Parameters
        ----------
        H : array-like of shape (n_samples, units)
            States, or chances, of the hidden units.
        """
        machine = self.machine_
        given = torch.as_tensor(np.asarray(H, dtype=np.float64)).to(machine.weight.dtype)
        if given.dim() != 2 or given.shape[1] != self.units or not given.isfinite().all():
            raise InvalidInput(
                f"inverse_transform takes what transform gives, finite numbers of shape (n_samples, {self.units}), but "
                f"these have shape {tuple(given.shape)}, or are not all finite."
            )
        with torch.inference_mode():
            return self._in_form(machine.visible_mean(given))

    def gibbs(self, v: Any, steps: int = 1, *, random_state: int | np.random.RandomState | None = None) -> Any:
        """Return what becomes of data after so many Gibbs steps, in the form of X.

        Parameters
        ----------
        v : array-like, frame, image stack or Dataset
            Where to begin.
        steps : int >= 1
        random_state : int, RandomState or None
            The same seed gives the same states.
        """
        n_steps, seed = check_count("steps", steps), _seed_of(random_state)
        given = self._visible(v).to(self.machine_.weight.dtype)
        return self._in_form(self._drawn(seed, len(given), lambda machine: machine.gibbs(given, n_steps)))

    def free_energy(self, X: Any) -> np.ndarray:
        """Return F(v) of each sample, in nats; the lower, the likelier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        v_nd = self._visible(X)
        with torch.inference_mode(), fast_products(self.network_, len(v_nd), precision=self._precision()):
            parts = v_nd.to(self.machine_.weight.dtype).split(max(1, TOGETHER // v_nd.shape[1]))
            return torch.cat([self.machine_.free_energy(part) for part in parts]).double().numpy()

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the log-likelihood of each sample but for log Z, which is the same for all: -F(v), in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        return -self.free_energy(X)

    def log_partition(
        self,
        method: Literal["auto", "exact", "ais"] = "auto",
        *,
        runs: int = 100,
        steps: int = 14_500,
        random_state: int | np.random.RandomState | None = 0,
    ) -> Interval:
        """Return log Z, in nats, with its 95 % interval.

        Parameters
        ----------
        method : {"auto", "exact", "ais"}
            "exact" enumerates the side of at most 22 units; "ais" is annealed importance sampling (Salakhutdinov &
            Murray 2008, section 4.1); "auto" enumerates where that can be done.
        runs, steps : int >= 1
            Of annealed importance sampling: independent runs, and laws between the base-rate model and the machine.
        random_state : int, RandomState or None

        Returns
        -------
        Interval
            `value`, `low` and `high`; all the same if exact.

        Raises
        ------
        InvalidParameter
            If there is no such method, or there are too many units to enumerate.
        """
        machine = self.machine_
        if method not in ("auto", "exact", "ais"):
            raise InvalidParameter(f"method={method!r}: log_partition knows 'auto', 'exact' and 'ais'.")
        if method == "exact" and not is_enumerable(machine):
            raise InvalidParameter(
                f"method='exact': {self.units} hidden units have 2^{self.units} states; up to {MOST_ENUMERATED} units "
                "of a layer can be enumerated. Take method='ais', which estimates it."
            )
        counts = {"runs": check_count("runs", runs), "steps": check_count("steps", steps)}
        if method == "exact" or (method == "auto" and is_enumerable(machine)):
            return Interval(*[exact_log_partition(machine)] * 3)
        return self._drawn(_seed_of(random_state), runs, lambda machine: annealed_log_partition(machine, **counts))

    def log_likelihood(self, X: Any, method: Literal["auto", "exact", "ais"] = "auto", **settings: Any) -> Interval:
        """Return the mean log-likelihood of samples, in nats, with its 95 % interval.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset
        method, **settings
            See `log_partition`.

        Returns
        -------
        Interval
            Its width is that of drawing other samples, and that of log Z, together.
        """
        scores, log_z = self.score_samples(X), self.log_partition(method, **settings)
        half = 1.96 * scores.std() / math.sqrt(len(scores))
        value = float(scores.mean()) - log_z.value
        below, above = (math.hypot(half, log_z.value - end) for end in (log_z.high, log_z.low))
        return Interval(value, value - below, value + above)

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

    def _drawn(self, seed: int, n: int, draw: Any) -> Any:
        """Return what `draw(machine)` does with this seed, and nothing left of it in the process."""
        with torch.inference_mode(), random_state(seed), fast_products(self.network_, n, precision=self._precision()):
            return draw(self.machine_)


def _machine(network: Network) -> BoltzmannMachine:
    return cast(BoltzmannMachine, network.body)


def _seed_of(seed: Any) -> int:
    return int(torch.randint(2**62, (), generator=generator_of(seed)))
