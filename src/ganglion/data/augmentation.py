"""Augmentation: pictures changed at random while training, so that what does not matter is not learned.

A whole batch of tensors is changed at once, no picture by itself; random numbers come from torch's own generator, so
that a seed gives the same pictures again. `"flip + shift(by=0.1) + cutmix"` names several, one after the other.

name          what it changes                                       with masks, boxes
flip          mirror: horizontal=True, vertical=False                both
turn          quarter turns of square pictures                       both
shift         whole pixels: by=0.125 of a side                       both
crop          a window: size=256 pixels                              masks, boxes
rotate        degrees=15                                             both
affine        degrees=10, zoom=0.1, shift=0, shear=0                 both
elastic       smooth bends: pixels=10, points=3                      masks
color         brightness=0.2, contrast=0.2, saturation=0.2, hue=0    both
noise         strength=0.1                                           both
erase         holes: share=0.25, chance=0.5                          both
randaugment   n=2 changes out of a dozen, magnitude=9 of 30          both
mixup         two pictures and their targets averaged: alpha=0.2     neither
cutmix        a part of another picture: alpha=1                     neither
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganglion.data import recolor
from ganglion.data.recolor import Color, Erase, Noise, rectangles
from ganglion.data.warps import Affine, Augmentation, Batch, Crop, Elastic, Flip, Rotate, Shift, Turn, moved
from ganglion.errors import InvalidParameter
from ganglion.options import call_by_name, call_text, in_range

WHITE = 255  # of pictures of bytes


@dataclass(frozen=True)
class Chain:
    """Several changes, one after the other."""

    parts: tuple[Augmentation, ...]

    @property
    def mixes(self) -> bool:
        """Whether one of them mixes samples."""
        return any(part.mixes for part in self.parts)

    def __call__(self, batch: Batch) -> Batch:
        """Return a changed batch; bytes become floats in the range of bytes where values have changed."""
        bytes_ = batch["image"].dtype == torch.uint8
        for part in self.parts:
            batch = part(batch)
        image = batch["image"]
        return {**batch, "image": image.clamp(0, WHITE)} if bytes_ and image.dtype != torch.uint8 else batch

    def __str__(self) -> str:
        return " + ".join(map(str, self.parts))


@dataclass(frozen=True, kw_only=True)
class MixUp(Augmentation):
    """Average every picture with another one, and the loss of both targets alike: λ x + (1 - λ) x', λ from Beta(α, α).

    Zhang et al. 2018, arXiv:1710.09412.
    """

    alpha: float = 0.2
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        in_range("mixup", "alpha", self.alpha, above=0)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with "other_target" and how much "target" counts against it, "share", (B,)."""
        image = batch["image"].to(torch.float32)
        share = _beta(self.alpha, len(image)).to(image.device)
        other = torch.randperm(len(image)).to(image.device)
        part = share.view(-1, 1, 1, 1)
        return _mixed(batch, part * image + (1 - part) * image[other], other, share)

    def __str__(self) -> str:
        return call_text("mixup", self)


@dataclass(frozen=True, kw_only=True)
class CutMix(Augmentation):
    """Put a rectangle of another picture into every picture; both targets count by their share of the area.

    Yun et al. 2019, arXiv:1905.04899. `chance` is the share of batches that are changed.
    """

    alpha: float = 1.0
    chance: float = 0.5
    mixes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        in_range("cutmix", "alpha", self.alpha, above=0)
        in_range("cutmix", "chance", self.chance, above=0, at_most=1)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with "other_target" and how much "target" counts against it, "share", (B,)."""
        image = batch["image"]
        n, _, height, width = image.shape
        if torch.rand(()) >= self.chance:
            return batch
        hole = rectangles(1 - _beta(self.alpha, n), height, width).to(image.device)
        other = torch.randperm(n).to(image.device)
        share = 1 - hole.float().mean((1, 2))  # what there is of it, rounded to pixels
        return _mixed(batch, torch.where(hole[:, None], image[other], image), other, share)

    def __str__(self) -> str:
        return call_text("cutmix", self)


@dataclass(frozen=True, kw_only=True)
class RandAugment(Augmentation):
    """Apply `n` changes, drawn anew for every picture, all of the same `magnitude` out of 30.

    Cubuk et al. 2020, arXiv:1909.13719. Without its equalize; values have no fixed range here, so posterize and
    solarize go by each picture's own.
    """

    n: int = 2
    magnitude: float = 9.0

    def __post_init__(self) -> None:
        in_range("randaugment", "n", self.n, at_least=1)
        in_range("randaugment", "magnitude", self.magnitude, at_least=0, at_most=30)

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch, each picture changed in its own way."""
        changed = {**batch, "image": batch["image"].to(torch.float32)}
        for _ in range(int(self.n)):
            chosen = torch.randint(len(_CHANGES), (len(changed["image"]),)).to(changed["image"].device)
            columns = {name: tensor.clone() for name, tensor in changed.items() if name in ("image", "target")}
            for i, change in enumerate(_CHANGES):
                rows = (chosen == i).nonzero().flatten()
                if len(rows):
                    part = change({name: column[rows] for name, column in columns.items()}, self.magnitude / 30)
                    for name, column in columns.items():
                        column[rows] = part[name]
            changed |= columns
        return changed

    def __str__(self) -> str:
        return call_text("randaugment", self)


