"""Forecasts from moments of the past, beside what came: the rolling origin.

Tashman 2000, International Journal of Forecasting 16: the model stays as it was trained, the moment moves on.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data import forecast_scores as scores
from ganglion.data.grid import Grid
from ganglion.drawing.axes import number
from ganglion.drawing.fan import fan_chart
from ganglion.drawing.gallery import Charts
from ganglion.drawing.lines import Series, line_chart
from ganglion.drawing.svg import STYLE, Chart
from ganglion.estimators.forecast import bands_of

MOST_FANS = 3


@dataclass(frozen=True, eq=False, repr=False)
class Backtest:
    """Forecasts from several origins, and what came.

    Attributes
    ----------
    truth : ndarray of shape (n_origins, horizon, n_targets)
        NaN where nothing is known.
    values : ndarray of the same shape
        Forecasts: medians of quantiles, means of normals.
    quantiles : ndarray of shape (n_origins, horizon, n_targets, n_levels), or None
    deviations : ndarray of the shape of `values`, or None
        Of normals.
    levels : tuple of float
    origins : ndarray of shape (n_origins,), int64
        The step of its series that each forecast begins with.
    times : ndarray of shape (n_origins, horizon), float64
    series : ndarray of shape (n_origins,), of str
    names : tuple of str
        The targets.
    scales : ndarray of shape (n_targets,)
        What absolute errors are divided by for the MASE.
    grid : Grid
    """

    truth: np.ndarray
    values: np.ndarray
    quantiles: np.ndarray | None
    deviations: np.ndarray | None
    levels: tuple[float, ...]
    origins: np.ndarray
    times: np.ndarray
    series: np.ndarray
    names: tuple[str, ...]
    scales: np.ndarray
    grid: Grid

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def metrics(self) -> dict[str, float]:
        """Means over all origins, steps and targets: MASE, sMAPE, MSE, MAE; CRPS and coverage where they are told."""
        return {name: float(np.nanmean(each)) for name, each in self._each().items()}

    def by_step(self) -> dict[str, np.ndarray]:
        """Return every figure of each step ahead, (horizon,)."""
        return {name: np.nanmean(each, axis=(0, 2)) for name, each in self._each().items()}

    def __repr__(self) -> str:
        return f"Backtest({len(self)} origins, {self.truth.shape[1]} steps of {', '.join(self.names[:8])})"

    def __str__(self) -> str:
        head, *rows = self._rows()
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in (head, *rows)]
        return "\n".join([repr(self), *lines])

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(each)}</td>' for each in row)}</tr>" for row in rows)
        charts = "".join(chart.inline for chart in self.plot().values())
        return f"<style>{STYLE}</style><p>{html.escape(repr(self))}</p>{charts}<table><tr>{cells}</tr>{body}</table>"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, and the forecasts, in types that JSON can hold."""
        return {
            "metrics": self.metrics,
            "by_step": {name: each.tolist() for name, each in self.by_step().items()},
            "targets": list(self.names),
            "levels": list(self.levels),
            "series": self.series.tolist(),
            "origins": self.origins.tolist(),
            "time": [[self.grid.text(time) for time in row] for row in self.times.tolist()],
            "truth": np.where(np.isnan(self.truth), np.array(None), self.truth).tolist(),
            "values": self.values.tolist(),
            "quantiles": None if self.quantiles is None else self.quantiles.tolist(),
        }

    def plot(self) -> Charts:
        """Return some fans, evenly spaced over the origins, and the error at each step ahead."""
        chosen = np.unique(np.linspace(0, len(self) - 1, min(MOST_FANS, len(self))).astype(int)).tolist()
        made: dict[str, Chart] = {f"fan_{i}": self._fan(i) for i in chosen}
        ahead = list(range(1, self.truth.shape[1] + 1))
        error = Series("MASE", ahead, self.by_step()["mase"].tolist())
        made["by_step"] = line_chart([error], title="Error at each step ahead", x_label="step ahead", y_label="MASE")
        return Charts(made)

    def _fan(self, i: int, k: int = 0) -> Chart:
        bands = [] if self.quantiles is None else bands_of(self.quantiles[i, :, k], self.levels)
        where = f" of {self.series[i]}" if self.series[i] else ""
        return fan_chart(
            ((), ()),
            self.times[i].tolist(),
            self.values[i, :, k].tolist(),
            bands=bands,
            truth=self.truth[i, :, k].tolist(),
            title=f"{self.names[k]}{where} from {self.grid.text(float(self.times[i, 0]))}",
            y_label=self.names[k],
            write_time=self.grid.text,
        )

    def _each(self) -> dict[str, np.ndarray]:
        """Return every figure of each forecast, step and target, (n_origins, horizon, n_targets)."""
        y, said = self.truth, self.values
        mae = scores.absolute(y, said)
        each = {
            "mase": mae / np.where(self.scales > 0, self.scales, np.nan),
            "smape": scores.symmetric(y, said),
            "mse": scores.squared(y, said),
            "mae": mae,
        }
        if self.deviations is not None:
            each["crps"] = scores.crps_of_normals(y, said, self.deviations)
        elif self.quantiles is not None:
            each["crps"] = scores.crps_of_quantiles(y, self.quantiles, self.levels)
        if self.quantiles is not None and len(self.levels) > 1:
            each["coverage"] = scores.covered(y, self.quantiles[..., 0], self.quantiles[..., -1])
        return each

    def _rows(self) -> list[list[str]]:
        each = self._each()
        rows = [
            [name, *(number(float(np.nanmean(values[:, :, k]))) for values in each.values())]
            for k, name in enumerate(self.names)
        ]
        rows += [["all", *(number(value) for value in self.metrics.values())]] if len(self.names) > 1 else []
        return [["target", *each], *rows]
