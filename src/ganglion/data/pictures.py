"""Pictures in memory, of any size and kind, as one stack of pixels, without torch: as a network takes them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ganglion.data.image_files import (
    Form,
    Seen,
    Unreadable,
    choose_form,
    fit_picture,
    is_picture,
    load_pillow,
    opened,
    pillow_warnings,
    seen_of,
)
from ganglion.data.resizing import Reading, Size
from ganglion.errors import InvalidInput

CHANNELS = (1, 3, 4)  # grey, colour, colour with transparency
# of red, green and blue, ITU-R BT.601, as Pillow has it
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def holds_pictures(X: Any) -> bool:
    """Say whether something holds pictures of any size: a PIL image, or a list of them, of paths or of arrays."""
    if not isinstance(X, list | tuple):
        return _is_pillow(X)
    if not X or not all(isinstance(each, str | os.PathLike | np.ndarray) or _is_pillow(each) for each in X):
        return False
    return all(each.ndim in (2, 3) for each in X if isinstance(each, np.ndarray)) and all(
        is_picture(each) for each in X if isinstance(each, str)
    )


def stacked(pictures: Sequence[Any], reading: Reading) -> tuple[np.ndarray, Form]:
    """Return pictures as one stack, (n, channels, height, width), and what was made of each.

    Parameters
    ----------
    pictures : sequence of PIL images, paths and arrays
        Arrays are (height, width) or (height, width, channels); numbers that are not uint8 are taken as they are.
    reading : Reading

    Raises
    ------
    InvalidInput
        If a picture cannot be read.
    """
    bands = [_bands(each, i) for i, each in enumerate(pictures)]
    with pillow_warnings():
        try:
            seen = [seen_of(each[0]) if len(each) == 1 else Seen(_size(each[0]), 3, is_deep=True) for each in bands]
            form = choose_form(seen, reading)
            return np.stack([_fitted(each, form) for each in bands]), form
        except Unreadable as error:
            raise InvalidInput(f"a picture {error}. Give whole pictures of finite numbers.") from error


def _is_pillow(each: Any) -> bool:
    return any(cls.__module__.startswith("PIL.") for cls in type(each).__mro__)  # without importing it


def _bands(picture: Any, i: int) -> list[Any]:
    """Return a picture as one PIL image; one of numbers in colour as an image a channel."""
    Image = load_pillow("Resizing pictures")
    if isinstance(picture, str | os.PathLike):
        with Path(picture).open("rb") as file, opened(file) as image:
            image.load()
            return [image]
    if not isinstance(picture, np.ndarray):
        return [picture]
    array = picture
    if array.ndim == 3 and array.shape[2] not in CHANNELS and array.shape[0] in CHANNELS:
        array = np.moveaxis(array, 0, 2)
    if array.size == 0 or (array.ndim == 3 and array.shape[2] not in CHANNELS) or array.dtype.kind not in "buif":
        raise InvalidInput(
            f"picture {i} is an array of shape {picture.shape} and type {picture.dtype}. Give numbers, (height, width) "
            "or (height, width, channels) with 1, 3 or 4 channels."
        )
    array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.dtype == np.uint8:
        return [Image.fromarray(np.ascontiguousarray(array))]
    layers = [array] if array.ndim == 2 else [array[:, :, channel] for channel in range(3)]
    return [Image.fromarray(np.ascontiguousarray(layer, dtype=np.float32)) for layer in layers]


def _size(image: Any) -> Size:
    return image.height, image.width


def _fitted(bands: list[Any], form: Form) -> np.ndarray:
    if len(bands) == 1:
        return fit_picture(bands[0], form)
    layers = np.concatenate([fit_picture(band, replace(form, channels=1, is_deep=True)) for band in bands])
    return layers if form.channels == 3 else np.tensordot(_BRIGHTNESS, layers, 1)[None].astype(np.float32)
