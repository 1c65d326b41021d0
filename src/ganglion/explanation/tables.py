"""Tables as games: the players are the columns as a user has them, and a coalition is a row mixed from two.

A column that is left out has the value of a background row in its place (marginal, or interventional, values: Janzing
et al. 2020, arXiv:1910.13413). One column is one player, however many numbers the network makes of it.

    EncodedTable  our networks: rows and background are read, encoded and scaled once, and their tensors are mixed
    PlainTable    any other model: arrays and frames are mixed
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, cast

import narwhals as nw
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganglion.data.encoding import TableEncoder
from ganglion.data.frames import is_frame
from ganglion.errors import InvalidInput
from ganglion.explanation.asking import Array, Kind, ask, checked
from ganglion.explanation.players import Flags, Places, TablePlayers

FEW = 5  # different values of a column, which are then told apart
MIXED_BYTES = 2**22  # of rows that are mixed and asked together: what lies in a cache is read again for nothing


def table_of(model: Any, kind: Kind, X: Any, background: Any) -> TablePlayers:
    """Return rows and background in the form in which the model is asked fastest."""
    if isinstance(getattr(model, "encoder_", None), TableEncoder) and hasattr(model, "answers_to"):
        return EncodedTable(model, kind, X, background)
    return PlainTable(model, kind, X, background)


class EncodedTable:
    """A table of one of our networks, mixed after encoding and the fixed half of the preprocessing."""

    modality, free, usual = "table", 2**20, 4000

    def __init__(self, model: Any, kind: Kind, X: Any, background: Any) -> None:
        encoder: TableEncoder = model.encoder_
        self._model, self._scores = model, kind == "score"
        self.replaced = "the values of background rows"
        self.names = encoder.column_names
        place = {name: i for i, name in enumerate(self.names)}
        owners = np.array([place[name] for name in encoder.origins])
        n = encoder.spec.numeric
        self._owner = {"numeric": owners[:n], "categorical": owners[n:]}
        self._raw = [_numeric(model.encoded(each)) for each in (X, background)]
        self.n_rows, self.n_background = (len(next(iter(each.values()))) for each in self._raw)
        device = next(model.network_.parameters()).device
        with torch.inference_mode():
            self._ready = [{k: t.to(device) for k, t in model.network_.prepare(each).items()} for each in self._raw]
        missing = list(encoder.spec.missing)
        behind = {"numeric": np.concatenate([owners[:n], owners[missing]]), "categorical": owners[n:]}
        widths = {name: tensor.shape[1] for name, tensor in self._ready[0].items()}
        # a first layer that lays its columns out in its own way is asked with what it prepares from
        self._prepared = widths == {name: len(behind[name]) for name in self._raw[0]}
        if not self._prepared:
            self._ready, behind = self._raw, self._owner
        self._columns = {name: torch.from_numpy(behind[name]).to(device) for name in self._ready[0]}
        self._straight = {name: np.array_equal(behind[name], np.arange(len(self.names))) for name in self._columns}
        row_bytes = sum(tensor[:1].numel() * tensor.element_size() for tensor in self._ready[0].values())
        self._step = max(64, MIXED_BYTES // row_bytes)
        # the same buffers for every piece: the system clears new pages, which takes as long as the mixing
        self._buffers = {
            name: tuple(tensor.new_empty((self._step, tensor.shape[1])) for _ in range(2))
            for name, tensor in self._ready[0].items()
        }

    @property
    def encoded(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The rows, and those of the background, as the encoder gives them."""
        return self._raw[0], self._raw[1]

    def differs(self, rows: slice) -> Flags:
        """Return where rows differ from the background, (rows, background, columns)."""
        found = np.zeros((len(range(*rows.indices(self.n_rows))), self.n_background, len(self.names)), dtype=bool)
        for name, owners in self._owner.items():
            if name not in self._raw[0]:
                continue
            one, other = self._raw[0][name][rows, None].numpy(), self._raw[1][name][None].numpy()
            apart = ~((one == other) | ((one != one) & (other != other)))  # NaN, missing, differs from itself
            for column, owner in enumerate(owners.tolist()):
                found[:, :, owner] |= apart[:, :, column]
        return found

    def mixed(self, rows: Places, background: Places, kept: Flags) -> Array:
        """Return what the model says of mixed rows, see `Players`."""
        parts = [
            self._mixed(*(torch.from_numpy(each[i : i + self._step]) for each in (rows, background, kept)))
            for i in range(0, len(rows), self._step)
        ]
        return checked(self._model, torch.cat(parts).double().numpy()) if parts else np.empty((0, 0))

    def _mixed(self, rows: Tensor, background: Tensor, kept: Tensor) -> Tensor:
        mixed = {}
        for name, owners in self._columns.items():
            one, other = (each[name] for each in self._ready)
            own, foreign = (buffer[: len(rows)] for buffer in self._buffers[name])
            torch.index_select(one, 0, rows.to(one.device), out=own)
            if background.dim() == 1:
                torch.index_select(other, 0, background.to(one.device), out=foreign)
            else:
                torch.gather(other, 0, background.to(one.device)[:, owners], out=foreign)
            chosen = kept.to(one.device) if self._straight[name] else kept.to(one.device)[:, owners]
            mixed[name] = torch.where(chosen, own, foreign, out=own)
        return self._model.answers_to(mixed, scores=self._scores, prepared=self._prepared).cpu()

    def levels(self) -> tuple[Places, Places]:
        """Return the value of each column as a code, see `TablePlayers`."""
        found = np.zeros((self.n_rows + self.n_background, len(self.names)), dtype=np.intp)
        for name, owners in self._owner.items():
            if name in self._raw[0]:
                both = torch.cat([each[name] for each in self._raw]).numpy()
                for column, owner in reversed(list(enumerate(owners.tolist()))):  # of a date, the time counts
                    found[:, owner] = levels_of(both[:, column], self.n_rows)
        return found[: self.n_rows], found[self.n_rows :]

    def given(self, row: int) -> tuple[Any, ...]:
        """Return a row as its user knows it; of categories that training did not have nothing is known."""
        return self._known[row]

    @functools.cached_property
    def _known(self) -> list[tuple[Any, ...]]:
        """All rows as their user knows them, decoded together."""
        encoder = self._model.encoder_
        data = encoder.decode(self._raw[0])
        columns: list[list[Any]] = []
        for field in encoder.fields:
            values = data.values(field.name)
            kind = cast(str, field.kind)
            if kind == "date":
                columns.append([None if each != each else str(np.datetime64(int(each), "s")) for each in values])
            else:
                columns += values.T.tolist() if field.shape else [values.tolist()]
        return list(zip(*columns, strict=True))

    def drawn(self, row: int) -> None:
        """Return nothing: a row is drawn by its names and values."""


