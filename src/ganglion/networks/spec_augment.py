"""SpecAugment: spectrograms are changed at random while a network learns, so that it does not lean on any one part.

    masks         some bands, and some steps, are silenced: 0, the mean                            Park et al. 2019, 4.2
    tempo         spoken faster or slower, at the same pitch: steps are drawn apart or together    Ko et al. 2015
    vocal tract   as of a longer or shorter throat: frequencies times α                            Jaitly & Hinton 2013
    pace          now faster, now slower within a recording; edges: begun and ended sooner or later

Park et al. 2019, "SpecAugment: a simple data augmentation method for automatic speech recognition", arXiv:1904.08779.
Differs: the whole recording is stretched, in place of a warp around one point, which the paper found to matter least;
masks are shares of a recording's own length. Speakers never heard are met by the last two. Random numbers are torch's.

Letters: n recordings, T steps, B bands, m masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganglion.networks.sequences import Steps
from ganglion.networks.stretching import read_at
from ganglion.options import call_by_name, call_text, in_range

KNOTS = 4  # at which the pace changes


@dataclass(frozen=True, slots=True)
class SpecAugment:
    """`spec_augment(masks=2, steps=0.1, bands=0.15, tempo=0.15, vocal_tract=0.12, pace=0, edges=0, floor=0)`.

    Attributes
    ----------
    masks : int
        Masks of each kind.
    steps, bands : float
        Largest share of the steps, and of the bands, that a mask silences.
    tempo : float
        How much faster or slower at most: 0.15 is from 0.85 to 1.15 times as long.
    vocal_tract : float
        How far at most frequencies are moved, up or down: 0.12 is by 12 %.
    pace : float
        How much faster or slower than on average at most a part of a recording is spoken.
    edges : float
        How much is cut off or added at each end, at most, as a share of a recording.
    floor : float
        Decibels by which the floor of the spectrogram is raised or lowered at most.
    """

    masks: int = 2
    steps: float = 0.1
    bands: float = 0.15
    tempo: float = 0.15
    vocal_tract: float = 0.12
    pace: float = 0.0
    edges: float = 0.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        in_range("spec_augment", "masks", self.masks, at_least=0, at_most=20)
        for name in ("steps", "bands"):
            in_range("spec_augment", name, getattr(self, name), at_least=0, at_most=1)
        for name in ("tempo", "vocal_tract"):
            in_range("spec_augment", name, getattr(self, name), at_least=0, at_most=0.5)
        in_range("spec_augment", "floor", self.floor, at_least=0, at_most=50)
        for name in ("pace", "edges"):
            in_range("spec_augment", name, getattr(self, name), at_least=0, at_most=0.9)

    def __str__(self) -> str:
        return call_text("spec_augment", self)

    def __call__(self, given: Steps, heights: Tensor) -> Steps:
        """Return spectrograms changed at random.

        Parameters
        ----------
        given : Steps of shape (n, T, B)
        heights : Tensor of shape (B,)
            Of the centre of each band, in mel.
        """
        if self.tempo:
            given = stretched(given, 1 + self.tempo * _evenly(given.x))
        if self.pace or self.edges:
            given = redrawn(given, pace=self.pace, edges=self.edges)
        if self.vocal_tract:
            warp = warping(1 + self.vocal_tract * _evenly(given.x), heights)
            given = Steps(given.x @ warp.to(given.x.dtype), given.lengths)
        for _ in range(self.masks):
            given = self._masked(given)
        return given

    def _masked(self, given: Steps) -> Steps:
        n, n_steps, n_bands = given.x.shape
        in_time = _span(given.lengths.to(torch.float32), self.steps, n_steps)
        in_bands = _span(torch.full((n,), float(n_bands), device=given.x.device), self.bands, n_bands)
        hidden = in_time[:, :, None] | in_bands[:, None, :]
        return Steps(given.x.masked_fill(hidden, 0.0), given.lengths)


def spec_augment_by_name(given: Any) -> SpecAugment | None:
    """Return the settings that a text such as `spec_augment(masks=1)` names, or None for None and "none"."""
    if given is None or given == "none":
        return None
    return call_by_name("spec_augment", given, {"spec_augment": SpecAugment, "auto": SpecAugment})


def stretched(given: Steps, factor: Tensor) -> Steps:
    """Return spectrograms `factor`, (n,), times as long, between steps interpolated: (n, T, B) → (n, T', B)."""
    lengths = (given.lengths * factor).round().long().clamp(min=1)
    places = torch.arange(int(lengths.max()), device=given.x.device, dtype=torch.float32)
    scale = (given.lengths - 1) / (lengths - 1).clamp(min=1)
    source = torch.minimum(places * scale[:, None], (given.lengths - 1)[:, None].float())
    there = (places < lengths[:, None])[:, :, None]
    return Steps(read_at(given.x, source) * there, lengths)


def redrawn(given: Steps, *, pace: float, edges: float) -> Steps:
    """Return spectrograms of the same lengths, their parts drawn apart or together, their ends cut or drawn out.

    The pace follows a line through `KNOTS` random ones, evenly apart; what lies beyond the ends repeats them.
    """
    last = (given.lengths - 1).float()
    begin, end = edges * _evenly(given.x) * last, last + edges * _evenly(given.x) * last
    knots = 1 + pace * (2 * torch.rand(len(last), KNOTS, 1, device=given.x.device) - 1)
    places = torch.arange(given.x.shape[1], device=given.x.device) / last.clamp(min=1)[:, None]  # from 0 to 1
    gone = read_at(knots, (KNOTS - 1) * places)[:, :, 0].cumsum(1)
    whole = gone.gather(1, (given.lengths - 1)[:, None])
    share = (gone - gone[:, :1]) / (whole - gone[:, :1]).clamp(min=1e-6)
    source = begin[:, None] + share * (end - begin)[:, None]
    there = (places <= 1)[:, :, None]
    return Steps(read_at(given.x, torch.minimum(source.clamp(min=0), last[:, None])) * there, given.lengths)


def warping(factor: Tensor, heights: Tensor) -> Tensor:
    """Return what moves the bands of a spectrogram as if all frequencies had been `factor` times as high.

    Parameters
    ----------
    factor : Tensor of shape (n,)
    heights : Tensor of shape (B,)
        Of the bands, in mel, evenly apart from the first at one distance above 0.

    Returns
    -------
    Tensor of shape (n, B, B)
        To be multiplied from the right, (n, T, B) @ (n, B, B): band b is read where b's frequency / factor lies.
    """
    heights = heights.to(factor.device)
    frequency = 10.0 ** (heights / 2595.0) - 1.0
    source = 2595.0 * torch.log10(1.0 + frequency / factor[:, None])
    place = (source / heights[0] - 1.0).clamp(0, len(heights) - 1)
    bands = torch.arange(len(heights), device=factor.device)
    return (1.0 - (place[:, None, :] - bands[:, None]).abs()).clamp(min=0.0)


def _evenly(like: Tensor) -> Tensor:
    """Return a number from -1 to 1 for each sample, (n,) float32."""
    return 2 * torch.rand(len(like), device=like.device) - 1


def _span(lengths: Tensor, share: float, n: int) -> Tensor:
    """Return a random span of up to `share` of each of some lengths, (k, n) bool."""
    width = torch.rand_like(lengths) * share * lengths
    begin = torch.rand_like(lengths) * (lengths - width)
    places = torch.arange(n, device=lengths.device)
    return (places >= begin[:, None]) & (places < (begin + width)[:, None])
