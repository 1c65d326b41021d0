"""Stacks of images, from any usual order of axes to (n, channels, height, width)."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ganglion.data.columns import complex_data, lies_on_disk, share_memory
from ganglion.data.dataset import Field
from ganglion.data.pictures import CHANNELS
from ganglion.data.spool import changed, pieces
from ganglion.errors import InvalidInput, UnsupportedType

_ALLOWED = (
    "Allowed are (n, height, width) for grey images, and (n, height, width, channels) or (n, channels, height, width) "
    "with 1, 3 or 4 channels."
)
STRETCHED = 16  # a side so many times longer than the other is no picture, but a number of samples


def image_column(name: str, array: np.ndarray) -> tuple[Field, Tensor]:
    """Return the field and the tensor of a stack of images.

    Parameters
    ----------
    name : str
        The column's name.
    array : ndarray of shape (n, height, width), (n, height, width, channels) or (n, channels, height, width)
        uint8 is kept; other numbers become float32.

    Returns
    -------
    field : Field
        Of kind "image" and shape (channels, height, width).
    images : Tensor of shape (n, channels, height, width)

    Raises
    ------
    InvalidInput
        If axes seem swapped, or a pixel is NaN, infinite or complex.
    """
    images = _pixels(array)
    if images.dim() == 3:
        _check_grey(array.shape)
        images = images[:, None]
    elif _is_channels_last(array.shape):
        images = changed(images, lambda part: part.permute(0, 3, 1, 2).contiguous())
    return Field(name, "image", tuple(images.shape[1:])), images


def _pixels(array: np.ndarray) -> Tensor:
    if array.dtype == np.uint8:
        return share_memory(array)
    if array.dtype.kind == "c":
        raise complex_data("the stack of images")
    if array.dtype.kind not in "buif":
        raise UnsupportedType(f"images must be numbers, but these have dtype {array.dtype}. Give uint8 or float32.")
    if array.dtype != np.float32 and lies_on_disk(array):
        images = changed(share_memory(array), lambda part: part.float())
    else:
        images = share_memory(array.astype(np.float32, copy=False))
    for rows, part in pieces(images):
        finite = part.isfinite()
        if not finite.all():
            sample = rows.start + int(finite.flatten(1).all(1).int().argmin())
            raise InvalidInput(
                f"image {sample} holds NaN or infinity. Every pixel must be a number: remove that image."
            )
    return images


def _check_grey(shape: tuple[int, ...]) -> None:
    first, height, width = shape
    if width in CHANNELS and height > width and first > width:
        raise _swapped(shape, "It looks like one single colour image; give it as X[None].")
    if first == height and width > STRETCHED * height:
        raise _swapped(shape, "The number of images seems to come last; give np.moveaxis(X, -1, 0).")


def _is_channels_last(shape: tuple[int, ...]) -> bool:
    last, second = shape[3] in CHANNELS, shape[1] in CHANNELS
    if last == second:
        problem = "Either axis could hold the channels." if last else "No axis has the size of channels."
        raise _swapped(shape, f"{problem} Reorder them with np.moveaxis, or give more pixels.")
    return last


def _swapped(shape: tuple[int, ...], advice: str) -> InvalidInput:
    return InvalidInput(f"images were given with shape {shape}; swapped axes are suspected. {advice} {_ALLOWED}")
