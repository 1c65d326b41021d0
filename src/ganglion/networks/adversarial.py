"""Generators and critics: noise to data, and data to a score.

    dense   z → layers of units → raw            x → layers of units → score
    dcgan   z → 4 × 4 or so, twice the size and half the channels at every stage → raw; the critic walks back

Radford, Metz & Chintala 2016, arXiv:1511.06434, figure 1 and section 3: strides in place of pooling, batch
normalisation, rectifiers in the generator and leaky ones in the critic. A label joins the noise (Mirza & Osindero
2014, arXiv:1411.1784), and the critic's score gets a term that depends on it:

    s(x, y) = w·φ(x) + b + v_y·φ(x)                          (Miyato & Koyama 2018, arXiv:1802.05637, eq. 5)

Letters: n samples, L numbers of noise, K classes, d numbers of a sample, C channels, H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.convolution import channels_last
from ganglion.networks.draws import normal
from ganglion.networks.mlp import MLP, linear
from ganglion.networks.moving_average import MovingAverage
from ganglion.networks.spectral_norm import SpectralConv2d, SpectralLinear, settle
from ganglion.networks.visible_head import VisibleHead
from ganglion.networks.waves import WAVES_A_UNIT, Waves

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
SLOPE = 0.2  # of the critic's rectifiers, for what is below 0 (DCGAN, section 3)
SMALLEST, MOST_STAGES = 4, 5  # the side from which a generator of pictures starts, and how often it doubles at most
KERNEL = 4
WITHIN = 0.1  # share of the noise that moves a sample within its category
SPREAD = 2.0  # deviations from the middle within which units begin to answer


class DenseGenerator(nn.Module):
    """Noise and labels to raw numbers, (n, L), (n,) → (n, d).

    Parameters
    ----------
    latent, n_out : int
        L and d.
    hidden : sequence of int
        Units of each layer.
    n_classes : int
        K; 0 for no labels.
    normalization : {"batch"} or None
        Before each activation.
    """

    def __init__(
        self, latent: int, n_out: int, hidden: Sequence[int], *, n_classes: int = 0, normalization: str | None = None
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.layers = MLP(latent + n_classes, n_out, hidden, normalization=normalization)
        _spread(self.layers)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return raw numbers, which a head makes data of."""
        return self.layers(with_label(z, y, self.n_classes))


