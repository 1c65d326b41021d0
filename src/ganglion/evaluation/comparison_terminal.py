"""A comparison in a terminal: verdict, scores, how far the others are behind the best, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ganglion.drawing.svg import shorten
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.comparison_charts import behind_best
from ganglion.evaluation.terminal import figure

if TYPE_CHECKING:
    from ganglion.evaluation.comparison import Comparison

COLOUR = {"best": "green", "tied": "yellow", "nothing": "red"}


def render(found: Comparison) -> RenderableType:
    """Return what rich prints for a comparison."""
    folds = f"{found.facts['Folds']}."
    colour = COLOUR[found.recommendation.outcome]
    parts: list[RenderableType] = [
        Panel(Text(found.verdict), title="Verdict", title_align="left", border_style=colour),
        _scores(found),
    ]
    told = "* told apart from the best: by the test, at 5 % after a correction for many looks, and by the interval."
    return Group(*parts, Text(told, style="dim"), *(Text(f"• {note}") for note in (*found.notes, folds)))


def _scores(found: Comparison) -> Table:
    arrow = "↑" if found.metric.higher_is_better else "↓"
    title = f"{found.task} on {found.n_rows:,} rows, held out fold by fold, 95 % bootstrap intervals"
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    table.add_column("", overflow="fold")
    for head in (f"{found.metric.label}\N{NO-BREAK SPACE}{arrow}", "behind the best", "p, corrected", "seconds"):
        table.add_column(head, justify="right", no_wrap=head != "p, corrected")
    behind = [None, *behind_best(found)]
    for each, pair in zip(found.entries, behind, strict=True):
        gap = "" if pair is None else _two_lines(pair.difference)
        p = "" if pair is None else f"{pair.p_corrected:.2g} {'*' if pair.told_apart else ' '}"
        cells = (shorten(each.name, 30), _two_lines(each.score), gap, p, f"{each.seconds:.2g}")
        table.add_row(*map(Text, cells), style="bold" if each.name == found.take else "")
    return table


def _two_lines(estimate: Estimate) -> str:
    """Return a figure with its interval below."""
    value, _, interval = figure(estimate).partition(" ")
    return f"{value}\n{interval.strip('[]').replace(', ', ' to ')}"
