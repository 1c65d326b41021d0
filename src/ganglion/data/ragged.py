"""Samples of different lengths: texts, series, boxes. One tensor of all values, and the offsets that cut it.

Nothing here runs Python for a sample: samples are taken, and laid side by side in a batch, by one gather.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

POOL = 64  # batches whose samples are sorted by length together
LONG = 512  # values: samples that are longer on average are copied one by one; an index of each value would be larger


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Samples of different lengths: sample i is `values[offsets[i]:offsets[i + 1]]`.

    Attributes
    ----------
    values : Tensor of shape (total, …)
    offsets : Tensor of shape (n_samples + 1,), int64
        Begins with 0 and never falls.
    fill : float
        What stands behind a sample in a batch whose longest is longer.
    """

    values: Tensor
    offsets: Tensor
    fill: float = 0

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Tensor:
        """The length of each sample, (n_samples,) int64."""
        return self.offsets[1:] - self.offsets[:-1]

    @property
    def dtype(self) -> torch.dtype:
        """The type of the values."""
        return self.values.dtype

    @property
    def longest(self) -> int:
        """The length of the longest sample; 0 where there is none."""
        return int(self.lengths.max()) if len(self) else 0

    def take(self, rows: Tensor) -> Ragged:
        """Return the samples `rows`, (k,) int64."""
        lengths = self.lengths[rows]
        offsets = torch.zeros(len(rows) + 1, dtype=torch.int64)
        torch.cumsum(lengths, 0, out=offsets[1:])
        if len(rows) and int(offsets[-1]) > LONG * len(rows):
            begins = self.offsets[rows].tolist()
            parts = [self.values[a : a + length] for a, length in zip(begins, lengths.tolist(), strict=True)]
            return Ragged(torch.cat(parts), offsets, self.fill)
        shift = torch.repeat_interleave(self.offsets[:-1][rows] - offsets[:-1], lengths)
        return Ragged(self.values[torch.arange(int(offsets[-1])) + shift], offsets, self.fill)

    def padded(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return samples side by side, each filled up to the longest of them.

        Parameters
        ----------
        rows : Tensor of shape (k,), int64

        Returns
        -------
        values : Tensor of shape (k, longest, …)
        lengths : Tensor of shape (k,), int64
        """
        begin = self.offsets[rows]
        lengths = self.offsets[rows + 1] - begin
        longest = int(lengths.max()) if len(rows) else 0
        steps = torch.arange(longest)
        behind = steps >= lengths[:, None]
        places = (begin[:, None] + steps).masked_fill_(behind, 0)
        shape = (len(rows), longest, *self.values.shape[1:])
        if not self.values.numel():  # nothing but empty samples
            return self.values.new_full(shape, self.fill), lengths
        values = self.values.index_select(0, places.view(-1)).view(shape)
        return values.masked_fill_(behind.view(*behind.shape, *[1] * (values.dim() - 2)), self.fill), lengths

    def cut(self, most: int) -> Ragged:
        """Return the first `most` values of each sample."""
        lengths = self.lengths.clamp(max=most)
        offsets = torch.zeros_like(self.offsets)
        torch.cumsum(lengths, 0, out=offsets[1:])
        shift = torch.repeat_interleave(self.offsets[:-1] - offsets[:-1], lengths)
        return Ragged(self.values[torch.arange(int(offsets[-1])) + shift], offsets, self.fill)

    def split(self) -> list[Tensor]:
        """Return the values of each sample, (length, …), as views."""
        return [self.values[a:b] for a, b in pairwise(self.offsets.tolist())]


Column = Tensor | Ragged
Columns = Mapping[str, Column]


def joined(samples: list[Tensor], *, fill: float = 0) -> Ragged:
    """Return samples, (length, …) each, as one ragged column."""
    lengths = torch.tensor([0, *map(len, samples)])
    return Ragged(torch.cat(samples), lengths.cumsum(0), fill)


def length_of(name: str) -> str:
    """Return the name under which a batch has the lengths of a ragged column."""
    return f"{name}_length"


def side_by_side(columns: Columns, rows: Tensor | None = None) -> dict[str, Tensor]:
    """Return rows of columns in memory as a batch: dense ones as they are, of ragged ones values and lengths.

    Parameters
    ----------
    columns : mapping of str to Tensor or Ragged
    rows : Tensor of shape (k,), int64, optional
        Without them all rows are meant.

    Returns
    -------
    dict of str to Tensor
        Under each column's name its values, (k, …) or (k, longest, …); under `NAME_length` the lengths, (k,).
    """
    batch: dict[str, Tensor] = {}
    for name, column in columns.items():
        if isinstance(column, Ragged):
            every = torch.arange(len(column)) if rows is None else rows
            batch[name], batch[length_of(name)] = column.padded(every)
        else:
            batch[name] = column if rows is None else column.index_select(0, rows)
    return batch


def lengths_of(columns: Columns) -> Tensor | None:
    """Return how long each sample is, all ragged columns together, (n_samples,); None if none is ragged."""
    lengths = [column.lengths for column in columns.values() if isinstance(column, Ragged)]
    return torch.stack(lengths).sum(0) if lengths else None


def bucketed(order: Tensor, lengths: Tensor, batch_size: int, generator: torch.Generator) -> Tensor:
    """Return a random order in which the samples of each batch are about equally long.

    The order is cut into pools of many batches; in each, samples are sorted by length. Then whole batches are shuffled.

    Parameters
    ----------
    order : Tensor of shape (n,), int64
        A random order of samples.
    lengths : Tensor of shape (n_samples,), int64
    batch_size : int
    generator : torch.Generator
    """
    pools = order.split(POOL * batch_size)
    order = torch.cat([pool[lengths[pool].argsort(stable=True)] for pool in pools])
    n_whole = len(order) // batch_size
    whole = order[: n_whole * batch_size].view(n_whole, batch_size)
    return torch.cat([whole[torch.randperm(n_whole, generator=generator)].view(-1), order[n_whole * batch_size :]])


def by_length(lengths: Tensor, most: int) -> list[Tensor]:
    """Return all samples in groups of about equal length, each of at most `most` values when filled up.

    Parameters
    ----------
    lengths : Tensor of shape (n,), int64
    most : int
        A sample that is longer by itself is a group.

    Returns
    -------
    list of Tensor of int64
        The samples of each group, the longest group first.
    """
    order = lengths.argsort(descending=True, stable=True)
    groups, start, sizes = [], 0, lengths[order].tolist()
    while start < len(sizes):
        count = max(1, most // max(1, sizes[start]))
        groups.append(order[start : start + count])
        start += count
    return groups
