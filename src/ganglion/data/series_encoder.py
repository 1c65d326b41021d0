"""Which columns of a table are what of a series, fitted once; and the table as series on a grid.

    role       columns                                                                  given for the horizon
    target     what is forecast: those named, or all numbers that are nothing else      no
    past       all other numbers, truth values and categories                           no
    known      those named: holidays, prices, plans                                     by rows behind the last target
    static     what never changes within a series, where there are several              it stays
    calendar   place in the day, the week and the year, if wanted                       it follows

    values     (n_steps, n_columns) in this order, see `data.series`; a category is one number for each of its labels

Times may stand in any order; what stands twice is refused. Where the grid misses steps, they are filled.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset, Field
from ganglion.data.encoding import InputSpec
from ganglion.data.grid import DAY, Grid, grid_of
from ganglion.data.ragged import Ragged
from ganglion.data.series import Gap, Panel, filled, refuse_duplicates
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter

PLAIN = Grid()
Role = Literal["target", "past", "known", "static"]
Gaps = Literal["fill", "refuse"]
NUMBERS = ("numeric", "boolean")
MOST_MISSING = 1.0  # missing steps for each given one
FEWEST_OF_A_LABEL = 2  # steps that a label needs to have a number of its own
MOST_LABELS = 100
PERIODS = (("day", DAY), ("week", 7 * DAY), ("year", 365.2425 * DAY))


@dataclass(frozen=True, slots=True)
class SeriesColumn:
    """One column of the table: its role, and the labels that have a number each."""

    name: str
    role: Role
    categories: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers that it becomes."""
        return (self.name,) if self.categories is None else tuple(f"{self.name}={label}" for label in self.categories)


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
        fields = {field.name: field for field in data.fields}
        time_name = _time_of(data, time)
        series_name = series_column(data, series, time_name)
        kept = cls((), time_name, series_name, gaps=gaps)
        order, offsets, _ = kept.order(data, training=True)
        roles = _roles(data, target, [*known], {time_name, series_name})
        columns = tuple(
            SeriesColumn(name, role, _labels(fields[name], cast(Tensor, data.columns[name])))
            for name, role in _with_static(data, roles, order, offsets).items()
        )
        ranks = get_args(Role)
        columns = tuple(sorted(columns, key=lambda column: ranks.index(column.role)))
        grid = grid_of(kept._times_of(data, order, offsets), dated=kept._dated(data))
        if not grid.regular and time_name:
            warnings.warn(
                f"the times of {time_name!r} are on no regular grid (most are about {grid.step:g}"
                f"{' seconds' if grid.dated else ''} apart): each row is taken for one step, whatever its distance. "
                "If distances matter, resample first, as in frame.resample('h').mean().",
                DataWarning,
                stacklevel=2,
            )
        return replace(kept, columns=columns, grid=grid, calendar=_periods(grid) if calendar else ())

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
        given = _stacked([part for column in self.columns for part in _numbers(data, column)])[order]
        times = self._times_of(data, order, offsets)
        grid = self.grid
        if self.time and not grid.regular:
            places, gaps = [np.arange(len(each)) for each in times], ()
        else:
            places = [_on_grid(grid, each, name, self.time) for each, name in zip(times, ids, strict=True)]
            gaps = _gaps(places, times, ids)
        lengths = torch.tensor([int(each[-1]) + 1 for each in places])
        begin = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
        there = torch.from_numpy(np.concatenate(places)) + torch.repeat_interleave(begin[:-1], offsets.diff())
        values = given.new_full((int(begin[-1]), given.shape[1]), torch.nan)
        values[there] = given
        rows = np.full(len(values), -1)
        rows[there.numpy()] = order.numpy()
        every = _every_time(grid, times, places, int(begin[-1]), there)
        values = torch.cat([values, self._told(every).to(values.dtype)], 1)
        observed = ~values.isnan()
        panel = Panel(
            filled(values, begin),
            None if observed.all() else observed,
            begin,
            every,
            rows,
            ids,
            self.names,
            grid,
            gaps,
        )
        self._tell(panel, len(data))
        return panel

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
        return self._told(times)

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
        columns = tuple(_column(*each) for each in stored["columns"])
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

    def order(self, data: Dataset, *, training: bool = False) -> tuple[Tensor, Tensor, tuple[str, ...]]:
        """Return the rows in the order of series and time, the offsets of the series, and their names."""
        n = len(data)
        labels = _labelled(data, self.series) if self.series else np.zeros(n, dtype=np.int64)
        ids, codes = np.unique(labels, return_inverse=True) if self.series else (np.array([""]), labels)
        times = self._column(data, self.time).double().numpy() if self.time else np.arange(n, dtype=np.float64)
        if np.isnan(times).any():
            wrong = np.flatnonzero(np.isnan(times))
            raise InvalidInput(
                f"{len(wrong):,} rows have no time in {self.time!r}, the first is row {wrong[0]}. Give every row its "
                "time, or leave these rows out."
            )
        order = np.lexsort((times, codes))
        offsets = torch.from_numpy(np.concatenate([[0], np.bincount(codes, minlength=len(ids)).cumsum()]))
        names = tuple(map(str, ids.tolist()))
        dated = self._dated(data)
        refuse_duplicates(times[order], offsets.numpy(), names, Grid(dated=dated), _where(data))
        grouped = np.argsort(codes, kind="stable")
        if training and (grouped != order).any():
            fell = grouped[1:][(codes[grouped][1:] == codes[grouped][:-1]) & (np.diff(times[grouped]) < 0)]
            warnings.warn(
                f"rows are out of order: the times of {self.time!r} fall {len(fell):,} times, first in row "
                f"{fell.min()}. They were sorted by time.",
                DataWarning,
                stacklevel=3,
            )
        return torch.from_numpy(order), offsets, names

    def _times_of(self, data: Dataset, order: Tensor, offsets: Tensor) -> list[np.ndarray]:
        """Return the times of each series, rising; without a column of times the number of each step."""
        bounds = list(pairwise(offsets.tolist()))
        if not self.time:
            return [np.arange(end - begin, dtype=np.float64) for begin, end in bounds]
        times = self._column(data, self.time).double()[order].numpy()
        return [times[begin:end] for begin, end in bounds]

    def _column(self, data: Dataset, name: str) -> Tensor:
        field = data.field(name)
        if field.kind not in (*NUMBERS, "date"):
            raise InvalidInput(
                f"the column {name!r} is to hold times, but holds {field.kind} values "
                f"({', '.join(map(repr, data.values(name)[:3].tolist()))}). Give dates as YYYY-MM-DD, or numbers."
            )
        return cast(Tensor, data.columns[name])

    def _dated(self, data: Dataset) -> bool:
        return bool(self.time) and data.field(self.time).kind == "date"

    def _told(self, times: np.ndarray) -> Tensor:
        spans = dict(PERIODS)
        turns = [2 * math.pi * torch.from_numpy(times) / spans[name] for name in self.calendar]
        told = [part for turn in turns for part in (turn.sin(), turn.cos())]
        return torch.stack(told, 1) if told else torch.empty(len(times), 0, dtype=torch.float64)

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


