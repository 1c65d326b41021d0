"""What a model of music must know to read the next pieces as it read those of training: how long a step is.

music    music (n, of different lengths, 88), uint8, 0 or 1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganglion.data.chords import KEYS, music_in
from ganglion.data.dataset import Dataset
from ganglion.data.encoding import InputSpec
from ganglion.data.note_values import step_length
from ganglion.data.ragged import Ragged
from ganglion.errors import InvalidInput

BEGINNING = KEYS  # what stands at this place of a row says that a piece begins behind it


@dataclass(frozen=True)
class MusicEncoder:
    """Reads pieces whose steps are as long as those of training.

    Attributes
    ----------
    step : str
        The note that a step is as long as, "1/4"; empty where that is not known.
    longest : int
        Steps of the longest piece of training.
    """

    step: str
    longest: int

    @classmethod
    def fit(cls, data: Dataset) -> MusicEncoder:
        """Learn how long steps and pieces are; raises InvalidInput if no piece has a note."""
        field, music = music_in(data)
        if not music.values.any():
            raise InvalidInput("all pieces are silent: no chord has a note. Give pieces with notes in them.")
        return cls(field.step, music.longest)

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        return InputSpec(sequence=KEYS, longest=self.longest)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Keys have no names."""
        return ()

    def encode(self, data: Dataset) -> dict[str, Ragged]:
        """Return the column "music"; raises InvalidInput if there is none, or its steps are of another length."""
        field, music = music_in(data)
        if self.step and field.step and step_length(field.step) != step_length(self.step):
            raise InvalidInput(
                f"the model was trained on steps of a {self.step} note, but these pieces have steps of {field.step}. "
                f"Read them with step={self.step!r} (--step {self.step})."
            )
        return {"music": music}

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        return {"modality": "music", "step": self.step, "longest": self.longest}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> MusicEncoder:
        """Make an encoder again from what was stored; a flaw raises a ValueError or KeyError."""
        step, longest = stored["step"], stored["longest"]
        if type(longest) is not int or not 0 < longest < 2**31:
            raise ValueError(f"pieces of {longest!r} steps")
        if step != "":
            step_length(step)
        return cls(step, longest)


def framed(music: Ragged, most: int | None = None) -> tuple[Ragged, Tensor]:
    """Return pieces with what each chord comes behind, and long ones cut into parts.

    Parameters
    ----------
    music : Ragged of shape (total, 88), uint8
    most : int, optional
        Chords of a part; without it pieces stay whole.

    Returns
    -------
    parts : Ragged of shape (total + n_parts, 89), uint8
        The first row of a part is what its first chord comes behind: the chord before, or a row that says that the
        piece begins.
    piece : Tensor of shape (n_parts,), int64
        Which piece each part is of.
    """
    lengths = music.lengths
    most = music.longest if most is None else most
    counts = -(-lengths // most)
    piece = torch.repeat_interleave(counts)
    first = (torch.arange(len(piece)) - (counts.cumsum(0) - counts)[piece]) * most
    sizes = (lengths[piece] - first).clamp(max=most) + 1
    offsets = torch.zeros(len(piece) + 1, dtype=torch.int64)
    torch.cumsum(sizes, 0, out=offsets[1:])
    part = torch.repeat_interleave(sizes)
    # the row before the first of a part: of the piece's first part it is replaced below
    places = (music.offsets[:-1][piece] + first - 1)[part] + torch.arange(len(part)) - offsets[:-1][part]
    rows = torch.zeros((len(part), KEYS + 1), dtype=music.values.dtype)
    rows[:, :KEYS] = music.values[places.clamp(min=0)]
    begins = offsets[:-1][first == 0]
    rows[begins] = 0
    rows[begins, BEGINNING] = 1
    return Ragged(rows, offsets), piece
