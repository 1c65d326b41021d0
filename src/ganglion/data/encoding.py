"""From the columns that a user has to the tensors that a network takes, fitted once and used ever after.

An encoder looks at the training data and remembers what it must know to read the next data in the same way: which
columns there are, which categories a column had. It never scales or imputes: that is the network's first layer, so
that it trains, saves and ships with the weights.

    table   numeric (n, d) with NaN for missing · categorical (n, c), codes with 0 for missing, rare and unseen;
            a date is its time and its place in the year, the week and the day
    image   image (n, channels, height, width), uint8 or float32

Texts, sequences and recordings: `text_encoding`, `sequences`, `audio_encoding`; which one suits some data: `encoders`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any, Literal, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Column
from ganglion.data.resizing import POLICIES, Reading, Resize, reading_to
from ganglion.data.spool import on_disk, pieces, store
from ganglion.errors import DataWarning, InvalidInput, suggestion

NUMBERS = ("numeric", "boolean", "date")
PIXELS = ("uint8", "float32", "")
PERIODS_S = {"year": 365.2425 * 86400.0, "week": 7 * 86400.0, "day": 86400.0}


@dataclass(frozen=True)
class InputSpec:
    """What the network is given: enough to build it, nothing of the data themselves.

    Attributes
    ----------
    numeric : int
        Width of the tensor "numeric".
    missing : tuple of int
        The numeric columns with missing values in training.
    cardinalities : tuple of int
        Number of codes of each categorical column, the code 0 included.
    image : tuple of int
        (channels, height, width) of the tensor "image", or empty.
    vocabulary : int
        Number of ids of the tensor "tokens", or "words"; 0 where there is neither.
    features : int
        Ids of each word in the tensor "words", or 0.
    sequence : int
        Numbers in a step of the tensor "sequence", or 0.
    series : tuple of int
        How many numbers of a step are targets, how many are known up to now only, and how many ahead; or empty.
    audio : int
        Samples a second of the tensor "audio", or 0.
    boolean : tuple of int
        The numeric columns that hold truth values.
    longest : int
        Tokens that a text has at most (what stands beyond is cut), or steps of the longest sequence of training, or
        samples of the longest recording.
    """

    numeric: int = 0
    missing: tuple[int, ...] = ()
    cardinalities: tuple[int, ...] = ()
    image: tuple[int, ...] = ()
    vocabulary: int = 0
    features: int = 0
    sequence: int = 0
    series: tuple[int, ...] = ()
    audio: int = 0
    longest: int = 0
    boolean: tuple[int, ...] = ()


class Encoder(Protocol):
    """What an encoder of any modality offers."""

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        ...

    def encode(self, data: Dataset) -> Mapping[str, Column]:
        """Return the columns of a data set, or raise InvalidInput when it does not fit the training data."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        ...


