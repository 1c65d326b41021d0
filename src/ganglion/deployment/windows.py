"""Series, in any form that a forecaster takes them in, as the windows of an exported one.

Nothing here imports torch. Steps are on the grid of training, none missing: an exported model fills no gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganglion.data.grid import Grid
from ganglion.deployment.rows import is_missing, numbers_of
from ganglion.deployment.signature import Signature
from ganglion.errors import InvalidInput, suggestion


def windows_of(signature: Signature, X: Any) -> dict[str, np.ndarray]:
    """Return the steps that histories end with, and what is known of those to come.

    Parameters
    ----------
    signature : Signature
        Of a forecaster.
    X : frame, mapping of str to columns, or array-like of shape (n_steps,), (n_steps, d) or (n_series, n_steps, d)
        The last steps, as many as the model reads or more. Rows behind the last target, whose targets are empty (NaN),
        tell what is known ahead.

    Returns
    -------
    dict of str to ndarray
        "history" (n_series, steps, d), and "ahead" (n_series, horizon, k) where the model takes it.

    Raises
    ------
    InvalidInput
        If a column is missing, a history is too short, a step is missing, or nothing is known ahead.
    """
    if isinstance(X, Mapping) or hasattr(X, "columns"):
        names, tables = _by_name(signature, X)
    else:
        array = np.asarray(X, dtype=np.float64)
        array = array[:, None] if array.ndim == 1 else array
        tables = list(array) if array.ndim == 3 else [array]
        names = [f"series {i}" if array.ndim == 3 else "the series" for i in range(len(tables))]
    parts = [_window(signature, name, table) for name, table in zip(names, tables, strict=True)]
    return {key: np.stack([part[key] for part in parts]) for key in parts[0]}


def is_one(signature: Signature, X: Any) -> bool:
    """Return whether X is one series of a model of one: its forecast then has no axis of series."""
    if isinstance(X, Mapping) and "history" in X:
        return False
    return not signature.series["series"] and np.ndim(X if not isinstance(X, Mapping) else 0) != 3


def _window(signature: Signature, name: str, table: np.ndarray) -> dict[str, np.ndarray]:
    """Return the window of one series, (n_steps, d)."""
    shapes = {each.name: tuple(int(n) for n in each.shape[1:]) for each in signature.inputs}
    length, width = shapes["history"]
    if table.ndim != 2 or table.shape[1] != width:
        raise InvalidInput(
            f"{name} has shape {table.shape}. Give steps of {width} number(s): {', '.join(signature.columns[:20])}."
        )
    n_targets, n_fixed = signature.series["targets"], signature.series["fixed"]
    given = np.flatnonzero(~np.isnan(table[:, :n_targets]).all(1))
    end = int(given[-1]) + 1 if len(given) else 0
    if end < length:
        raise InvalidInput(
            f"{name} has {end:,} steps up to its last target, but the model reads {length}. Give a longer history."
        )
    known = _carried(table[:end])
    window = {"history": known[-length:]}
    if "ahead" in shapes:
        horizon, k = shapes["ahead"]
        told = np.full((horizon, k), np.nan)
        behind = table[end : end + horizon, width - k :]
        told[: len(behind)] = behind
        if n_fixed:
            told[:, -n_fixed:] = known[-1, -n_fixed:]
        if np.isnan(told).any():
            step, column = np.argwhere(np.isnan(told))[0]
            raise InvalidInput(
                f"{signature.columns[width - k + column]!r} is told for {step} steps ahead of {name}, and the "
                f"horizon has {horizon}. Append rows with its values, and leave targets empty there (NaN)."
            )
        window["ahead"] = told
    return window


def _carried(table: np.ndarray) -> np.ndarray:
    """Return steps in which a missing value repeats the last known one."""
    last = np.where(np.isnan(table), -1, np.arange(len(table))[:, None])
    last = np.maximum.accumulate(last, axis=0)
    return np.where(last < 0, np.nan, np.take_along_axis(table, last.clip(min=0), axis=0))


def times_ahead(signature: Signature, X: Mapping[str, Any], horizon: int) -> tuple[list[str], list[Any] | None]:
    """Return the names of series, in the order of forecasts, and the times of the steps to come, series by series.

    Parameters
    ----------
    signature : Signature
    X : mapping of str to columns
    horizon : int

    Returns
    -------
    list of str
        "" for a series without a name.
    list or None
        Moments as text, other times as numbers; None where series have no times.
    """
    told = signature.series
    grid = Grid.from_json(told["grid"])
    names, places, times = _in_order(signature, X)
    if not told["time"]:
        return names, None
    targets = np.column_stack([np.asarray(X[name], np.float64) for name in signature.columns[: told["targets"]]])
    found: list[Any] = []
    for rows in places:
        given = rows[~np.isnan(targets[rows]).all(1)]
        ahead = grid.after(float(times[given[-1] if len(given) else rows[-1]]), horizon)
        found += [grid.text(time) if grid.dated else float(time) for time in ahead]
    return names, found


def _by_name(signature: Signature, X: Any) -> tuple[list[str], list[np.ndarray]]:
    """Return the series of a table, in the order of their names and times."""
    told = signature.series
    frame = {str(name): X[name] for name in (X if isinstance(X, Mapping) else X.columns)}
    wanted = [*signature.columns, *(told[each] for each in ("time", "series") if told[each])]
    for name in wanted:
        if name not in frame:
            raise InvalidInput(
                f"the column {name!r} is missing.{suggestion(name, frame)} Given: {', '.join(list(frame)[:20])}. The "
                f"model takes: {', '.join(wanted[:20])}."
            )
    table = np.column_stack([numbers_of(name, "numeric", np.asarray(frame[name])) for name in signature.columns])
    ids, places, times = _in_order(signature, frame)
    names = [f"series {name!r}" if name else "the series" for name in ids]
    for name, rows in zip(names, places, strict=True):
        _refuse_gaps(name, Grid.from_json(told["grid"]), times[rows])
    return names, [table[rows] for rows in places]


def _in_order(signature: Signature, frame: Mapping[str, Any]) -> tuple[list[str], list[np.ndarray], np.ndarray]:
    """Return the names of series, sorted, the rows of each in the order of their times, and the times of all rows."""
    told = signature.series
    first = frame[signature.columns[0]]
    ids = [str(name) for name in frame[told["series"]]] if told["series"] else [""] * len(first)
    times = np.arange(len(first))
    if told["time"]:
        dated = Grid.from_json(told["grid"]).dated
        times = numbers_of(told["time"], "date" if dated else "numeric", np.asarray(frame[told["time"]]))
    found = []
    for name in (names := sorted(set(ids))):
        rows = np.flatnonzero([each == name for each in ids])
        found.append(rows[np.argsort(times[rows], kind="stable")])
    return names, found, times


def _refuse_gaps(name: str, grid: Grid, times: np.ndarray) -> None:
    if any(is_missing(time) for time in times.tolist()):
        raise InvalidInput(f"{name} has a step without a time. Give one to each.")
    far = np.diff(grid.places(times))
    if (far != 1).any():
        place = int(np.flatnonzero(far != 1)[0])
        raise InvalidInput(
            f"{name} has {'no step' if far[place] > 1 else 'several steps'} between {grid.text(times[place])} and "
            f"{grid.text(times[place + 1])}, where one after the other is wanted ({grid}). An exported model fills no "
            "gaps: fill them first, or ask the model file."
        )
