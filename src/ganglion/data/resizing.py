"""How a picture of any size becomes one of the size that a network takes, and how places in it move along.

    stretch   the whole picture, its sides scaled independently
    crop      the largest middle part of the right proportions, scaled
    pad       the whole picture, scaled alike in both directions, in the middle of black (masks: of the first class)

Pictures, masks and boxes go through the same `Placement`, so that they still fit each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ganglion.data.note_values import step_length
from ganglion.errors import InvalidParameter

Resize = Literal["stretch", "crop", "pad"]
Size = tuple[int, int]
POLICIES: tuple[Resize, ...] = ("stretch", "crop", "pad")
CHANNELS = (1, 3)
LARGEST_SIDE = 1024  # pictures of one size keep it up to here
USUAL_SIDE = 128  # the longer side of pictures of mixed sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How files of pictures, music and sound are to be read.

    Attributes
    ----------
    size : (height, width), or None
        In pixels. None keeps a size that all pictures share, up to 1024 on the longer side; others get the median
        height and width of all, shrunk to at most 128 on the longer side.
    resize : "stretch", "crop" or "pad"
        See the table at the top of the module.
    channels : 1, 3 or None
        Grey or colour; None makes all colour unless all are grey.
    corrupt : "skip" or "refuse"
        What to do about files that cannot be read: leave them out with a warning that lists them, or raise.
    step : str
        The note that a step of music in MIDI files is as long as, "1/16"; empty for a quarter note.
    rate : int or None
        Samples a second of recordings; None takes the rate that most of them have, at most 16,000.

    Raises
    ------
    InvalidParameter
        If a value is none of those.
    """

    size: Size | None = None
    resize: Resize = "stretch"
    channels: int | None = None
    corrupt: Literal["skip", "refuse"] = "skip"
    step: str = ""
    rate: int | None = None

    def __post_init__(self) -> None:
        if self.size is not None and not _is_size(self.size):
            raise InvalidParameter(f"size={self.size!r}: give (height, width) in pixels, such as (96, 128), or None.")
        if self.resize not in POLICIES:
            raise InvalidParameter(f"resize={self.resize!r}: allowed are {', '.join(map(repr, POLICIES))}.")
        if self.channels not in (None, *CHANNELS):
            raise InvalidParameter(f"channels={self.channels!r}: give 1 (grey), 3 (colour), or None to see.")
        if self.corrupt not in ("skip", "refuse"):
            raise InvalidParameter(f"corrupt={self.corrupt!r}: give 'skip' or 'refuse'.")
        if self.step != "":
            step_length(self.step)
        if self.rate is not None and (type(self.rate) is not int or not 1_000 <= self.rate <= 384_000):
            raise InvalidParameter(
                f"rate={self.rate!r}: give samples a second, a whole number from 1,000 to 384,000 (16 kHz is 16000), "
                "or None."
            )


@dataclass(frozen=True, slots=True)
class Placement:
    """Which part of a picture is shown, how large, and where in the result.

    Attributes
    ----------
    box : tuple of float
        Left, top, right, bottom of the part, in pixels of the original.
    shown : (height, width)
        The size of that part in the result.
    corner : (top, left)
        Where it begins there.
    size : (height, width)
        Of the result.
    """

    box: tuple[float, float, float, float]
    shown: Size
    corner: Size
    size: Size

    def moved(self, boxes: np.ndarray) -> np.ndarray:
        """Return boxes of the original, (k, 4) left, top, right, bottom, where they are in the result."""
        scale, shift = self._linear()
        height, width = self.size
        return np.clip(boxes * scale + shift, 0, [width, height, width, height]).astype(np.float32)

    def moved_back(self, boxes: np.ndarray) -> np.ndarray:
        """Return boxes of the result, (k, 4), where they are in the original."""
        scale, shift = self._linear()
        return ((boxes - shift) / scale).astype(np.float32)

    def _linear(self) -> tuple[np.ndarray, np.ndarray]:
        left, top, right, bottom = self.box
        scale = np.array([self.shown[1] / (right - left), self.shown[0] / (bottom - top)])
        shift = np.array([self.corner[1], self.corner[0]]) - scale * [left, top]
        return np.tile(scale, 2), np.tile(shift, 2)


def place(original: Size, size: Size, resize: Resize) -> Placement:
    """Return how a picture of one size (height, width) is put into another."""
    (h, w), (height, width) = original, size
    whole = (0.0, 0.0, float(w), float(h))
    if resize == "stretch":
        return Placement(whole, size, (0, 0), size)
    if resize == "pad":
        scale = min(height / h, width / w)
        shown = (min(height, max(1, round(h * scale))), min(width, max(1, round(w * scale))))
        return Placement(whole, shown, ((height - shown[0]) // 2, (width - shown[1]) // 2), size)
    scale = max(height / h, width / w)
    part_h, part_w = min(float(h), height / scale), min(float(w), width / scale)
    left, top = (w - part_w) / 2, (h - part_h) / 2
    return Placement((left, top, left + part_w, top + part_h), size, (0, 0), size)


def reading_to(shape: Sequence[int], resize: Resize) -> Reading:
    """Return how to read files to pictures of the shape (channels, height, width)."""
    channels, height, width = shape
    return Reading(size=(height, width), resize=resize, channels=channels if channels in CHANNELS else None)


def common_size(sizes: np.ndarray) -> Size:
    """Return the size for pictures of the sizes (n, 2), heights and widths, as `Reading.size` says."""
    alike = bool((sizes == sizes[0]).all())
    height, width = np.median(sizes, axis=0).tolist()
    most = LARGEST_SIDE if alike else USUAL_SIDE
    scale = 1.0 if max(height, width) <= most else USUAL_SIDE / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _is_size(size: Any) -> bool:
    pair = isinstance(size, tuple | list) and len(size) == 2
    return pair and all(isinstance(side, int) and not isinstance(side, bool) and 0 < side < 2**16 for side in size)
