"""What every estimator of pictures can be told."""

from __future__ import annotations

from typing import Any

from ganglion.data.augmentation import Chain, augmentation_by_name, check_augmentation, usual
from ganglion.data.warps import Crop, Elastic
from ganglion.errors import InvalidParameter
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
