"""How strongly a network's answer reacts to each feature: sizes of slopes, which do not add up to anything.

    saliency     |∂S / ∂z|                          Simonyan, Vedaldi & Zisserman 2013, arXiv:1312.6034, sec. 3.1
    SmoothGrad   |mean of ∂S / ∂z at z + N(0, σ²)|  Smilkov et al. 2017, arXiv:1706.03825, eq. 1, σ 15 % of z's range

S is the score of a class before the softmax, as in both papers; of numbers the prediction itself. One place of a
sample has one size: of pictures the largest over the channels (as in the first paper), of words and categories, which
are vectors, the Euclidean length. A feature's is the sum over its places.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganglion.explanation.asking import Array
from ganglion.explanation.entered import Entered
from ganglion.explanation.found import Found
from ganglion.explanation.ranking import agreement
from ganglion.explanation.settings import Settings
from ganglion.explanation.split import Split

NOISE = 0.15
DRAWS = 50  # of SmoothGrad, as in the paper


def saliency(split: Split, group: Entered, settings: Settings) -> Found:
    """Return the sizes of the slopes at each sample."""
    pieces = split.pieces(group.z, len(group.z))
    slopes = torch.cat([split.slopes(group.z[some], group.outputs[some], scores=True) for some in pieces], 1)
    effects, heat = sizes(group, slopes)
    return Found(effects, ["sizes of slopes at the sample"] * len(group.z), heat=heat, adds_up=False)


def smoothgrad(split: Split, group: Entered, settings: Settings) -> Found:
    """Return the sizes of the mean slopes around each sample."""
    n, draws = len(group.z), max(2, settings.n_evaluations or DRAWS)
    deviation = NOISE * _range(group)
    halves = group.z.new_zeros(2, group.outputs.shape[1], *group.z.shape)
    for piece in split.pieces(group.z, n * draws):
        pairs = torch.arange(piece.start, piece.stop, device=group.z.device)
        i, half = pairs // draws, pairs % draws % 2
        noise = settings.rng.standard_normal((len(i), *group.z.shape[1:]), dtype=np.float32)
        points = group.z[i] + torch.from_numpy(noise).to(group.z) * (deviation[i] if len(deviation) > 1 else deviation)
        slopes = split.slopes(points, group.outputs[i], scores=True)
        for h in (0, 1):
            halves[h].index_add_(1, i[half == h], slopes[:, half == h])
    effects, heat = sizes(group, halves.sum(0) / draws)
    one, other = (sizes(group, half)[0] for half in halves)
    shown = [(i, slice(len(each.players.names)), each.asked.shown(each.row)[1]) for i, each in enumerate(group.places)]
    stability = [float(agreement(one[where], other[where])) for where in shown]
    how = [f"sizes of the mean of {draws} slopes around the sample"] * n
    return Found(effects, how, stability=stability, heat=heat, adds_up=False)


def _range(group: Entered) -> Tensor:
    """Return how far apart the numbers are that z can be: of each number of a table, else of each sample."""
    if group.modality == "table":
        both = torch.cat([group.base[0], group.z])
        return (both.amax(0) - both.amin(0))[None]
    flat = group.z.flatten(1)
    return (flat.amax(1) - flat.amin(1)).view(-1, *[1] * (group.z.dim() - 1))


def sizes(group: Entered, slopes: Tensor) -> tuple[Array, Tensor]:
    """Return the sizes of slopes, (k, n, *S), of each feature, (n, d, k), and of each place, (k, n, *P)."""
    if group.modality == "table":
        return np.sqrt(group.by_feature(slopes.square())), slopes.abs()
    if group.modality == "image":
        channels = group.channels
        heat = slopes.flatten(2).unflatten(2, channels).abs().amax(2, keepdim=True)
        return group.by_feature(heat, group.part.reshape(-1, *channels)[:, :1]), heat
    if group.modality == "text":
        heat = slopes.norm(dim=-1, keepdim=True)
        return group.by_feature(heat), heat
    return group.by_feature(slopes.abs()), slopes.abs()
