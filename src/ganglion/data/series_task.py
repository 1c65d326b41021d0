"""Whether the rows of a table are the steps of series, and which of them come last."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.data.grid import Grid, grid_of
from ganglion.data.series_encoder import SeriesEncoder
from ganglion.data.series_roles import flat, series_column, time_column
from ganglion.errors import InvalidInput

FEWEST_STEPS = 20  # of the longest series, below which a regular time may be chance
MOST_MISSING = 0.1  # steps for each given one


def series_reason(data: Dataset, target: Sequence[str] | None = None) -> str:
    """Return why the rows of a table are taken for steps of series; empty where they are not.

    They are if one column holds dates, these are equally far apart (but for a tenth of missing ones) and stand once in
    each series, and what is to be predicted are numbers, or nothing was named.
    """
    name = time_column(data)
    if name is None or any(field.kind in ("image", "text", "sequence", "tokens") for field in data.features):
        return ""
    wanted = target or data.target
    if any(data.field(each).kind != "numeric" for each in wanted) or name in wanted:
        return ""
    if not wanted and not any(field.kind == "numeric" for field in data.features):
        return ""
    times, offsets, series = _in_time(data, name)
    parts = [times[begin:end] for begin, end in pairwise(offsets.tolist())]
    if any((np.diff(part) == 0).any() for part in parts) or max(map(len, parts)) < FEWEST_STEPS:
        return ""
    grid = grid_of(parts, dated=True)
    if not grid.regular or _missing(grid, parts) > MOST_MISSING * len(times):
        return ""
    several = f", and {series!r} names {len(parts):,} series" if series else ""
    return f"the column {name!r} is a regular time ({grid}){several}"


def series_doubt(data: Dataset) -> str:
    """Return why a table with one column of dates is not taken for series, as a sentence with a blank; or nothing."""
    name = time_column(data)
    if name is None or series_reason(data):
        return ""
    times, offsets, _ = _in_time(data, name)
    twice = sum(int((np.diff(times[begin:end]) == 0).sum()) for begin, end in pairwise(offsets.tolist()))
    if int(np.diff(offsets).max()) < FEWEST_STEPS and len(data) < FEWEST_STEPS:
        why = f"there are fewer than {FEWEST_STEPS} rows"
    elif twice and len(times) == len(data):
        why = f"{twice:,} rows have a time that stands there already"
    else:
        why = "its times are not equally far apart, or some are missing"
    return (
        f" It was not read as a series with the times {name!r}, since {why}: mend that, or name the algorithm, such as "
        "Forecaster."
    )


def last_steps(data: Dataset, share: float, *, time: str | None = "auto", series: str | None = "auto") -> np.ndarray:
    """Return which rows are the last ones of their series, (n_rows,) bool, by time; about `share` of each."""
    encoder = SeriesEncoder((), time_name(data, time), series_column(data, series, time_name(data, time)))
    order, offsets, _ = encoder.order(flat(data))
    late = np.zeros(len(data), dtype=bool)
    for begin, end in pairwise(offsets.tolist()):
        late[order[end - round(share * (end - begin)) : end].numpy()] = True
    if not late.any() or late.all():
        raise InvalidInput(f"{len(data):,} rows are too few to train on the first and test on the last {share:.0%}.")
    return late


def most_steps(data: Dataset) -> int:
    """Return how many rows the longest series of a table has."""
    time = time_name(data, "auto")
    encoder = SeriesEncoder((), time, series_column(data, "auto", time))
    return int(encoder.order(flat(data))[1].diff().max())


def time_name(data: Dataset, time: str | None) -> str:
    """Return the column of times, "" for none; "auto" takes the only one of dates."""
    return "" if time is None else time_column(data) or "" if time == "auto" else data.field(time).name


def _in_time(data: Dataset, time: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the times, those of each series together and rising, the offsets of the series, and their column."""
    series = series_column(data, "auto", time)
    times = cast(Tensor, data.columns[time]).double().numpy()
    known = ~np.isnan(times)
    if not known.all():
        return np.zeros(2), np.array([0, 2]), ""  # twice the same: no series
    codes = cast(Tensor, data.columns[series]).numpy() if series else np.zeros(len(data), dtype=np.int64)
    order = np.lexsort((times, codes))
    counts = np.unique(codes, return_counts=True)[1]
    return times[order], np.concatenate([[0], np.cumsum(counts)]), series


def _missing(grid: Grid, parts: list[np.ndarray]) -> int:
    return sum(int(grid.places(part)[-1]) + 1 - len(part) for part in parts if len(part))
