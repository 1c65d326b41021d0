"""Denoisers: where a noisy sample comes from, given how much noise there is.

    v_θ(x_t, t, y)     the velocity, see `noising`; t: how far the noise has gone, y: a label, or K for "any"

    dense    h ← h + W_2 silu(W_1 norm(h) + e)             a block; e: an embedding of t and y
    unet     the same with convolutions, half the size and twice the channels on the way down, and back with skips

Ho, Jain & Abbeel 2020, arXiv:2006.11239, appendix B: a U-Net whose blocks are told t by the sinusoids of Vaswani et
al. 2017. Differs: small, no attention; pictures of 16 pixels and more are first laid out as half as many places of four
times the channels, which costs a quarter. Letters: n samples, d numbers of a sample, C channels, W units, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganglion.networks.convolution import channels_last
from ganglion.networks.mlp import linear
from ganglion.networks.moving_average import MovingAverage
from ganglion.networks.noising import behind, noised, signal_left, velocity
from ganglion.networks.waves import WAVES_A_UNIT, Waves

TIMES = 64  # sines and cosines of a time
STEPS = 1000.0  # times go from 0 to 1, and the sinusoids are made for about a thousand places
FOLDED_FROM = 16  # pixels of the smaller side


class Condition(nn.Module):
    """Times and labels to a vector, (n,) in [0, 1], (n,) → (n, W)."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.first, self.second = linear(TIMES, width, "identity"), linear(width, width, "silu")
        self.label = nn.Embedding(n_classes + 1, width) if n_classes else None

    def forward(self, t: Tensor, y: Tensor | None) -> Tensor:
        """Return silu(time + label); y is K, or None, where any label is meant."""
        told = self.second(F.silu(self.first(times(t).to(self.first.weight.dtype))))
        if self.label is not None:
            told = told + self.label(torch.full_like(t, self.n_classes, dtype=torch.int64) if y is None else y)
        return F.silu(told)