def flat(data: Dataset) -> Dataset:
    """Return a table whose blocks of numbers are single columns, named x0, x1 and so on."""
    if not any(len(field.shape) == 1 for field in data.fields):
        return data
    fields, columns = [], {}
    for field in data.fields:
        names = [f"{field.name}{i}" for i in range(field.shape[0])] if field.shape else [field.name]
        parts = cast(Tensor, data.columns[field.name])
        for i, name in enumerate(names):
            fields.append(Field(name, field.kind, (), field.categories))
            columns[name] = parts[:, i] if field.shape else parts
    kept = [[name for name in names if name in columns] for names in (data.target, data.index)]
    return Dataset(fields, columns, target=kept[0], index=kept[1], source=data.source)


def time_column(data: Dataset) -> str | None:
    """Return the name of the only column of dates, or None."""
    dates = [field.name for field in data.fields if field.kind == "date"]
    return dates[0] if len(dates) == 1 else None


def _time_of(data: Dataset, time: str | None) -> str:
    if time is None:
        return ""
    if time != "auto":
        return data.field(time).name
    dates = [field.name for field in data.fields if field.kind == "date"]
    if len(dates) > 1:
        raise InvalidInput(
            f"{len(dates)} columns hold dates: {', '.join(dates)}. Name the one that holds the times of the steps: "
            f"time={dates[0]!r}."
        )
    return dates[0] if dates else ""


def series_column(data: Dataset, series: str | None, time: str) -> str:
    """Return the column that tells series apart: of labels, if it alone makes repeated times differ."""
    if series is None:
        return ""
    if series != "auto":
        return data.field(series).name
    if not time:
        return ""
    times = cast(Tensor, data.columns[time]).double().numpy()
    if len(np.unique(times)) == len(times):
        return ""
    found = [
        field.name
        for field in data.fields
        if field.kind == "categorical"
        and len(np.unique(np.stack([_codes(data, field.name), times]), axis=1).T) == len(times)
    ]
    return found[0] if len(found) == 1 else ""


