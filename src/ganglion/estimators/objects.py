"""Objects in pictures: reading their boxes, their classes and codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganglion.data.boxes import Boxes, as_boxes
from ganglion.data.matching import labels_of
from ganglion.data.warps import NO_OBJECT
from ganglion.errors import InvalidInput
from ganglion.networks.detector import SurestBoxes

CANDIDATES = 300  # boxes of a picture that a network answers, before those that cover each other are thinned out
_EDGE = 1.0  # pixels beyond the edge that are how tools count, and no mistake
_KINDS = {"U": "str", "i": "int", "u": "int", "b": "bool"}
_DTYPES: dict[str, type] = {"str": np.str_, "int": np.int64, "bool": np.bool_}
_ALLOWED = (
    'Give one Boxes, or one {"boxes": (k, 4) numbers left, top, right, bottom in pixels, "labels": (k,) classes}, a '
    "picture."
)


def read_boxes(y: Any, n_pictures: int, sides: Sequence[int]) -> np.ndarray:
    """Return the objects of pictures as an array that can be trusted.

    Parameters
    ----------
    y : sequence of Boxes, or of mappings with "boxes" and "labels"
        One a picture.
    n_pictures : int
        How many there must be.
    sides : sequence of int
        (height, width) of the pictures.

    Returns
    -------
    ndarray of shape (n_pictures,), of Boxes
        What stands out by a pixel or less is clipped.

    Raises
    ------
    InvalidInput
        If there are too many or too few, a box is no box, has no area or is outside its picture, or labels are
        missing or of mixed kinds.
    """
    if y is None or isinstance(y, str) or not hasattr(y, "__len__"):
        raise InvalidInput(f"a detector learns from boxes, but the target y is {type(y).__name__}. {_ALLOWED}")
    if len(y) != n_pictures:
        raise InvalidInput(
            f"X and y have inconsistent numbers of samples: [{n_pictures}, {len(y)}]. {_ALLOWED} A picture without "
            "objects has k = 0."
        )
    pictures = as_boxes(y)
    _check_labels(pictures)
    _check_corners(pictures, sides)
    most = np.array([sides[1], sides[0]] * 2, dtype=np.float32)
    inside = np.empty(n_pictures, dtype=object)
    for i, each in enumerate(pictures):
        inside[i] = Boxes(np.clip(each.boxes, 0, most), each.labels)
    return inside


def _check_labels(pictures: np.ndarray) -> None:
    kinds: dict[str, int] = {}  # where each is first
    for i, each in enumerate(pictures):
        if len(each):
            kinds.setdefault(each.labels.dtype.kind, i)
    odd = [kind for kind in kinds if kind not in _KINDS]
    if odd:
        picture = kinds[odd[0]]
        labels = pictures[picture].labels
        raise InvalidInput(
            f"the labels of picture {picture} are {labels[:5].tolist()}, of the type {labels.dtype}. Give text or "
            "whole numbers, one class to each box, none missing."
        )
    if len({_KINDS[kind] for kind in kinds}) > 1:
        examples = ", ".join(f"{pictures[i].labels[:1].tolist()[0]!r} in picture {i}" for i in kinds.values())
        raise InvalidInput(f"labels are of mixed kinds: {examples}. Give text or whole numbers to all boxes.")


def _check_corners(pictures: np.ndarray, sides: Sequence[int]) -> None:
    """Refuse what is no box, or lies outside its picture; the first one is named."""
    boxes = np.concatenate([np.empty((0, 4)), *(each.boxes for each in pictures)]).astype(np.float64)
    height, width = sides
    size = f"the pictures are {width} wide and {height} high"
    out = np.maximum(-boxes[:, :2], boxes[:, 2:] - [width, height]).max(1, initial=-np.inf) > _EDGE
    for wrong, what in (
        (~np.isfinite(boxes).all(1), "holds NaN or infinity"),
        ((boxes[:, 2:] < boxes[:, :2]).any(1), "has its corners swapped: left and top come before right and bottom"),
        ((boxes[:, 2:] == boxes[:, :2]).any(1), "has no area"),
        ((boxes[:, 2:] <= 0).any(1) | (boxes[:, :2] >= [width, height]).any(1), f"is outside: {size}"),
        (out, f"reaches beyond the edge: {size}"),
    ):
        if wrong.any():
            first = int(wrong.argmax())
            ends = np.cumsum([len(each) for each in pictures])
            picture = int(np.searchsorted(ends, first, side="right"))
            number = first - int(ends[picture] - len(pictures[picture]))
            corners = ", ".join(f"{value:g}" for value in boxes[first])
            raise InvalidInput(
                f"box {number} of picture {picture}, ({corners}), {what}. {int(wrong.sum())} of {len(boxes)} boxes are "
                "so. Give left, top, right, bottom in pixels of these pictures, or take the boxes out."
            )


@dataclass(frozen=True, eq=False)
class BoxTarget:
    """Any number of objects a picture: a box and a class each.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted.
    per_picture : float
        Objects of a picture on average in training, at least 1.
    """

    classes: np.ndarray
    per_picture: float = 1.0

    @classmethod
    def fit(cls, pictures: np.ndarray) -> BoxTarget:
        """Learn the classes of training boxes, as `read_boxes` gives them."""
        n_objects = sum(len(each) for each in pictures)
        if not n_objects:
            raise InvalidInput(
                f"none of the {len(pictures)} pictures has an object, so there is nothing to look for. Give boxes "
                "(pictures of weight 0 do not count)."
            )
        classes = labels_of(pictures)
        classes = classes.astype(np.int64) if classes.dtype.kind in "iu" else classes
        return cls(classes, max(1.0, n_objects / len(pictures)))

    @property
    def n_scores(self) -> int:
        """How many maps the network gives: one a class, and the four sides of boxes."""
        return len(self.classes) + 4

    def output(self) -> nn.Module:
        """Return the output layer that turns maps into the boxes of the surest centres."""
        return SurestBoxes(len(self.classes), CANDIDATES)

    def dense(self, pictures: Sequence[Boxes] | np.ndarray) -> np.ndarray:
        """Return boxes and codes as numbers, (n, K, 5) float32: left, top, right, bottom, code.

        K is that of the picture with most objects; the others are filled up with objects of the code -1.

        Raises
        ------
        InvalidInput
            If a class was not among those of training.
        """
        most = max([1, *(len(each) for each in pictures)])
        dense = np.zeros((len(pictures), most, 5), dtype=np.float32)
        dense[..., 4] = NO_OBJECT
        for i, each in enumerate(pictures):
            if len(each):
                dense[i, : len(each), :4] = each.boxes
                dense[i, : len(each), 4] = self._codes(each.labels, i)
        return dense

    def _codes(self, labels: np.ndarray, picture: int) -> np.ndarray:
        codes, unknown = np.zeros(len(labels), dtype=np.intp), labels
        if _KINDS[labels.dtype.kind] == _KINDS[self.classes.dtype.kind]:
            codes = np.searchsorted(self.classes, labels).clip(max=len(self.classes) - 1)
            unknown = np.unique(labels[self.classes[codes] != labels])
        if len(unknown):
            raise InvalidInput(
                f"picture {picture} holds objects of the classes {unknown[:5].tolist()}, which are not among those of "
                f"training, {self.classes[:20].tolist()}. Leave them out, or train on pictures that have them."
            )
        return codes

    def encode(self, y: np.ndarray, dtype: torch.dtype) -> Tensor:
        """Return dense boxes, (n, K, 5), as a tensor of at least float32: places have more digits than bfloat16."""
        return torch.from_numpy(y).to(torch.promote_types(dtype, torch.float32))

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        kind = _KINDS[self.classes.dtype.kind]
        return {"kind": "boxes", "dtype": kind, "classes": self.classes.tolist(), "per_picture": self.per_picture}


def box_target(stored: dict[str, Any]) -> BoxTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError, ValueError or OverflowError."""
    values, python = stored["classes"], {"str": str, "int": int, "bool": bool}[stored["dtype"]]
    if not isinstance(values, list) or not values or not all(type(value) is python for value in values):
        raise ValueError("classes")
    if sorted(set(values)) != values:
        raise ValueError("classes must differ and be sorted")
    per_picture = stored["per_picture"]
    if type(per_picture) is not float or not 1 <= per_picture < 1e9:
        raise ValueError("per_picture")
    return BoxTarget(np.array(values, dtype=_DTYPES[stored["dtype"]]), per_picture)
