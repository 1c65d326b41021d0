"""Deep belief nets: restricted Boltzmann machines on top of one another, learned one after the other from below.

    h⁰ = v,   each machine l = 1 … L learns p(h^{l-1}, h^l) from the chances h^{l-1} = σ(c + W h^{l-2}) below it
    DBN             the topmost machine is an associative memory, which may see labels beside h^{L-1} (section 4);
                    a sample is a state of it after many Gibbs steps, passed down through the machines below
    DBNClassifier   the machines' weights are where a perceptron of sigmoid units begins: s = W_{L+1} h^L + b_{L+1};
                    fine-tuning lowers the cross-entropy of softmax(s) by back-propagation

Hinton, Osindero & Teh 2006, "A fast learning algorithm for deep belief nets", Neural Computation 18; fine-tuning by
back-propagation: Hinton & Salakhutdinov 2006, Science 313. The nets: `networks.belief`; their machines: `rbm.py`.
Differs: no up-down algorithm after the greedy learning, which the paper has for the generator; DBNClassifier's
machines learn by mean-field contrastive divergence (Welling & Hinton 2002), chances in place of samples, so that a
sample weight of 2 equals a second copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from torch import Tensor, nn

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Samples, Tags, random_state
from ganglion.estimators.boltzmann import (
    GAUSSIAN_RATE,
    RATE,
    VISIBLE,
    Boltzmann,
    Reader,
    Visible,
    are_binary,
    blocks_of,
    mean_of,
    scaling_of,
)
from ganglion.estimators.classifier import Classifier
from ganglion.estimators.spec import Spec
from ganglion.networks.backpropagation import Backpropagation, is_plain, moved_by
from ganglion.networks.belief import BeliefNet, PretrainedNetwork
from ganglion.networks.contrastive import Contrast, ContrastiveDivergence
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.networks.visible import VisibleInput
from ganglion.options import hyperparameters, option
from ganglion.training.execution import Execution, fast_products
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import SGD, Optimizer
from ganglion.training.phases import Phase
from ganglion.training.run import Source
from ganglion.training.schedules import Cosine
from ganglion.training.supervised import WeightedLoss
from ganglion.training.trainer import Monitor

MOMENTUM, BELOW, BELOW_GAUSSIAN = SGD(momentum=0.9, nesterov=False), 0.02, 0.001  # of machines under a classifier
DECAY = 0.01


def check_hidden(hidden: Sequence[int]) -> None:
    """Raise InvalidParameter unless there is a machine, so a hidden layer."""
    if not len(hidden):
        raise InvalidParameter("hidden=(): a deep belief net has one machine or more. Give a width each: (256, 256).")


@hyperparameters
class DBN(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Boltzmann):
    """Deep belief net: features of features (`transform`), and new data, of a wanted class if it learned with labels.

    Reads images, whose pixels are on or off with their intensity as chance, and tables. `epochs` are those of each
    machine.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 50, axis=0)
    >>> model = DBN(hidden=(4, 4), visible="bernoulli", epochs=100, random_state=0).fit(X)
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
        entry = self._input_layer(spec, scaling_of(self.visible, spec.inputs))
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


