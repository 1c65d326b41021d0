"""Attention rollout: how much of each place reaches the read-out of a transformer, through all of its blocks.

    A'_l = (A_l + I) / 2          A_l the mean over the heads of block l, I the way around it              (sec. 3)
    R    = A'_L … A'_1            the row of the token that is read, or the mean row of all places

Abnar & Zuidema 2020, arXiv:2005.00928, eq. 1. It tells where attention went and nothing of what was made of it: it is
the same for every class, is never negative, and adds up to 1 (less what went to a token in front), not to what is said.

Letters: L blocks, h heads, T places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from ganglion.explanation.asking import Array
from ganglion.explanation.entered import Entered
from ganglion.explanation.found import Found
from ganglion.networks.attention import Patches


def rollout(attention: Array) -> Array:
    """Return R from the attention of all blocks, (L, h, T, T) → (T, T); each row sums to 1."""
    through = np.eye(attention.shape[-1])
    for looked in attention.mean(axis=1, dtype=np.float64):
        through = (looked + np.eye(len(looked))) / 2 @ through
    return through


def attention_rollout(model: Any, X: Any, groups: list[Entered]) -> list[Found]:
    """Return how much of each feature reaches the read-out, for samples of each length."""
    looked = model.attention(X)
    found = []
    for group in groups:
        shares = np.stack([_read(model, rollout(looked[i])) for i in group.numbers.tolist()])
        heat = torch.from_numpy(_laid_out(model.network_, group, shares)).to(group.z.device)
        k = group.outputs.shape[1]
        every = heat.expand(k, *heat.shape)
        part = group.part.reshape(-1, *group.channels)[:, :1] if group.channels else group.part
        how = ["how much of each place attention leads to the read-out, whatever the output"] * len(shares)
        found.append(Found(group.by_feature(every, part), how, heat=every, adds_up=False))
    return found


def _read(model: Any, through: Array) -> Array:
    """Return the shares of the places in what is read, (T,), without the token in front of them."""
    reads_token = "token" in (getattr(model, "pool", None), getattr(model, "pooling", None))
    front = int(reads_token or any(isinstance(each, Patches) for each in model.network_.modules()))
    return (through[0] if reads_token else through[front:].mean(axis=0))[front:]


def _laid_out(network: nn.Module, group: Entered, shares: Array) -> Array:
    """Return the share of each place of z, or of each pixel, (n, *P), from those of patches or steps, (n, T)."""
    patches = [each for each in network.modules() if isinstance(each, Patches)]
    if patches:
        return np.stack([_pixels(patches[0], each, group.channels) for each in shares])
    steps = shares.reshape(*shares.shape, *[1] * (group.z.dim() - 2))
    if group.modality != "sequence":
        return steps
    return np.broadcast_to(steps, group.z.shape) / group.z.shape[2]  # the numbers of a step are looked at together


def _pixels(patches: Patches, shares: Array, channels: tuple[int, ...]) -> Array:
    """Return each patch's share, divided among its pixels, (1, H, W)."""
    height, width = channels[1:]
    rows, columns = (np.arange(side) // patches.patch for side in (height, width))
    per_patch = np.outer(np.bincount(rows), np.bincount(columns))
    return (shares.reshape(patches.grid) / per_patch)[rows[:, None], columns][None]
