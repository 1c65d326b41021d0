"""What a model learned from epoch to epoch, drawn."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from ganglion.drawing.axes import HEIGHT
from ganglion.drawing.lines import Mark, Series, line_chart
from ganglion.drawing.svg import Chart

Column = Sequence[float | None]
X_COLUMNS = ("epoch", "step", "seconds")
SMALL = 0.6 * HEIGHT
NUMBERED = re.compile(r"_\d+$")


def learning_charts(columns: Mapping[str, Column], best_epoch: int | None = None) -> dict[str, Chart]:
    """Draw losses, scores, the learning rate and whatever else was watched over epochs, each on its own axis.

    Parameters
    ----------
    columns : mapping of str to sequence of float or None
        One number an epoch: "loss" and whatever ends in "_loss", "score" and "_score", "learning_rate", and "epoch".
        All of the same length; None where an epoch has no number.
    best_epoch : int, optional
        From 1: the epoch whose weights were kept. It is marked.

    Returns
    -------
    dict of str to Chart
        "loss" and "score" where there are any, "learning_rate" where it changed, and each other column that changed
        under its name; of columns that are numbered (kl_1, kl_2, …) none.
    """
    n_epochs = max((len(values) for values in columns.values()), default=0)
    x_name = next((name for name in X_COLUMNS if name in columns), "epoch")
    x = [float(k) if v is None else float(v) for k, v in enumerate(columns.get(x_name, [None] * n_epochs), start=1)]
    charts = {}
    for kind, title in (("loss", "Learning curve"), ("score", "Score while training")):
        wanted = {name: _numbers(columns[name]) for name in _of_kind(kind, columns)}
        series = [Series(_source(name, kind), x, y) for name, y in wanted.items()]
        if series:
            mark = _best(x, wanted.get(f"validation_{kind}"), best_epoch)
            charts[kind] = line_chart(
                series, title=title, x_label=x_name, y_label=kind, mark=mark, log_if_wide=kind == "loss"
            )
    rates = _numbers(columns.get("learning_rate", []))
    if len({rate for rate in rates if math.isfinite(rate)}) > 1:
        series = [Series("learning rate", x, rates)]
        charts["learning_rate"] = line_chart(
            series, title="Learning rate", x_label=x_name, y_label="learning rate", height=SMALL
        )
    known = {name for kind in ("loss", "score") for name in _of_kind(kind, columns)} | {
        *X_COLUMNS,
        "learning_rate",
        "phase",
    }
    return charts | {
        name: _watched(name, x, _numbers(column), x_name)
        for name, column in columns.items()
        if name not in known and not NUMBERED.search(name) and len({v for v in _numbers(column) if v == v}) > 1
    }


def _watched(name: str, x: Sequence[float], y: Sequence[float], x_name: str) -> Chart:
    words = name.upper() if len(name) < 3 else name.replace("_", " ")
    title = words[0].upper() + words[1:]
    return line_chart([Series(words, x, y)], title=title, x_label=x_name, y_label=words, height=SMALL)


def _of_kind(kind: str, columns: Mapping[str, Column]) -> list[str]:
    """Return the columns of losses or of scores that hold a number, training and validation first."""
    first = [kind, f"validation_{kind}"]
    names = [*first, *(name for name in columns if name.endswith(f"_{kind}") and name not in first)]
    return [name for name in names if any(math.isfinite(value) for value in _numbers(columns.get(name, [])))]


def _source(name: str, kind: str) -> str:
    """Return what a column's numbers are of, as a legend has it: "critic_loss" is of the critic."""
    return "training" if name == kind else name.removesuffix(f"_{kind}").replace("_", " ")


def _numbers(column: Column) -> list[float]:
    return [math.nan if value is None else float(value) for value in column]


def _best(x: Sequence[float], y: Sequence[float] | None, epoch: int | None) -> Mark | None:
    if y is None or epoch is None or not 1 <= epoch <= len(y) or not math.isfinite(y[epoch - 1]):
        return None
    return Mark(f"best epoch: {epoch}", x[epoch - 1], y[epoch - 1])