@hyperparameters
class DBNClassifier(Classifier):
    """Classifier of sigmoid layers that begin as the restricted Boltzmann machines of a deep belief net.

    Reads tables and images. `epochs`, `optimizer`, `learning_rate` and the rest are those of the fine-tuning.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DBNClassifier(hidden=(16, 16), learning_rate=0.02, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9)
    True

    References
    ----------
    Hinton, Osindero & Teh 2006, Neural Computation 18, 1527-1554; Hinton & Salakhutdinov 2006, Science 313, 504-507.
    """

    hidden: tuple[int, ...] = option(
        (128, 128), "Units of each hidden layer, from below.", at_least=1, check=check_hidden
    )
    visible: Visible = option("auto", VISIBLE)
    pretraining_epochs: int = option(
        10, "Walks over the training data for each machine, before the fine-tuning; 0 for none.", at_least=0
    )
    pretraining_rate: float | Literal["auto"] = option(
        "auto", "Size of a step of the machines; 'auto' is 0.02, and 0.001 for Gaussian units.", above=0
    )
    k: int = option(1, "Steps of contrastive divergence.", at_least=1)
    dropout: float = option(0.0, "Share of hidden units silenced in fine-tuning.", at_least=0, below=1)
    weight_decay: float | Literal["auto"] = option(
        "auto",
        "Shrinks weights in fine-tuning: decoupled with adamw and muon, an L2 penalty with the other optimizers. "
        "'auto' is 0.01 where it is decoupled, little, for the weights are not where chance put them; 0 otherwise.",
        at_least=0,
    )

    tags: ClassVar[Tags] = Tags(task="classification", multilabel=True)

    def build(self, spec: Spec) -> PretrainedNetwork:
        """Return input layer, layers of sigmoid units and output layer for data that look like `spec`."""
        inputs = spec.inputs
        entry = VisibleInput(
            inputs.numeric,
            inputs.cardinalities,
            boolean=inputs.boolean,
            image=inputs.image,
            scaling=scaling_of(self.visible, inputs),
        )
        body = MLP(entry.n_out, spec.n_scores, self.hidden, activation="sigmoid", dropout=self.dropout)
        return PretrainedNetwork(entry, body, spec.output, blocks_of(entry, self.visible, inputs))

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what the fine-tuning lowers: the mean loss of a batch, by all layers."""
        loss = WeightedLoss(self._per_sample_loss())
        by_hand = partial(Backpropagation, network, loss.and_slope) if is_plain(network) else None
        return [Objective("loss", moved_by(network), loss, closed_form=by_hand)]

    def _feed(
        self,
        network: Network,
        samples: Samples,
        rows: Tensor | None,
        held_out: Samples | None,
        held_rows: Tensor | None,
        execution: Execution,
        batch_size: int,
        seed: int,
    ) -> tuple[Source, Monitor | None]:
        machine = cast(PretrainedNetwork, network).machine(0)
        machine.start_from(mean_of(network, samples, rows))
        return super()._feed(network, samples, rows, held_out, held_rows, execution, batch_size, seed)

    def _phases(self, network: Network, last: Phase) -> Sequence[Phase]:
        if not self.pretraining_epochs:
            return [last]
        net = cast(PretrainedNetwork, network)
        return [*(self._greedy(net, last, level) for level in range(len(self.hidden))), last]

    def _greedy(self, network: PretrainedNetwork, last: Phase, level: int) -> Phase:
        """Return the phase in which the machine of a level learns, those below it done."""
        machine, contrast = network.machine(level), Contrast(steps=self.k, sampled=False)

        def read(batch: Batch) -> Tensor:
            return network.below(network.input(batch).to(machine.weight.dtype), level)

        def loss(network: Network, batch: Batch) -> Tensor:
            return contrast.loss(machine, read(batch), batch.get("weight"))

        trainer = replace(
            last.trainer,
            epochs=self.pretraining_epochs,
            optimizer=MOMENTUM,
            learning_rate=self._pretraining_rate(level),
            schedule=Cosine(),
            weight_decay=0.0,
            patience=None,
        )
        closed = partial(ContrastiveDivergence, machine, read, contrast)
        objective = Objective(f"free_energy_{level + 1}", machine.parameters(), loss, closed_form=closed)
        return Phase([objective], last.source, trainer)

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        if self.weight_decay != "auto":
            return float(self.weight_decay)
        return DECAY if optimizer.decoupled else 0.0

    def _pretraining_rate(self, level: int) -> float:
        if self.pretraining_rate != "auto":
            return float(self.pretraining_rate)
        return BELOW if level or are_binary(self.visible, self.encoder_.spec) else BELOW_GAUSSIAN


def _net(network: Network) -> BeliefNet:
    return cast(BeliefNet, network.body)