def _numeric(encoded: Any) -> dict[str, Tensor]:
    """Return encoded columns under the names that any row can have."""
    return {"numeric" if name == "ordinary" else name: tensor for name, tensor in encoded.items()}


class PlainTable:
    """A table of any model, an array or a frame, mixed as it is given."""

    modality, free, usual = "table", 2**17, 4000

    def __init__(self, model: Any, kind: Kind, X: Any, background: Any) -> None:
        self._model = model
        self._kind: Kind = kind
        self.replaced = "the values of background rows"
        one, other = _Columns.of(X), _Columns.of(background)
        if one.names != other.names:
            raise InvalidInput(
                f"the background has the columns {', '.join(other.names[:20])}, but X has {', '.join(one.names[:20])}. "
                "Give rows of the same table."
            )
        self.names, self.n_rows, self.n_background = one.names, len(one), len(other)
        self._both = one.followed_by(other)
        self._codes = self._both.codes()

    def differs(self, rows: slice) -> Flags:
        """Return where rows differ from the background, (rows, background, columns)."""
        return self._codes[: self.n_rows][rows, None] != self._codes[None, self.n_rows :]

    def mixed(self, rows: Places, background: Places, kept: Flags) -> Array:
        """Return what the model says of mixed rows, see `Players`."""
        step = max(1, 4 * MIXED_BYTES // (8 * len(self.names)))
        parts = []
        for i in range(0, len(rows), step):
            some = slice(i, i + step)
            others = background[some] if background.ndim == 2 else background[some, None]
            places = np.where(kept[some], rows[some, None], self.n_rows + others)
            parts.append(ask(self._model, self._kind, self._both.gathered(places)))
        return np.concatenate(parts)

    def levels(self) -> tuple[Places, Places]:
        """Return the value of each column as a code, see `TablePlayers`."""
        found = np.stack([levels_of(each, self.n_rows) for each in self._both.numbers()], axis=1)
        return found[: self.n_rows], found[self.n_rows :]

    def given(self, row: int) -> tuple[Any, ...]:
        """Return a row as it was given."""
        return self._both.row(row)

    def drawn(self, row: int) -> None:
        """Return nothing: a row is drawn by its names and values."""


class _Columns:
    """An array or a frame of any kind, whose columns can be gathered each in an order of its own."""

    def __init__(self, names: Sequence[str], array: np.ndarray | None, frame: Any) -> None:
        self.names, self._array, self._frame = tuple(names), array, frame

    @classmethod
    def of(cls, X: Any) -> _Columns:
        if is_frame(X):
            frame = nw.maybe_reset_index(nw.from_native(X, eager_only=True))
            return cls([str(name) for name in frame.columns], None, frame)
        if hasattr(X, "toarray"):
            raise InvalidInput("explain mixes rows column by column, and sparse data was given. Give X.toarray().")
        array = np.asarray(X)
        if array.ndim != 2 or not array.size:
            raise InvalidInput(
                f"rows of a table are wanted, (n_samples, n_features), but data of shape {array.shape} was given. "
                "A single row is X[[i]], or X[i : i + 1]."
            )
        return cls([f"x{i}" for i in range(array.shape[1])], array, None)

    def __len__(self) -> int:
        return len(self._frame if self._array is None else self._array)

    def followed_by(self, other: _Columns) -> _Columns:
        if self._array is not None and other._array is not None:
            return _Columns(self.names, np.concatenate([self._array, other._array]), None)
        if self._frame is None or other._frame is None:
            raise InvalidInput(
                "X and background are of two kinds, an array and a frame. Give both as one or the other."
            )
        return _Columns(self.names, None, nw.maybe_reset_index(nw.concat([self._frame, other._frame])))

    def gathered(self, places: Places) -> Any:
        """Return rows whose columns come from the rows `places`, (n, columns)."""
        if self._array is not None:
            return np.take_along_axis(self._array, places, axis=0)
        columns = {
            name: nw.maybe_reset_index(self._frame.get_column(name)[places[:, i]])
            for i, name in enumerate(self._frame.columns)
        }
        return nw.to_native(nw.from_dict(columns, backend=self._frame.implementation))

    def codes(self) -> NDArray[np.intp]:
        """Return for every cell a number that is the same where values of its column are the same."""
        columns = [self._column(i) for i in range(len(self.names))]
        return np.stack([_coded(column) for column in columns], axis=1)

    def numbers(self) -> list[np.ndarray]:
        """Return each column as numbers, or as codes where it holds others."""
        columns = [self._column(i) for i in range(len(self.names))]
        plain = [all(each is None or isinstance(each, int | float) for each in column) for column in columns]
        return [_floats(column) if whole else _coded(column) for column, whole in zip(columns, plain, strict=True)]

    def row(self, row: int) -> tuple[Any, ...]:
        return tuple(self._column(i)[row] for i in range(len(self.names)))

    def _column(self, i: int) -> list[Any]:
        if self._array is not None:
            return self._array[:, i].tolist()
        return self._frame.get_column(self._frame.columns[i]).to_list()


def levels_of(values: np.ndarray, n_rows: int) -> NDArray[np.intp]:
    """Return the quarter of the background that each number lies in; of few different values, which one it is.

    Parameters
    ----------
    values : ndarray of shape (n_rows + n_background,)
        Of the rows, then of the background.
    n_rows : int
    """
    different, which = np.unique(values, return_inverse=True)
    known = values[n_rows:][~np.isnan(values[n_rows:])] if values.dtype.kind == "f" else values[:0]
    if len(different) <= FEW or not len(known):
        return which
    quarters = np.searchsorted(np.quantile(known, (0.25, 0.5, 0.75)), values)
    return np.where(np.isnan(values), FEW, quarters)


def _floats(values: list[Any]) -> np.ndarray:
    return np.array([np.nan if each is None else each for each in values], dtype=np.float64)


def _coded(values: list[Any]) -> NDArray[np.intp]:
    known: dict[Any, int] = {}
    return np.array([known.setdefault(None if each != each else each, len(known)) for each in values], dtype=np.intp)
