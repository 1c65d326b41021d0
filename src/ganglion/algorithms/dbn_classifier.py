"""Classifiers that begin as deep belief nets: sigmoid layers learned without labels from below, then fine-tuned.

    each machine l = 1 … L learns p(h^{l-1}, h^l), as in `dbn.py`; then its W_l and c_l are those of a perceptron
    h_l = σ(W_l h_{l-1} + c_l),  s = W_{L+1} h_L + b_{L+1}: fine-tuning lowers the cross-entropy of softmax(s)

Hinton, Osindero & Teh 2006, Neural Computation 18; fine-tuning by back-propagation: Hinton & Salakhutdinov 2006,
Science 313. Differs: the machines learn by mean-field contrastive divergence (Welling & Hinton 2002), chances in
place of samples, so that a sample weight of 2 equals a second copy; AdamW in place of conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, Literal, cast

from torch import Tensor

from ganglion.estimators.base import Samples, Tags
from ganglion.estimators.boltzmann import (
    VISIBLE,
    Visible,
    are_binary,
    blocks_of,
    check_hidden,
    gap_objective,
    mean_of,
    scaling_of,
)
from ganglion.estimators.classifier import Classifier
from ganglion.estimators.spec import Spec
from ganglion.networks.backpropagation import Backpropagation, is_plain, moved_by
from ganglion.networks.belief import PretrainedNetwork
from ganglion.networks.contrastive import Contrast
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.execution import Execution
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import SGD, Optimizer
from ganglion.training.phases import Phase
from ganglion.training.run import Source
from ganglion.training.schedules import Cosine
from ganglion.training.supervised import WeightedLoss
from ganglion.training.trainer import Monitor

MOMENTUM, BELOW, BELOW_GAUSSIAN = SGD(momentum=0.9, nesterov=False), 0.02, 0.001  # of the machines
DECAY = 0.01


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
    input_dropout: float = option(0.0, "Share of inputs silenced in fine-tuning.", at_least=0, below=1)
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
        entry = spec.visible_layer(scaling_of(self.visible, inputs))
        body = MLP(entry.n_out, spec.n_scores, self.hidden, activation="sigmoid", dropout=self.dropout)
        blocks = blocks_of(entry, self.visible, inputs)
        return PretrainedNetwork(entry, body, spec.output, blocks, input_dropout=self.input_dropout)

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what the fine-tuning lowers: the mean loss of a batch, by all layers."""
        loss = WeightedLoss(self._per_sample_loss())
        plain = is_plain(network) and not self.input_dropout
        by_hand = partial(Backpropagation, network, loss.and_slope) if plain else None
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

        trainer = replace(
            last.trainer,
            epochs=self.pretraining_epochs,
            optimizer=MOMENTUM,
            learning_rate=self._pretraining_rate(level),
            schedule=Cosine(),
            weight_decay=0.0,
            patience=None,
        )
        objective = gap_objective(f"free_energy_{level + 1}", machine, read, contrast)
        return Phase([objective], last.source, trainer)

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        if self.weight_decay != "auto":
            return float(self.weight_decay)
        return DECAY if optimizer.decoupled else 0.0

    def _pretraining_rate(self, level: int) -> float:
        if self.pretraining_rate != "auto":
            return float(self.pretraining_rate)
        return BELOW if level or are_binary(self.visible, self.encoder_.spec) else BELOW_GAUSSIAN
