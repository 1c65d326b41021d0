"""Pictures of any size and kind as the inputs of a graph: brought to the size of training as Python does; no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from ganglion.data.file_tree import open_tree
from ganglion.data.image_files import (
    KINDS,
    SUFFIXES,
    Unreadable,
    choose_form,
    decode,
    is_picture,
    look,
    pillow_warnings,
)
from ganglion.data.pictures import holds_pictures, stacked
from ganglion.data.resizing import Reading, Resize, place, reading_to
from ganglion.deployment.said import ragged
from ganglion.deployment.signature import Signature
from ganglion.errors import InvalidFile


def pixels_of(signature: Signature, X: Any) -> Any:
    """Return pictures as a graph takes them, (n, height, width, channels); a stack of one size stays as it is.

    Parameters
    ----------
    signature : Signature
    X : stack of images, or PIL image, or list of PIL images, paths and arrays (height, width[, channels])

    Raises
    ------
    InvalidInput, InvalidFile
        If a picture cannot be read.
    """
    sides = _sides(signature)
    if sides is None or not holds_pictures(X) or _is_of_size(X, sides):
        return X
    reading = reading_to((int(signature.inputs[0].shape[3]), *sides), cast(Resize, signature.resize or "stretch"))
    pictures = list(X) if isinstance(X, list | tuple) else [X]
    if all(isinstance(each, str | os.PathLike) for each in pictures):
        return _decoded([Path(each).expanduser() for each in pictures], reading)
    return stacked(pictures, reading)[0].transpose(0, 2, 3, 1)


def in_files(signature: Signature, X: Any, boxes: np.ndarray) -> np.ndarray:
    """Return boxes of picture files, which are of the size of training, in the pixels of the files, inside them.

    Parameters
    ----------
    signature : Signature
    X : list of paths; boxes of whatever else there is come back as they are
    boxes : ndarray of shape (n_samples,), of arrays (n, 4)
    """
    sides = _sides(signature)
    if sides is None or not isinstance(X, list) or not all(isinstance(each, str | os.PathLike) for each in X):
        return boxes
    sizes = [_of_file(Path(path).expanduser(), look).size for path in X]
    placed = [place(size, sides, cast(Resize, signature.resize or "stretch")) for size in sizes]
    moved = [to.moved_back(each) for to, each in zip(placed, boxes, strict=True)]
    return ragged([each.clip(0, [w, h, w, h]).astype(np.float32) for each, (h, w) in zip(moved, sizes, strict=True)])


def pictures_in(path: Path) -> list[Path]:
    """Return the pictures of a file or folder, in the order of names; raises InvalidFile if there is none."""
    if not path.is_dir():
        return [path]
    with open_tree(path) as tree:
        found = [path / name for name in tree.files if is_picture(name)]
    if not found:
        raise InvalidFile(f"there is no picture in {path}. Give {', '.join(SUFFIXES)} files, or their folder.")
    return found


def _sides(signature: Signature) -> tuple[int, int] | None:
    """Return height and width of the pictures of training; None where an older file does not tell."""
    told = tuple(int(signature.settings[side]) for side in ("height", "width") if side in signature.settings)
    return signature.inputs[0].sides or (told if len(told) == 2 else None)


def _is_of_size(X: Any, size: tuple[int, int]) -> bool:
    """Return whether a list of arrays is one stack of images of the size of training."""
    if not all(isinstance(each, np.ndarray) for each in X):
        return False
    shapes = {each.shape for each in X}
    return len(shapes) == 1 and size in ((shape := shapes.pop())[:2], shape[1:])


def _decoded(paths: Sequence[Path], reading: Reading) -> np.ndarray:
    with pillow_warnings():
        seen = [_of_file(path, look) for path in paths]
        form = choose_form(seen, reading)
        found = [_of_file(path, lambda stream: decode(stream, form)[0]) for path in paths]
    return np.stack(found).transpose(0, 2, 3, 1)


def _of_file(path: Path, read: Any) -> Any:
    try:
        with path.open("rb") as stream:
            return read(stream)
    except FileNotFoundError as error:
        raise InvalidFile(f"there is no file {path}. The current folder is {Path.cwd()}.") from error
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read: {error.strerror or error}.") from error
    except Unreadable as error:
        raise InvalidFile(f"{path} {error}. Give {KINDS} files.") from error
