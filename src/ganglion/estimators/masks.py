"""A class for every pixel: reading masks, their classes and codes, and how well two masks agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganglion.data.columns import share_memory
from ganglion.data.spool import is_on_disk, on_disk, pieces, store
from ganglion.errors import InvalidInput
from ganglion.networks import outputs

MOST_CLASSES = 256  # codes are bytes; a mask of more is one of numbered objects
_DTYPES: dict[str, type] = {"bool": np.bool_, "uint8": np.uint8, "int64": np.int64}
_ALLOWED = "Give one mask of whole numbers an image, (n, height, width)."


def read_masks(y: Any, n_images: int, sides: Sequence[int]) -> np.ndarray:
    """Return masks as an array that can be trusted.

    Parameters
    ----------
    y : array-like of shape (n_images, height, width) or (n_images, height, width, 1)
        Whole numbers of 0 or more, or truth values. A list of 2-D arrays is one.
    n_images : int
        How many masks there must be.
    sides : sequence of int
        (height, width) of the images.

    Returns
    -------
    ndarray of shape (n_images, height, width), bool, uint8 or int64

    Raises
    ------
    InvalidInput
        If masks are missing, hold fractions or negative numbers, or fit no image.
    """
    masks = _array(y)
    if masks.ndim == 4 and masks.shape[3] == 1:
        masks = masks[..., 0]
    _check_shape(masks.shape, n_images, tuple(sides))
    if masks.dtype.kind not in "bui":
        what = "numbers with fractions" if masks.dtype.kind == "f" else f"values of the type {masks.dtype}"
        raise InvalidInput(f"the masks hold {what}, and no classes. {_ALLOWED} y.astype(np.uint8) makes them so.")
    if masks.dtype in (np.bool_, np.uint8):
        return masks
    if masks.dtype.kind == "i" and masks.min() < 0:
        image = int((masks < 0).any((1, 2)).argmax())
        raise InvalidInput(
            f"mask {image} holds negative numbers, the lowest is {masks[image].min()}. Classes are numbers of 0 or "
            "more; give what is to be left out a class of its own."
        )
    return masks.astype(np.uint8 if masks.max() < MOST_CLASSES else np.int64)


def _array(y: Any) -> np.ndarray:
    if y is None:
        raise InvalidInput(f"SegmentationCNN needs masks to learn from, but the target y is None. {_ALLOWED}")
    try:
        return np.asarray(y)
    except ValueError as error:  # a list whose members differ in size
        sizes = sorted({np.shape(mask) for mask in y})
        raise InvalidInput(
            f"masks of unequal size were given: {', '.join(map(str, sizes[:5]))}. Give each the size of the images."
        ) from error


def _check_shape(shape: tuple[int, ...], n_images: int, sides: tuple[int, ...]) -> None:
    if len(shape) != 3:
        hint = ""
        if len(shape) < 3:
            hint = " For one label an image take CNNClassifier."
        elif len(shape) == 4:
            hint = (
                " Of one plane a class take the class's number: y.argmax(-1), or y.argmax(1) where planes come first."
            )
        raise InvalidInput(f"y has shape {shape}, which is no stack of masks. {_ALLOWED}{hint}")
    if shape[0] != n_images:
        raise InvalidInput(
            f"X and y have inconsistent numbers of samples: [{n_images}, {shape[0]}]. Give one mask an image."
        )
    if shape[1:] != sides:
        raise InvalidInput(
            f"the masks fit no image: they have {shape[1]} × {shape[2]} pixels, the images {sides[0]} × {sides[1]}. "
            "Give each mask the height and width of its image."
        )


@dataclass(frozen=True, eq=False)
class MaskTarget:
    """One class out of several for every pixel.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,), bool, uint8 or int64
        Sorted.
    """

    classes: np.ndarray

    @classmethod
    def fit(cls, masks: np.ndarray) -> MaskTarget:
        """Learn the classes of training masks, as `read_masks` gives them."""
        found: set[int | bool] = set()
        for _, part in pieces(share_memory(masks)):
            found |= set(part.unique().tolist())
            if len(found) > MOST_CLASSES:
                raise InvalidInput(
                    f"the masks have more than {MOST_CLASSES} classes, as if they numbered objects. Give every pixel "
                    "the class of its object."
                )
        if len(found) < 2:
            raise InvalidInput(
                f"the masks have one class only, {next(iter(found))!r}, so there is nothing to tell apart. Give masks "
                "of at least two classes (images of weight 0 do not count)."
            )
        return cls(np.array(sorted(found), dtype=masks.dtype))

    @property
    def n_scores(self) -> int:
        """How many scores the network gives for a pixel: one a class."""
        return len(self.classes)

    def output(self) -> nn.Module:
        """Return the output layer that turns scores into probabilities."""
        return outputs.Softmax()

    def encode(self, y: np.ndarray, dtype: torch.dtype | None = None) -> Tensor:
        """Return the places of the classes in `classes`, (n, H, W) uint8: a byte a pixel, whatever the `dtype`.

        Raises
        ------
        InvalidInput
            If a class was not among those of training.
        """
        masks, shape = share_memory(y), {"": (y.shape, torch.uint8)}
        codes = on_disk(shape)[""] if is_on_disk(masks) else torch.empty(y.shape, dtype=torch.uint8)
        known = torch.from_numpy(self.classes.astype(np.int64))
        for rows, part in pieces(masks):
            wide = part.long()
            code = torch.searchsorted(known, wide).clamp_(max=len(known) - 1)
            unknown = wide[known[code] != wide]
            if len(unknown):
                raise InvalidInput(
                    f"the masks hold the classes {unknown.unique().tolist()[:5]}, which are not among those of "
                    f"training, {self.classes.tolist()[:20]}. Leave these images out, or train on some that have them."
                )
            store(codes, rows.start, code)
        return codes

    def decode(self, codes: Tensor) -> np.ndarray:
        """Return the classes of codes, of any shape."""
        return self.classes[codes.numpy()]

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        return {"kind": "masks", "classes": self.classes.tolist(), "dtype": str(self.classes.dtype)}


def mask_target(stored: dict[str, Any]) -> MaskTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError, ValueError or OverflowError."""
    values, dtype = stored["classes"], _DTYPES[stored["dtype"]]
    python = bool if dtype is np.bool_ else int
    if not isinstance(values, list) or not all(type(value) is python for value in values):
        raise ValueError("classes")
    if not 2 <= len(values) <= MOST_CLASSES or sorted(set(values)) != values or values[0] < 0:
        raise ValueError("classes must differ and be sorted")
    return MaskTarget(np.array(values, dtype=dtype))


def confusion(truth: Tensor, said: Tensor, n_classes: int) -> np.ndarray:
    """Count the pixels of each image by their class and by what was said.

    Parameters
    ----------
    truth, said : Tensor of shape (n, height, width), uint8
        Codes of classes.
    n_classes : int

    Returns
    -------
    ndarray of shape (n, n_classes, n_classes), int64
        The true class first.
    """
    tables = torch.stack(
        [
            torch.bincount(one.long().flatten() * n_classes + other.flatten(), minlength=n_classes**2)
            for one, other in zip(truth, said, strict=True)
        ]
    )
    return tables.reshape(-1, n_classes, n_classes).numpy()


def mean_iou(table: np.ndarray) -> float:
    """Return intersection over union, the mean over the classes that occur, of a table (n_classes, n_classes).

    |A ∩ B| / |A ∪ B|, A the pixels of a class and B those said to be of it (Jaccard 1912); a class occurs where A ∪ B
    is not empty. Everingham et al. 2015, IJCV 111, 98-136, section 4.2.
    """
    both = np.diagonal(table)
    either = table.sum(0) + table.sum(1) - both
    return float((both[either > 0] / either[either > 0]).mean())
