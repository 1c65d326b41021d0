"""Grad-CAM: where in a picture the last convolution saw what speaks for a class.

    α_c = mean over places of ∂S / ∂A_c             A the maps of the last convolution, c a channel        (eq. 1)
    L   = max(0, Σ_c α_c A_c)                       drawn up to the size of the picture                    (eq. 2)

Selvaraju et al. 2017, arXiv:1610.02391. A is what the last convolution, or residual block, gives behind its activation
and before it is halved; S the score before the softmax. A row of a table is a picture of height 1, a recording one of
its steps and bands.

Letters: n samples, C channels, (h, w) of the maps, k outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from ganglion.explanation.entered import Entered
from ganglion.explanation.found import Found
from ganglion.explanation.settings import Settings
from ganglion.explanation.split import Split
from ganglion.networks.convolution import ConvolutionStack
from ganglion.networks.spectrograms import SpectrogramStack


def last_convolution(network: nn.Module) -> nn.Module | None:
    """Return the last convolution of a stack with its activation, or the last residual block; None without a stack."""
    stacks = [each for each in network.modules() if isinstance(each, ConvolutionStack | SpectrogramStack)]
    if not stacks:
        return None
    stage = cast(nn.Sequential, stacks[-1].stages[-1])
    return [part for part in stage if any(isinstance(each, nn.Conv2d) for each in part.modules())][-1]


def grad_cam(split: Split, group: Entered, settings: Settings) -> Found:
    """Return how much of Grad-CAM's heat lies in each feature of samples of one length."""
    layer = cast(nn.Module, last_convolution(split.network))
    seen: list[Tensor] = []
    parts = []
    with _watched(layer, seen):
        for some in split.pieces(group.z, len(group.z)):
            seen.clear()
            slopes = split.slopes(group.z[some], group.outputs[some], scores=True, at=seen)
            parts.append(heat_of(seen[-1].detach(), slopes))
    maps = torch.cat(parts, 1)
    height, width = _sides(group)
    padded = _padded(split.network, height)
    heat = nn.functional.interpolate(maps, (padded, width), mode="bilinear", align_corners=False)[:, :, :height]
    heat = heat[:, :, None] if group.channels else heat
    part = group.part.reshape(-1, *group.channels)[:, :1] if group.channels else group.part
    flat = heat if group.modality != "table" else heat.reshape(*heat.shape[:2], *group.z.shape[1:])
    how = ["where the last convolution saw what speaks for the output"] * len(group.z)
    return Found(group.by_feature(flat, part), how, heat=heat, adds_up=False)


def heat_of(maps: Tensor, slopes: Tensor) -> Tensor:
    """Return L from A, (n, C, h, w), and its slopes, (k, n, C, h, w): (k, n, h, w)."""
    return (slopes.mean((3, 4), keepdim=True) * maps).sum(2).relu()


@contextmanager
def _watched(layer: nn.Module, seen: list[Tensor]) -> Iterator[None]:
    def keep(module: nn.Module, given: Any, output: Any) -> None:
        seen.append(output)

    hook = layer.register_forward_hook(keep)
    try:
        yield
    finally:
        hook.remove()


def _sides(group: Entered) -> tuple[int, int]:
    """Return height and width of a sample as a picture: a row has height 1, a spectrogram its steps."""
    if group.channels:
        return group.channels[1], group.channels[2]
    shape = group.z.shape[1:]
    return (1, shape.numel()) if group.modality == "table" else (shape[0], shape[1])


def _padded(network: nn.Module, height: int) -> int:
    """Return how many steps a spectrogram has once it is filled up for its pools."""
    stacks = [each for each in network.modules() if isinstance(each, SpectrogramStack)]
    together = 2 ** len(stacks[-1].stages) if stacks else 1
    return height + -height % together
