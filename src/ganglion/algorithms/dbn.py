"""Deep belief nets: restricted Boltzmann machines on top of one another, learned one after the other from below.

    h⁰ = v,   each machine l = 1 … L learns p(h^{l-1}, h^l) from the chances h^{l-1} = σ(c + W h^{l-2}) below it

The topmost machine is an associative memory, which may see labels beside h^{L-1} (section 4): a sample is a state of
it after many Gibbs steps with the label held on, passed down through the machines below.

Hinton, Osindero & Teh 2006, "A fast learning algorithm for deep belief nets", Neural Computation 18. The nets:
`networks.belief`; their machines: `rbm.py`; fine-tuned as a classifier: `dbn_classifier.py`. Differs: no up-down
algorithm after the greedy learning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from torch import Tensor, nn

from ganglion.estimators.base import Tags, random_state
from ganglion.estimators.boltzmann import (
    GAUSSIAN_RATE,
    RATE,
    Boltzmann,
    Reader,
    blocks_of,
    check_hidden,
    scaling_of,
)
from ganglion.estimators.spec import Spec
from ganglion.networks.belief import BeliefNet
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.execution import fast_products
from ganglion.training.objective import Batch, Objective
from ganglion.training.phases import Phase


@hyperparameters
class DBN(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Boltzmann):
    """Deep belief net: features of features (`transform`), and new data, of a wanted class if it learned with labels.

    Reads images, whose pixels are on or off with their intensity as chance, and tables. `epochs` are those of each
    machine.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 50, axis=0)
    >>> model = DBN(hidden=(4, 4), visible="bernoulli", epochs=300, learning_rate=0.3, random_state=0).fit(X)
    >>> model.transform(X).shape, model.sample(3, random_state=0).shape
    ((100, 4), (3, 4))

    References
    ----------
    Hinton, Osindero & Teh 2006, Neural Computation 18, 1527-1554.
    """

    hidden: tuple[int, ...] = option(
        (256, 256), "Units of each machine's hidden layer, from below.", at_least=1, check=check_hidden
    )
    conditional: bool = option(False, "Whether y are labels, which the topmost machine learns beside what it reads.")
    burn_in: int = option(500, "Gibbs steps of the topmost machine before a sample is taken.", at_least=0)

    tags: ClassVar[Tags] = Tags(task="generation")

    # learning

    def build(self, spec: Spec) -> Network:
        """Return input layer and machines for data that look like `spec`."""
        entry = spec.visible_layer(scaling_of(self.visible, spec.inputs))
        blocks = blocks_of(entry, self.visible, spec.inputs)
        net = BeliefNet(blocks, self.hidden, n_classes=spec.n_scores, n_chains=self._n_chains())
        return Network(entry, net, spec.output)

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return the free-energy gap of the topmost machine."""
        return [self._objective_of(network, len(self.hidden) - 1)]

    def _objective_of(self, network: Network, level: int) -> Objective:
        return self._objective(f"free_energy_{level + 1}", _net(network).machine(level), self._reads(network, level))

    def _phases(self, network: Network, last: Phase) -> Sequence[Phase]:
        net = _net(network)
        levels = range(len(self.hidden))
        upper = replace(last.trainer, learning_rate=self._rate_above(last.trainer.learning_rate))
        phases = [
            replace(last, objectives=[self._objective_of(network, level)], trainer=upper if level else last.trainer)
            for level in levels
        ]
        return [
            self._watching(network, phase, net.machine(level), self._reads(network, level))
            for level, phase in enumerate(phases)
        ]

    def _rate_above(self, lowest: float) -> float:
        """Return the rate of machines above the lowest, whose units are on or off, whatever those below are."""
        return RATE if self.learning_rate == "auto" and lowest == GAUSSIAN_RATE else lowest

    def _reads(self, network: Network, level: int) -> Reader:
        """Return what gives the units that the machine of a level reads, those of labels beside them."""
        net = _net(network)
        data = self._reader(network, net.units)
        labels = net.n_classes if level == len(self.hidden) - 1 else 0

        def read(batch: Batch) -> Tensor:
            v_nd = net.below(data(batch), level)
            if not labels:
                return v_nd
            return torch.cat([v_nd, nn.functional.one_hot(batch["target"], labels).to(v_nd.dtype)], 1)

        return read

    def _lowest(self, network: Network) -> BoltzmannMachine:
        return _net(network).machine(0)

    def _n_hidden(self, row: Mapping[str, Any]) -> int:
        return self.hidden[int(row.get("phase", 1)) - 1]

    # answers

    @property
    def _n_features_out(self) -> int:
        return self.hidden[-1]

    @property
    def components_(self) -> np.ndarray:
        """The weights of the lowest machine, (hidden[0], n_visible): what each of its units looks for."""
        return self._lowest(self.network_).weight.detach().numpy()

    def transform(self, X: Any) -> np.ndarray:
        """Return the chances of the topmost hidden units; nothing in it is random.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples, hidden[-1])
            Of a net that learned with labels those over all labels, each as likely as the net thinks it is.
        """
        return self._answers(X, scores=True).numpy()

    def _sampled(self, n: int, codes: Tensor | None, generator: torch.Generator) -> Tensor:
        seed = int(torch.randint(2**62, (), generator=generator))
        with random_state(seed), fast_products(self.network_, n, precision=self._precision()):
            return _net(self.network_).recall(n, self.burn_in, codes)


def _net(network: Network) -> BeliefNet:
    return cast(BeliefNet, network.body)
