"""Rows of tensors in any order, of those on disk too.

Rows that lie all over a file are slow to read one by one, and each brings its neighbours into memory. What is on disk
is therefore read from front to back, in long stretches. To walk over it in another order, as every epoch does, each
stretch is dealt out over blocks, on disk again, that fit memory one at a time; then the blocks are read one after the
other and put in order in memory. The order is exactly the one that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ganglion.data.memory import block_bytes, is_large
from ganglion.data.ragged import Column, Columns, Ragged
from ganglion.data.spool import is_on_disk, load, on_disk, row_bytes, rows_together, store

HOLE_BYTES = 64 * 2**10  # what lies between two wanted rows is read too, up to this

Tensors = Mapping[str, Tensor]


def gather(columns: Columns, rows: Tensor) -> dict[str, Column]:
    """Return the rows `rows`, (k,) int64, of every column in memory."""
    return {
        name: column.take(rows) if isinstance(column, Ragged) else _rows(column, rows)
        for name, column in columns.items()
    }


def _rows(tensor: Tensor, rows: Tensor) -> Tensor:
    if not is_on_disk(tensor):
        return tensor.index_select(0, rows)
    found = tensor.new_empty((len(rows), *tensor.shape[1:]))
    for places, part in _walk({"": tensor}, rows):
        found[places] = part[""]
    return found


def take(tensors: Tensors, rows: Tensor) -> dict[str, Tensor]:
    """Return the rows `rows`, (k,) int64, of every tensor; on disk those that are there, if they are too large."""
    stored = {name: tensor for name, tensor in tensors.items() if is_on_disk(tensor)}
    if not stored or not is_large(row_bytes(*stored.values()) * len(rows)):
        return {name: _rows(tensor, rows) for name, tensor in tensors.items()}
    taken = {name: tensor.index_select(0, rows) for name, tensor in tensors.items() if name not in stored}
    taken |= on_disk({name: ((len(rows), *tensor.shape[1:]), tensor.dtype) for name, tensor in stored.items()})
    rising = bool((rows[1:] >= rows[:-1]).all())
    for name, tensor in stored.items():
        start = 0
        for part in _parts(tensor, rows) if rising else _ordered(tensor, rows):
            store(taken[name], start, part)
            start += len(part)
    return {name: taken[name] for name in tensors}


def blocks(
    tensors: Tensors, order: Tensor, cuts: Sequence[int], room: Tensors
) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
    """Walk over rows of tensors on disk in any order, a block at a time.

    Parameters
    ----------
    tensors : mapping of str to Tensor of shape (n, …)
    order : Tensor of shape (k,), int64
        The rows, in the order that is wanted.
    cuts : sequence of int
        Where the blocks begin in `order`, 0 first, and k at the end.
    room : mapping of str to Tensor of shape (k or more, …)
        Tensors on disk to deal the rows out to.

    Yields
    ------
    content : dict of str to Tensor
        The rows of a block, in memory, not yet in order.
    places : Tensor of int64
        `content[places]` are the rows in order.
    """
    inner = torch.tensor(cuts[1:-1], dtype=torch.int64)
    filled = list(cuts[:-1])
    for places, parts in _walk(tensors, order):
        block_of = torch.bucketize(places, inner, right=True)
        by_block = block_of.argsort(stable=True)
        dealt = {name: part.index_select(0, by_block) for name, part in parts.items()}
        start = 0
        for block, count in enumerate(torch.bincount(block_of, minlength=len(filled)).tolist()):
            for name, part in dealt.items() if count else ():
                store(room[name], filled[block], part[start : start + count])
            filled[block], start = filled[block] + count, start + count
    for begin, end in pairwise(cuts):
        places = torch.empty(end - begin, dtype=torch.int64)
        places[order[begin:end].argsort(stable=True)] = torch.arange(end - begin)
        yield {name: load(tensor, slice(begin, end)) for name, tensor in room.items()}, places


def _walk(tensors: Tensors, rows: Tensor) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Read rows from front to back. Yields their places in `rows`, and the rows."""
    places = rows.argsort(stable=True)
    rising = rows[places]
    piece, hole = rows_together(*tensors.values()), HOLE_BYTES // max(1, row_bytes(*tensors.values()))
    before, after = rising[:-1], rising[1:]
    apart = (after - before > max(1, hole)) | (after // piece > before // piece)
    for begin, end in pairwise([0, *(apart.nonzero().flatten() + 1).tolist(), len(rows)]):
        if begin < end:
            first, last = int(rising[begin]), int(rising[end - 1])
            here = rising[begin:end] - first
            stretch = {name: load(tensor, slice(first, last + 1)) for name, tensor in tensors.items()}
            yield places[begin:end], {name: part.index_select(0, here) for name, part in stretch.items()}


def _parts(tensor: Tensor, rows: Tensor) -> Iterator[Tensor]:
    for _, parts in _walk({"": tensor}, rows):
        yield parts[""]


def _ordered(tensor: Tensor, rows: Tensor) -> Iterator[Tensor]:
    step = max(1, block_bytes() // row_bytes(tensor))
    room = on_disk({"": ((len(rows), *tensor.shape[1:]), tensor.dtype)})
    for content, places in blocks({"": tensor}, rows, [*range(0, len(rows), step), len(rows)], room):
        yield content[""].index_select(0, places)
