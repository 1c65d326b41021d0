"""Tensors on disk: data larger than memory lie in a temporary file, and are read a piece at a time.

A tensor on disk is an ordinary tensor on a mapping of a file, so everything works on it. But pages that were touched
through a mapping count as the process's memory until the kernel wants them back, and one value may bring two megabytes
of neighbours. Whatever walks over whole columns therefore takes its rows with `load`, which reads them into memory past
the mapping, and writes with `store`.

The file has no name: it is gone when the last tensor on it is, however the process ends. It lies in TMPDIR, or else in
/var/tmp, for /tmp is in memory on many machines.
"""

from __future__ import annotations

import contextlib
import errno
import math
import mmap
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ganglion.data.memory import MB, VARIABLE, is_large, piece_bytes
from ganglion.errors import SaveFailed

Layout = Mapping[str, tuple[Sequence[int], torch.dtype]]
ALIGNMENT = 4096
FEW_NUMBERS = 2**17  # a piece of these is in cache
NEIGHBOURS = 2 * MB  # what the kernel maps at most around a page that is touched
MOST_AT_ONCE = 2**30  # bytes; Linux reads and writes 2 GB at most


class _Scratch(mmap.mmap):
    """A mapped temporary file that is also open, to be read and written past the mapping."""

    file: int


_mappings: weakref.WeakValueDictionary[int, mmap.mmap] = weakref.WeakValueDictionary()  # by address


