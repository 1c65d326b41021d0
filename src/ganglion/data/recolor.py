"""Changing the values of pictures, at random and for a whole batch at once: light, colour, noise, holes.

Values may have any range: factors apply around a picture's own mean, and what needs a black and a white takes the
picture's darkest and brightest value. Letters: B pictures, C channels, H height, W width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from ganglion.data.warps import Augmentation, Batch
from ganglion.options import call_text, in_range

# red, green and blue to brightness and two axes of colour (NTSC's YIQ), in which a hue is an angle
_YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


@dataclass(frozen=True, kw_only=True)
class Color(Augmentation):
    """Change brightness, contrast and saturation by factors up to 1 ± the given share, hue by up to so many degrees."""

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.0

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            in_range("color", name, getattr(self, name), at_least=0, at_most=1)
        in_range("color", "hue", self.hue, at_least=0, at_most=180)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with each picture in another light."""
        image = batch["image"].to(torch.float32)
        image = contrasted(image * _factors(image, self.brightness), _factors(image, self.contrast))
        if image.shape[1] == 3:
            angles = (2 * torch.rand(len(image)) - 1) * math.radians(self.hue)
            image = recolored(image, _factors(image, self.saturation).flatten(), angles.to(image.device))
        return {**batch, "image": image}

    def __str__(self) -> str:
        return call_text("color", self)


@dataclass(frozen=True, kw_only=True)
class Noise(Augmentation):
    """Add normal noise to every pixel, as strong as so many deviations of the picture's values."""

    strength: float = 0.1

    def __post_init__(self) -> None:
        in_range("noise", "strength", self.strength, above=0)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with noise on every picture."""
        image = batch["image"].to(torch.float32)
        deviations = image.std((1, 2, 3), keepdim=True)
        return {**batch, "image": image + self.strength * deviations * torch.randn(image.shape).to(image.device)}

    def __str__(self) -> str:
        return call_text("noise", self)


@dataclass(frozen=True, kw_only=True)
class Erase(Augmentation):
    """Cover a rectangle of up to a share of the area with the picture's mean, in a share `chance` of the pictures.

    Zhong et al. 2017, arXiv:1708.04896; DeVries & Taylor 2017, arXiv:1708.04552.
    """

    share: float = 0.25
    chance: float = 0.5

    def __post_init__(self) -> None:
        in_range("erase", "share", self.share, above=0, below=1)
        in_range("erase", "chance", self.chance, above=0, at_most=1)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with holes."""
        image = batch["image"]
        n, _, height, width = image.shape
        shares = torch.rand(n) * self.share * (torch.rand(n) < self.chance)
        hole = rectangles(shares, height, width).to(image.device)[:, None]
        mean = image.float().mean((2, 3), keepdim=True).to(image.dtype)
        return {**batch, "image": torch.where(hole, mean, image)}

    def __str__(self) -> str:
        return call_text("erase", self)


def rectangles(shares: Tensor, height: int, width: int) -> Tensor:
    """Return one rectangle a picture as truth values, (B, H, W), of shares of the area, at random places and widths."""
    n = len(shares)
    aspect = torch.exp((2 * torch.rand(n) - 1) * math.log(3.0) / 2)
    sides = ((shares * aspect).sqrt().clamp(max=1) * height, (shares / aspect).sqrt().clamp(max=1) * width)
    inside = []
    for side, whole in zip(sides, (height, width), strict=True):
        start = torch.rand(n) * (whole - side)
        places = torch.arange(whole) + 0.5
        inside.append((places >= start[:, None]) & (places < (start + side)[:, None]))
    return inside[0][:, :, None] & inside[1][:, None, :]


def contrasted(image: Tensor, factors: Tensor) -> Tensor:
    """Return pictures whose values lie `factors`, (B, 1, 1, 1), times as far from their mean."""
    mean = image.mean((1, 2, 3), keepdim=True)
    return mean + factors * (image - mean)


def recolored(image: Tensor, saturations: Tensor, hues: Tensor) -> Tensor:
    """Return pictures of red, green, blue with colours `saturations` times as strong, turned by `hues` (radians)."""
    to_yiq = torch.tensor(_YIQ, device=image.device)
    turn = torch.zeros(len(image), 3, 3, device=image.device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = saturations * hues.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -saturations * hues.sin(), saturations * hues.sin()
    return torch.einsum("bij,bjhw->bihw", torch.linalg.inv(to_yiq) @ turn @ to_yiq, image)


def sharpened(image: Tensor, factors: Tensor) -> Tensor:
    """Return pictures `factors`, (B, 1, 1, 1), times as far from their blurred selves: above 1 sharper."""
    blurred = avg_pool2d(pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return blurred + factors * (image - blurred)


def stretched(image: Tensor) -> Tensor:
    """Return pictures whose every channel reaches from the picture's darkest to its brightest value."""
    low, high = extremes(image)
    darkest, brightest = image.amin((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
    return low + (image - darkest) * (high - low) / (brightest - darkest).clamp(min=1e-6)


def posterized(image: Tensor, levels: int) -> Tensor:
    """Return pictures of so many different values a channel."""
    low, high = extremes(image)
    step = ((high - low) / (levels - 1)).clamp(min=1e-6)
    return low + ((image - low) / step).round() * step


def solarized(image: Tensor, share: float) -> Tensor:
    """Return pictures whose brightest values, those above `share` of the range, are turned into their negative."""
    low, high = extremes(image)
    return torch.where(image > low + share * (high - low), low + high - image, image)


def extremes(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the darkest and the brightest value of every picture, (B, 1, 1, 1) each."""
    return image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)


def _factors(image: Tensor, limit: float) -> Tensor:
    return (1 + (2 * torch.rand(len(image)) - 1) * limit).view(-1, 1, 1, 1).to(image.device)
