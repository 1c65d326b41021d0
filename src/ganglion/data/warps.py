"""Moving the places of pictures, at random and for a whole batch at once: flips, turns, shifts, crops, warps.

What stands at those places moves along: the classes of pixels, and boxes around objects (see `Batch`). Letters: B
pictures, C channels, H height, W width, K boxes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from ganglion.errors import InvalidInput
from ganglion.options import call_text, in_range

# "image": (B, C, H, W); "target" of masks: (B, H, W), integers; of boxes: (B, K, 5), floats: left, top, right, bottom
# in pixels and the code of the class, -1 where there is no object
Batch = Mapping[str, Tensor]
NO_OBJECT = -1.0
LEAST_VISIBLE = 0.25  # an object of which less is left in the picture is none


class Augmentation(ABC):
    """A random change of a batch: frozen settings, called with a batch."""

    mixes: ClassVar[bool] = False  # whether samples, and so their targets, are mixed

    @abstractmethod
    def __call__(self, batch: Batch) -> Batch:
        """Return a changed batch: "image", (B, C, H, W), and "target" if it moves along."""


def is_masks(target: Tensor | None) -> bool:
    """Return whether a target holds the classes of pixels."""
    return target is not None and target.dim() == 3 and not target.is_floating_point()


def is_boxes(target: Tensor | None) -> bool:
    """Return whether a target holds boxes around objects."""
    return target is not None and target.dim() == 3 and target.is_floating_point()


@dataclass(frozen=True, kw_only=True)
class Flip(Augmentation):
    """Mirror every second picture: left to right, upside down, or both."""

    horizontal: bool = True
    vertical: bool = False

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with pictures mirrored at random."""
        *_, height, width = batch["image"].shape
        if self.horizontal:
            batch = _mirrored(batch, -1, width)
        return _mirrored(batch, -2, height) if self.vertical else batch

    def __str__(self) -> str:
        return call_text("flip", self)


@dataclass(frozen=True, kw_only=True)
class Turn(Augmentation):
    """Turn square pictures by a random number of quarters."""

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with each picture turned by 0, 90, 180 or 270 degrees."""
        height, width = batch["image"].shape[-2:]
        if height != width:
            raise InvalidInput(
                f"augmentation 'turn' needs square pictures, but these are {height} × {width}. Leave it out."
            )
        batch = _transposed(batch)
        return _mirrored(_mirrored(batch, -1, width), -2, height)

    def __str__(self) -> str:
        return "turn"


@dataclass(frozen=True, kw_only=True)
class Shift(Augmentation):
    """Move pictures by up to a share of their sides; what comes in is the picture's own mirror image."""

    by: float = 0.125

    def __post_init__(self) -> None:
        in_range("shift", "by", self.by, above=0, below=1)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with each picture moved by whole pixels."""
        sides = batch["image"].shape[-2:]
        starts = [_integers(len(batch["image"]), -round(self.by * side), round(self.by * side)) for side in sides]
        return _cut_out(batch, starts, sides)

    def __str__(self) -> str:
        return call_text("shift", self)


@dataclass(frozen=True, kw_only=True)
class Crop(Augmentation):
    """Train on a random window of every picture, so many pixels high and wide; for networks that take any size."""

    size: int = 256

    def __post_init__(self) -> None:
        in_range("crop", "size", self.size, at_least=8)

    def __call__(self, batch: Batch) -> Batch:
        """Return the windows, smaller where a picture is."""
        sides = [min(int(self.size), side) for side in batch["image"].shape[-2:]]
        whole = batch["image"].shape[-2:]
        starts = [_integers(len(batch["image"]), 0, all_ - side) for all_, side in zip(whole, sides, strict=True)]
        return _cut_out(batch, starts, sides)

    def __str__(self) -> str:
        return call_text("crop", self)


@dataclass(frozen=True, kw_only=True)
class Affine(Augmentation):
    """Turn by up to `degrees`, zoom by a factor up to 1 + `zoom` (or its inverse), move by a share, shear."""

    degrees: float = 10.0
    zoom: float = 0.1
    shift: float = 0.0
    shear: float = 0.0

    def __post_init__(self) -> None:
        in_range("affine", "degrees", self.degrees, at_least=0, at_most=180)
        in_range("affine", "zoom", self.zoom, at_least=0)
        in_range("affine", "shift", self.shift, at_least=0, below=1)
        in_range("affine", "shear", self.shear, at_least=0, below=90)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with each picture turned, zoomed, moved and sheared around its middle."""
        image = batch["image"]
        n, (height, width) = len(image), image.shape[-2:]
        moves = torch.stack([_uniform(n, self.shift) * width, _uniform(n, self.shift) * height], 1)
        zooms = torch.exp(_uniform(n, math.log1p(self.zoom)))
        angles, shears = (torch.deg2rad(_uniform(n, limit)) for limit in (self.degrees, self.shear))
        return moved(batch, angles=angles, zooms=zooms, shears=shears, moves=moves)

    def __str__(self) -> str:
        return call_text("affine", self)


