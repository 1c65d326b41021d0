"""Pieces moved up or down by some semitones while training, so that a model learns intervals and not only one key.

A whole batch is moved at once; random numbers come from torch's own generator, so that a seed gives the same again.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganglion.data.chords import KEYS


def transposed(rows: Tensor, most: int) -> Tensor:
    """Return pieces moved by -most to most semitones, each by its own, as far as no note leaves the piano.

    Parameters
    ----------
    rows : Tensor of shape (n, T, 88 or more)
        Piano rolls; what stands behind the keys stays where it is.
    most : int
    """
    heard = rows[:, :, :KEYS].any(1)
    below = heard.int().argmax(1)  # keys to go down; a silent piece moves nothing wherever it goes
    above = heard.flip(1).int().argmax(1)
    low, high = -below.clamp(max=most), above.clamp(max=most)
    by = low + (torch.rand(len(rows), device=rows.device) * (high - low + 1)).long()
    source = torch.arange(KEYS, device=rows.device) - by[:, None]
    keys = rows[:, :, :KEYS].gather(2, source.remainder(KEYS)[:, None].expand(-1, rows.shape[1], -1))
    return torch.cat([keys, rows[:, :, KEYS:]], 2)
