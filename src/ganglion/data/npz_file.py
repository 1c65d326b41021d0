"""NumPy's files: .npy, one array, and .npz, a zip of named arrays. Pickled objects are never loaded.

Arrays are known by their names: X, x, data, features, images, inputs or x_train hold samples; y, target, label,
labels or y_train what is to be predicted; class_names the names of integer labels.
"""

from __future__ import annotations

import contextlib
import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Literal

import numpy as np

from ganglion.data.columns import infer_column
from ganglion.data.convert import array_column, as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.gzip_file import DEFLATE_RATIO, SMALL, USUAL_RATIO
from ganglion.data.strings import Column
from ganglion.errors import InvalidFile, InvalidInput

Part = Literal["train", "test"]
MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
SAMPLES = ("X", "x", "data", "features", "images", "image", "inputs")
TARGETS = ("y", "Y", "target", "targets", "label", "labels")
CLASS_NAMES = ("class_names", "target_names", "label_names", "classes")
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError, RuntimeError, NotImplementedError)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def npy_to_dataset(path: Path) -> Dataset:
    """Return the data set of a .npy file; the array stays on disk until it is needed (a memory map).

    Raises
    ------
    InvalidFile
        If the file is cut, damaged, or holds pickled objects.
    """
    try:
        with path.open("rb") as stream:
            _check_member(stream, path.name, path.stat().st_size)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except InvalidFile:
        raise
    except _DAMAGED as error:
        raise _damaged(path.name, error) from error
    return as_dataset(array if array.ndim > 1 else array[:, None], source=path.name)


def npz_to_dataset(path: Path, part: Part = "train") -> Dataset:
    """Return the data set of a .npz file.

    Parameters
    ----------
    path : Path
        A .npz file.
    part : "train" or "test"
        Which part to read of a file that holds both, as x_train, y_train, x_test, y_test.

    Raises
    ------
    InvalidFile
        If the file is cut, damaged, holds pickled objects, claims more than it can hold, or names no array that is
        known to hold samples.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {each.removesuffix(".npy") for each in archive.namelist() if each.endswith(".npy")}
            samples = _known(names, SAMPLES, part)
            targets = _known(names, TARGETS, part) if samples else None
            chosen = [samples, targets, _known(names, CLASS_NAMES, None)] if samples else sorted(names)
            arrays = {name: _read_member(archive, name, path) for name in chosen if name}
    except (InvalidFile, InvalidInput):
        raise
    except _DAMAGED as error:
        raise _damaged(path.name, error) from error
    if samples:
        return _labelled(arrays, samples, targets, path)
    return _unnamed(arrays, path)


def has_part(path: Path, part: Part) -> bool:
    """Say whether a .npz file holds samples of a part under a name of their own; `npz_to_dataset` tells of damage."""
    with contextlib.suppress(*_DAMAGED), zipfile.ZipFile(path) as archive:
        names = {each.removesuffix(".npy") for each in archive.namelist()}
        return _known(names, SAMPLES, part) not in (None, *SAMPLES)
    return False


def _labelled(arrays: dict[str, np.ndarray], samples: str, targets: str | None, path: Path) -> Dataset:
    data = as_dataset(arrays[samples], source=path.name)
    if targets is None:
        return data
    y = arrays[targets]
    if len(y) != len(data):
        raise InvalidFile(
            f"{path.name}: {samples!r} holds {len(data)} samples, but {targets!r} holds {len(y)}. They do not belong "
            "together; save the file again."
        )
    classes = next((arrays[name] for name in CLASS_NAMES if name in arrays), None)
    name = "label" if "label" in targets else "y"
    field, column = _target(name, y, classes)
    return Dataset([*data.fields, field], {**data.columns, name: column}, target=[name], source=path.name)


def _target(name: str, y: np.ndarray, classes: np.ndarray | None) -> Column:
    """Return the target; whole numbers become classes when they have names, or are called labels."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 1 and y.dtype.kind in "ui":
        if classes is not None and classes.ndim == 1 and y.min() >= 0 and y.max() < len(classes):
            return infer_column(name, classes[y].astype(str), kind="categorical")
        if name == "label":
            return infer_column(name, y, kind="categorical")
    return array_column(name, y)


def _unnamed(arrays: dict[str, np.ndarray], path: Path) -> Dataset:
    """Read one single array, or arrays that can be the columns of one table."""
    if len(arrays) == 1:
        return as_dataset(next(iter(arrays.values())), source=path.name)
    if arrays and len({array.shape for array in arrays.values()}) == 1 and all(a.ndim == 1 for a in arrays.values()):
        return as_dataset(arrays, source=path.name)
    found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
    raise InvalidFile(
        f"{path.name} holds {found}; none is known to hold samples. Name that array one of {', '.join(SAMPLES)} and "
        f"what is to be predicted one of {', '.join(TARGETS)}, or load it with numpy and call as_dataset."
    )


def _known(names: set[str], words: tuple[str, ...], part: Part | None) -> str | None:
    """Return the first name that stands for one of `words`, or for that part of it."""
    forms = [f"{{}}_{part}", f"{part}_{{}}"] if part else []
    for form in ("{}", *forms):
        for word in words:
            if form.format(word) in names:
                return form.format(word)
    return None


def _read_member(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    info = archive.getinfo(f"{name}.npy")
    label = f"{path.name}, array {name!r}"
    limit = max(SMALL * 8, USUAL_RATIO * path.stat().st_size)
    if info.file_size > info.compress_size * DEFLATE_RATIO + 1024 or info.file_size > limit:
        raise InvalidFile(
            f"{label} claims {info.file_size:,} bytes from {info.compress_size:,} packed ones, as a zip bomb does. If "
            "you trust it, save it again with numpy.savez, unpacked."
        )
    with archive.open(info) as stream:
        _check_member(stream, label, info.file_size)
    with archive.open(info) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _check_member(stream: IO[bytes], label: str, size: int) -> None:
    """Refuse an array whose head claims another size than its bytes have, before any memory is taken."""
    version = np.lib.format.read_magic(stream)
    read_header = _HEADERS.get(version)
    if read_header is None:
        raise InvalidFile(f"{label} has version {version} of NumPy's format; 1.0 and 2.0 can be read. Save it again.")
    shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        raise InvalidFile(
            f"{label} holds pickled objects, which could run any program when loaded, and are never read. Save it as "
            "numbers or strings: array.astype(str), or array.astype(float)."
        )
    claimed = stream.tell() + math.prod(shape) * dtype.itemsize
    if claimed != size:
        raise InvalidFile(
            f"{label} is cut or damaged: its head claims the shape {shape} of {dtype}, {claimed:,} bytes, but there "
            f"are {size:,}. Fetch or save it again."
        )


def _damaged(label: str, error: Exception) -> InvalidFile:
    return InvalidFile(f"{label} is cut or damaged: {error}. Fetch or copy it again.")
