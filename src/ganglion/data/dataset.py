"""A data set: named columns of equal length, as tensors, and a description of each.

A column is dense (a tensor whose first axis counts the samples) or ragged (all values in one tensor, and the offsets
that cut it into samples). Batches are made by index gather: a batch costs no Python per sample. Columns too large for
memory lie on disk (`data.spool`), and are walked over in pieces.

    kind         values of a dense column                                      missing
    numeric      float32 or float64, (n,) or a block (n, d)                     NaN
    boolean      float32, 0 or 1, (n,)                                          NaN
    date         float64, seconds since 1970-01-01 UTC, (n,)                    NaN
    categorical  int64, a code into `Field.categories`, (n,)                    -1
    image        uint8 or float, (n, channels, height, width)                   (none)
    mask         uint8, a code into `Field.categories` or a class itself, (n, height, width)
    boxes        ragged float32, left, top, right, bottom, code, (total, 5)     an empty row
    text         ragged uint8, UTF-8 bytes, (total,)                            an empty row
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganglion.data.boxes import Boxes
from ganglion.data.gather import blocks, gather, take
from ganglion.data.memory import block_bytes, is_large
from ganglion.data.spool import changed, is_on_disk, load, on_disk, row_bytes, walk
from ganglion.errors import InvalidInput, InvalidParameter, suggestion

Kind = Literal["numeric", "boolean", "date", "categorical", "image", "mask", "boxes", "text"]


Prepare = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]


class Ragged(NamedTuple):
    """Samples of different lengths: sample i is `values[offsets[i]:offsets[i + 1]]`.

    `offsets` has shape (n_samples + 1,), int64, begins with 0 and never falls.
    """

    values: Tensor
    offsets: Tensor

    def take(self, rows: Tensor) -> Ragged:
        """Return the samples `rows`, (k,) int64, gathered without Python per sample."""
        lengths = (self.offsets[1:] - self.offsets[:-1])[rows]
        offsets = torch.zeros(len(rows) + 1, dtype=torch.int64)
        torch.cumsum(lengths, 0, out=offsets[1:])
        shift = torch.repeat_interleave(self.offsets[:-1][rows] - offsets[:-1], lengths)
        return Ragged(self.values[torch.arange(int(offsets[-1])) + shift], offsets)


@dataclass(frozen=True, slots=True)
class Field:
    """What one column looks like.

    Attributes
    ----------
    name : str
    kind : Kind
    shape : tuple of int
        Of one sample.
    categories : tuple of str
        What its codes stand for.
    resize : str
        How pictures from files were brought to that shape, see `resizing`; empty for all that is not from files.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    resize: str = ""


