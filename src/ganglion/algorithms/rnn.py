"""Recurrent networks: a sequence is read step by step, and what was read is carried along.

    x_t   the vector of token t, or the numbers of step t
    h_t   = cell(x_t, h_{t-1})                                elman, lstm or gru: `networks.recurrent`
    s     = W pool(h_1 … h_T) + b                             scores: logits, or numbers

Elman 1990, "Finding structure in time"; Hochreiter & Schmidhuber 1997, "Long short-term memory"; Cho et al. 2014,
arXiv:1406.1078; both directions: Schuster & Paliwal 1997. Differs: forget gates begin open, all weights of one gate are
orthogonal at first, and gradients are clipped at a norm of 1 (Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from ganglion.data.encoding import InputSpec
from ganglion.estimators.base import Tags
from ganglion.estimators.classifier import Classifier
from ganglion.estimators.recurrent import RecurrentOptions
from ganglion.estimators.regressor import Regressor
from ganglion.estimators.sequence_reader import SequenceReader
from ganglion.estimators.sound import SoundOptions
from ganglion.estimators.spec import Spec
from ganglion.networks.mlp import linear
from ganglion.networks.network import Network
from ganglion.networks.recurrent import Recurrent, last_states
from ganglion.networks.sequences import Steps, mean_of, most_of
from ganglion.options import hyperparameters, option


@hyperparameters
class RNNOptions(RecurrentOptions, SoundOptions, SequenceReader):
    """What shapes the network, for classes and numbers alike."""

    width: int | Literal["auto"] = option(
        "auto",
        "Units of each layer and direction; 'auto' is 128 for texts and recordings and 32 for numbers.",
        at_least=1,
    )
    pooling: Literal["auto", "last", "max", "mean"] = option(
        "auto",
        "What is known of a sequence: the last units, the largest or the mean value of each over all steps; 'auto' is "
        "max for texts and recordings and last for numbers.",
    )

    def build(self, spec: Spec) -> Network:
        """Return input layer, recurrent layers, read-out and output layer for data like `spec`."""
        entry = self._hearing(spec) if spec.inputs.audio else spec.sequence_layer(self.embedding)
        dropout, rich = self._silenced(spec), _is_rich(spec.inputs)
        cells = Recurrent(
            entry.n_out,
            self._width(spec.inputs),
            layers=self.layers,
            cell=self.cell,
            bidirectional=self.bidirectional,
            dropout=dropout,
            packing=self.packing,
        )
        pooling = self.pooling if self.pooling != "auto" else "max" if rich else "last"
        return Network(entry, nn.Sequential(cells, ReadOut(cells, spec.n_scores, pooling, dropout)), spec.output)

    def _width(self, inputs: InputSpec) -> int:
        return (128 if _is_rich(inputs) else 32) if self.width == "auto" else int(self.width)

    def widths(self: Any) -> dict[str, Any]:
        """Return the units of each layer and direction, and of texts the numbers of a token's vector."""
        inputs = self.encoder_.spec
        vectors = {"embedding": int(self.embedding)} if inputs.vocabulary else {}
        return {"width": self._width(inputs), **vectors}


def _is_rich(inputs: InputSpec) -> bool:
    """Return whether there is much to know of a step: of texts and recordings."""
    return bool(inputs.vocabulary or inputs.audio)


class ReadOut(nn.Module):
    """Scores from what is known of a whole sequence: `Steps` (n, T, D) → (n, n_out)."""

    def __init__(self, cells: Recurrent, n_out: int, pooling: str, dropout: float) -> None:
        super().__init__()
        self.pooling, self.bidirectional = pooling, cells.bidirectional
        self.dropout, self.layer = nn.Dropout(dropout), linear(cells.n_out, n_out, "identity")

    def forward(self, steps: Steps) -> Tensor:
        """Return the scores."""
        if self.pooling == "last":
            known = last_states(steps, bidirectional=self.bidirectional)
        else:
            known = most_of(steps) if self.pooling == "max" else mean_of(steps)
        return self.layer(self.dropout(known))


@hyperparameters
class RNNClassifier(RNNOptions, Classifier):
    """Recurrent network for classes of texts and sequences: two, several, or several labels at once.

    Reads texts, recordings, sequences of numbers as long as each may be, and rows of a table as signals.

    Examples
    --------
    >>> texts = ["good, very good", "very bad", "good film", "bad, so bad", "a good one", "a bad one"] * 20
    >>> model = RNNClassifier(width=16, epochs=10, random_state=0).fit(texts, ["up", "down"] * 60)
    >>> model.predict(["so good", "bad film"]).tolist()
    ['up', 'down']

    References
    ----------
    Elman 1990; Hochreiter & Schmidhuber 1997; Cho et al. 2014, arXiv:1406.1078; Schuster & Paliwal 1997.
    """

    tags: ClassVar[Tags] = Tags(
        task="classification",
        modalities=("table", "text", "sequence", "audio"),
        multilabel=True,
        preferred_for=("sequence",),
    )


@hyperparameters
class RNNRegressor(RNNOptions, Regressor):
    """Recurrent network for numbers from texts and sequences: one target or several (y a matrix).

    Reads texts, recordings, sequences of numbers as long as each may be, and rows of a table as signals. The target is
    standardised inside; predictions are in its own units.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> walks = [rng.normal(size=(length, 1)) for length in rng.integers(5, 15, 200)]
    >>> ends = np.array([walk.sum() for walk in walks])
    >>> model = RNNRegressor(width=16, epochs=20, learning_rate=0.02, random_state=0).fit(walks, ends)
    >>> bool(model.score(walks, ends) > 0.9)
    True

    References
    ----------
    Elman 1990; Hochreiter & Schmidhuber 1997; Cho et al. 2014, arXiv:1406.1078; Schuster & Paliwal 1997.
    """

    tags: ClassVar[Tags] = Tags(
        task="regression",
        modalities=("table", "text", "sequence", "audio"),
        multioutput=True,
        preferred_for=("text", "sequence"),
    )