@dataclass(frozen=True)
class TableEncoder:
    """Reads tables with the columns that the training table had.

    Attributes
    ----------
    fields : tuple of Field
        The training columns, in order; the categories of each are those that were frequent enough to be kept.
    missing : tuple of int
        The columns of the tensor "numeric" that had missing values in training.
    """

    fields: tuple[Field, ...]
    missing: tuple[int, ...] = ()

    @classmethod
    def fit(cls, data: Dataset, weight: Tensor | None = None, *, min_count: int = 2) -> TableEncoder:
        """Learn the columns and categories of a training table.

        Parameters
        ----------
        data : Dataset
            Features only.
        weight : Tensor of shape (n_samples,), optional
            Rows of weight 0 are not seen.
        min_count : int
            A category needs this many rows to have a code of its own; the others share the code 0. A value that
            one single row has teaches nothing, and must not be written into a model file.
        """
        fields = []
        for field in data.features:
            if field.kind == "categorical":
                codes = cast(Tensor, data.columns[field.name])
                codes = codes if weight is None else codes[weight > 0]
                counts = torch.bincount(codes[codes >= 0], minlength=len(field.categories)).tolist()
                frequent = (label for label, count in zip(field.categories, counts, strict=True) if count >= min_count)
                field = Field(field.name, "categorical", categories=tuple(frequent))
            elif field.kind == "text":
                warnings.warn(
                    f"column {field.name!r} holds free text, which this network does not read; it is left out.",
                    DataWarning,
                    stacklevel=2,
                )
                continue
            fields.append(field)
        if not fields:
            raise InvalidInput("no column is left to learn from. Give at least one numeric or categorical feature.")
        plain = cls(tuple(fields))
        if not plain.numeric:
            return plain
        gaps = torch.cat([_gaps(field, cast(Tensor, data.columns[field.name]), weight) for field in plain.numeric])
        return cls(plain.fields, tuple(gaps.nonzero().flatten().tolist()))

    @property
    def numeric(self) -> tuple[Field, ...]:
        """Columns that become the tensor "numeric"."""
        return tuple(field for field in self.fields if field.kind in NUMBERS)

    @property
    def categorical(self) -> tuple[Field, ...]:
        """Columns that become the tensor "categorical"."""
        return tuple(field for field in self.fields if field.kind == "categorical")

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of codes of each categorical column, the code 0 included."""
        return tuple(len(field.categories) + 1 for field in self.categorical)

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        first = [0, *accumulate(_n_numbers(field) for field in self.numeric)]
        boolean = tuple(j for j, field in zip(first, self.numeric, strict=False) if field.kind == "boolean")
        return InputSpec(numeric=first[-1], missing=self.missing, cardinalities=self.cardinalities, boolean=boolean)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the numbers of "numeric", then of the columns of "categorical"."""
        numbers = (name for field in self.numeric for name in _number_names(field))
        return (*numbers, *(field.name for field in self.categorical))

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns as a user has them, in order; each number of a block is a column."""
        return tuple(name for field in self.fields for name in _columns_of(field))

    @property
    def origins(self) -> tuple[str, ...]:
        """The column behind each number of "numeric", then behind each column of "categorical"."""
        numbers = (name for field in self.numeric for name in _columns_of(field) * (_n_numbers(field) // _width(field)))
        return (*numbers, *(field.name for field in self.categorical))

    def encode(self, data: Dataset) -> dict[str, Tensor]:
        """Return the tensors "numeric" and "categorical" of a table (each only if there are such columns).

        Raises
        ------
        InvalidInput
            If a column is missing, or holds another kind of values than in training.
        SaveFailed
            If they are too large for memory, and the disk has no room for them.
        """
        if not data.is_on_disk or self._is_block_of(data):
            return self._encode(data)
        tensors: dict[str, Tensor] = {}
        for rows, some in data.pieces():
            parts = self._encode(some)
            tensors = tensors or on_disk({k: ((len(data), *part.shape[1:]), part.dtype) for k, part in parts.items()})
            for name, part in parts.items():
                store(tensors[name], rows.start, part)
        return tensors

    def decode(self, tensors: Mapping[str, Tensor]) -> Dataset:
        """Return the table that tensors like those of `encode` stand for; of the code 0 nothing is known.

        Of a date its first number counts; a truth value is 1 above one half.
        """
        columns: dict[str, Column] = {}
        start = 0
        for field in self.numeric:
            numbers = tensors["numeric"][:, start : start + _n_numbers(field)]
            start += _n_numbers(field)
            columns[field.name] = numbers if field.shape else numbers[:, 0]
            if field.kind == "boolean":
                columns[field.name] = (numbers[:, 0] > 0.5).to(torch.float32)
        for j, field in enumerate(self.categorical):
            columns[field.name] = tensors["categorical"][:, j] - 1
        return Dataset(self.fields, columns)

    def _is_block_of(self, data: Dataset) -> bool:
        """Say whether the one column that is wanted is a block of numbers, which is taken as it is."""
        return len(self.fields) == 1 and len(self.fields[0].shape) == 1 and self.fields[0].name in data.columns

    def _encode(self, data: Dataset) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        if self.numeric:
            data = self._blocks(data)
            columns = [_numbers(self._column(data, field), data, field) for field in self.numeric]
            blocks = [column if column.dim() == 2 else column[:, None] for column in columns]
            tensors["numeric"] = blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=1)
        if self.categorical:
            codes = [_codes(self._column(data, field), data, field) for field in self.categorical]
            tensors["categorical"] = torch.stack(codes, dim=1)
        return tensors

    def _blocks(self, data: Dataset) -> Dataset:
        """Return columns of numbers as the one block that the training array was: a frame in place of an array."""
        trained, *more = self.fields
        if more or len(trained.shape) != 1 or trained.name in data.columns:
            return data
        others = [field for field in data.features if field.kind not in NUMBERS]
        if others:
            raise InvalidInput(
                f"the model was trained on an array of numbers, (n_samples, {trained.shape[0]}), but the column "
                f"{others[0].name!r} holds {others[0].kind} values. Give numbers, or train again on such columns."
            )
        columns = [cast(Tensor, data.columns[field.name]) for field in data.features]
        block = torch.cat([column if column.dim() == 2 else column[:, None] for column in columns], dim=1)
        return Dataset([Field(trained.name, "numeric", tuple(block.shape[1:]))], {trained.name: block})

    def _column(self, data: Dataset, field: Field) -> Field:
        if field.name not in data.columns:
            present = [other.name for other in data.fields]
            near = suggestion(field.name, present)
            raise InvalidInput(
                f"the column {field.name!r} is missing.{near} Given: {', '.join(present[:20])}. The model was trained "
                f"on: {', '.join(each.name for each in self.fields[:20])}."
            )
        return data.field(field.name)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        fields = [asdict(field) for field in self.fields]
        return {"modality": "table", "fields": fields, "missing": list(self.missing)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> TableEncoder:
        """Make an encoder again from what was stored; a flaw raises a ValueError, KeyError or TypeError."""
        encoder = cls(tuple(_field(each) for each in stored["fields"]))
        if not encoder.fields or len({field.name for field in encoder.fields}) < len(encoder.fields):
            raise ValueError("no columns, or one twice")
        missing, width = stored["missing"], encoder.spec.numeric
        if not isinstance(missing, list) or not all(type(i) is int and 0 <= i < width for i in missing):
            raise ValueError("missing columns")
        return cls(encoder.fields, tuple(missing))


@dataclass(frozen=True)
class ImageEncoder:
    """Reads stacks of images of the shape (channels, height, width) that the training images had.

    With `any_size` they may be of another height and width. `resize` is how files, and pictures of other sizes, are
    brought to that of training, see `resizing`. `pixels` is what training gave: bytes or fractions, "" in older files.
    """

    shape: tuple[int, ...]
    any_size: bool = False
    resize: Resize = "stretch"
    pixels: Literal["uint8", "float32", ""] = ""

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        return InputSpec(image=self.shape)

    @property
    def reading(self) -> Reading:
        """How picture files are read to the shape of training."""
        return reading_to(self.shape, self.resize)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Images have no named features."""
        return ()

    def encode(self, data: Dataset) -> dict[str, Tensor]:
        """Return the tensor "image", (n, channels, height, width)."""
        images = [field for field in data.features if field.kind == "image"]
        if not images:
            raise InvalidInput(
                f"the model was trained on images (channels, height, width) = {self.shape}, but was given a table of "
                f"columns {', '.join(field.name for field in data.features[:10])}. Give an array (n, height, width), "
                "or (n, height, width, channels)."
            )
        fixed = 1 if self.any_size else 3
        if images[0].shape[:fixed] != self.shape[:fixed]:
            raise InvalidInput(
                f"images have shape (channels, height, width) = {images[0].shape}, but the model was trained on "
                f"{self.shape}. {'Give as many channels' if self.any_size else self._advice()}."
            )
        return {"image": cast(Tensor, data.columns[images[0].name])}

    def decode(self, tensors: Mapping[str, Tensor]) -> Dataset:
        """Return the stack of images that the tensor "image" stands for."""
        return Dataset([Field("image", "image", self.shape, resize=self.resize)], {"image": tensors["image"]})

    def _advice(self) -> str:
        return (
            f"Resize or transpose them first. With files, read(path, size={self.shape[1:]}, resize={self.resize!r}) "
            "does so; with a list of pictures, predict itself"
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        stored = {"shape": list(self.shape), "any_size": self.any_size, "resize": self.resize, "pixels": self.pixels}
        return {"modality": "image", **stored}

    @classmethod
    def fit(cls, data: Dataset, *, any_size: bool = False) -> ImageEncoder:
        """Learn the shape of a stack of images; they are read alone."""
        images = [field for field in data.features if field.kind == "image"]
        if len(images) > 1 or len(data.features) > 1:
            raise InvalidInput(
                "images beside other columns are not supported yet: "
                f"{', '.join(field.name for field in data.features)}. Give the images alone."
            )
        bytes_alone = cast(Tensor, data.columns[images[0].name]).dtype == torch.uint8
        pixels = "uint8" if bytes_alone else "float32"
        return cls(images[0].shape, any_size, cast(Resize, images[0].resize or "stretch"), pixels)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ImageEncoder:
        """Make an encoder again from what was stored; a flaw raises a ValueError, KeyError or TypeError."""
        shape, any_size, resize = _sizes(stored["shape"]), stored["any_size"], stored["resize"]
        pixels = stored.get("pixels", "")
        if len(shape) != 3 or type(any_size) is not bool or resize not in POLICIES or pixels not in PIXELS:
            raise ValueError(f"image shape {shape}, resize {resize!r:.20}, pixels {pixels!r:.20}")
        return cls(shape, any_size, resize, pixels)


def _field(stored: dict[str, Any]) -> Field:
    name, kind, categories = stored["name"], stored["kind"], stored["categories"]
    labels = isinstance(categories, list) and all(isinstance(label, str) for label in categories)
    if not isinstance(name, str) or kind not in (*NUMBERS, "categorical") or not labels:
        raise ValueError(f"column {name!r}")
    shape = _sizes(stored["shape"])
    if len(shape) > (kind == "numeric") or (categories and kind != "categorical"):
        raise ValueError(f"column {name!r}")
    if len(set(categories)) < len(categories):
        raise ValueError(f"a category of {name!r} stands twice")
    return Field(name, kind, shape, tuple(categories))


def _sizes(stored: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(stored, list) or not all(type(size) is int and 0 < size < 2**31 for size in stored):
        raise ValueError(f"shape {stored!r}")
    return tuple(stored)


def _numbers(given: Field, data: Dataset, trained: Field) -> Tensor:
    column = cast(Tensor, data.columns[given.name])
    if given.kind == "categorical" and not given.categories:  # nothing but missing values tells no kind
        return torch.full((len(data), _n_numbers(trained)), torch.nan, dtype=torch.float64)
    if given.kind not in NUMBERS:
        examples = ", ".join(repr(value) for value in data.values(given.name)[:3].tolist())
        raise InvalidInput(
            f"the column {given.name!r} held numbers in training, but now holds {given.kind} values ({examples}). "
            "Give numbers, or train again."
        )
    if given.shape != trained.shape:
        raise InvalidInput(
            f"X has {_width(given)} features, but the model is expecting {_width(trained)} features as input."
        )
    if trained.kind == "date":
        return date_numbers(column)
    return column if column.dim() == 2 else column[:, None]


def _gaps(field: Field, column: Tensor, weight: Tensor | None) -> Tensor:
    """Return for each number that a column becomes whether it is missing in some row, (k,) bool."""
    found = torch.zeros(column.shape[1:], dtype=torch.bool)
    for rows, part in pieces(column):
        seen = part if weight is None else part[weight[rows] > 0]
        if seen.sum().isnan():  # one number for most tables, in place of one for each that they hold
            found |= seen.isnan().any(0)
    return found.expand(_n_numbers(field))


def date_numbers(seconds: Tensor) -> Tensor:
    """Return dates, (n,) seconds since 1970, as the time itself and its place in year, week and day, (n, 7).

    Whole turns are taken away first: of midnight nothing is left, where the sine of thousands of turns is rounding.
    """
    circle = torch.tensor(2 * torch.pi, dtype=seconds.dtype)
    turns = [seconds / period for period in PERIODS_S.values()]
    angles = [circle * (turn - turn.floor()) for turn in turns]
    return torch.stack([seconds, *(part for angle in angles for part in (angle.sin(), angle.cos()))], dim=1)


def _n_numbers(field: Field) -> int:
    """Return how many numbers a column becomes, without believing that there is memory for their names."""
    return 1 + 2 * len(PERIODS_S) if field.kind == "date" else _width(field)


def _number_names(field: Field) -> list[str]:
    """Return the names of the numbers that a column becomes."""
    if field.kind == "date":
        return [field.name, *(f"{field.name}_{period}_{f}" for period in PERIODS_S for f in ("sin", "cos"))]
    return [f"{field.name}{i}" for i in range(field.shape[0])] if field.shape else [field.name]


def _columns_of(field: Field) -> list[str]:
    """Return the names of the columns that a user sees in one field: a block is as many as it has numbers."""
    return [field.name] if field.kind == "date" else _number_names(field)


def _codes(given: Field, data: Dataset, trained: Field) -> Tensor:
    """Return the codes of training for the labels of a column; missing and unknown labels get 0."""
    code_of = {label: code for code, label in enumerate(trained.categories, start=1)}
    if given.kind == "categorical":
        table = torch.tensor([code_of.get(label, 0) for label in given.categories] + [0])
        return table[cast(Tensor, data.columns[given.name])]  # code -1, missing, picks the last one
    values = data.values(given.name).tolist()
    codes = torch.tensor([code_of.get(label, code_of.get(_plain(label), 0)) for label in values])
    if not codes.any() and any(value == value for value in values):  # NaN, missing, differs from itself
        warnings.warn(
            f"the column {given.name!r} held categories in training ({', '.join(trained.categories[:5])}), but now "
            f"holds {given.kind} values ({', '.join(map(str, values[:3]))}), none of which is known.",
            DataWarning,
            stacklevel=2,
        )
    return codes


def _plain(value: Any) -> str:
    """Return a number as the text that a category of numbers has: 3.0 and "3" are one category."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _width(field: Field) -> int:
    return int(np.prod(field.shape, dtype=int)) if field.shape else 1