@dataclass(frozen=True, kw_only=True)
class Rotate(Augmentation):
    """Turn by up to so many degrees around the middle."""

    degrees: float = 15.0

    def __post_init__(self) -> None:
        in_range("rotate", "degrees", self.degrees, above=0, at_most=180)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with each picture turned."""
        return moved(batch, angles=torch.deg2rad(_uniform(len(batch["image"]), self.degrees)))

    def __str__(self) -> str:
        return call_text("rotate", self)


@dataclass(frozen=True, kw_only=True)
class Elastic(Augmentation):
    """Bend pictures smoothly: random moves, `pixels` on average, at a coarse grid of points, between them bicubic.

    Ronneberger, Fischer & Brox 2015, arXiv:1505.04597, section 3.1.
    """

    pixels: float = 10.0
    points: int = 3

    def __post_init__(self) -> None:
        in_range("elastic", "pixels", self.pixels, above=0)
        in_range("elastic", "points", self.points, at_least=2)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with each picture bent in its own way."""
        n, _, height, width = batch["image"].shape
        coarse = torch.randn(n, 2, int(self.points), int(self.points)) * self.pixels
        bends = interpolate(coarse, (height, width), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
        half = torch.tensor([width / 2, height / 2])
        return _resampled(batch, _identity(height, width) + (bends / half))

    def __str__(self) -> str:
        return call_text("elastic", self)


def moved(
    batch: Batch,
    *,
    angles: Tensor | None = None,
    zooms: Tensor | None = None,
    shears: Tensor | None = None,
    moves: Tensor | None = None,
) -> Batch:
    """Return a batch with every picture turned, zoomed, sheared around its middle, and moved.

    Parameters
    ----------
    batch : mapping of str to Tensor
        "image", (B, C, H, W), and "target" if it moves along.
    angles, shears : Tensor of shape (B,), optional
        Radians, clockwise.
    zooms : Tensor of shape (B,), optional
        Above 1 things become larger.
    moves : Tensor of shape (B, 2), optional
        Pixels to the right and downwards.
    """
    n, _, height, width = batch["image"].shape
    nothing = torch.zeros(n)
    angle, shear = (nothing if each is None else each for each in (angles, shears))
    zoom = torch.ones(n) if zooms is None else zooms
    cos, sin, tan = angle.cos(), angle.sin(), shear.tan()
    forth = zoom[:, None, None] * torch.stack(
        [torch.stack([cos, cos * tan - sin], 1), torch.stack([sin, sin * tan + cos], 1)], 1
    )  # turn · shear, on (x, y) in pixels from the middle
    by = torch.zeros(n, 2) if moves is None else moves
    half = torch.tensor([width / 2, height / 2])
    places = _identity(height, width).view(-1, 2) * half
    sources = (places - by[:, None]) @ torch.linalg.inv(forth).transpose(1, 2) / half
    batch = _resampled(batch, sources.view(n, height, width, 2))
    if is_boxes(batch.get("target")):
        batch = {**batch, "target": _moved_boxes(batch["target"], forth, by, half)}
    return batch


def _moved_boxes(target: Tensor, forth: Tensor, by: Tensor, half: Tensor) -> Tensor:
    """Return the boxes around the corners of moved boxes."""
    left, top, right, bottom, code = target.unbind(-1)
    corners = torch.stack([left, top, right, top, right, bottom, left, bottom], -1).unflatten(-1, (4, 2))
    there = (corners - half) @ forth[:, None].transpose(-1, -2) + by[:, None, None] + half
    around = torch.cat([there.amin(-2), there.amax(-2)], -1)
    return _visible(torch.cat([around, code[..., None]], -1), 2 * half[1], 2 * half[0])


def _visible(target: Tensor, height: Tensor | int, width: Tensor | int) -> Tensor:
    """Return boxes cut at the edges of the picture; those of which little is left are none any more."""
    whole = (target[..., 2] - target[..., 0]) * (target[..., 3] - target[..., 1])
    bounds = torch.tensor([float(width), float(height)] * 2)
    cut = torch.minimum(target[..., :4].clamp(min=0), bounds)
    left = (cut[..., 2] - cut[..., 0]) * (cut[..., 3] - cut[..., 1])
    code = torch.where(left >= LEAST_VISIBLE * whole.clamp(min=1e-6), target[..., 4], NO_OBJECT)
    return torch.cat([cut, code[..., None]], -1)


def _resampled(batch: Batch, sources: Tensor) -> Batch:
    """Return pictures whose place p shows what stood at sources[p], (B, H, W, 2) from -1 to 1; beyond is mirrored."""
    image, target = batch["image"], batch.get("target")
    beyond = "zeros" if is_boxes(target) else "reflection"  # a mirrored object would have no box
    floats, grid = image.to(torch.float32), sources.to(image.device)
    middle = floats.mean((2, 3), keepdim=True)
    warped = grid_sample(floats - middle, grid, padding_mode=beyond, align_corners=False) + middle
    if target is None or not is_masks(target):
        return {**batch, "image": warped}
    mask = grid_sample(target[:, None].float(), grid, mode="nearest", padding_mode=beyond, align_corners=False)
    return {**batch, "image": warped, "target": mask[:, 0].to(target.dtype)}


def _identity(height: int, width: int) -> Tensor:
    """Return where every pixel stands, (H, W, 2): x and y from -1 to 1, the edges of the picture."""
    y, x = ((2 * torch.arange(side) + 1) / side - 1 for side in (height, width))
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)


