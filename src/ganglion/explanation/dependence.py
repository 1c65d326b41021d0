"""Partial dependence: the mean answer over the rows, if a column had one and the same value in all of them.

    PD_j(v) = mean over rows i of f(x_i with column j = v)                     Friedman 2001, eq. 53

Values are such as rows of X have. The interval is that of a mean over the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.rows import n_rows, take_rows
from ganglion.drawing.lines import Series, line_chart
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput, suggestion
from ganglion.evaluation.proportions import Z95
from ganglion.explanation.asking import Array, Asked, kind_of
from ganglion.explanation.charts import interval_bars
from ganglion.explanation.players import answers
from ganglion.explanation.samples import modality_of
from ganglion.explanation.tables import table_of
from ganglion.explanation.terminal import cell

MOST_ROWS = 500
MOST_VALUES = 25


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """How the mean answer depends on one column.

    Attributes
    ----------
    feature, output : str
    grid : tuple
        The values that the column was given.
    mean, error : ndarray of shape (n_values,)
        The mean answer over the rows, and its standard error.
    """

    feature: str
    output: str
    grid: tuple[Any, ...]
    mean: Array
    error: Array

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def plot(self) -> Chart:
        """Return a line over numbers, with its 95 % interval; of other values a bar each."""
        title = f"{self.output} if {self.feature} were …"
        if not all(isinstance(each, int | float) for each in self.grid):
            return interval_bars([cell(each) for each in self.grid], self.mean, Z95 * self.error, title)
        bounds = {"mean": self.mean, "95 %, low": self.mean - Z95 * self.error, "high": self.mean + Z95 * self.error}
        series = [Series(name, self.grid, values.tolist()) for name, values in bounds.items()]
        return line_chart(series, title=title, x_label=self.feature, y_label=self.output)

    def to_dict(self) -> dict[str, Any]:
        """Return it in plain types that JSON can hold."""
        grid = [each if isinstance(each, int | float | str) else str(each) for each in self.grid]
        plain = {"grid": grid, "mean": self.mean.tolist(), "error": self.error.tolist()}
        return {"feature": self.feature, "output": self.output, **plain}


def partial_dependence(
    model: Any, X: Any, feature: str | int, *, output: Any = None, random_state: int | None = 0
) -> Dependence:
    """Measure how a model's mean answer depends on one column.

    Parameters
    ----------
    model : estimator
        Any fitted classifier or regressor of tables.
    X : array-like of shape (n_samples, n_features), frame or Dataset
        Of more than 500 rows, 500 are drawn.
    feature : str or int
        The column, by name or place.
    output : label, optional
        The class or target; without it the last one (of two classes, the second).
    random_state : int or None

    Returns
    -------
    Dependence

    Raises
    ------
    InvalidInput
        If X is no table, or there is no such column or output.
    """
    kind = kind_of(model)
    if modality_of(model, X) != "table":
        raise InvalidInput("partial_dependence is of a column of a table, and X is none.")
    if n_rows(X) > MOST_ROWS:
        chosen = np.random.default_rng(random_state).choice(n_rows(X), MOST_ROWS, replace=False)
        X = take_rows(X, np.sort(chosen))
    table = table_of(model, kind, X, X)
    column = _place(feature, table.names)
    asked = Asked.of(model, kind, *answers(table), output)
    place = len(asked.names) - 1 if output is None or asked.places is None else asked.places[0]
    values = [table.given(row)[column] for row in range(table.n_rows)]
    rows = _spread(values)
    kept = np.repeat((np.arange(len(table.names)) != column)[None], table.n_rows, axis=0)
    said = [table.mixed(np.arange(table.n_rows), np.full(table.n_rows, row), kept)[:, place] for row in rows]
    return Dependence(
        feature=table.names[column],
        output=asked.names[place],
        grid=tuple(values[row] for row in rows),
        mean=np.array([each.mean() for each in said]),
        error=np.array([each.std(ddof=1) / len(each) ** 0.5 if len(each) > 1 else 0.0 for each in said]),
    )


def _place(feature: str | int, names: tuple[str, ...]) -> int:
    if isinstance(feature, str) and feature in names:
        return names.index(feature)
    if isinstance(feature, int) and -len(names) <= feature < len(names):
        return feature % len(names)
    shown = ", ".join(names[:20])
    raise InvalidInput(f"no column is called {feature!r}.{suggestion(str(feature), names)} Columns: {shown}.")


def _spread(values: list[Any]) -> list[int]:
    """Return rows that have the different values of a column; of many numbers, such as lie evenly among them."""
    first = {value: row for row, value in reversed(list(enumerate(values))) if value is not None and value == value}
    numbers = all(isinstance(value, int | float) for value in first)
    order = sorted(first, key=lambda value: value if numbers else str(value))
    if len(order) > MOST_VALUES:
        order = [order[i] for i in np.unique(np.linspace(0, len(order) - 1, MOST_VALUES).astype(int))]
    return [first[value] for value in order]
