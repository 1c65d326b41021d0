"""A comparison in a terminal: verdict, scores, how far the others are behind the best, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ganglion.drawing.svg import shorten
from ganglion.evaluation.comparison_charts import behind_best
from ganglion.evaluation.terminal import figure

if TYPE_CHECKING:
    from ganglion.evaluation.comparison import Comparison

COLOUR = {"best": "green", "tied": "yellow", "nothing": "red"}


def render(found: Comparison) -> RenderableType:
    """Return what rich prints for a comparison."""
    colour = COLOUR[found.recommendation.outcome]
    parts: list[RenderableType] = [
        Panel(Text(found.verdict), title="Verdict", title_align="left", border_style=colour),
        _scores(found),
    ]
    return Group(*parts, *(Text(f"• {note}") for note in (*found.notes, f"{found.facts['Folds']}.")))


def _scores(found: Comparison) -> Table:
    arrow = "↑" if found.metric.higher_is_better else "↓"
    title = f"{found.task} on {found.n_rows:,} rows, held out fold by fold, 95 % bootstrap intervals"
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    table.add_column("")
    for head in (f"{found.metric.label}\N{NO-BREAK SPACE}{arrow}", "behind the best", "p, corrected", "seconds"):
        table.add_column(head, justify="right")
    behind = [None, *behind_best(found)]
    for each, pair in zip(found.entries, behind, strict=True):
        gap = "" if pair is None else figure(pair.difference)
        p = "" if pair is None else f"{pair.p_corrected:.2g}{'' if pair.told_apart else ', not shown'}"
        cells = (shorten(each.name, 30), figure(each.score), gap, p, f"{each.seconds:.2g}")
        table.add_row(*map(Text, cells), style="bold" if each.name == found.take else "")
    return table
