"""Boxes around objects: what a detector learns from, and what it answers.

A box is (left, top, right, bottom) in pixels, the origin at the top left corner of the picture; right and bottom are
where the box ends, so that its width is right - left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.errors import InvalidInput


@dataclass(frozen=True, eq=False, slots=True)
class Boxes:
    """The objects of one picture.

    Attributes
    ----------
    boxes : ndarray of shape (n_objects, 4), float32
        Left, top, right, bottom, in pixels.
    labels : ndarray of shape (n_objects,)
        The class of each object: text or whole numbers.
    scores : ndarray of shape (n_objects,), float32, or None
        How sure a detector is, from 0 to 1, highest first; None for what a person has drawn.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def to_dict(self) -> dict[str, Any]:
        """Return the objects in plain types."""
        plain = {"boxes": self.boxes.tolist(), "labels": self.labels.tolist()}
        return plain if self.scores is None else {**plain, "scores": self.scores.tolist()}


def as_boxes(y: Any) -> np.ndarray:
    """Return the objects of several pictures as an array of `Boxes`.

    Parameters
    ----------
    y : sequence of Boxes, or of mappings with "boxes", (k, 4), and "labels", (k,)
        One a picture; a picture without objects has none.

    Returns
    -------
    ndarray of shape (n_samples,), of Boxes

    Raises
    ------
    InvalidInput
        If an entry is neither, or its boxes and labels do not fit each other.
    """
    array = np.empty(len(y), dtype=object)
    for i, each in enumerate(y):
        array[i] = _checked(each, i) if isinstance(each, Boxes) else _read(each, i)
    return array


def holds_boxes(y: Any) -> bool:
    """Return whether a target holds the objects of pictures, one entry a picture."""
    if not isinstance(y, Sequence) and not (isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1):
        return False
    first = y[0] if len(y) else None
    return isinstance(first, Boxes) or (isinstance(first, Mapping) and "boxes" in first)


def _read(given: Any, i: int) -> Boxes:
    if not isinstance(given, Mapping) or "boxes" not in given or "labels" not in given:
        what = f"the keys {', '.join(map(str, given))}" if isinstance(given, Mapping) else f"a {type(given).__name__}"
        raise InvalidInput(
            f'the objects of picture {i} are {what}. Give {{"boxes": (k, 4) numbers left, top, right, bottom in '
            'pixels, "labels": (k,) classes}, with k = 0 for a picture without objects.'
        )
    try:
        boxes = np.asarray(given["boxes"], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the boxes of picture {i} must be numbers, (k, 4): {error}.") from error
    labels = given["labels"]
    if isinstance(labels, list | tuple) and 0 < sum(isinstance(label, str) for label in labels) < len(labels):
        raise InvalidInput(f"the labels of picture {i} mix text and other values: {labels[:5]}. Give all as text.")
    return _checked(Boxes(boxes.reshape(0, 4) if boxes.size == 0 else boxes, np.asarray(labels)), i)


def _checked(given: Boxes, i: int) -> Boxes:
    boxes, labels = np.shape(given.boxes), np.shape(given.labels)
    if len(boxes) != 2 or boxes[1] != 4 or labels != boxes[:1]:
        raise InvalidInput(
            f"picture {i} has boxes of shape {boxes} and labels of shape {labels}. Give (k, 4) and (k,): left, top, "
            "right, bottom in pixels and the class of each."
        )
    return given