def _signed(batch: Batch, limit: float) -> Tensor:
    """Return `limit` or its negative for every picture."""
    return limit * (2.0 * torch.randint(2, (len(batch["image"]),)) - 1)


def _moves(batch: Batch, axis: int, share: float) -> Tensor:
    by = torch.zeros(len(batch["image"]), 2)
    by[:, axis] = _signed(batch, share * batch["image"].shape[-1 - axis])
    return by


def _valued(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Batch, float], Batch]:
    """Return a change by a factor of 1 ± 0.9 m."""

    def apply(batch: Batch, m: float) -> Batch:
        image = batch["image"]
        return {**batch, "image": change(image, 1 + _signed(batch, 0.9 * m).view(-1, 1, 1, 1).to(image.device))}

    return apply


def _plain(change: Callable[[Tensor, float], Tensor]) -> Callable[[Batch, float], Batch]:
    return lambda batch, m: {**batch, "image": change(batch["image"], m)}


def _saturated(image: Tensor, factors: Tensor) -> Tensor:
    if image.shape[1] != 3:
        return image
    return recolor.recolored(image, factors.flatten(), torch.zeros_like(factors).flatten())


_CHANGES: tuple[Callable[[Batch, float], Batch], ...] = (
    lambda batch, m: batch,
    lambda batch, m: moved(batch, angles=_signed(batch, m * math.radians(30))),
    lambda batch, m: moved(batch, shears=_signed(batch, m * 0.3)),
    lambda batch, m: moved(batch, angles=(a := _signed(batch, m * 0.3)), shears=-a),
    lambda batch, m: moved(batch, moves=_moves(batch, 0, 0.45 * m)),
    lambda batch, m: moved(batch, moves=_moves(batch, 1, 0.45 * m)),
    _valued(lambda image, factors: image * factors),
    _valued(recolor.contrasted),
    _valued(recolor.sharpened),
    _valued(_saturated),
    _plain(lambda image, m: recolor.stretched(image)),
    _plain(lambda image, m: recolor.posterized(image, 2 ** round(8 - 4 * m))),
    _plain(lambda image, m: recolor.solarized(image, 1 - m)),
)


def _mixed(batch: Batch, image: Tensor, other: Tensor, share: Tensor) -> Batch:
    changed = {**batch, "image": image}
    if "target" in batch:
        changed |= {"other_target": batch["target"][other], "share": share}
    return changed


def _beta(alpha: float, n: int) -> Tensor:
    return torch.distributions.Beta(alpha, alpha).sample((n,))


AUGMENTATIONS: dict[str, type] = {
    "affine": Affine,
    "color": Color,
    "crop": Crop,
    "cutmix": CutMix,
    "elastic": Elastic,
    "erase": Erase,
    "flip": Flip,
    "mixup": MixUp,
    "noise": Noise,
    "randaugment": RandAugment,
    "rotate": Rotate,
    "shift": Shift,
    "turn": Turn,
}


def augmentation_by_name(given: Any) -> Chain | None:
    """Return what a text such as "flip + shift(by=0.1)" names, None for None or "none", or raise InvalidParameter."""
    if given is None or given == "none":
        return None
    if isinstance(given, Chain):
        return given
    if not isinstance(given, str):
        raise InvalidParameter(
            f"augmentation={given!r}: give a text such as 'flip + shift(by=0.1)', 'none' or 'auto'. Known: "
            f"{', '.join(sorted(AUGMENTATIONS))}."
        )
    chain = Chain(tuple(call_by_name("augmentation", part, AUGMENTATIONS) for part in _split(given)))
    if sum(part.mixes for part in chain.parts) > 1:
        raise InvalidParameter(f"augmentation={given!r}: mixup and cutmix both mix samples. Give one of them.")
    return chain


def check_augmentation(given: Any) -> None:
    """Raise InvalidParameter unless `given` is "auto" or names an augmentation."""
    if given != "auto":
        augmentation_by_name(given)


def usual(shape: Sequence[int]) -> Chain | None:
    """Return the augmentation for pictures of shape (C, H, W) that changes what hardly ever matters.

    A small shift; colour pictures are mirrored too. Grey ones may be writing, which has a side. Of a few pixels,
    nothing can be spared.
    """
    channels, height, width = shape
    if min(height, width) < 16:
        return None
    return Chain((Flip(), Shift()) if channels >= 3 else (Shift(by=0.08),))


def _split(text: str) -> list[str]:
    """Cut a text at each + that stands in no brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "+" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
