"""A data set: named columns of equal length, as tensors, and a description of each.

A column is dense (a tensor whose first axis counts the samples) or ragged (all values in one tensor, and the offsets
that cut it into samples, `data.ragged`). Columns too large for memory lie on disk (`data.spool`), and are walked over
in pieces.

    kind         values of a dense column                                      missing
    numeric      float32 or float64, (n,) or a block (n, d)                     NaN
    boolean      float32, 0 or 1, (n,)                                          NaN
    date         float64, seconds since 1970-01-01 UTC, (n,)                    NaN
    categorical  int64, a code into `Field.categories`, (n,)                    -1
    image        uint8 or float, (n, channels, height, width)                   (none)
    mask         uint8, a code into `Field.categories` or a class itself, (n, height, width)
    boxes        ragged float32, left, top, right, bottom, code, (total, 5)     an empty row
    text         ragged uint8, UTF-8 bytes, (total,)                            an empty row
    tokens       ragged int64, codes into `Field.categories`, (total,)          an empty row
    sequence     ragged float, steps of `Field.shape` numbers, (total, d)       NaN
    music        ragged uint8, which of 88 keys sound, 0 or 1, (total, 88)      (none)
    audio        ragged int16 or float32, `Field.rate` samples a second, (total,)  (none)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ganglion.data.boxes import Boxes
from ganglion.data.gather import take
from ganglion.data.ragged import Column, Ragged
from ganglion.data.spool import changed, is_on_disk, load, walk
from ganglion.errors import InvalidInput, suggestion

Kind = Literal[
    "numeric",
    "boolean",
    "date",
    "categorical",
    "image",
    "mask",
    "boxes",
    "text",
    "tokens",
    "sequence",
    "music",
    "audio",
]


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
    step : str
        The note that a step of music is as long as, "1/4" for a quarter note; empty where that is not known.
    rate : int
        Samples a second of recordings; 0 for all else.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    resize: str = ""
    step: str = ""
    rate: int = 0


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
        columns: Mapping[str, Column],
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
        lengths = {name: len(column) for name, column in self.columns.items()}
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
        columns: dict[str, Column] = dict(take(self._dense(), index))
        columns |= {name: column.take(index) for name, column in self.columns.items() if isinstance(column, Ragged)}
        return self._of(columns)

    @property
    def is_on_disk(self) -> bool:
        """Whether columns lie on disk, because they are too large for memory."""
        return any(is_on_disk(column) for column in self._dense().values())

    @property
    def n_bytes(self) -> int:
        """How many bytes the values have, on disk or in memory."""
        columns = self.columns.values()
        parts = (each for c in columns for each in ((c.values, c.offsets) if isinstance(c, Ragged) else (c,)))
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

    def _of(self, columns: Mapping[str, Column]) -> Dataset:
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
            sample, texts one of strings, tokens one of lists of strings, recordings one of pairs (rate, samples).

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
        if isinstance(column, Ragged):
            return _samples(field, column)
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


def _samples(field: Field, column: Ragged) -> np.ndarray:
    """Return the text, the tokens, the steps, the objects or the sound of every sample, an array of objects."""
    if field.kind == "text":
        raw, offsets = column.values.numpy().tobytes(), column.offsets.tolist()
        return np.array([raw[a:b].decode() for a, b in pairwise(offsets)], dtype=object)
    labels, cut = np.array(field.categories), np.empty(len(column), dtype=object)
    for i, values in enumerate(each.numpy() for each in column.split()):
        if field.kind == "boxes":
            cut[i] = Boxes(values[:, :4], labels[values[:, 4].astype(np.intp)])
        elif field.kind == "audio":
            cut[i] = (field.rate, values)
        else:
            cut[i] = labels[values].tolist() if field.kind == "tokens" else values
    return cut
