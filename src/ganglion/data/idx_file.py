"""IDX files, the format of MNIST: two zero bytes, a type, the number of axes, their sizes (big-endian), the values.

Images find the labels beside them: train-images-idx3-ubyte.gz goes with train-labels-idx1-ubyte.gz.
"""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path

import numpy as np

from ganglion.data.columns import infer_column
from ganglion.data.convert import array_column
from ganglion.data.dataset import Dataset
from ganglion.data.gzip_file import DEFLATE_RATIO, MAGIC, unpack
from ganglion.errors import InvalidFile

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_AXES = 5
_PARTS = re.compile(r"(.*)images([-.]idx)\d(.*)")


def is_idx(head: bytes) -> bool:
    """Say whether the first four bytes of a file are those of an IDX file."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in TYPES and 1 <= head[3] <= _MAX_AXES


def read_idx(path: Path) -> np.ndarray:
    """Return the array of an IDX file, packed with gzip or not.

    Raises
    ------
    InvalidFile
        If the magic bytes are wrong, or the values are more or fewer than the sizes in the head claim.
    """
    packed = _head(path, 2) == MAGIC
    head = unpack(path, at_most=4 + 4 * _MAX_AXES) if packed else _head(path, 4 + 4 * _MAX_AXES)
    if not is_idx(head) or len(head) < 4 + 4 * head[3]:
        raise InvalidFile(
            f"{path.name} is no IDX file: it begins with the bytes {head[:4].hex(' ')}, but should begin with 00 00, a "
            "type (08 for bytes) and the number of axes. Fetch or copy it again."
        )
    shape = struct.unpack(f">{head[3]}I", head[4 : 4 + 4 * head[3]])
    dtype = np.dtype(TYPES[head[2]])
    begin = 4 + 4 * head[3]
    size = begin + math.prod(shape) * dtype.itemsize
    on_disk = path.stat().st_size
    if size > on_disk * (DEFLATE_RATIO if packed else 1):
        raise _wrong_size(path, shape, size, f"{on_disk:,} bytes of file cannot hold")
    raw = unpack(path, at_most=size + 1) if packed else path.read_bytes()
    if len(raw) != size:
        raise _wrong_size(
            path, shape, size, f"there are {'more than' if len(raw) > size else 'only'} {min(len(raw), size):,} of"
        )
    return np.frombuffer(raw, dtype, offset=begin).reshape(shape)


def idx_to_dataset(path: Path) -> Dataset:
    """Return the data set of an IDX file; the labels that belong to images become the target "label".

    Raises
    ------
    InvalidFile
        If a file is damaged, or there are not as many labels as images.
    """
    values = read_idx(path)
    if values.ndim == 1:
        field, column = infer_column("label", values, kind="categorical" if values.dtype.kind in "ui" else None)
        return Dataset([field], {field.name: column}, source=path.name)
    field, column = array_column("image" if values.ndim > 2 else "x", values)
    beside = labels_of(path)
    if beside is None:
        return Dataset([field], {field.name: column}, source=path.name)
    labels = read_idx(beside)
    if labels.shape != values.shape[:1]:
        raise InvalidFile(
            f"{path.name} holds {len(values)} images, but {beside.name} holds {len(labels)} labels (shape "
            f"{labels.shape}). The two do not belong together; fetch both again."
        )
    label, codes = infer_column("label", labels, kind="categorical")
    return Dataset([field, label], {field.name: column, "label": codes}, target=["label"], source=path.name)


def labels_of(path: Path) -> Path | None:
    """Return the file of labels beside a file of images, if there is one."""
    match = _PARTS.fullmatch(path.name)
    if not match:
        return None
    stem = f"{match[1]}labels{match[2]}1{match[3]}"
    candidates = (stem, f"{stem}.gz", stem.removesuffix(".gz"))
    return next((path.with_name(name) for name in candidates if path.with_name(name).is_file()), None)


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(size)


def _wrong_size(path: Path, shape: tuple[int, ...], size: int, found: str) -> InvalidFile:
    return InvalidFile(
        f"{path.name} is cut or damaged: its head claims the shape {shape}, {size:,} bytes in all, but {found} that. "
        "Fetch or copy it again."
    )