def on_disk(layout: Layout) -> dict[str, Tensor]:
    """Return tensors of these shapes and types on one temporary file; their values are 0.

    Raises
    ------
    SaveFailed
        If the disk has no room for it.
    """
    starts, end = {}, 0
    for name, (shape, dtype) in layout.items():
        starts[name] = end
        end += -(-math.prod(shape) * dtype.itemsize // ALIGNMENT) * ALIGNMENT
    scratch = _scratch(end)
    return {
        name: torch.frombuffer(scratch, dtype=dtype, count=math.prod(shape), offset=starts[name]).view(*shape)
        for name, (shape, dtype) in layout.items()
    }


def remember(array: np.ndarray) -> None:
    """Note the mapping that an array lies on, if it is a large memory map, so that its tensor counts as on disk."""
    if array.base is None or not is_large(array.nbytes):
        return
    base, shared = array, False
    while base is not None and not isinstance(base, mmap.mmap):
        # pages of a private mapping ("c": copy on write) hold changes that must not be given back
        shared = shared or (isinstance(base, np.memmap) and base.mode != "c")
        base = getattr(base, "base", None)
    if base is not None and shared:
        _mappings[_address(base)] = base


def is_on_disk(tensor: Tensor) -> bool:
    """Say whether a tensor lies on a temporary file of ours, or on a large memory map."""
    return _place(tensor) is not None


def load(tensor: Tensor, rows: slice = slice(None)) -> Tensor:
    """Return some rows of a tensor in memory; of one that is there already, a view."""
    part = tensor[rows]
    place = _place(part)
    if place is None:
        return part
    mapping, start = place
    if isinstance(mapping, _Scratch) and part.is_contiguous() and hasattr(os, "preadv"):
        read = torch.empty_like(part)
        _read(mapping.file, read.numpy().data.cast("B"), start)
        return read
    read = torch.empty(part.shape, dtype=part.dtype)
    for begin in range(0, len(part), step := rows_together(part)):
        some = part[begin : begin + step]
        read[begin : begin + step] = some
        _release(mapping, start + begin * part.stride(0) * part.element_size(), some)
    return read


def store(tensor: Tensor, start: int, values: Tensor) -> None:
    """Write values over the rows of a tensor from row `start` on."""
    part = tensor[start : start + len(values)]
    place = _place(part)
    if place is None or not isinstance(place[0], _Scratch) or not hasattr(os, "pwrite"):
        part.copy_(values)
        return
    content = values.to(tensor.dtype).contiguous().numpy()
    _write(place[0].file, content.data.cast("B"), place[1])


def pieces(tensor: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Walk over the rows of a tensor. Yields which rows they are, and the rows in memory."""
    if not _mappings and tensor.numel() <= FEW_NUMBERS:  # a row to predict must not wait for arithmetic
        yield slice(0, len(tensor)), tensor
        return
    step = rows_together(tensor)
    for start in range(0, len(tensor), step):
        rows = slice(start, min(start + step, len(tensor)))
        yield rows, load(tensor, rows)


def walk(tensors: Mapping[str, Tensor]) -> Iterator[tuple[slice, dict[str, Tensor]]]:
    """Walk over the rows of several tensors together.

    Yields
    ------
    rows : slice
    parts : dict of str to Tensor
        The rows in memory; they are valid until the next ones are asked for.
    """
    n = len(next(iter(tensors.values())))
    step = min(rows_together(*tensors.values()), n)
    readers = {name: _reader(tensor, step) for name, tensor in tensors.items()}
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        yield rows, {name: read(rows) for name, read in readers.items()}


def _reader(tensor: Tensor, most: int) -> Callable[[slice], Tensor]:
    """Return `load` for at most so many rows of a tensor, which takes its memory only once."""
    place = _place(tensor)
    if place is None or not isinstance(place[0], _Scratch) or not tensor.is_contiguous() or not hasattr(os, "preadv"):
        return partial(load, tensor)
    file, start, size = place[0].file, place[1], row_bytes(tensor)
    buffer = tensor.new_empty((most, *tensor.shape[1:]))
    content = buffer.numpy().data.cast("B")

    def read(rows: slice) -> Tensor:
        n = rows.stop - rows.start
        _read(file, content[: n * size], start + rows.start * size)
        return buffer[:n]

    return read


def rows_together(*tensors: Tensor) -> int:
    """Return how many rows of tensors make a piece, if their numbers are worked with as float64."""
    return max(1, piece_bytes() // (8 * max(1, sum(math.prod(tensor.shape[1:]) for tensor in tensors))))


def row_bytes(*tensors: Tensor) -> int:
    """Return how many bytes one row of tensors has, all together."""
    return sum(math.prod(tensor.shape[1:]) * tensor.element_size() for tensor in tensors)


def changed(tensor: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Return `change(tensor)`, worked out a piece at a time where the tensor is on disk.

    Parameters
    ----------
    tensor : Tensor of shape (n, …)
    change : callable
        It works on each row by itself.
    """
    if not is_on_disk(tensor):
        return change(tensor)
    first = change(load(tensor, slice(1)))
    result = on_disk({"": ((len(tensor), *first.shape[1:]), first.dtype)})[""]
    for rows, part in pieces(tensor):
        store(result, rows.start, change(part))
    return result


def split_columns(block: Tensor) -> list[Tensor]:
    """Return the columns of a block (n, d), (n,) each; of one on disk, copies there in which each is in one stretch."""
    if not is_on_disk(block):
        return list(block.unbind(1))
    n, width = block.shape
    columns = list(on_disk({str(i): ((n,), block.dtype) for i in range(width)}).values())
    for rows, part in pieces(block):
        for column, values in zip(columns, part.T.contiguous(), strict=True):
            store(column, rows.start, values)
    return columns


def _scratch(n_bytes: int) -> _Scratch:
    folder = scratch_folder()
    try:
        with tempfile.TemporaryFile(dir=folder, prefix="ganglion-") as file:
            _reserve(file.fileno(), n_bytes, folder)
            scratch = _Scratch(file.fileno(), n_bytes)
            scratch.file = os.dup(file.fileno())
    except OSError as error:
        raise SaveFailed(_no_room(n_bytes, folder, error)) from error
    weakref.finalize(scratch, os.close, scratch.file).atexit = False
    _mappings[_address(scratch)] = scratch
    return scratch


def scratch_folder() -> str:
    """Return where temporary files are put."""
    if "TMPDIR" not in os.environ and os.access("/var/tmp", os.W_OK):
        return "/var/tmp"
    return tempfile.gettempdir()


def _reserve(file: int, n_bytes: int, folder: str) -> None:
    """Take the room on disk now: a mapped file that finds none later ends the process."""
    if shutil.disk_usage(folder).free < n_bytes:  # asked first: others need what is left of the disk
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.ftruncate(file, n_bytes)
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, n_bytes)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise


def _no_room(n_bytes: int, folder: str, error: OSError) -> str:
    free = shutil.disk_usage(folder).free
    return (
        f"the data are too large for memory and need {n_bytes / MB:,.0f} MB of temporary disk space, but {folder} has "
        f"{free / MB:,.0f} MB free ({error.strerror}). Make room, name another folder with TMPDIR, or allow more "
        f"memory with {VARIABLE} (in MB)."
    )


def _address(mapping: mmap.mmap) -> int:
    return np.frombuffer(mapping, dtype=np.uint8).ctypes.data


def _place(tensor: Tensor) -> tuple[mmap.mmap, int] | None:
    """Return the mapping that a tensor lies on, and the byte where it begins there."""
    if not _mappings or tensor.device.type != "cpu" or not tensor.numel():
        return None
    pointer = tensor.data_ptr()
    for address, mapping in _mappings.items():
        if address <= pointer < address + len(mapping):
            return mapping, pointer - address
    return None


def _release(mapping: mmap.mmap, start: int, part: Tensor) -> None:
    """Let the kernel have back the pages around a part of a mapping; they are read again when they are touched."""
    if not hasattr(mmap, "MADV_DONTNEED"):
        return
    span = sum((size - 1) * abs(step) for size, step in zip(part.shape, part.stride(), strict=True)) + 1
    first = max(0, start - NEIGHBOURS) // mmap.PAGESIZE * mmap.PAGESIZE
    end = min(len(mapping), start + span * part.element_size() + NEIGHBOURS)
    with contextlib.suppress(OSError):  # locked in memory by its owner: it stays there
        mapping.madvise(mmap.MADV_DONTNEED, first, end - first)


def _read(file: int, into: memoryview, start: int) -> None:
    done = 0
    while done < len(into):
        n = os.preadv(file, [into[done : done + MOST_AT_ONCE]], start + done)
        if not n:
            raise OSError(errno.EIO, "a temporary file of Ganglion became shorter than what was written to it")
        done += n


def _write(file: int, content: memoryview, start: int) -> None:
    done = 0
    while done < len(content):
        done += os.pwrite(file, content[done : done + MOST_AT_ONCE], start + done)