class ConvGenerator(nn.Module):
    """Noise and labels to raw pictures, laid out as rows: (n, L), (n,) → (n, C H W).

    Parameters
    ----------
    latent : int
    shape : (C, H, W)
        Of one picture.
    channels : int
        Of the last stage but one; each stage before has twice as many.
    n_classes : int
    """

    def __init__(self, latent: int, shape: Sequence[int], channels: int, *, n_classes: int = 0) -> None:
        super().__init__()
        self.shape, self.n_classes = tuple(shape), n_classes
        depth = n_stages(shape)
        self.first = (channels * 2 ** max(depth - 1, 0), *(-(-side // 2**depth) for side in shape[1:]))
        self.start = linear(latent + n_classes, math.prod(self.first), "relu", bias=False)
        self.norm = nn.BatchNorm2d(self.first[0])
        widths = [channels * 2 ** max(depth - 1 - level, 0) for level in range(max(depth, 1))]
        stages: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            stages += [_doubling(n_in, n_out, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]
        last = _doubling(widths[-1], shape[0]) if depth else _plain(widths[-1], shape[0])
        self.stages = nn.Sequential(*stages, last)
        channels_last(self)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return raw pixels, which a head bounds."""
        start = self.start(with_label(z, y, self.n_classes)).view(-1, *self.first)
        start = F.relu(self.norm(start.contiguous(memory_format=torch.channels_last)))
        raw = self.stages(start)[..., : self.shape[1], : self.shape[2]]
        return raw.reshape(z.shape[0], -1)


class Critic(nn.Module):
    """Data and labels to one score each, (n, d), (n,) → (n,): features, and what the label adds to them.

    Parameters
    ----------
    features : Module
        (n, d) → (n, n_features).
    n_features, n_classes : int
    spectral : bool
        Whether the read-out is normalised, as `features` should be then.
    """

    def __init__(self, features: nn.Module, n_features: int, *, n_classes: int = 0, spectral: bool = False) -> None:
        super().__init__()
        self.features = features
        self.score = _dense(n_features, 1, spectral=spectral)
        self.label = nn.Embedding(n_classes, n_features) if n_classes else None
        if self.label is not None and self.label.weight.device.type != "meta":
            nn.init.normal_(self.label.weight, std=n_features**-0.5)
        settle(self)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the score of each sample; a higher one looks more like data."""
        seen = self.features(x).to(self.score.weight.dtype)  # a loss wants more digits than bfloat16 has
        score = self.score(seen)[:, 0].to(seen.dtype)
        return score if self.label is None or y is None else score + (self.label(y) * seen).sum(1)


def dense_critic(
    n_in: int, hidden: Sequence[int], *, n_classes: int = 0, spectral: bool = False, waves: int = 0
) -> Critic:
    """Return a critic of rows: layers of units with leaky rectifiers, which may see waves of the numbers as well."""
    seen = Waves(n_in, waves, scale=WAVES_A_UNIT) if waves else None
    widths = [seen.n_out if seen else n_in, *hidden]
    layers: list[nn.Module] = [seen] if seen else []
    for pair in pairwise(widths):
        layers += [_dense(*pair, spectral=spectral), nn.LeakyReLU(SLOPE)]
    _spread(nn.Sequential(*layers))
    return Critic(nn.Sequential(*layers), widths[-1], n_classes=n_classes, spectral=spectral)


def conv_critic(
    shape: Sequence[int], channels: int, *, n_classes: int = 0, spectral: bool = False, normalization: bool = False
) -> Critic:
    """Return a critic of pictures that are laid out as rows: strided convolutions, half the size at every stage.

    Parameters
    ----------
    shape : (C, H, W)
    channels : int
        Of the first stage; each stage behind it has twice as many.
    n_classes : int
    spectral, normalization : bool
        Whether kernels are normalised, or what they make of a batch (but not in the first stage: DCGAN, section 3).
    """
    features = ConvFeatures(shape, channels, spectral=spectral, normalization=normalization)
    return Critic(features, features.n_out, n_classes=n_classes, spectral=spectral)


class ConvFeatures(nn.Module):
    """Pictures laid out as rows to features of all places of the last stage, (n, C H W) → (n, n_out)."""

    def __init__(self, shape: Sequence[int], channels: int, *, spectral: bool, normalization: bool) -> None:
        super().__init__()
        self.shape = tuple(shape)
        n_in, height, width = shape
        stages: list[nn.Module] = []
        for level in range(max(n_stages(shape), 1)):
            n_out = channels * 2**level
            stages.append(_halving(n_in, n_out, spectral=spectral, bias=not (normalization and level)))
            if normalization and level:
                stages.append(nn.BatchNorm2d(n_out))
            stages.append(nn.LeakyReLU(SLOPE))
            n_in, height, width = n_out, -(-height // 2), -(-width // 2)
        self.stages, self.n_out = nn.Sequential(*stages), n_in * height * width
        channels_last(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features."""
        pictures = x.reshape(x.shape[0], *self.shape).contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            odd = [side % 2 for side in pictures.shape[2:]]
            if isinstance(stage, nn.Conv2d) and any(odd):  # a last row or column more, so that halves are whole
                pictures = F.pad(pictures, (0, odd[1], 0, odd[0]))
            pictures = stage(pictures)
        return pictures.flatten(1)


def with_label(z: Tensor, y: Tensor | None, n_classes: int) -> Tensor:
    """Return noise beside its label as 0 and 1, (n, L + K)."""
    if not n_classes or y is None:
        return z
    return torch.cat([z, F.one_hot(y, n_classes).to(z.dtype)], dim=1)


def n_stages(shape: Sequence[int]) -> int:
    """Return how often a picture, (C, H, W), is halved until its smaller side is about 4."""
    return min(MOST_STAGES, max(0, math.floor(math.log2(min(shape[1:]) / SMALLEST))))


@torch.no_grad()
def _spread(layers: nn.Module) -> None:
    """Let units of the first layer begin to answer at many places: without biases all would at the origin."""
    first = next((layer for layer in layers.modules() if isinstance(layer, nn.Linear)), None)
    if first is not None and first.bias is not None and first.weight.device.type != "meta":
        first.bias.uniform_(-SPREAD, SPREAD).mul_(first.weight.norm(dim=1))


def _dense(n_in: int, n_out: int, *, spectral: bool) -> nn.Linear:
    return _begun(SpectralLinear(n_in, n_out) if spectral else nn.Linear(n_in, n_out), n_in)


def _doubling(n_in: int, n_out: int, *, bias: bool = True) -> nn.ConvTranspose2d:
    """Return the layer that doubles both sides; a place is made by a quarter of its kernel."""
    layer = nn.ConvTranspose2d(n_in, n_out, KERNEL, stride=2, padding=1, bias=bias)
    return _begun(layer, n_in * KERNEL**2 // 4)


def _plain(n_in: int, n_out: int) -> nn.Conv2d:
    return _begun(nn.Conv2d(n_in, n_out, 3, padding=1), n_in * 9)


def _halving(n_in: int, n_out: int, *, spectral: bool, bias: bool) -> nn.Conv2d:
    """Return the layer that halves both sides."""
    kind = SpectralConv2d if spectral else nn.Conv2d
    return _begun(kind(n_in, n_out, KERNEL, stride=2, padding=1, bias=bias), n_in * KERNEL**2)


def _begun(layer: Layer, fan: int) -> Layer:
    """Return a layer with weights that keep the mean square of what it sees so many numbers of, and a bias of 0."""
    if layer.weight.device.type != "meta":
        nn.init.normal_(layer.weight, std=math.sqrt(ACTIVATIONS["leaky_relu"].gain / fan))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return layer


class Adversaries(nn.Module):
    """Generator, critic, and the generator's average, which makes the samples.

    Parameters
    ----------
    generator, critic : Module
    head : Module
        Raw numbers → data, (n, d) → (n, d).
    latent, categories : int
        Numbers of noise, and how many categories of it there are beside them.
    decay : float in [0, 1)
        Of the average.
    """

    def __init__(
        self, generator: nn.Module, critic: Critic, head: VisibleHead, *, latent: int, decay: float, categories: int = 0
    ) -> None:
        super().__init__()
        self.generator, self.critic, self.head = generator, critic, head
        self.latent, self.categories = latent, categories
        self.average = MovingAverage(generator, decay)
        # batch normalisation takes its statistics over real or over made samples, not over both
        self.apart = any(isinstance(module, nn.BatchNorm2d) for module in critic.modules())

    def noise(self, n: int, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return normal noise, (n, L), beside a category of it if wanted, where and as precise as another tensor."""
        drawn = normal((n, self.latent), like, generator)
        if not self.categories:
            return drawn
        places = torch.randint(self.categories, (n,), generator=generator)
        # the mean square is 1 a number in all; the category has most of it, or else one would reach over two clusters
        whole, one_hot = self.latent + self.categories, F.one_hot(places, self.categories).to(drawn)
        sizes = (WITHIN * whole / self.latent) ** 0.5, ((1 - WITHIN) * whole) ** 0.5
        return torch.cat([drawn * sizes[0], one_hot * sizes[1]], dim=1)

    def made(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return what the generator makes of noise now, in training: (n, d)."""
        return self.head(self.generator(z, y))

    def sampled(self, z: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Return what its average makes of noise, (n, d)."""
        return self.head(self.average.module(z, y), generator)

    def follow(self) -> None:
        """Let the average go one step on."""
        self.average.follow(self.generator)

    def scored(self, real: Tensor, made: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the critic's scores of real and of made samples, (n,) each."""
        if self.apart:
            return self.critic(real, y), self.critic(made, y)
        both = self.critic(torch.cat([real, made]), None if y is None else torch.cat([y, y]))
        return both[: len(real)], both[len(real) :]

    def forward(self, v: Tensor) -> Tensor:
        """Return the critic's score of data of any label, (n, 1)."""
        return self.critic(v)[:, None]
