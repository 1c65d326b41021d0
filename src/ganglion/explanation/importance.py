"""Permutation importance: how much worse a model gets when a column is shuffled, with intervals.

    I_j = mean over rows i and shuffles s of  L(y_i, f(x_i with column j of row s(i))) - L(y_i, f(x_i))

L is 0 or 1 (accuracy), the log loss, or the squared error over the variance of y (R²). The interval is that of the mean
over the rows: the rows drawn anew would move it so far.

Breiman 2001, Machine Learning 45, sec. 10; Fisher, Rudin & Dominici 2019, arXiv:1801.01489, eq. 3.1 (the difference).
A column beside which stands another that says the same seems to matter less than it does: its double is not shuffled.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ganglion.drawing.svg import Chart, shorten
from ganglion.errors import InvalidInput, InvalidParameter, unknown_name
from ganglion.evaluation.inputs import split_target, truth_of
from ganglion.evaluation.proportions import Z95
from ganglion.explanation.asking import Array, kind_of
from ganglion.explanation.charts import interval_bars
from ganglion.explanation.players import TablePlayers, answers
from ganglion.explanation.samples import modality_of
from ganglion.explanation.tables import table_of

METRICS = {"accuracy": "classes", "log_loss": "classes", "r2": "numbers"}
WIDE = 24
MOST_SHOWN = 20
SMALLEST = 1e-15  # probability whose logarithm is taken


@dataclass(frozen=True, repr=False, kw_only=True)
class Importance:
    """How much worse a model gets without each column.

    Attributes
    ----------
    features : tuple of str
    values : ndarray of shape (d,)
        What the metric loses; below 0 where it gains.
    errors : ndarray of shape (d,)
        Standard error of each, over the rows.
    metric : {"accuracy", "log_loss", "r2"}
    score : float
        The metric of the model as it is.
    n_rows, n_repeats : int
    """

    features: tuple[str, ...]
    values: Array
    errors: Array
    metric: str
    score: float
    n_rows: int
    n_repeats: int

    @property
    def interval(self) -> Array:
        """The 95 % interval of each, (d, 2)."""
        return np.stack([self.values - Z95 * self.errors, self.values + Z95 * self.errors], axis=1)

    @property
    def title(self) -> str:
        """What the values are, in words."""
        gained = "rises by" if self.metric == "log_loss" else "loses"
        return f"What {self.metric} ({self.score:.3f}, {self.n_rows:,} rows) {gained} when a column is shuffled"

    def __repr__(self) -> str:
        best = int(self.values.argmax())
        return f"Importance({self.metric}, most: {self.features[best]} {self.values[best]:.3g})"

    def __rich__(self) -> RenderableType:
        table = Table(box=box.SIMPLE, pad_edge=False)
        for name, justify in (("feature", "left"), (self.metric, "right"), ("", "left")):
            table.add_column(name, justify=cast(Any, justify), no_wrap=True)
        largest = max(float(self.values.max(initial=0)), 1e-300)
        for i in np.argsort(-self.values, kind="stable")[:MOST_SHOWN].tolist():
            bar = Text("█" * max(0, round(WIDE * float(self.values[i]) / largest)), style="cyan")
            table.add_row(
                Text(shorten(self.features[i], 32)), f"{self.values[i]:+.3g} ±{Z95 * self.errors[i]:.2g}", bar
            )
        about = f"±: 95 % interval over the rows; {self.n_repeats} shuffles of each column."
        return Group(Text(self.title, style="bold"), table, Text(about, style="dim"))

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=100, color_system=None, legacy_windows=False)
        console.print(self)
        return "\n".join(row.rstrip() for row in console.file.getvalue().splitlines())  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def plot(self) -> Chart:
        """Return a bar for each of the most important columns, with its interval."""
        order = np.argsort(-self.values, kind="stable")[:MOST_SHOWN].tolist()
        names = [self.features[i] for i in order]
        return interval_bars(names, self.values[order], Z95 * self.errors[order], self.title)

    def to_dict(self) -> dict[str, Any]:
        """Return it in plain types that JSON can hold."""
        rows = zip(self.features, self.values.tolist(), self.interval.tolist(), strict=True)
        features = [{"feature": name, "value": value, "interval": interval} for name, value, interval in rows]
        about = {"metric": self.metric, "score": self.score, "n_rows": self.n_rows, "n_repeats": self.n_repeats}
        return {**about, "features": features}


def importance(
    model: Any, X: Any, y: Any = None, *, metric: str | None = None, n_repeats: int = 5, random_state: int | None = 0
) -> Importance:
    """Measure how much worse a model gets when each column of a table is shuffled.

    Parameters
    ----------
    model : estimator
        Any fitted classifier or regressor of tables.
    X : array-like of shape (n_samples, n_features), frame or Dataset
        Rows that the model was not trained on: on training rows, what it learned by heart looks important.
    y : array-like of shape (n_samples,), optional
        The true answers; a Dataset may bring its own.
    metric : {"accuracy", "log_loss", "r2"}, optional
        Without it accuracy of classifiers, R² of regressors.
    n_repeats : int
        Shuffles of each column.
    random_state : int or None

    Returns
    -------
    Importance

    Raises
    ------
    InvalidParameter
        If there is no such metric, or it is of another kind of models.
    InvalidInput
        If X is no table, or X and y do not fit the model.
    """
    kind = kind_of(model)
    X, y = split_target(model, X, y)
    if modality_of(model, X) != "table":
        raise InvalidInput(
            "importance shuffles the columns of a table, and X is none. For other data: explain(model, X)."
        )
    truth = truth_of(model, X, y)
    if truth.task == "multilabel":
        raise InvalidInput("importance measures one target, and y has several labels. Give a model of one of them.")
    measured = _metric(metric, truth.task != "regression", kind)
    if type(n_repeats) is not int or n_repeats < 1:
        raise InvalidParameter(f"n_repeats={n_repeats!r}: give a whole number of 1 or more.")
    table, rng = table_of(model, kind, X, X), np.random.default_rng(random_state)
    losses = _Losses(measured, truth.values)
    plain = losses(answers(table)[0])
    worse = np.stack([_shuffled(table, j, n_repeats, losses, rng) - plain for j in range(len(table.names))])
    score = {"accuracy": 1 - plain.mean(), "log_loss": plain.mean(), "r2": 1 - plain.mean()}[measured]
    n = len(plain)
    return Importance(
        features=table.names,
        values=worse.mean(axis=1),
        errors=worse.std(axis=1, ddof=1) / n**0.5 if n > 1 else np.zeros(len(worse)),
        metric=measured,
        score=float(score),
        n_rows=n,
        n_repeats=n_repeats,
    )


def _metric(metric: str | None, classifies: bool, kind: str) -> str:
    chosen = metric or ("accuracy" if classifies else "r2")
    if chosen not in METRICS:
        raise unknown_name("metric of importance", chosen, METRICS)
    if (METRICS[chosen] == "classes") != classifies or (chosen == "log_loss" and kind != "probability"):
        fitting = "accuracy or log_loss (with predict_proba)" if classifies else "r2"
        raise InvalidParameter(f"metric={chosen!r} does not fit this model. Give {fitting}.")
    return chosen


def _shuffled(table: TablePlayers, column: int, n_repeats: int, losses: _Losses, rng: np.random.Generator) -> Array:
    """Return the mean loss of each row, (n,), over shuffles of one column."""
    n = table.n_rows
    kept = np.broadcast_to(np.arange(len(table.names)) != column, (n, len(table.names)))
    return np.mean(
        [losses(table.mixed(np.arange(n), rng.permutation(n), np.ascontiguousarray(kept))) for _ in range(n_repeats)],
        axis=0,
    )


@dataclass(frozen=True, slots=True)
class _Losses:
    """The loss of each row by what a model says of it."""

    metric: str
    true: Any

    def __call__(self, said: Array) -> Array:
        if self.metric == "r2":
            variance = self.true.var(axis=0).mean() or 1.0
            return ((said - self.true) ** 2).mean(axis=1) / variance
        if self.metric == "log_loss":
            return -np.log(np.maximum(said[np.arange(len(said)), self.true], SMALLEST))
        codes = (said[:, 0] > 0).astype(np.intp) if said.shape[1] == 1 else said.argmax(axis=1)
        return (codes != self.true).astype(np.float64)
