"""Recurrent networks as taggers: a label for every word of a text, or every step of a sequence.

    x_t   = Σ_k V[id_tk]                                      what is known of word t, its ends and its shape, or
            the numbers of step t                             `networks.words`, `networks.sequences`
    h_t   = [cell(x_t, h_{t-1}), cell(x_t, h_{t+1})]          both ways: elman, lstm or gru, `networks.recurrent`
    p(y_t | x) = softmax(W h_t + b)
    loss  = - Σ_t log p(y_t | x) / (mean length of a text)

Graves & Schmidhuber 2005, "Framewise phoneme classification with bidirectional LSTM"; for parts of speech Plank,
Søgaard & Goldberg 2016, arXiv:1604.05529, whose words are read letter by letter. Differs: in place of letters, endings,
beginnings and shapes of words have vectors (Ratnaparkhi 1996), which are found once for each distinct word; gradients
are clipped at a norm of 1.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from ganglion.estimators.base import Tags
from ganglion.estimators.recurrent import RecurrentOptions
from ganglion.estimators.spec import Spec
from ganglion.estimators.tagger import Tagger
from ganglion.networks.mlp import linear
from ganglion.networks.network import Network
from ganglion.networks.recurrent import Recurrent
from ganglion.networks.sequences import Steps
from ganglion.options import hyperparameters, option

WORDS_DROPOUT = 0.25  # chosen on held-out documents of the Brown corpus


@hyperparameters
class RNNTagger(RecurrentOptions, Tagger):
    """Recurrent network for labels of words: parts of speech, names, borders; or of the steps of numeric sequences.

    Reads lists of words, texts (cut at blanks), and sequences of numbers as long as each may be.

    Examples
    --------
    >>> sentences = [["the", "cat", "sleeps"], ["a", "dog", "barks"], ["the", "dog", "sleeps"]] * 10
    >>> labels = [["article", "noun", "verb"]] * 30
    >>> model = RNNTagger(width=8, epochs=20, random_state=0).fit(sentences, labels)
    >>> model.predict([["a", "cat", "barks"]]).tolist()
    [['article', 'noun', 'verb']]

    References
    ----------
    Graves & Schmidhuber 2005; Plank, Søgaard & Goldberg 2016, arXiv:1604.05529; Ratnaparkhi 1996.
    """

    width: int | Literal["auto"] = option(
        "auto", "Units of each layer and direction; 'auto' is 128 for words and 32 for numbers.", at_least=1
    )
    dropout: float | Literal["auto"] = option(
        "auto",
        "Share of the units silenced in training, before, between and behind the layers; 'auto' is 0.25 for words and "
        "0 for numbers.",
        at_least=0,
        below=1,
    )
    tags: ClassVar[Tags] = Tags(task="tagging", modalities=("text", "sequence"), preferred_for=("text", "sequence"))

    def build(self, spec: Spec) -> Network:
        """Return input layer, recurrent layers, read-out of each step and output layer for data like `spec`."""
        words = bool(spec.inputs.features)
        dropout = (WORDS_DROPOUT if words else 0.0) if self.dropout == "auto" else float(self.dropout)
        entry = spec.sequence_layer(self.embedding)
        cells = Recurrent(
            entry.n_out,
            (128 if words else 32) if self.width == "auto" else int(self.width),
            layers=self.layers,
            cell=self.cell,
            bidirectional=self.bidirectional,
            dropout=dropout,
            packing=self.packing,
        )
        return Network(entry, StepScores(cells, spec.n_scores, dropout), spec.output)


class StepScores(nn.Module):
    """Scores of every step from recurrent cells: `Steps` (n, T, D) → (n, T, n_out)."""

    def __init__(self, cells: Recurrent, n_out: int, dropout: float) -> None:
        super().__init__()
        self.cells, self.dropout = cells, nn.Dropout(dropout)
        self.layer = linear(cells.n_out, n_out, "identity")

    def forward(self, steps: Steps) -> Tensor:
        """Return the scores; of filling, something that no step depends on."""
        read = self.cells(Steps(self.dropout(steps.x), steps.lengths))
        return self.layer(self.dropout(read.x))
