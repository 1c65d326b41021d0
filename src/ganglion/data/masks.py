"""Mask files: a class for every pixel of a picture, from values or colours to codes.

    in the file                           a pixel's value
    grey, black and white, 16 bits        the number: 0, 255
    palette                               the number of the colour in the palette, as in Pascal VOC
    colour (if any mask has it)           the colour: #ff0000; transparency does not count

The values that occur in any mask, in rising order, are the classes 0, 1, …; they are the categories of the column. A
mask is resized with its picture, each pixel from the nearest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import IO, Any

import numpy as np
from torch import Tensor

from ganglion.data.file_tree import Skipped, Tree, listed
from ganglion.data.image_cache import Write, kept
from ganglion.data.image_files import Unreadable, opened, pillow_warnings
from ganglion.data.image_set import attempts, digest, n_threads_for
from ganglion.data.resizing import Resize, Size, place
from ganglion.errors import InvalidFile

MOST_COLOURS = 64
MOST_VALUES = 256
_NUMBERED = ("1", "L", "P", "I;16", "I;16B", "I;16L", "I;16N", "I")


def read_masks(
    tree: Tree, files: Sequence[str], size: Size, resize: Resize
) -> tuple[Tensor, tuple[str, ...], np.ndarray, Skipped]:
    """Read mask files, or take them from the cache.

    Parameters
    ----------
    tree : Tree
    files : sequence of str
        One or more of its files.
    size : (height, width)
        What they are to become.
    resize : Resize
        As of their pictures.

    Returns
    -------
    codes : Tensor of shape (n_kept, height, width), uint8
    categories : tuple of str
        The values or colours that the codes stand for.
    sizes : ndarray of shape (n_files, 2), int64
        Height and width of each file; 0 where it cannot be read.
    skipped : list of (int, str)
        Files that cannot be read, and what is wrong with each.

    Raises
    ------
    InvalidFile
        If no file can be read, or there are too many values to be classes.
    """
    key = digest(tree, files, "mask", size, resize)
    codes, notes = kept(key, lambda write: _code_all(tree, files, size, resize, write))
    skipped = [(i, reason) for i, reason in notes["skipped"]]
    return codes, tuple(notes["categories"]), np.array(notes["sizes"], dtype=np.int64), skipped


def _code_all(tree: Tree, files: Sequence[str], size: Size, resize: Resize, write: Write) -> dict[str, Any]:
    with pillow_warnings():
        seen = dict(attempts(tree, dict(enumerate(files)), _look))
        skipped = {i: each for i, each in seen.items() if isinstance(each, str)}
        heads = {i: each for i, each in seen.items() if not isinstance(each, str)}
        coloured = any(colour for _, colour in heads.values())
        threads = n_threads_for(shape for shape, _ in heads.values())
        found: dict[int, np.ndarray] = {}
        whole = {i: files[i] for i in heads}
        for i, each in attempts(tree, whole, partial(_distinct, coloured=coloured), threads):
            if isinstance(each, str):
                skipped[i] = each
            else:
                found[i] = each
        wrong = sorted(skipped.items())
        if not found:
            told = listed([str(tree.inside(file)) for file in files], wrong)
            raise InvalidFile(f"none of the {len(files)} masks of {tree.name} can be read: {told}. Give PNG files.")
        values = np.unique(np.concatenate(list(found.values())))
        _check_classes(tree, values, coloured)
        code = partial(_codes, values=values, size=size, resize=resize, coloured=coloured)
        for i, codes in attempts(tree, {i: files[i] for i in found}, code, threads):
            if isinstance(codes, str):
                raise InvalidFile(f"{files[i]} was changed while it was read: {codes}. Read again.")
            write(codes[None])
    sizes = [list(heads[i][0]) if i in found else [0, 0] for i in range(len(files))]
    names = [f"#{value:06x}" if coloured else str(value) for value in values.tolist()]
    return {"categories": names, "sizes": sizes, "skipped": wrong}


def _look(stream: IO[bytes]) -> tuple[Size, bool]:
    with opened(stream) as image:
        if not image.width or not image.height:
            raise Unreadable(f"has {image.height} × {image.width} pixels")
        return (image.height, image.width), image.mode not in _NUMBERED


def _values(stream: IO[bytes], *, coloured: bool) -> np.ndarray:
    """Return the number of each pixel, (height, width) int64; of colours, red × 65536 + green × 256 + blue."""
    with opened(stream) as image:
        if not coloured:
            return np.asarray(image.convert("L") if image.mode == "1" else image).astype(np.int64)
        red, green, blue = np.asarray(image.convert("RGBA").convert("RGB")).astype(np.int64).transpose(2, 0, 1)
        return red << 16 | green << 8 | blue


def _distinct(stream: IO[bytes], *, coloured: bool) -> np.ndarray:
    values = np.unique(_values(stream, coloured=coloured))
    return values[: MOST_VALUES + 1]  # more are refused anyway


def _codes(stream: IO[bytes], *, values: np.ndarray, size: Size, resize: Resize, coloured: bool) -> np.ndarray:
    """Return the class of each pixel of the resized mask, (height, width) uint8."""
    from PIL import Image

    full = _values(stream, coloured=coloured)
    placement = place((full.shape[0], full.shape[1]), size, resize)
    height, width = placement.shown
    codes = Image.fromarray(np.searchsorted(values, full).astype(np.uint8))
    codes = codes.resize((width, height), Image.Resampling.NEAREST, box=placement.box)
    top, left = placement.corner
    result = np.zeros(size, dtype=np.uint8)
    result[top : top + height, left : left + width] = np.asarray(codes)
    return result


def _check_classes(tree: Tree, values: np.ndarray, coloured: bool) -> None:
    most = MOST_COLOURS if coloured else MOST_VALUES
    if len(values) > most:
        what = "colours" if coloured else "values"
        raise InvalidFile(
            f"the masks of {tree.name} hold more than {most} different {what}, too many to be classes. Give one "
            f"{what[:-1]} to each class, without shades between them: save them as PNG, for JPEG blurs."
        )