def _roles(data: Dataset, target: Sequence[str] | None, known: list[str], reserved: set[str]) -> dict[str, Role]:
    for name in (*(target or ()), *known):
        data.field(name)
        if name in reserved:
            raise InvalidInput(f"the column {name!r} holds the times or the names of series, and can be nothing else.")
    both = sorted({*(target or ())} & {*known})
    if both:
        raise InvalidParameter(f"{', '.join(both)}: a target is not known ahead. Leave it out of `known`.")
    roles: dict[str, Role] = {}
    for field in data.fields:
        if field.name in reserved or field.name in data.index:
            continue
        if field.kind not in (*NUMBERS, "categorical"):
            warnings.warn(
                f"column {field.name!r} holds {field.kind} values, which forecasts do not read; it is left out.",
                DataWarning,
                stacklevel=3,
            )
            continue
        wanted = field.kind == "numeric" if target is None else field.name in target
        roles[field.name] = "known" if field.name in known else "target" if wanted else "past"
    wrong = [name for name, role in roles.items() if role == "target" and data.field(name).kind not in NUMBERS]
    if wrong:
        raise InvalidInput(
            f"the target {wrong[0]!r} holds {data.field(wrong[0]).kind} values. Only numbers are forecast."
        )
    if "target" not in roles.values():
        raise InvalidInput(
            f"no column of numbers is left to forecast. Columns: {', '.join(data.names[:20])}. Name one: target=…."
        )
    return roles


def _with_static(data: Dataset, roles: dict[str, Role], order: Tensor, offsets: Tensor) -> dict[str, Role]:
    """Return the roles, "static" where a covariate never changes within any of several series."""
    if len(offsets) < 3:
        return roles
    inner = torch.ones(len(order) - 1, dtype=torch.bool)
    inner[offsets[1:-1] - 1] = False  # from one series to the next

    def stays(name: str) -> bool:
        column = cast(Tensor, data.columns[name])[order]
        same = (column[1:] == column[:-1]) | ((column[1:] != column[1:]) & (column[:-1] != column[:-1]))
        return bool(same[inner].all())

    return {name: "static" if role in ("past", "known") and stays(name) else role for name, role in roles.items()}


def _labels(field: Field, column: Tensor) -> tuple[str, ...] | None:
    """Return the labels of a category that have a number each: those that are not of one step alone."""
    if field.kind != "categorical":
        return None
    counts = torch.bincount(column[column >= 0], minlength=len(field.categories))
    often = [label for label, n in zip(field.categories, counts.tolist(), strict=True) if n >= FEWEST_OF_A_LABEL]
    if len(often) > MOST_LABELS:
        raise InvalidInput(
            f"the covariate {field.name!r} has {len(often):,} different labels; {MOST_LABELS} are allowed. Join rare "
            f"ones, drop the column, or, if it tells series apart, give series={field.name!r}."
        )
    return tuple(often)


def _numbers(data: Dataset, column: SeriesColumn) -> list[Tensor]:
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
    labels = _labelled(data, column.name)
    return [torch.from_numpy((labels == label).astype(np.float32)) for label in column.categories]


def _stacked(columns: list[Tensor]) -> Tensor:
    double = any(column.dtype == torch.float64 for column in columns)
    return torch.stack([column.to(torch.float64 if double else torch.float32) for column in columns], 1)


def _labelled(data: Dataset, name: str) -> np.ndarray:
    """Return the labels of a column as texts; numbers are the texts that people write."""
    values = data.values(name)
    if values.dtype.kind in "fc":
        values = np.array([f"{value:g}" for value in values.tolist()])
    return values.astype(str)


def _codes(data: Dataset, name: str) -> np.ndarray:
    return cast(Tensor, data.columns[name]).double().numpy()


def _periods(grid: Grid) -> tuple[str, ...]:
    """Return the periods that have at least four steps of a grid, and in whose course steps stand at several places."""
    return tuple(name for name, span in PERIODS if grid.regular and grid.period(span) >= 4)


def _on_grid(grid: Grid, times: np.ndarray, name: str, column: str) -> np.ndarray:
    places = grid.places(times)
    if (np.diff(places) <= 0).any():
        wrong = int(np.flatnonzero(np.diff(places) <= 0)[0])
        between = f"{grid.text(float(times[wrong]))} and {grid.text(float(times[wrong + 1]))}"
        raise InvalidInput(
            f"the times of {column!r} are {grid} in training, but {between} are closer than one step"
            f"{f' in {name!r}' if name else ''}. Resample to the steps of training, or train again on these."
        )
    return places


def _gaps(places: list[np.ndarray], times: list[np.ndarray], ids: tuple[str, ...]) -> tuple[Gap, ...]:
    return tuple(
        Gap(name, float(each[i]), int(far[i]) - 1)
        for name, each, far in zip(ids, times, map(np.diff, places), strict=True)
        for i in np.flatnonzero(far > 1).tolist()
    )


def _every_time(grid: Grid, times: list[np.ndarray], places: list[np.ndarray], n: int, there: Tensor) -> np.ndarray:
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


def _where(data: Dataset) -> str:
    return f" of {data.source}" if data.source else ""


def _column(name: Any, role: Any, categories: Any) -> SeriesColumn:
    labels = categories is None or (isinstance(categories, list) and all(isinstance(each, str) for each in categories))
    if not isinstance(name, str) or role not in get_args(Role) or not labels:
        raise ValueError(f"column {name!r:.40}")
    return SeriesColumn(name, role, None if categories is None else tuple(categories))
