"""Models of polyphonic music: which keys of a piano sound next, given all chords before.

    v_t ∈ {0, 1}^88 is the chord of step t,   p(v_1 … v_T) = Π_t p(v_t | v_1 … v_{t-1}),   h_t = cell(v_t, h_{t-1})
    loss = - mean_t log p(v_t | h_{t-1}), in nats: over all keys, and over all steps of all pieces, the first included

    independent    each key by itself, p(v_t | h) = Π_i p(v_ti | h): the RNN that the papers compare with
    nade           each key given those below it that sound, with biases that follow h_{t-1}: RNN-NADE

Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392, whose task and RNN-NADE (section 4) these are; gru and
lstm in place of its tanh units: Chung et al. 2014, arXiv:1412.3555. The laws of a chord: `networks.chords`. Differs:
AdamW in place of gradient descent, dropout around the cells; a first row says that a piece begins, in place of a
learned state; pieces may be moved to other keys in training (`transpose`), where the papers move all to one beforehand.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from ganglion.data.chords import KEYS
from ganglion.estimators.base import Tags
from ganglion.estimators.music import Music
from ganglion.estimators.spec import Spec
from ganglion.networks.chords import IndependentChord, NadeChord, NextChord
from ganglion.networks.next_token import RecurrentReader
from ganglion.options import hyperparameters, option
from ganglion.training.optimizers import Optimizer

RATE = 2e-3


@hyperparameters
class MusicModel(Music):
    """Recurrent network that writes music, chord by chord.

    Learns from pieces alone: a list of pieces, each a list of chords of MIDI pitches, or piano rolls. It tells how
    likely pieces are (`score_samples`, `surprisals`), which chord it expects (`predict`), and writes new ones
    (`sample`, `stream`); `write_music` makes MIDI or sound of them.

    Examples
    --------
    >>> scale = [[60], [62], [64], [65], [67], [69], [71], [72]]
    >>> model = MusicModel(width=32, epochs=60, learning_rate=0.01, random_state=0)
    >>> model = model.fit([scale * 4] * 8)
    >>> list(model.stream(start=scale, length=3, temperature=0))[-3:]
    [(60,), (62,), (64,)]

    References
    ----------
    Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392; Chung et al. 2014, arXiv:1412.3555.
    """

    chord: Literal["nade", "independent"] = option(
        "nade", "How the keys of one chord hang together: each given those below it that sound, or each by itself."
    )
    cell: Literal["elman", "gru", "lstm"] = option("gru", "What a unit is; gru and lstm have gates and remember.")
    width: int = option(256, "Units of each layer.", at_least=1)
    layers: int = option(1, "Layers of cells, each reading what the one below made.", at_least=1)
    chord_units: int = option(128, "Hidden units of the chord's own network, for chord='nade'.", at_least=1)
    dropout: float = option(
        0.3, "Share of the numbers silenced in training, before and behind each layer.", at_least=0, below=1
    )

    tags: ClassVar[Tags] = Tags(task="music_modelling", modalities=("music",), preferred_for=("music",))

    def build(self, spec: Spec) -> NextChord:
        """Return input layer, cells and the law of a chord for pieces like `spec`."""
        cells = RecurrentReader(KEYS + 1, self.width, layers=self.layers, cell=self.cell, dropout=self.dropout)
        law = (
            IndependentChord(self.width, KEYS)
            if self.chord == "independent"
            else NadeChord(self.width, KEYS, self.chord_units)
        )
        return NextChord(KEYS, cells, law, spec.output)

    def _rate(self, optimizer: Optimizer) -> float:
        return RATE if self.learning_rate == "auto" else float(self.learning_rate)
