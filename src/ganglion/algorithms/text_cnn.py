"""Convolutional network for texts: windows of some words, and of each the place where it fits best.

    x_i  the vector of token i, drawn at random and learned ("CNN-rand")
    c_i  = a(w · x_{i:i+k-1} + b)           a window over k tokens, k one of several widths                     (eq. 2)
    ĉ    = max_i c_i                        the best place in the text, for each of the maps                    (eq. 3)
    s    = W (ĉ ∘ r) + b                    scores; r silences a share of the maps in training                  (eq. 5)

Kim 2014, "Convolutional neural networks for sentence classification", arXiv:1408.5882. Differs: AdamW with decoupled
weight decay in place of Adadelta with a bound on the norm of W. Sequences of numbers are read the same way.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from torch import nn

from ganglion.estimators.base import Tags
from ganglion.estimators.classifier import Classifier
from ganglion.estimators.sequence_reader import SequenceReader
from ganglion.estimators.spec import Spec
from ganglion.networks.activations import check_activation
from ganglion.networks.mlp import linear
from ganglion.networks.network import Network
from ganglion.networks.windows import Windows
from ganglion.options import hyperparameters, option
from ganglion.training.optimizers import Optimizer

LEAST, STEPS = 5, 300  # epochs, and steps, of a training on texts
SCALE = 0.1  # of the vectors at first: a rare word is learned from a few steps, which larger ones would outweigh


@hyperparameters
class TextCNN(SequenceReader, Classifier):
    """Convolutional network for classes of texts: two, several, or several labels at once. Quick, and hard to beat.

    Reads texts, and sequences of numbers as long as each may be.

    Examples
    --------
    >>> texts = ["good, very good", "very bad", "good film", "bad, so bad", "a good one", "a bad one"] * 20
    >>> model = TextCNN(maps=10, batch_size=16, epochs=10, random_state=0).fit(texts, ["up", "down"] * 60)
    >>> model.predict(["so good", "so bad"]).tolist()
    ['up', 'down']

    References
    ----------
    Kim 2014, arXiv:1408.5882.
    """

    windows: tuple[int, ...] = option(
        (3, 4, 5), "Tokens, or steps, in a window; several widths side by side.", at_least=1
    )
    maps: int = option(100, "Windows of each width that are learned.", at_least=1)
    embedding: int = option(128, "Numbers of the vector that a token becomes.", at_least=1)
    activation: str = option("relu", "Nonlinearity of the maps, as of the MLP.", check=check_activation)

    tags: ClassVar[Tags] = Tags(
        task="classification", modalities=("text", "sequence"), multilabel=True, preferred_for=("text",)
    )

    def _rate(self, optimizer: Optimizer) -> float:
        if self.learning_rate == "auto":
            return optimizer.default_rate  # nothing is carried from step to step: larger ones than of the others
        return super()._rate(optimizer)

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        if self.epochs == "auto" and self.encoder_.spec.vocabulary:
            return min(100, max(LEAST, math.ceil(STEPS / math.ceil(n_samples / batch_size))))
        return super()._epochs(n_samples, batch_size)

    def build(self, spec: Spec) -> Network:
        """Return input layer, windows, read-out and output layer for data like `spec`."""
        entry = spec.sequence_layer(self.embedding, scale=SCALE)
        found = Windows(entry.n_out, self.maps, self.windows, activation=self.activation)
        read_out = nn.Sequential(nn.Dropout(self._silenced(spec)), linear(found.n_out, spec.n_scores, "identity"))
        return Network(entry, nn.Sequential(found, read_out), spec.output)

    def widths(self) -> dict[str, Any]:
        """Return the windows of each width that are learned, and of texts the numbers of a token's vector."""
        vectors = {"embedding": int(self.embedding)} if self.encoder_.spec.vocabulary else {}
        return {"maps": int(self.maps), **vectors}
