"""What a forecaster says of the steps that follow a history: an object to print, draw and read."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganglion.data.grid import Grid
from ganglion.drawing.axes import number
from ganglion.drawing.fan import fan_chart
from ganglion.drawing.gallery import Charts
from ganglion.drawing.svg import STYLE, Chart

SHOWN = 12  # steps printed
MOST_FANS = 6
PAST = 3  # times the horizon are drawn before it, at least the window


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """Forecasts of some series from one moment each.

    Attributes
    ----------
    values : ndarray of shape (n, horizon, n_targets)
        Points: medians of quantiles, means of normals.
    quantiles : ndarray of shape (n, horizon, n_targets, n_levels), or None
    levels : tuple of float
        Of the quantiles, rising.
    times : ndarray of shape (n, horizon), float64
        Seconds since 1970-01-01 UTC, or numbers of steps.
    ids : tuple of str
        The series, "" for the only one.
    names : tuple of str
        The targets.
    grid : Grid
    past : list of (times, values)
        What stood before, (k,) and (k, n_targets) each, for the picture.
    """

    values: np.ndarray
    quantiles: np.ndarray | None
    levels: tuple[float, ...]
    times: np.ndarray
    ids: tuple[str, ...]
    names: tuple[str, ...]
    grid: Grid
    past: Sequence[tuple[np.ndarray, np.ndarray]] = field(default=(), compare=False)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        series = f"{len(self)} series, " if len(self) > 1 else ""
        return f"Forecast({series}{self.values.shape[1]} steps of {', '.join(self.names[:8])})"

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
        more = len(self) * self.values.shape[1] - SHOWN
        return "\n".join([*lines, *([f"… {more:,} more steps"] if more > 0 else [])])

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(each)}</td>' for each in row)}</tr>" for row in rows)
        charts = "".join(chart.inline for chart in self.plot().values())
        return f"<style>{STYLE}</style>{charts}<table><tr>{cells}</tr>{body}</table>"

    def columns(self) -> dict[str, np.ndarray]:
        """Return the forecasts as columns of equal length: series, time, targets, and their quantiles."""
        n, horizon = self.times.shape
        told: dict[str, np.ndarray] = {} if self.ids == ("",) else {"series": np.repeat(np.array(self.ids), horizon)}
        told["time"] = self._written()
        for k, name in enumerate(self.names):
            told[name] = self.values[:, :, k].reshape(n * horizon)
            if self.quantiles is not None:
                for i, level in enumerate(self.levels):
                    told[f"{name}_{level:g}"] = self.quantiles[:, :, k, i].reshape(n * horizon)
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return the forecasts in plain types that JSON can hold."""
        return {
            "series": list(self.ids),
            "targets": list(self.names),
            "levels": list(self.levels),
            "time": self._written().reshape(self.times.shape).tolist(),
            "values": self.values.tolist(),
            "quantiles": None if self.quantiles is None else self.quantiles.tolist(),
        }

    def plot(self) -> Charts:
        """Return a fan a series and target, the first ones."""
        made: dict[str, Chart] = {}
        for i in range(len(self)):
            for k, name in enumerate(self.names):
                if len(made) < MOST_FANS:
                    made["_".join(part for part in (self.ids[i], name) if part)] = self._fan(i, k)
        return Charts(made)

    def _fan(self, i: int, k: int) -> Chart:
        times, values = self.past[i] if self.past else (np.empty(0), np.empty((0, len(self.names))))
        bands = [] if self.quantiles is None else bands_of(self.quantiles[i, :, k], self.levels)
        where = f" of {self.ids[i]}" if self.ids[i] else ""
        return fan_chart(
            (times.tolist(), values[:, k].tolist()),
            self.times[i].tolist(),
            self.values[i, :, k].tolist(),
            bands=bands,
            title=f"Forecast of {self.names[k]}{where}",
            y_label=self.names[k],
            write_time=self.grid.text,
        )

    def _written(self) -> np.ndarray:
        times = self.times.ravel()
        return np.array([self.grid.text(time) for time in times.tolist()]) if self.grid.dated else times

    def _rows(self) -> list[list[str]]:
        columns = self.columns()
        count = min(SHOWN, len(columns["time"]))
        rows = [
            [str(each[i]) if each.dtype.kind == "U" else number(float(each[i])) for each in columns.values()]
            for i in range(count)
        ]
        return [[*columns], *rows]


def bands_of(quantiles: np.ndarray, levels: Sequence[float]) -> list[tuple[str, list[float], list[float]]]:
    """Return the bands between quantiles (H, n_levels) that lie symmetrically, the widest first, with their names."""
    n = len(levels)
    return [
        (f"{levels[n - 1 - i] - levels[i]:.0%}", quantiles[:, i].tolist(), quantiles[:, n - 1 - i].tolist())
        for i in range(n // 2)
    ]
