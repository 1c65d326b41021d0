"""Rows of a table as numbers that can be moved, and back to what a model reads: of what is no number, a code.

    cost of a change    |v - x| / MAD of a number (Wachter et al. 2017, eq. 5), 1 of everything else

A column of two numbers, a flag, costs 1 too; where half of the rows have one value, the mean deviation stands for MAD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import torch
from numpy.typing import NDArray

from ganglion.data.dataset import Dataset
from ganglion.data.encoding import NUMBERS
from ganglion.data.frames import is_frame
from ganglion.errors import InvalidInput
from ganglion.explanation.asking import Array

MOST_TRIED = 24  # values of a column that are tried before any is made finer
Cells = tuple[str, bool, Sequence[Any]]  # a column's name, whether it holds numbers, and its values


class Variations:
    """One row and the rows that are known beside it, as numbers.

    Parameters
    ----------
    x, known : array-like of shape (1, d) and (n, d), frame or Dataset
        Of the same kind and the same columns.

    Attributes
    ----------
    names : tuple of str
    numbers, whole : ndarray of shape (d,), bool
        Columns of numbers, and those of whole ones alone.
    x : ndarray of shape (d,)
    known : ndarray of shape (n, d)
    scale : ndarray of shape (d,)
        What a change of each costs 1.

    Raises
    ------
    InvalidInput
        If x is not one row, or the two have other columns or are of two kinds.
    """

    def __init__(self, x: Any, known: Any) -> None:
        (one, self._back), (others, _) = _cells(x), _cells(known)
        self.names = tuple(name for name, _, _ in one)
        if self.names != tuple(name for name, _, _ in others):
            raise InvalidInput(
                f"the background has the columns {', '.join(name for name, _, _ in others[:20])}, but the row has "
                f"{', '.join(self.names[:20])}. Give rows of the same table."
            )
        if len(one[0][2]) != 1:
            raise InvalidInput(f"one row is changed at a time, and {len(one[0][2]):,} were given. Give X[[i]].")
        self.numbers = np.array([a[1] and b[1] for a, b in zip(one, others, strict=True)])
        self._codes: list[dict[Any, int]] = [{} for _ in one]
        both = [self._coded(j, [*a[2], *b[2]]) for j, (a, b) in enumerate(zip(one, others, strict=True))]
        rows = np.stack(both, axis=1)
        self.x, self.known = rows[0], rows[1:]
        self.whole = self.numbers & (np.isnan(rows) | (rows == np.round(rows))).all(axis=0)
        self.scale = np.array([_scale(rows[:, j]) if number else 1.0 for j, number in enumerate(self.numbers)])

    def _coded(self, j: int, values: list[Any]) -> Array:
        if self.numbers[j]:
            return np.array([np.nan if each is None else each for each in values], dtype=np.float64)
        codes = self._codes[j]
        return np.array([codes.setdefault(_key(each), len(codes)) for each in values], dtype=np.float64)

    def rows(self, numbers: Array) -> Any:
        """Return rows of numbers, (n, d), in the form that x has."""
        return self._back([[self.value(j, each) for each in numbers[:, j].tolist()] for j in range(len(self.names))])

    def value(self, j: int, number: float) -> Any:
        """Return a number of column j as its user knows it."""
        if not self.numbers[j]:
            return list(self._codes[j])[int(number)]
        return int(number) if self.whole[j] and number == number else number

    def code(self, j: int, value: Any) -> float | None:
        """Return the code of a value of column j that is no number, None of one that no row has."""
        return next((code for key, code in self._codes[j].items() if key == value or str(key) == str(value)), None)

    def changed(self, rows: Array) -> NDArray[np.bool_]:
        """Return where rows, (n, d), differ from x."""
        return ~((rows == self.x) | (np.isnan(rows) & np.isnan(self.x)))

    def costs(self, rows: Array) -> Array:
        """Return what the change of each column costs, (n, d)."""
        changed = self.changed(rows)
        apart = np.nan_to_num(np.abs(rows - self.x), nan=np.inf) / self.scale
        return np.where(changed, np.where(self.numbers & np.isfinite(apart), apart, 1.0), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """What a column may become.

    Attributes
    ----------
    values : ndarray
        Those that are tried first: of numbers such as rows have, and both ends of the range; else the codes.
    low, high : float
        The range of numbers.
    """

    values: Array
    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def between(cls, space: Variations, j: int, low: float, high: float) -> Allowed:
        """Return the numbers of column j from low to high."""
        seen = np.unique(space.known[:, j][~np.isnan(space.known[:, j])])
        seen = seen[(seen >= low) & (seen <= high)]
        if len(seen) > MOST_TRIED:
            seen = np.quantile(seen, np.linspace(0, 1, MOST_TRIED), method="nearest")
        ends = [np.ceil(low), np.floor(high)] if space.whole[j] else [low, high]
        values = np.unique([*seen, *(each for each in ends if np.isfinite(each) and low <= each <= high)])
        return cls(values[values != space.x[j]], low, high)

    @classmethod
    def of(cls, space: Variations, j: int, codes: Sequence[float]) -> Allowed:
        """Return some values of column j, which holds no numbers, by their codes."""
        return cls(np.array([each for each in codes if each != space.x[j]], dtype=np.float64))

    def fits(self, space: Variations, j: int, values: Array) -> NDArray[np.bool_]:
        """Return which values column j may have."""
        if space.numbers[j]:
            return (values >= self.low) & (values <= self.high)
        return np.isin(values, self.values)


def _scale(values: Array) -> float:
    values = values[~np.isnan(values)]
    if len(np.unique(values)) <= 2:
        return float(np.ptp(values)) or 1.0 if len(values) else 1.0
    return float(np.median(np.abs(values - np.median(values)))) or float(np.abs(values - values.mean()).mean())


def _key(value: Any) -> Any:
    return None if value is None or value != value else value


def _cells(X: Any) -> tuple[list[Cells], Callable[[list[list[Any]]], Any]]:
    """Return the columns of a table, and what makes columns of values a table of its kind."""
    if isinstance(X, Dataset):
        return _of_data(X)
    if is_frame(X):
        return _of_frame(nw.from_native(X, eager_only=True))
    array = np.asarray(X)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size:
        raise InvalidInput(f"a row of a table is wanted, (1, n_features), but data of shape {array.shape} was given.")
    plain = [array[:, j].tolist() for j in range(array.shape[1])]
    cells = [(f"x{j}", all(isinstance(each, int | float) for each in column), column) for j, column in enumerate(plain)]

    def back(columns: list[list[Any]]) -> np.ndarray:
        made = np.array(columns, dtype=object if array.dtype == object else None).T
        return made if array.dtype.kind in "iu" else made.astype(array.dtype)

    return cells, back


def _of_frame(frame: nw.DataFrame[Any]) -> tuple[list[Cells], Callable[[list[list[Any]]], Any]]:
    series: Mapping[str, nw.Series[Any]] = {str(name): frame.get_column(name) for name in frame.columns}
    cells: list[Cells] = [(name, each.dtype.is_numeric(), each.to_list()) for name, each in series.items()]
    backend = frame.implementation

    def back(columns: list[list[Any]]) -> Any:
        made = {
            name: nw.new_series(name, [_key(v) for v in values], _holding(each.dtype, values), backend=backend)
            for (name, each), values in zip(series.items(), columns, strict=True)
        }
        return nw.to_native(nw.from_dict(made, backend=backend))

    return cells, back


def _holding(dtype: Any, values: list[Any]) -> Any:
    """Return a type of column for values: whole numbers that become others are floats."""
    broken = dtype.is_integer() and any(isinstance(each, float) for each in values)
    return nw.Float64() if broken else dtype


def _of_data(data: Dataset) -> tuple[list[Cells], Callable[[list[list[Any]]], Any]]:
    fields = data.features
    if any(field.shape or field.kind not in (*NUMBERS, "categorical") for field in fields):
        if len(fields) == 1 and len(fields[0].shape) == 1:
            return _cells(np.asarray(data.values(fields[0].name)))
        odd = next(field for field in fields if field.shape or field.kind not in (*NUMBERS, "categorical"))
        raise InvalidInput(f"the column {odd.name!r} holds {odd.kind} values, and only tables can be changed.")
    cells = [(each.name, each.kind == "numeric", np.asarray(data.values(each.name)).tolist()) for each in fields]
    place = {each.name: {name: code for code, name in enumerate(each.categories)} for each in fields}

    def back(columns: list[list[Any]]) -> Dataset:
        made = {}
        for field, values in zip(fields, columns, strict=True):
            if field.kind == "categorical":
                values = [place[field.name].get(each, -1) for each in values]
            else:
                values = [float("nan") if each is None else each for each in values]
            made[field.name] = torch.tensor(values, dtype=data.columns[field.name].dtype)
        return Dataset(fields, made)

    return cells, back