class Dataset:
    """Named columns of equal length and their description.

    Parameters
    ----------
    fields : sequence of Field
        One a column, in order.
    columns : mapping of str to Tensor or Ragged
        The values, under the names of `fields`. They are kept, not copied.
    target : sequence of str
        The names of the columns that are to be predicted; the others are features.
    index : sequence of str
        The names of columns that tell the samples apart and say nothing of them (the file of a picture, its size): no
        features.
    source : str
        Where the data come from, for messages and reports ("adult.csv").

    Raises
    ------
    InvalidInput
        If names repeat, columns are missing, or lengths differ.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        columns: Mapping[str, Tensor | Ragged],
        *,
        target: Sequence[str] = (),
        index: Sequence[str] = (),
        source: str = "",
    ) -> None:
        names = [field.name for field in fields]
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InvalidInput(f"column names must differ, but these stand more than once: {', '.join(twice)}.")
        self.fields = tuple(fields)
        self._field_of = {field.name: field for field in fields}
        self.columns = {name: columns[name] for name in names}
        lengths = {name: _length(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise InvalidInput(f"columns must have equal length, but have {lengths}. Give one value a row to each.")
        self._n_samples = next(iter(lengths.values()), 0)
        self.source = source
        self.target = tuple(self.field(name).name for name in target)
        self.index = tuple(self.field(name).name for name in index)

    def __len__(self) -> int:
        return self._n_samples

    def __repr__(self) -> str:
        kinds = ", ".join(f"{field.name}: {field.kind}" for field in self.fields[:8])
        more = f", … {len(self.fields) - 8} more" if len(self.fields) > 8 else ""
        target = f", target={', '.join(self.target)}" if self.target else ""
        return f"Dataset({len(self)} samples, {len(self.fields)} columns ({kinds}{more}){target})"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(field.name for field in self.fields)

    @property
    def features(self) -> tuple[Field, ...]:
        """The fields that are neither target nor index."""
        return tuple(field for field in self.fields if field.name not in (*self.target, *self.index))

    def field(self, name: str) -> Field:
        """Return the field called `name`; an unknown name raises InvalidInput with the nearest one."""
        if name in self._field_of:
            return self._field_of[name]
        shown = ", ".join(self.names[:20]) + (", …" if len(self.names) > 20 else "")
        where = f" of {self.source}" if self.source else ""
        raise InvalidInput(f"no column{where} is called {name!r}.{suggestion(name, self.names)} Columns: {shown}.")

    def with_target(self, target: str | Sequence[str]) -> Dataset:
        """Return the same columns with `target` (one name or several) as what is to be predicted."""
        chosen = (target,) if isinstance(target, str) else tuple(target)
        index = [name for name in self.index if name not in chosen]
        return Dataset(self.fields, self.columns, target=chosen, index=index, source=self.source)

    def drop(self, names: Sequence[str]) -> Dataset:
        """Return the data set without the columns `names`."""
        gone = {self.field(name).name for name in names}
        kept = [field for field in self.fields if field.name not in gone]
        target, index = ([name for name in names if name not in gone] for names in (self.target, self.index))
        return Dataset(kept, self.columns, target=target, index=index, source=self.source)

    def rename(self, names: Mapping[str, str]) -> Dataset:
        """Return the data set with columns renamed, old name to new name."""
        fields = [replace(field, name=names.get(field.name, field.name)) for field in self.fields]
        columns = {names.get(name, name): column for name, column in self.columns.items()}
        target, index = ([names.get(name, name) for name in each] for each in (self.target, self.index))
        return Dataset(fields, columns, target=target, index=index, source=self.source)

    def take(self, rows: Tensor | np.ndarray | Sequence[int]) -> Dataset:
        """Return the samples `rows` (indices), in that order."""
        index = torch.as_tensor(np.asarray(rows), dtype=torch.int64)
        columns: dict[str, Tensor | Ragged] = dict(take(self._dense(), index))
        columns |= {name: column.take(index) for name, column in self.columns.items() if isinstance(column, Ragged)}
        return self._of(columns)

    @property
    def is_on_disk(self) -> bool:
        """Whether columns lie on disk, because they are too large for memory."""
        return any(is_on_disk(column) for column in self._dense().values())

    @property
    def n_bytes(self) -> int:
        """How many bytes the values have, on disk or in memory."""
        parts = (each for c in self.columns.values() for each in (c if isinstance(c, Ragged) else (c,)))
        return sum(part.numel() * part.element_size() for part in parts)

    def pieces(self) -> Iterator[tuple[slice, Dataset]]:
        """Walk over the rows. Yields which ones they are, and the data set of these, valid until the next ones."""
        if not self.is_on_disk:
            yield slice(0, len(self)), self
            return
        ragged = {name: column for name, column in self.columns.items() if isinstance(column, Ragged)}
        for rows, dense in walk(self._dense()):
            here = torch.arange(rows.start, rows.stop)
            columns = {**dense, **{name: column.take(here) for name, column in ragged.items()}}
            yield rows, self._of(columns)

    def _of(self, columns: Mapping[str, Tensor | Ragged]) -> Dataset:
        return Dataset(self.fields, columns, target=self.target, index=self.index, source=self.source)

    def _dense(self) -> dict[str, Tensor]:
        return {name: column for name, column in self.columns.items() if isinstance(column, Tensor)}

    def X_y(self) -> tuple[Dataset, np.ndarray]:  # noqa: N802 - scikit-learn's names
        """Split into features and target.

        Returns
        -------
        X : Dataset
            The features.
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Labels of a categorical target as strings, numbers otherwise. Missing values are None or NaN. Masks have
            shape (n_samples, height, width) and the values of their files; boxes are an array of `Boxes`, one a
            sample.

        Raises
        ------
        InvalidInput
            If no target was chosen.
        """
        if not self.target:
            raise InvalidInput("no target column was chosen. Call with_target(name) or read(path, target=name).")
        columns = [self.values(name) for name in self.target]
        y = columns[0] if len(columns) == 1 else np.column_stack(columns)
        return self.drop(self.target), y

    def values(self, name: str) -> np.ndarray:
        """Return a column as a user knows it: labels of codes, numbers of numbers, strings of text."""
        field, column = self.field(name), self.columns[name]
        if isinstance(column, Ragged) and field.kind == "boxes":
            return _boxes(column, field.categories)
        if isinstance(column, Ragged):
            raw, offsets = column.values.numpy().tobytes(), column.offsets.tolist()
            return np.array([raw[a:b].decode() for a, b in pairwise(offsets)], dtype=object)
        if field.kind == "mask":
            return _mask_values(column, field.categories).numpy()
        if column.dim() == 1:
            column = load(column)
        if field.kind != "categorical":
            return column.numpy()
        labels = np.array([*field.categories, None], dtype=object)  # code -1, missing, picks the last one
        chosen = labels[column.numpy()]
        return chosen.astype(str) if -1 not in column else chosen


def _is_number(category: str) -> bool:
    return category.isdecimal() or re.fullmatch("#[0-9a-f]{6}", category) is not None


def _mask_values(codes: Tensor, categories: Sequence[str]) -> Tensor:
    """Return the value that each pixel has in its file; of a colour, #ff0000, its number, 0xff0000; of names, codes."""
    values = [int(each.lstrip("#"), 16 if each.startswith("#") else 10) for each in categories if _is_number(each)]
    if len(values) < len(categories) or values == list(range(len(values))):
        return codes
    table = torch.tensor(values, dtype=torch.uint8 if max(values) < 256 else torch.int64)
    return changed(codes, lambda part: table[part.long()])


