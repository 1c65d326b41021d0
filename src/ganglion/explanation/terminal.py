"""Explanations in a terminal: a row a feature, its value in the sample, what it adds, and a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ganglion.drawing.axes import number
from ganglion.drawing.svg import shorten
from ganglion.evaluation.proportions import Z95
from ganglion.explanation.words import certainty, rest, summary, title, top

if TYPE_CHECKING:
    from ganglion.explanation.explanation import Explanation, Explanations

WIDE = 12  # characters of the longest bar, on either side
MOST_FEATURES = 12
MOST_SAMPLES = 3  # printed each by itself


def one(explanation: Explanation) -> RenderableType:
    """Return what rich prints for one explanation."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("feature", no_wrap=True)
    shows_given = any(each is not None for each in explanation.given)
    if shows_given:
        table.add_column("is", no_wrap=True)
    table.add_column("adds", justify="right", no_wrap=True)
    table.add_column("")
    shown = top(explanation, MOST_FEATURES)
    largest = float(np.abs(explanation.values).max(initial=0)) or 1.0
    for i in shown:
        given = [Text(cell(explanation.given[i]))] if shows_given else []
        value = float(explanation.values[i])
        table.add_row(Text(shorten(explanation.features[i], 32)), *given, amount(explanation, i), bar(value / largest))
    others = rest(explanation, shown)
    if others:
        table.add_row(Text(others[0], style="dim"), *([""] if shows_given else []), f"{others[1]:+.3g}", "")
    return Group(
        Text(title(explanation), style="bold"), table, *(Text(line, style="dim") for line in certainty(explanation))
    )


def many(explanations: Explanations) -> RenderableType:
    """Return what rich prints for several: each of a few, of many the mean size of the values."""
    if len(explanations) <= MOST_SAMPLES or not explanations.alike:
        shown = [one(each) for each in explanations[:MOST_SAMPLES]]
        more = len(explanations) - len(shown)
        return Group(*shown, *([Text(f"… and {more} more: explanations[i]", style="dim")] if more else []))
    sizes = np.abs(explanations.values).mean(axis=0)
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("feature", no_wrap=True)
    table.add_column("mean size", justify="right", no_wrap=True)
    table.add_column("")
    for i in np.argsort(-sizes, kind="stable")[:MOST_FEATURES].tolist():
        filled = "█" * round(2 * WIDE * sizes[i] / (sizes.max() or 1.0))
        table.add_row(Text(shorten(explanations[0].features[i], 32)), f"{sizes[i]:.3g}", Text(filled, style="cyan"))
    return Group(
        Text(summary(explanations), style="bold"),
        table,
        Text("One sample: explanations[i]. A picture: explanations.plot().", style="dim"),
    )


def amount(explanation: Explanation, i: int) -> str:
    """Return a value with its 95 % interval behind it."""
    value, error = float(explanation.values[i]), explanation.error
    if error is None or not error.any():
        return f"{value:+.3g}"
    reach = Z95 * float(error[i])
    rounding = reach < 1e-6 * float(np.abs(explanation.values).max())
    return f"{value:+.3g} ±{0.0 if rounding else reach:.2g}"


def bar(share: float) -> Text:
    """Return a bar to the right for what is added, to the left for what is taken."""
    length = round(WIDE * abs(share))
    filled = "█" * length or ("▏" if share else "")
    if share < 0:
        return Text(f"{filled:>{WIDE}}│", style="blue")
    return Text(" " * WIDE + "│" + filled, style="dark_orange")


def cell(value: Any) -> str:
    """Return what a feature is in a sample."""
    if value is None or value != value:
        return "–"
    return (
        number(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else shorten(value, 24)
    )
