"""Steps drawn apart or together: a sequence read at other places than its own, between two steps interpolated.

Letters: n sequences, T steps, T' steps of the result, D numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor


def read_at(x: Tensor, places: Tensor) -> Tensor:
    """Return sequences as they are at some places, between steps interpolated.

    Parameters
    ----------
    x : Tensor of shape (n, T, D)
    places : Tensor of shape (n, T')
        In steps, from 0 to T - 1; what lies beyond is read at the nearest end.

    Returns
    -------
    Tensor of shape (n, T', D)
    """
    places = places.clamp(0, x.shape[1] - 1)
    first = places.floor().long()
    second = (first + 1).clamp(max=x.shape[1] - 1)
    share = (places - first).to(x.dtype)[:, :, None]
    low, high = (x.gather(1, each[:, :, None].expand(-1, -1, x.shape[2])) for each in (first, second))
    return low + (high - low) * share


def evenly_between(begin: Tensor, end: Tensor, n: int) -> Tensor:
    """Return n places evenly apart from each begin to each end, both (n_sequences,) → (n_sequences, n)."""
    share = torch.arange(n, device=begin.device) / (n - 1)  # as exact wherever it is computed, which linspace is not
    return begin.float()[:, None] + (end - begin).float()[:, None] * share


def spoken(loudness: Tensor, lengths: Tensor, below: float) -> tuple[Tensor, Tensor]:
    """Return the first and the last step of each recording that is nearly as loud as its loudest.

    Parameters
    ----------
    loudness : Tensor of shape (n, T)
        Of each step, in dB.
    lengths : Tensor of shape (n,), int64
        Steps beyond these are not looked at.
    below : float
        How many dB less than the loudest are still as loud.

    Returns
    -------
    tuple of two Tensors of shape (n,), int64
    """
    steps = torch.arange(loudness.shape[1], device=loudness.device)
    loudness = loudness.masked_fill(steps >= lengths[:, None], -torch.inf)
    loud = loudness >= loudness.amax(1, keepdim=True) - below
    return loud.int().argmax(1), loudness.shape[1] - 1 - loud.flip(1).int().argmax(1)
