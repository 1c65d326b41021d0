"""Which column of a table is what of a series: its times, its name, what is forecast, and what is known with it.

role       columns                                                                  given for the horizon
target     what is forecast: those named, or all numbers that are nothing else      no
past       all other numbers, truth values and categories                           no
known      those named: holidays, prices, plans                                     by rows behind the last target
static     what never changes within a series, where there are several              it stays
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset, Field
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter

Role = Literal["target", "past", "known", "static"]
NUMBERS = ("numeric", "boolean")
FEWEST_OF_A_LABEL = 2  # steps that a label needs to have a number of its own
MOST_LABELS = 100


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


def column_from_json(name: Any, role: Any, categories: Any) -> SeriesColumn:
    """Make a column again from what was stored; a flaw raises ValueError."""
    labels = categories is None or (isinstance(categories, list) and all(isinstance(each, str) for each in categories))
    if not isinstance(name, str) or role not in get_args(Role) or not labels:
        raise ValueError(f"column {name!r:.40}")
    return SeriesColumn(name, role, None if categories is None else tuple(categories))


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


def time_named(data: Dataset, time: str | None) -> str:
    """Return the column of times, "" where there is none; of several the user must choose."""
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


def roles_of(data: Dataset, target: Sequence[str] | None, known: list[str], reserved: set[str]) -> dict[str, Role]:
    """Return the role of each column that is read, those of times and of names of series left out."""
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


def with_static(data: Dataset, roles: dict[str, Role], order: Tensor, offsets: Tensor) -> dict[str, Role]:
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


def labels_of(field: Field, column: Tensor) -> tuple[str, ...] | None:
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


def _codes(data: Dataset, name: str) -> np.ndarray:
    return cast(Tensor, data.columns[name]).double().numpy()
