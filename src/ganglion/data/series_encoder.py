"""A table as series on a grid: fitted once to the columns of training, then the same for every further table.

    values     (n_steps, n_columns), see `data.series`: targets, then what is known up to now, then what is known ahead
               (roles: `data.series_roles`), then the calendar; a category is one number for each of its labels
    calendar   the place in the day, the week and the year, if wanted

Rows become steps by `data.series_rows`. Where the grid misses steps, they are filled.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.data.encoding import InputSpec
from ganglion.data.grid import DAY, Grid, grid_of
from ganglion.data.ragged import Ragged
from ganglion.data.series import Gap, Panel, filled
from ganglion.data.series_roles import (
    Role,
    SeriesColumn,
    column_from_json,
    flat,
    labels_of,
    roles_of,
    series_column,
    time_named,
    with_static,
)
from ganglion.data.series_rows import (
    dated,
    every_time,
    gaps_between,
    in_order,
    numbers_of,
    places_on,
    stacked,
    times_of,
)
from ganglion.errors import DataWarning, InvalidInput

PLAIN = Grid()
Gaps = Literal["fill", "refuse"]
MOST_MISSING = 1.0  # missing steps for each given one
PERIODS = (("day", DAY), ("week", 7 * DAY), ("year", 365.2425 * DAY))


@dataclass(frozen=True)
class SeriesEncoder:
    """Reads tables as series, with the columns that the training table had.

    Attributes
    ----------
    columns : tuple of SeriesColumn
        In the order of their roles.
    time, series : str
        The columns of times and of names of series; empty where there is none.
    grid : Grid
        That of training.
    calendar : tuple of str
        Which places of a step are told: in the day, the week, the year.
    gaps : {"fill", "refuse"}
    window : int
        Steps that a network reads.
    """

    columns: tuple[SeriesColumn, ...]
    time: str = ""
    series: str = ""
    grid: Grid = PLAIN
    calendar: tuple[str, ...] = ()
    gaps: Gaps = "fill"
    window: int = 0

    @classmethod
    def fit(
        cls,
        data: Dataset,
        *,
        target: Sequence[str] | None = None,
        time: str | None = "auto",
        series: str | None = "auto",
        known: Sequence[str] = (),
        calendar: bool = False,
        gaps: Gaps = "fill",
    ) -> SeriesEncoder:
        """Learn the columns, their roles and the grid of a training table.

        Parameters
        ----------
        data : Dataset
            Rows are steps.
        target : sequence of str, optional
            What is forecast; without it all columns of numbers that are nothing else.
        time : str or None
            The column of times; "auto" takes the only one of dates, None takes rows as they stand.
        series : str or None
            The column of names, where several series stand in the table; "auto" takes the one column of labels without
            which times stand twice.
        known : sequence of str
            Covariates that are known ahead.
        calendar : bool
            Whether the place in the day, the week and the year is told.
        gaps : {"fill", "refuse"}

        Raises
        ------
        InvalidInput
            If a column is missing or of no use in its role, or times are missing or stand twice.
        """
        data = flat(data)
        time_name = time_named(data, time)
        series_name = series_column(data, series, time_name)
        order, offsets, _ = in_order(data, time_name, series_name, training=True)
        roles = with_static(data, roles_of(data, target, [*known], {time_name, series_name}), order, offsets)
        columns = [
            SeriesColumn(name, role, labels_of(data.field(name), cast(Tensor, data.columns[name])))
            for name, role in roles.items()
        ]
        ranks = get_args(Role)
        columns.sort(key=lambda column: ranks.index(column.role))
        grid = grid_of(times_of(data, time_name, order, offsets), dated=dated(data, time_name))
        _tell_irregular(grid, time_name)
        told = _periods(grid) if calendar else ()
        return cls(tuple(columns), time_name, series_name, grid, told, gaps)

    def count(self, *roles: Role) -> int:
        """Return how many numbers of a step have one of these roles."""
        return sum(len(column.names) for column in self.columns if column.role in roles)

    @property
    def n_targets(self) -> int:
        """How many numbers are forecast."""
        return self.count("target")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all numbers of a step."""
        told = (f"{period}_{f}" for period in self.calendar for f in ("sin", "cos"))
        return (*(name for column in self.columns for name in column.names), *told)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of what is forecast."""
        return self.names[: self.n_targets]

    @property
    def is_plain(self) -> bool:
        """Whether nothing is read but numbers that are forecast, one series in its order."""
        alone = not (self.time or self.series or self.calendar)
        return alone and all(column.role == "target" for column in self.columns)

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        ahead = self.count("known", "static") + 2 * len(self.calendar)
        return InputSpec(series=(self.n_targets, self.count("past"), ahead), longest=self.window)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of the table that are read."""
        named = [name for name in (self.time, self.series) if name]
        return (*named, *(column.name for column in self.columns))

    def panel(self, data: Dataset) -> Panel:
        """Return a table as series on a grid.

        Raises
        ------
        InvalidInput
            If a column is missing, times are missing or stand twice, or more steps are missing than there are.

        Warns
        -----
        DataWarning
            If rows are out of order, or steps are missing and were filled.
        """
        data = flat(data)
        order, offsets, ids = self.order(data)
        given = stacked([part for column in self.columns for part in numbers_of(data, column)])[order]
        times = times_of(data, self.time, order, offsets)
        places, gaps = self._placed(times, ids)
        lengths = torch.tensor([0, *(int(each[-1]) + 1 for each in places)])
        begin = lengths.cumsum(0)
        there = torch.from_numpy(np.concatenate(places)) + torch.repeat_interleave(begin[:-1], offsets.diff())
        values = given.new_full((int(begin[-1]), given.shape[1]), torch.nan)
        values[there] = given
        rows = np.full(len(values), -1)
        rows[there.numpy()] = order.numpy()
        every = every_time(self.grid, times, places, len(values), there)
        values = torch.cat([values, self.calendar_at(every).to(values.dtype)], 1)
        seen = ~values.isnan()
        observed = None if seen.all() else seen
        panel = Panel(filled(values, begin), observed, begin, every, rows, ids, self.names, self.grid, gaps)
        self._tell(panel, len(data))
        return panel

    def _placed(self, times: list[np.ndarray], ids: tuple[str, ...]) -> tuple[list[np.ndarray], tuple[Gap, ...]]:
        """Return the places of the steps of each series on the grid, and what is missing between them."""
        if self.time and not self.grid.regular:
            return [np.arange(len(each)) for each in times], ()
        places = [places_on(self.grid, each, name, self.time) for each, name in zip(times, ids, strict=True)]
        return places, gaps_between(places, times, ids)

    def encode(self, data: Dataset) -> dict[str, Ragged]:
        """Return the columns "values", "observed", "times" and "rows" of the series, a sample each."""
        panel = self.panel(data)
        tensors = {
            "values": panel.values,
            "observed": panel.seen(),
            "times": torch.from_numpy(panel.times),
            "rows": torch.from_numpy(panel.rows),
        }
        return {name: Ragged(tensor, panel.offsets) for name, tensor in tensors.items()}

    def calendar_at(self, times: np.ndarray) -> Tensor:
        """Return what the calendar tells of times, (n, 2 · periods) float64, sines and cosines."""
        spans = dict(PERIODS)
        turns = [2 * math.pi * torch.from_numpy(times) / spans[name] for name in self.calendar]
        told = [part for turn in turns for part in (turn.sin(), turn.cos())]
        return torch.stack(told, 1) if told else torch.empty(len(times), 0, dtype=torch.float64)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        columns = [[c.name, c.role, None if c.categories is None else list(c.categories)] for c in self.columns]
        return {
            "modality": "series",
            "columns": columns,
            "time": self.time,
            "series": self.series,
            "grid": self.grid.to_json(),
            "calendar": list(self.calendar),
            "gaps": self.gaps,
            "window": self.window,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SeriesEncoder:
        """Make an encoder again from what was stored; a flaw raises a ValueError, KeyError or TypeError."""
        columns = tuple(column_from_json(*each) for each in stored["columns"])
        time, series, calendar, gaps = (stored[name] for name in ("time", "series", "calendar", "gaps"))
        ranks = [get_args(Role).index(column.role) for column in columns]
        if not columns or ranks != sorted(ranks) or ranks[0] or len({c.name for c in columns}) < len(columns):
            raise ValueError("columns of series")
        if not isinstance(time, str) or not isinstance(series, str) or gaps not in get_args(Gaps):
            raise ValueError(f"times {time!r:.20}, series {series!r:.20}, gaps {gaps!r:.20}")
        if not isinstance(calendar, list) or not {*calendar} <= {name for name, _ in PERIODS}:
            raise ValueError(f"calendar {calendar!r:.40}")
        window = stored["window"]
        if type(window) is not int or not 0 < window < 2**31:
            raise ValueError(f"a window of {window!r:.20} steps")
        return cls(columns, time, series, Grid.from_json(stored["grid"]), tuple(calendar), gaps, window)

    def order(self, data: Dataset) -> tuple[Tensor, Tensor, tuple[str, ...]]:
        """Return the rows in the order of series and time, the offsets of the series, and their names."""
        return in_order(data, self.time, self.series)

    def _tell(self, panel: Panel, n_given: int) -> None:
        missing = panel.n_steps - n_given
        if not missing:
            return
        if self.gaps == "refuse" or missing > MOST_MISSING * n_given:
            allowed = "gaps='refuse' allows none" if self.gaps == "refuse" else "more than there are"
            raise InvalidInput(
                f"{panel.told()}: {allowed}. Fill them yourself, resample to longer steps, or give time=None to take "
                "rows as they stand" + ("." if self.gaps == "fill" else ", or gaps='fill'.")
            )
        warnings.warn(
            f"{panel.told()}. They repeat the last known value, and no error is counted there.",
            DataWarning,
            stacklevel=3,
        )


def _tell_irregular(grid: Grid, time: str) -> None:
    if time and not grid.regular:
        warnings.warn(
            f"the times of {time!r} are on no regular grid (most are about {grid.step:g}"
            f"{' seconds' if grid.dated else ''} apart): each row is taken for one step, whatever its distance. "
            "If distances matter, resample first, as in frame.resample('h').mean().",
            DataWarning,
            stacklevel=3,
        )


def _periods(grid: Grid) -> tuple[str, ...]:
    """Return the periods that have at least four steps of a grid, and in whose course steps stand at several places."""
    return tuple(name for name, span in PERIODS if grid.regular and grid.period(span) >= 4)
