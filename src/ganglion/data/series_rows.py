"""From the rows of a table to steps on a grid: their order, their numbers, their places, and what is missing between.

Times may stand in any order; what stands twice is refused.
"""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.data.grid import Grid
from ganglion.data.series import Gap, refuse_duplicates
from ganglion.data.series_roles import NUMBERS, SeriesColumn
from ganglion.errors import DataWarning, InvalidInput


def in_order(
    data: Dataset, time: str, series: str, *, training: bool = False
) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Return the rows in the order of series and time, the offsets of the series, and their names.

    Parameters
    ----------
    data : Dataset
    time, series : str
        The columns of times and of names of series; empty where there is none.
    training : bool
        Whether rows that are out of order are told of.

    Raises
    ------
    InvalidInput
        If times are missing or stand twice, or their column holds none.
    """
    labels = labelled(data, series) if series else np.zeros(len(data), dtype=np.int64)
    ids, codes = np.unique(labels, return_inverse=True) if series else (np.array([""]), labels)
    times = _times(data, time)
    order = np.lexsort((times, codes))
    offsets = torch.from_numpy(np.concatenate([[0], np.bincount(codes, minlength=len(ids)).cumsum()]))
    names = tuple(map(str, ids.tolist()))
    where = f" of {data.source}" if data.source else ""
    refuse_duplicates(times[order], offsets.numpy(), names, Grid(dated=dated(data, time)), where)
    grouped = np.argsort(codes, kind="stable")
    if training and (grouped != order).any():
        fell = grouped[1:][(codes[grouped][1:] == codes[grouped][:-1]) & (np.diff(times[grouped]) < 0)]
        warnings.warn(
            f"rows are out of order: the times of {time!r} fall {len(fell):,} times, first in row {fell.min()}. They "
            "were sorted by time.",
            DataWarning,
            stacklevel=4,
        )
    return torch.from_numpy(order), offsets, names


def _times(data: Dataset, time: str) -> np.ndarray:
    """Return the time of each row, (n_rows,) float64; its number without a column of times."""
    if not time:
        return np.arange(len(data), dtype=np.float64)
    times = _time_column(data, time).double().numpy()
    wrong = np.flatnonzero(np.isnan(times))
    if len(wrong):
        raise InvalidInput(
            f"{len(wrong):,} rows have no time in {time!r}, the first is row {wrong[0]}. Give every row its time, or "
            "leave these rows out."
        )
    return times


def times_of(data: Dataset, time: str, order: Tensor, offsets: Tensor) -> list[np.ndarray]:
    """Return the times of each series, rising; without a column of times the number of each step."""
    bounds = list(pairwise(offsets.tolist()))
    if not time:
        return [np.arange(end - begin, dtype=np.float64) for begin, end in bounds]
    times = _time_column(data, time).double()[order].numpy()
    return [times[begin:end] for begin, end in bounds]


def dated(data: Dataset, time: str) -> bool:
    """Return whether times are dates, in seconds since 1970-01-01 UTC, and no mere numbers."""
    return bool(time) and data.field(time).kind == "date"


def _time_column(data: Dataset, name: str) -> Tensor:
    field = data.field(name)
    if field.kind not in (*NUMBERS, "date"):
        raise InvalidInput(
            f"the column {name!r} is to hold times, but holds {field.kind} values "
            f"({', '.join(map(repr, data.values(name)[:3].tolist()))}). Give dates as YYYY-MM-DD, or numbers."
        )
    return cast(Tensor, data.columns[name])


def numbers_of(data: Dataset, column: SeriesColumn) -> list[Tensor]:
    """Return the numbers of a column, (n_rows,) each."""
    given = data.field(column.name)
    if column.categories is None:
        if given.kind == "categorical" and not given.categories:  # nothing but missing values tells no kind
            return [torch.full((len(data),), torch.nan, dtype=torch.float64)]
        if given.kind not in NUMBERS:
            raise InvalidInput(
                f"the column {column.name!r} held numbers in training, but now holds {given.kind} values. Give numbers."
            )
        return [cast(Tensor, data.columns[column.name])]
    labels = labelled(data, column.name)
    return [torch.from_numpy((labels == label).astype(np.float32)) for label in column.categories]


def stacked(columns: list[Tensor]) -> Tensor:
    """Return columns side by side, (n_rows, n_columns), in float64 if one of them has it."""
    double = any(column.dtype == torch.float64 for column in columns)
    return torch.stack([column.to(torch.float64 if double else torch.float32) for column in columns], 1)


def labelled(data: Dataset, name: str) -> np.ndarray:
    """Return the labels of a column as texts; numbers are the texts that people write."""
    values = data.values(name)
    if values.dtype.kind in "fc":
        values = np.array([f"{value:g}" for value in values.tolist()])
    return values.astype(str)


def places_on(grid: Grid, times: np.ndarray, name: str, column: str) -> np.ndarray:
    """Return the places of times on a grid, rising; two within one step raise InvalidInput."""
    places = grid.places(times)
    if (np.diff(places) <= 0).any():
        wrong = int(np.flatnonzero(np.diff(places) <= 0)[0])
        between = f"{grid.text(float(times[wrong]))} and {grid.text(float(times[wrong + 1]))}"
        raise InvalidInput(
            f"the times of {column!r} are {grid} in training, but {between} are closer than one step"
            f"{f' in {name!r}' if name else ''}. Resample to the steps of training, or train again on these."
        )
    return places


def gaps_between(places: list[np.ndarray], times: list[np.ndarray], ids: tuple[str, ...]) -> tuple[Gap, ...]:
    """Return where steps of the grid are missing within series."""
    return tuple(
        Gap(name, float(each[i]), int(far[i]) - 1)
        for name, each, far in zip(ids, times, map(np.diff, places), strict=True)
        for i in np.flatnonzero(far > 1).tolist()
    )


def every_time(grid: Grid, times: list[np.ndarray], places: list[np.ndarray], n: int, there: Tensor) -> np.ndarray:
    """Return the time of every step, those of filled ones too."""
    every = np.full(n, np.nan)
    every[there.numpy()] = np.concatenate(times)
    begin = 0
    for given, at in zip(times, places, strict=True):
        for i in np.flatnonzero(np.diff(at) > 1).tolist():
            missing = int(at[i + 1] - at[i]) - 1
            first = begin + int(at[i]) + 1
            every[first : first + missing] = grid.after(float(given[i]), missing)
        begin += int(at[-1]) + 1
    return every