def _boxes(column: Ragged, categories: Sequence[str]) -> np.ndarray:
    """Return the objects of every picture."""
    values, labels = column.values.numpy(), np.array(categories)
    cut = np.empty(len(column.offsets) - 1, dtype=object)
    for i, (begin, end) in enumerate(pairwise(column.offsets.tolist())):
        cut[i] = Boxes(values[begin:end, :4], labels[values[begin:end, 4].astype(np.intp)])
    return cut


class Batches:
    """Walk over equal-length tensors in batches, in a new order every epoch, without Python per sample.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Columns that share their first axis, (n_samples, …).
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
        tensors: Mapping[str, Tensor],
        batch_size: int,
        generator: torch.Generator,
        *,
        rows: Tensor | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self.tensors, self.rows = dict(tensors), rows
        self.n_samples = len(next(iter(self.tensors.values()))) if rows is None else len(rows)
        self.batch_size = max(1, min(batch_size, self.n_samples))
        self.generator = generator
        self.prepare = prepare
        self._in_one = self.batch_size == self.n_samples  # no order is drawn then
        self._epoch_start = generator.get_state()
        self._position, self._resume_at = 0, 0
        self._stored = {name: tensor for name, tensor in self.tensors.items() if is_on_disk(tensor)}
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

    def example(self) -> dict[str, Tensor]:
        """Return a batch of evenly spaced samples; no order is drawn for it."""
        places = torch.arange(self.batch_size) * (self.n_samples // self.batch_size)
        return self._prepared(gather(self.tensors, places if self.rows is None else self.rows[places]))

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
                yield self.tensors if self.rows is None else gather(self.tensors, self.rows)
            return
        order = torch.randperm(self.n_samples, generator=self.generator)
        order = order if self.rows is None else self.rows[order]
        # a rest of one sample joins the batch before it: batch normalisation cannot be trained on one
        bounds = [*range(0, len(self) * self.batch_size, self.batch_size), self.n_samples]
        buffers = self._buffers(self.batch_size)
        for content, places, cuts in self._blocks(order, bounds[first:]):
            for begin, end in pairwise(cuts):
                batch = buffers if end - begin == self.batch_size else self._buffers(end - begin)
                rows = order[begin:end]
                for name, tensor in self.tensors.items():
                    if name in content:
                        there = places[begin - cuts[0] : end - cuts[0]]
                        torch.index_select(content[name], 0, there, out=batch[name])
                    else:
                        torch.index_select(tensor, 0, rows, out=batch[name])
                yield batch

    def _buffers(self, size: int) -> dict[str, Tensor]:
        return {name: tensor.new_empty((size, *tensor.shape[1:])) for name, tensor in self.tensors.items()}

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


def _length(column: Tensor | Ragged | Any) -> int:
    return len(column.offsets) - 1 if isinstance(column, Ragged) else len(column)