def _mirrored(batch: Batch, axis: int, side: int) -> Batch:
    """Return the batch with half of the pictures, drawn at random, mirrored along an axis."""
    image, target = batch["image"], batch.get("target")
    flips = torch.rand(len(image)).to(image.device) < 0.5
    batch = {**batch, "image": torch.where(flips[:, None, None, None], image.flip(axis), image)}
    if target is not None and is_masks(target):
        return {**batch, "target": torch.where(flips[:, None, None], target.flip(axis), target)}
    if target is not None and is_boxes(target):
        low, high = (0, 2) if axis == -1 else (1, 3)
        other = target.clone()
        other[..., low], other[..., high] = side - target[..., high], side - target[..., low]
        return {**batch, "target": torch.where(flips[:, None, None], other, target)}
    return batch


def _transposed(batch: Batch) -> Batch:
    """Return the batch with half of the pictures, drawn at random, mirrored along the diagonal."""
    image, target = batch["image"], batch.get("target")
    flips = torch.rand(len(image)).to(image.device) < 0.5
    batch = {**batch, "image": torch.where(flips[:, None, None, None], image.transpose(-1, -2), image)}
    if target is not None and is_masks(target):
        return {**batch, "target": torch.where(flips[:, None, None], target.transpose(-1, -2), target)}
    if target is not None and is_boxes(target):
        return {**batch, "target": torch.where(flips[:, None, None], target[..., [1, 0, 3, 2, 4]], target)}
    return batch


def _cut_out(batch: Batch, starts: list[Tensor], sides: list[int] | torch.Size) -> Batch:
    """Return windows of `sides` (height, width) that begin at `starts`, (B,) each; beyond the edge it is mirrored."""
    image, target = batch["image"], batch.get("target")
    boxes = is_boxes(target)
    rows, columns = (
        _inside(start[:, None] + torch.arange(side), whole, mirror=not boxes).to(image.device)
        for start, side, whole in zip(starts, sides, image.shape[-2:], strict=True)
    )
    n = torch.arange(len(image), device=image.device)[:, None, None]
    rows, columns = rows[:, :, None], columns[:, None, :]
    batch = {**batch, "image": image.permute(0, 2, 3, 1)[n, rows, columns].permute(0, 3, 1, 2)}
    if target is not None and is_masks(target):
        return {**batch, "target": target[n, rows, columns]}
    if target is not None and boxes:
        top, left = starts[0].to(target), starts[1].to(target)
        by = torch.stack([left, top, left, top, torch.zeros_like(left)], 1)
        return {**batch, "target": _visible(target - by[:, None], sides[0], sides[1])}
    return batch


def _inside(places: Tensor, side: int, *, mirror: bool) -> Tensor:
    """Return places from 0 to side - 1: those beyond are mirrored at the edge, or are the edge."""
    if not mirror:
        return places.clamp(0, side - 1)
    period = max(1, 2 * side - 2)
    folded = places.abs() % period
    return torch.minimum(folded, period - folded)


def _integers(n: int, low: int, high: int) -> Tensor:
    return torch.randint(low, high + 1, (n,))


def _uniform(n: int, limit: float) -> Tensor:
    return (2 * torch.rand(n) - 1) * limit
