"""Decoded pictures on disk, named after what they were decoded from: they are decoded once, whoever asks again.

The cache lies in `images` below GANGLION_CACHE, or else below `ganglion` in XDG_CACHE_HOME or ~/.cache. It may be
deleted at any time. Beyond 20 GB what was used longest ago is removed. A file of it holds

    4096 bytes   the head: a mark, then JSON: shape and type of the pixels, sizes and checksums of the two parts below
    the pixels   as numpy has them
    the notes    JSON: whatever the one who decoded wants to know again

and is written under another name, fsynced, and renamed. One that is not whole, or was changed, is made again.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from ganglion.data.columns import share_memory
from ganglion.data.memory import is_large
from ganglion.data.spool import scratch_folder
from ganglion.errors import DataWarning, SaveFailed
from ganglion.storage import atomic_write

VARIABLE = "GANGLION_CACHE"
FORMAT = 2  # to be raised whenever the same files would be decoded to other pixels
MOST_BYTES = 20 * 10**9
_MARK = b"ganglion pictures\n"
_HEAD = 4096
_CHUNK = 4 * 2**20
_ABANDONED_S = 86_400  # so old, a file under a temporary name is written by no one any more

Write = Callable[[np.ndarray], None]
Notes = dict[str, Any]


def cache_folder() -> Path:
    """Return where decoded pictures are kept."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).expanduser() / "images"
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "ganglion" / "images"


def kept(key: str, build: Callable[[Write], Notes]) -> tuple[Tensor, Notes]:
    """Return what is kept under a key; what is not there yet, or is damaged, is built first.

    Parameters
    ----------
    key : str
        A digest of all that the result depends on.
    build : callable
        Takes a function that writes rows, an array (k, …) of the same type and row shape every time, and returns
        the notes. At least one row must be written.

    Returns
    -------
    rows : Tensor of shape (n, …)
        In memory, or on disk if that is too much for memory.
    notes : dict

    Raises
    ------
    SaveFailed
        If the disk has no room.
    """
    path = _folder() / key
    found = _load(path)
    if found is not None:
        with contextlib.suppress(OSError):  # a cache that others own need not note who used it
            os.utime(path)
        return found
    with atomic_write(path) as file:
        _write(file, build)
    _prune(path)
    found = _load(path)
    if found is None:
        raise SaveFailed(f"{path} was changed or removed while it was written. Read again.")
    return found


def n_bytes_kept() -> int:
    """Return how much disk the cache takes."""
    folder = cache_folder()
    return sum(size for _, size, _ in _entries(folder)) if folder.is_dir() else 0


def _folder() -> Path:
    """Return the cache's folder, made if need be; a temporary one where it cannot be written."""
    folder = cache_folder()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK | os.X_OK):
        return folder
    warnings.warn(
        f"decoded pictures cannot be kept: {folder} cannot be written. They are decoded again next time; name another "
        f"folder with {VARIABLE}.",
        DataWarning,
        stacklevel=2,
    )
    return Path(_temporary().name)


@functools.cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="ganglion-", dir=scratch_folder(), ignore_cleanup_errors=True)


def _write(file: IO[bytes], build: Callable[[Write], Notes]) -> None:
    file.seek(_HEAD)
    n, shape, dtype, checksum = 0, (), np.dtype(np.uint8), 0

    def write(rows: np.ndarray) -> None:
        nonlocal n, shape, dtype, checksum
        content = np.ascontiguousarray(rows).data.cast("B")
        n, shape, dtype, checksum = n + len(rows), rows.shape[1:], rows.dtype, zlib.crc32(content, checksum)
        file.write(content)

    notes = json.dumps(build(write)).encode()
    file.write(notes)
    head = {
        "shape": [n, *shape],
        "dtype": dtype.str,
        "checksum": checksum,
        "n_notes": len(notes),
        "notes_checksum": zlib.crc32(notes),
    }
    file.seek(0)
    file.write((_MARK + json.dumps(head).encode()).ljust(_HEAD))


def _load(path: Path) -> tuple[Tensor, Notes] | None:
    """Return what a file of the cache holds, or None if it is missing or not whole."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if not head.startswith(_MARK):
                return None
            told = json.loads(head[len(_MARK) :])
            shape, dtype = tuple(told["shape"]), np.dtype(told["dtype"])
            size = math.prod(shape) * dtype.itemsize
            if os.fstat(file.fileno()).st_size != _HEAD + size + told["n_notes"]:
                return None
            rows = _rows(file, size, told["checksum"], is_large(size))
            notes = file.read()
            if rows is None or zlib.crc32(notes) != told["notes_checksum"]:
                return None
            if is_large(size):
                mapped = np.memmap(path, dtype=dtype, mode="r", offset=_HEAD, shape=shape)
                return share_memory(mapped), json.loads(notes)
            return torch.from_numpy(rows.view(dtype).reshape(shape)), json.loads(notes)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _rows(file: IO[bytes], size: int, checksum: int, large: bool) -> np.ndarray | None:
    """Return the bytes of the pixels, or none of them where they are large; None if their checksum is another."""
    content = np.empty(_CHUNK if large else size, dtype=np.uint8)
    found, done = 0, 0
    while done < size:
        start = 0 if large else done
        part = content[start : start + min(_CHUNK, size - done)].data
        n = file.readinto(part)  # type: ignore[attr-defined]
        if not n:
            return None
        found, done = zlib.crc32(part[:n], found), done + n
    return content if found == checksum else None


def _entries(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Walk over the files of the cache: when each was used last, its size in bytes, its path."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process removed it
            state = path.stat()
            yield state.st_mtime, state.st_size, path


def _prune(newest: Path) -> None:
    """Remove what was used longest ago until the cache is small enough again, and what was never finished."""
    entries = sorted(_entries(newest.parent))
    total = sum(size for _, size, _ in entries)
    for used, size, path in entries:
        abandoned = path.name.startswith(".") and used < time.time() - _ABANDONED_S
        if abandoned or (total > MOST_BYTES and path != newest and not path.name.startswith(".")):
            with contextlib.suppress(OSError):  # it is in use (Windows), or gone
                path.unlink()
                total -= size