def times(t: Tensor) -> Tensor:
    """Return sines and cosines of times in [0, 1], (n,) → (n, TIMES)."""
    rates = 10000.0 ** (-torch.arange(TIMES // 2, device=t.device) / (TIMES // 2))
    angles = STEPS * t[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


class DenseDenoiser(nn.Module):
    """Rows of noisy numbers to their velocities, (n, d), (n,), (n,) → (n, d).

    Parameters
    ----------
    n_in : int
        d.
    width, depth : int
        Units of each block, and how many blocks there are.
    n_classes : int
        K; 0 for no labels.
    waves : int
        How many waves of the numbers it sees beside them, see `waves`.
    """

    def __init__(self, n_in: int, width: int, depth: int, *, n_classes: int = 0, waves: int = 0) -> None:
        super().__init__()
        self.condition = Condition(width, n_classes)
        seen = Waves(n_in, waves, scale=WAVES_A_UNIT) if waves else None
        self.first = nn.Sequential(*[seen] if seen else [], linear(seen.n_out if seen else n_in, width, "identity"))
        self.blocks = nn.ModuleList(_DenseBlock(width) for _ in range(depth))
        self.last = nn.Sequential(nn.LayerNorm(width), nn.SiLU(), _zero(linear(width, n_in, "identity")))

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the velocities."""
        h, told = self.first(x), self.condition(t, y)
        for block in self.blocks:
            h = block(h, told)
        return self.last(h)


class _DenseBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.inner, self.told = (
            nn.LayerNorm(width),
            linear(width, width, "silu"),
            linear(width, width, "identity"),
        )
        self.outer = _zero(linear(width, width, "silu"))

    def forward(self, h: Tensor, told: Tensor) -> Tensor:
        return h + self.outer(F.silu(self.inner(self.norm(h)) + self.told(told)))


class ConvDenoiser(nn.Module):
    """Noisy pictures laid out as rows to their velocities, (n, C H W), (n,), (n,) → (n, C H W).

    Parameters
    ----------
    shape : (C, H, W)
        Of one picture.
    channels : int
        Of the first level; each level below has twice as many.
    depth : int
        How often the picture is halved, beside the first folding of larger ones.
    n_classes : int
        K; 0 for no labels.
    """

    def __init__(self, shape: Sequence[int], channels: int, *, depth: int = 1, n_classes: int = 0) -> None:
        super().__init__()
        self.shape, self.fold = tuple(shape), 2 if min(shape[1:]) >= FOLDED_FROM else 1
        self.multiple = self.fold * 2**depth
        widths = [channels * 2**level for level in range(depth + 1)]
        n_in, told = shape[0] * self.fold**2, 4 * channels
        self.condition = Condition(told, n_classes)
        self.first = nn.Conv2d(n_in, channels, 3, padding=1)
        self.down = nn.ModuleList(_ConvBlock(width, width, told) for width in widths[:-1])
        self.narrow = nn.ModuleList(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1) for width in widths[:-1])
        self.middle = nn.ModuleList(_ConvBlock(widths[-1], widths[-1], told) for _ in range(2))
        self.widen = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in widths[-2::-1])
        self.up = nn.ModuleList(_ConvBlock(2 * width, width, told) for width in widths[-2::-1])
        self.last = nn.Sequential(ChannelNorm(channels), nn.SiLU(), _zero(nn.Conv2d(channels, n_in, 3, padding=1)))
        channels_last(self)

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the velocities."""
        told, (height, width) = self.condition(t, y), self.shape[1:]
        h, kept = self.first(self._folded(x)), []
        for block, narrow in zip(self.down, self.narrow, strict=True):
            kept.append(block(h, told))
            h = narrow(kept[-1])
        for block in self.middle:
            h = block(h, told)
        for widen, block in zip(self.widen, self.up, strict=True):
            h = block(torch.cat([kept.pop(), widen(h)], 1), told)
        said = F.pixel_shuffle(self.last(h), self.fold)[..., :height, :width]
        return said.reshape(len(x), -1)

    def _folded(self, x: Tensor) -> Tensor:
        pictures = x.reshape(len(x), *self.shape)
        below, right = (-side % self.multiple for side in self.shape[1:])
        if below or right:
            pictures = F.pad(pictures, (0, right, 0, below))
        return F.pixel_unshuffle(pictures, self.fold).contiguous(memory_format=torch.channels_last)


class Denoising(nn.Module):
    """A denoiser, its average, which makes the samples, and the schedule that both know.

    Parameters
    ----------
    denoiser : Module
    schedule : {"linear", "cosine"}
    decay : float in [0, 1)
        Of the average.
    bounds : Tensor of shape (2, d)
        Between what numbers data lie.
    """

    bounds: Tensor

    def __init__(self, denoiser: DenseDenoiser | ConvDenoiser, schedule: str, *, decay: float, bounds: Tensor) -> None:
        super().__init__()
        self.denoiser, self.average = denoiser, MovingAverage(denoiser, decay)
        self.n_classes = denoiser.condition.n_classes
        self.left = signal_left(schedule)  # no buffer: a cast network still wants all of its digits
        self.register_buffer("bounds", bounds, persistent=False)

    @property
    def n_steps(self) -> int:
        """How many steps there are from data to noise, T."""
        return len(self.left) - 1

    def errors(
        self, denoiser: nn.Module, v: Tensor, noise: Tensor, t: Tensor, y: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return how far a denoiser is from the velocity, its mean square over a sample, and ᾱ_t: (n,) each."""
        left = self.left[t].to(v)[:, None]
        said = denoiser(noised(v, noise, left), (t / self.n_steps).to(v), y).to(v.dtype)
        return (said - velocity(v, noise, left)).square().mean(1), left[:, 0]

    def clean(self, x: Tensor, t: int, y: Tensor | None, guidance: float) -> Tensor:
        """Return what data lie behind x_t, of label y, or beyond what y tells where guidance is above 1."""
        times = x.new_full((len(x),), t / self.n_steps)
        if y is None or guidance == 1:
            said = self.average.module(x, times, y)
        else:
            either = torch.cat([y, torch.full_like(y, self.n_classes)])
            of_label, of_any = self.average.module(x.repeat(2, 1), times.repeat(2), either).chunk(2)
            said = of_any + guidance * (of_label - of_any)  # velocities and noise are linear in one another
        return behind(x, said, float(self.left[t])).clamp(self.bounds[0], self.bounds[1])

    def follow(self) -> None:
        """Let the average go one step on."""
        self.average.follow(self.denoiser)

    def forward(self, v: Tensor) -> Tensor:
        """Return the velocities of data, as if halfway to noise: (n, d)."""
        return self.denoiser(v, v.new_full((len(v),), 0.5))


class ChannelNorm(nn.LayerNorm):
    """Every place of a picture by itself, over its channels.

    Over groups of channels and all places, as in the paper, takes as long as the convolutions.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return (n, C, H, W) with zero mean and unit variance over C, then scaled and shifted."""
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _ConvBlock(nn.Module):
    """Two convolutions that are told time and label, and a shortcut around them, (n, C_in, H, W) → (n, C_out, H, W)."""

    def __init__(self, n_in: int, n_out: int, told: int) -> None:
        super().__init__()
        self.before, self.inner = ChannelNorm(n_in), nn.Conv2d(n_in, n_out, 3, padding=1)
        self.told, self.between = linear(told, n_out, "identity"), ChannelNorm(n_out)
        self.outer = _zero(nn.Conv2d(n_out, n_out, 3, padding=1))
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1)

    def forward(self, h: Tensor, told: Tensor) -> Tensor:
        inner = self.inner(F.silu(self.before(h))) + self.told(told)[:, :, None, None]
        return self.shortcut(h) + self.outer(F.silu(self.between(inner)))


def _zero(layer: nn.Module) -> nn.Module:
    """Return a layer that answers 0 at first: a block then begins as its shortcut."""
    for parameter in layer.parameters():
        if parameter.device.type != "meta":
            nn.init.zeros_(parameter)
    return layer
