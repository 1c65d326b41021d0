"""From recordings to the samples that a network takes: always at the rate of training.

audio    audio (n, of different lengths), int16 or float32 from -1 to 1
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ganglion.data.dataset import Dataset
from ganglion.data.encoding import InputSpec
from ganglion.data.ragged import Ragged
from ganglion.data.recording_files import HIGHEST, LOWEST
from ganglion.data.recordings import to_rate
from ganglion.errors import DataWarning, InvalidInput


@dataclass(frozen=True)
class AudioEncoder:
    """Reads recordings, brought to the rate of those of training.

    Attributes
    ----------
    rate : int
        Samples a second.
    longest : int
        Samples of the longest recording of training.
    """

    rate: int
    longest: int

    @classmethod
    def fit(cls, data: Dataset) -> AudioEncoder:
        """Learn the rate and the greatest length; a DataWarning tells of other columns, which are left out."""
        field = next(field for field in data.features if field.kind == "audio")
        others = [each.name for each in data.features if each is not field]
        if others:
            warnings.warn(
                f"the columns {', '.join(map(repr, others[:10]))} are left out: this network hears {field.name!r} "
                "alone.",
                DataWarning,
                stacklevel=2,
            )
        return cls(field.rate, cast(Ragged, data.columns[field.name]).longest)

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        return InputSpec(audio=self.rate, longest=self.longest)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Samples have no names."""
        return ()

    def encode(self, data: Dataset) -> dict[str, Ragged]:
        """Return the column "audio"; raises InvalidInput where there are no recordings."""
        given = [field for field in data.features if field.kind == "audio"]
        if not given:
            raise InvalidInput(
                f"the model was trained on recordings, but was given the columns {', '.join(data.names[:10])}. Give "
                "paths of recordings, pairs (rate, samples), or what read(path) makes of a folder of them."
            )
        return {"audio": to_rate(cast(Ragged, data.columns[given[0].name]), given[0].rate, self.rate)}

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        return {"modality": "audio", "rate": self.rate, "longest": self.longest}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> AudioEncoder:
        """Make an encoder again from what was stored; a flaw raises a ValueError or KeyError."""
        rate, longest = stored["rate"], stored["longest"]
        if type(rate) is not int or not LOWEST <= rate <= HIGHEST or type(longest) is not int or longest < 1:
            raise ValueError(f"recordings of {rate!r} samples a second, {longest!r} samples")
        return cls(rate, longest)
