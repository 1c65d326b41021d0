"""Batches of a data set, in a new order every epoch, without Python per sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import torch
from torch import Tensor

from ganglion.data.gather import blocks, gather
from ganglion.data.memory import block_bytes, is_large
from ganglion.data.ragged import Columns, Ragged, bucketed, lengths_of, side_by_side
from ganglion.data.spool import is_on_disk, on_disk, row_bytes
from ganglion.errors import InvalidParameter

Prepare = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]


class Batches:
    """Walk over equal-length tensors in batches, in a new order every epoch, without Python per sample.

    Parameters
    ----------
    columns : mapping of str to Tensor or Ragged
        Of n_samples each. A ragged one is filled up to the longest sample of a batch, which has the lengths beside it
        (see `side_by_side`); the samples of a batch are then about equally long.
    batch_size : int
        Samples in a batch; the last batch of an epoch may be smaller, or larger by one.
    generator : torch.Generator
        Gives the order of every epoch, so that a seed gives the same batches again.
    rows : Tensor of shape (n_rows,), int64, optional
        Only these are walked over: a part of the data costs no copy of it.
    prepare : callable, optional
        Applied to every batch; what it returns replaces or joins the columns of the batch.

    Raises
    ------
    InvalidParameter
        If the tensors are on disk, and a batch of them is too large for memory.
    SaveFailed
        If the tensors are on disk, and it has no room to put them in order.

    Notes
    -----
    Gathering into the same buffers every time (`index_select(out=…)`) costs a third of indexing; the tensors of a
    batch are therefore valid only until the next batch.
    """

    def __init__(
        self,
        columns: Columns,
        batch_size: int,
        generator: torch.Generator,
        *,
        rows: Tensor | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self.columns, self.rows = dict(columns), rows
        self.n_samples = len(next(iter(self.columns.values()))) if rows is None else len(rows)
        self._lengths = lengths_of(self.columns)
        self.batch_size = max(1, min(batch_size, self.n_samples))
        self.generator = generator
        self.prepare = prepare
        self._in_one = self.batch_size == self.n_samples  # no order is drawn then
        self._epoch_start = generator.get_state()
        self._position, self._resume_at = 0, 0
        self._dense = {name: column for name, column in self.columns.items() if isinstance(column, Tensor)}
        self._stored = {name: tensor for name, tensor in self._dense.items() if is_on_disk(tensor)}
        self._room: dict[str, Tensor] = {}
        if self._stored and is_large(row_bytes(*self._stored.values()) * self.batch_size):
            raise InvalidParameter(
                f"the {self.batch_size:,} samples of a step are too large for memory. Give a smaller batch_size, and "
                "an optimizer that takes batches (not lbfgs or gradient_descent, which take all samples at once)."
            )
        if self._stored and not self._in_one:
            shapes = {name: ((self.n_samples, *t.shape[1:]), t.dtype) for name, t in self._stored.items()}
            self._room = on_disk(shapes)

    def __len__(self) -> int:
        full, rest = divmod(self.n_samples, self.batch_size)
        return full + (rest > 1)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        self._note_start()
        self._position, self._resume_at = self._resume_at, 0
        for batch in self._gathered(self._position):
            self._position += 1
            yield self._prepared(batch)
        self._note_start()
        self._position = 0

    def example(self, n: int | None = None) -> dict[str, Tensor]:
        """Return a batch of evenly spaced samples, or of n of them at most; no order is drawn for it."""
        n = self.batch_size if n is None else min(n, self.n_samples)
        places = torch.arange(n) * (self.n_samples // n)
        return self._prepared(batch_of(self.columns, places if self.rows is None else self.rows[places]))

    def _prepared(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return batch if self.prepare is None else {**batch, **self.prepare(batch)}

    def _note_start(self) -> None:
        if not self._in_one:
            self._epoch_start = self.generator.get_state()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the order of this epoch and the place in it."""
        return {"generator": self._epoch_start, "position": torch.tensor(self._position)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Give the rest of the epoch that another source was in, then whole ones."""
        self.generator.set_state(state["generator"])
        self._resume_at = int(state["position"])

    def _gathered(self, first: int) -> Iterator[dict[str, Tensor]]:
        """Give the batches of an epoch from batch number `first` on."""
        if self._in_one:  # the full batch: order changes nothing, no copy is needed
            if first == 0:
                yield side_by_side(self.columns) if self.rows is None else batch_of(self.columns, self.rows)
            return
        order = torch.randperm(self.n_samples, generator=self.generator)
        order = order if self.rows is None else self.rows[order]
        if self._lengths is not None:
            order = bucketed(order, self._lengths, self.batch_size, self.generator)
        # a rest of one sample joins the batch before it: batch normalisation cannot be trained on one
        bounds = [*range(0, len(self) * self.batch_size, self.batch_size), self.n_samples]
        buffers = self._buffers(self.batch_size)
        for content, places, cuts in self._blocks(order, bounds[first:]):
            for begin, end in pairwise(cuts):
                batch = buffers if end - begin == self.batch_size else self._buffers(end - begin)
                rows = order[begin:end]
                for name, column in self.columns.items():
                    if name in content:
                        there = places[begin - cuts[0] : end - cuts[0]]
                        torch.index_select(content[name], 0, there, out=batch[name])
                    elif isinstance(column, Ragged):
                        batch |= side_by_side({name: column}, rows)
                    else:
                        torch.index_select(column, 0, rows, out=batch[name])
                yield batch

    def _buffers(self, size: int) -> dict[str, Tensor]:
        return {name: tensor.new_empty((size, *tensor.shape[1:])) for name, tensor in self._dense.items()}

    def _blocks(self, order: Tensor, bounds: list[int]) -> Iterator[tuple[dict[str, Tensor], Tensor, list[int]]]:
        """Give what lies on disk block by block (see `gather.blocks`), and the bounds of the batches in each block."""
        if not self._stored:
            yield {}, order, bounds
            return
        together = max(1, block_bytes() // (row_bytes(*self._stored.values()) * self.batch_size))
        groups = [bounds[i : i + together + 1] for i in range(0, len(bounds) - 1, together)]
        cuts = [group[0] - bounds[0] for group in groups] + [self.n_samples - bounds[0]]
        walk = blocks(self._stored, order[bounds[0] :], cuts, self._room)
        yield from ((content, places, group) for (content, places), group in zip(walk, groups, strict=True))


def batch_of(columns: Columns, rows: Tensor) -> dict[str, Tensor]:
    """Return the rows `rows`, (k,) int64, as a batch, from memory or from disk."""
    return side_by_side(gather(columns, rows))
