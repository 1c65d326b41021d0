"""An audit in a terminal: the verdict of each section, its groups, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group as Stack
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ganglion.drawing.svg import shorten
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.terminal import figure
from ganglion.fairness.gaps import Gap
from ganglion.fairness.rates import Rate

if TYPE_CHECKING:
    from ganglion.fairness.result import Audit, Group, Section

MOST_GROUPS = 24  # shown; the others are on the page and in the dictionary
COLOUR = {"unequal": "red", "undecided": "yellow", "even": "green", "not judged": "dim"}
LEFT_OUT = ("fnr", "accuracy", "calibration_error", "rmse")  # of a table that has to fit: 1 - TPR says the first


def render(audit: Audit) -> RenderableType:
    """Return what rich prints for an audit."""
    parts: list[RenderableType] = []
    for section in audit.sections:
        parts += [_verdict(section), _groups(section), _gaps(section)]
    return Stack(*parts, *(Text(f"• {note}") for note in audit.notes))


def title(section: Section) -> str:
    """Return what a section is about."""
    return f"{section.positive} by {section.by}"


def ordered(groups: Sequence[Group]) -> list[Group]:
    """Return groups as they are read: those that are judged first, as they stand, the others behind."""
    return sorted(groups, key=lambda each: bool(each.too_small))


def cell(estimate: Estimate, rate: Rate) -> tuple[str, str]:
    """Return a figure and its interval as tables show them: shares in percent."""
    if estimate.value is None:
        return "–", ""
    if not rate.share:
        value, _, interval = figure(estimate).partition(" ")
        return value, interval.strip("[]").replace(", ", " to ")
    shown = "" if estimate.low is None else f"{100 * estimate.low:.1f} to {100 * (estimate.high or 0):.1f}"
    return f"{100 * estimate.value:.1f} %", shown


def _verdict(section: Section) -> Panel:
    return Panel(Text(section.verdict), title=title(section), title_align="left", border_style=COLOUR[section.outcome])


def _groups(section: Section) -> Table:
    table = Table(box=box.SIMPLE, title_justify="left")
    columns = [rate for rate in section.columns if rate.name not in LEFT_OUT]
    table.add_column(section.by, max_width=30)
    table.add_column("rows", justify="right", no_wrap=True)
    for rate in columns:
        table.add_column(rate.label, justify="right")
    groups = ordered(section.groups)
    for each in groups[:MOST_GROUPS]:
        cells = [cell(each.rates[rate.name], rate) for rate in columns]
        shown = [Text(f"{value}\n{interval}" if interval else value, justify="right") for value, interval in cells]
        name = Text(shorten(each.name, 60) + ("\ntoo small to judge" if each.too_small else ""))
        table.add_row(name, f"{each.n:,}\n{each.share:.1%}", *shown, style="dim" if each.too_small else "")
    if len(groups) > MOST_GROUPS:
        table.add_row(f"… {len(groups) - MOST_GROUPS} more, on the page and in to_dict()")
    return table


def _gaps(section: Section) -> Table:
    table = Table(box=box.SIMPLE, show_header=False)
    for _ in range(3):
        table.add_column()
    for gap in section.gaps.values():
        table.add_row(gap.label, Text(figure(gap.estimate)), Text(between(gap), style="dim"))
    return table


def between(gap: Gap) -> str:
    """Return which groups a gap is between, or why there is none."""
    if gap.estimate.value is None:
        return gap.estimate.reason
    rate = f"{gap.rate.upper()}, " if gap.name == "equalized_odds_difference" else ""
    return f"{rate}{shorten(gap.most, 30)} over {shorten(gap.least, 30)}"
