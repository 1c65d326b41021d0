"""What every estimator of pictures can be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from ganglion.data.augmentation import Chain, augmentation_by_name, check_augmentation, usual
from ganglion.data.warps import Crop, Elastic
from ganglion.errors import InvalidParameter
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option


@hyperparameters
class PictureOptions:
    """Options of algorithms that read pictures."""

    augmentation: Any = option(
        "auto",
        "Random changes of the pictures while training, such as 'flip + shift(by=0.1) + cutmix': affine, color, crop, "
        "cutmix, elastic, erase, flip, mixup, noise, randaugment, rotate, shift, turn, or 'none'. 'auto' shifts "
        "pictures a little, and mirrors those in colour.",
        check=check_augmentation,
    )

    views: Literal["one", "flip", "shift", "turn"] = option(
        "one",
        "What predictions average over: 'one' is each picture as it is, 'flip' its mirror image too, 'shift' both and "
        "those moved by a pixel along the diagonal, 'turn' all quarter turns and their mirror images.",
    )

    def _asked(self: Any, *, scores: bool) -> Callable[[Mapping[str, Tensor]], Tensor]:
        """Return what is asked for answers, or scores, of pictures: the mean over several views of them."""
        network: Network = self.network_
        if self.views == "one" or not self.encoder_.spec.image:
            return network.raw_scores if scores else network
        if self.tags.task == "detection":
            raise InvalidParameter(f"views={self.views!r}: boxes cannot be averaged. Give views='one'.")

        def averaged(inputs: Mapping[str, Tensor]) -> Tensor:
            image = inputs["image"]
            looks = _views(self.views, *image.shape[-2:])
            seen = [_back(network.raw_scores({**inputs, "image": look(image)}), back) for look, back in looks]
            mean = torch.stack(seen).mean(0)
            return mean if scores else network.output(mean)

        return averaged

    def _augmentation(self: Any) -> Chain | None:
        """Return how pictures are changed, or None for not at all."""
        image, task = self.encoder_.spec.image, self.tags.task
        if self.augmentation == "auto":
            return usual(image) if image else None
        chain = augmentation_by_name(self.augmentation)
        if chain is None:
            return None
        if not image:
            raise InvalidParameter(
                f"augmentation={self.augmentation!r} changes pictures, but X is a table. Give images, or "
                "augmentation='none'."
            )
        if chain.mixes and task not in ("classification", "regression"):
            raise InvalidParameter(
                f"augmentation={self.augmentation!r}: mixup and cutmix mix the targets of whole pictures, which "
                f"{task} does not have. Leave them out."
            )
        if any(isinstance(part, Crop) for part in chain.parts) and task != "segmentation":
            raise InvalidParameter(
                f"augmentation={self.augmentation!r}: crop makes pictures smaller, but this network takes them as they "
                "are. Give shift or affine."
            )
        if any(isinstance(part, Elastic) for part in chain.parts) and task == "detection":
            raise InvalidParameter(
                f"augmentation={self.augmentation!r}: elastic bends boxes, which then are none. Give affine."
            )
        return chain


Look = Callable[[Tensor], Tensor]


def _views(name: str, height: int, width: int) -> list[tuple[Look, Look]]:
    """Return ways to look at pictures, (…, H, W), each with its way back."""
    flip = partial(torch.flip, dims=(-1,))
    plain = [(_same, _same), (flip, flip)]
    if name == "flip":
        return plain
    if name == "shift":
        moves = [(partial(_moved, by=by), partial(_moved, by=-by)) for by in (1, -1)]
        return [*plain, *moves, *((_then(flip, move), _then(back, flip)) for move, back in moves)]
    quarters = range(4) if height == width else (0, 2)
    turns = [(partial(torch.rot90, k=k, dims=(-2, -1)), partial(torch.rot90, k=-k, dims=(-2, -1))) for k in quarters]
    return [*turns, *((_then(flip, turn), _then(back, flip)) for turn, back in turns)]


def _same(image: Tensor) -> Tensor:
    return image


def _moved(image: Tensor, by: int) -> Tensor:
    """Return pictures moved along the diagonal by one pixel; the last row and column stand twice."""
    one, rest = slice(1, None), slice(None, -1)
    kept, edge = (rest, slice(None, 1)) if by > 0 else (one, slice(-1, None))
    order = (edge, kept) if by > 0 else (kept, edge)
    image = torch.cat([image[..., each, :] for each in order], -2)
    return torch.cat([image[..., each] for each in order], -1)


def _then(first: Look, second: Look) -> Look:
    return lambda image: second(first(image))


def _back(scores: Tensor, back: Look) -> Tensor:
    """Return scores as of the picture before it was looked at another way: those of places move back."""
    return back(scores) if scores.dim() == 4 else scores
