"""What a model of music predicts: the chord that comes next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MOST_KEYS = 2**16


@dataclass(frozen=True)
class NextChordTarget:
    """Which of some keys sound.

    Attributes
    ----------
    n_keys : int
    per_sample : float
        Steps of a piece, or of a part of one, in training, on average.
    """

    n_keys: int
    per_sample: float

    @property
    def n_scores(self) -> int:
        """How many keys are said."""
        return self.n_keys

    def output(self) -> nn.Module:
        """Return the output layer: what the network says is the answer, log p of each chord."""
        return nn.Identity()

    def encode(self, y: np.ndarray, dtype: torch.dtype) -> Tensor:
        """Return nothing for each sample, (n, 0): pieces are their own answers."""
        return torch.empty((len(y), 0), dtype=dtype)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        return {"kind": "next_chord", "n_keys": self.n_keys, "per_sample": self.per_sample}


def next_chord_target(stored: dict[str, Any]) -> NextChordTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
    n_keys, per_sample = stored["n_keys"], float(stored["per_sample"])
    if type(n_keys) is not int or not 0 < n_keys <= MOST_KEYS or not 0 < per_sample < math.inf:
        raise ValueError("n_keys or per_sample")
    return NextChordTarget(n_keys, per_sample)
