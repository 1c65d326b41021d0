"""What a single restricted Boltzmann machine answers: features, energies, Gibbs steps, the partition function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.base import random_state
from ganglion.estimators.boltzmann import Boltzmann
from ganglion.estimators.generative import TOGETHER, check_count, generator_of
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.network import Network
from ganglion.networks.partition import (
    MOST_ENUMERATED,
    Interval,
    annealed_log_partition,
    exact_log_partition,
    is_enumerable,
)
from ganglion.options import hyperparameters, option
from ganglion.training.execution import fast_products

Answer = TypeVar("Answer")


@hyperparameters
class Energies(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Boltzmann):
    """Base of estimators whose network is one machine."""

    units: int = option(256, "How many hidden units there are.", at_least=1)

    @property
    def machine_(self) -> BoltzmannMachine:
        """The machine: its weights, biases and energies as tensors."""
        self._check_fitted()
        return machine_of(self.network_)

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

    def _drawn(self, seed: int, n: int, draw: Callable[[BoltzmannMachine], Answer]) -> Answer:
        """Return what `draw(machine)` does with this seed, and nothing left of it in the process."""
        with torch.inference_mode(), random_state(seed), fast_products(self.network_, n, precision=self._precision()):
            return draw(self.machine_)


def machine_of(network: Network) -> BoltzmannMachine:
    """Return the machine that a network is."""
    return cast(BoltzmannMachine, network.body)


def _seed_of(seed: Any) -> int:
    return int(torch.randint(2**62, (), generator=generator_of(seed)))
