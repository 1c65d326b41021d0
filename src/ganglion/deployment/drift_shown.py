"""A `Drift` as people see it: in a terminal, as a page, as a picture."""

from __future__ import annotations

import html
from collections.abc import Sequence

from rich import box
from rich.console import Group as Stack
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ganglion.deployment.drift import LOOK, PSI, ColumnDrift, Drift
from ganglion.drawing.axes import RIGHT, WIDTH, Frame, tick_label, ticks
from ganglion.drawing.gallery import grid
from ganglion.drawing.svg import Chart, line, rect, shorten, text, text_width
from ganglion.evaluation.page_parts import framed, row, section, table

COLOUR = {"drift": "red", "look": "yellow", "steady": "green", "too few": "dim"}
HEADING = {"drift": "Drift", "look": "Worth a look", "steady": "Steady", "too few": "Too few rows"}
STYLE = {"drift": "bad", "look": "even", "steady": "good", "too few": "even"}
HEADS = ("column", "verdict", "PSI", "KS", "missing", "in training", "never seen", "chance")
MOST = 40  # columns in a picture or a terminal, those that changed most
_ROW = 18.0


def ordered(drift: Drift) -> list[ColumnDrift]:
    """Return predictions and columns, those that changed most first."""
    worst = list(COLOUR)
    every = (*drift.predictions, *drift.columns)
    return sorted(every, key=lambda each: (worst.index(each.verdict), -each.psi))


def terminal(drift: Drift) -> RenderableType:
    """Return what rich prints."""
    panel = Panel(Text(drift.verdict), title=_title(drift), title_align="left", border_style=COLOUR[drift.outcome])
    shown = Table(box=box.SIMPLE)
    for head in HEADS:
        shown.add_column(head, justify="left" if head in HEADS[:2] else "right", overflow="fold")
    every = ordered(drift)
    for each in every[:MOST]:
        name, *cells = _cells(each, drift)
        shown.add_row(Text(name), Text(cells[0], style=COLOUR[each.verdict]), *cells[1:])
    more = [Text(f"… and {len(every) - MOST} more columns")] if len(every) > MOST else []
    return Stack(panel, shown, *more)


def fragment(drift: Drift) -> str:
    """Return a piece of HTML with its style, for a page or a notebook."""
    time = f" from {drift.since} to {drift.until}" if drift.since else ""
    head = f"<header><h1>{html.escape(drift.model)}</h1><p>{drift.n_rows:,} rows{html.escape(time)}</p></header>"
    verdict = (
        f'<section class="verdict {STYLE[drift.outcome]}"><h2>{HEADING[drift.outcome]}</h2>'
        f"<p>{html.escape(drift.verdict)}</p></section>"
    )
    rows = [row(_cells(each, drift)) for each in ordered(drift)]
    picture = section("How far each column is from training", grid([chart(drift)]))
    return framed(head + verdict + picture + section("Columns and predictions", table(HEADS, rows, "Columns")))


def page(drifts: Sequence[Drift]) -> str:
    """Return the content of a page of several models."""
    return "".join(map(fragment, drifts))


def chart(drift: Drift) -> Chart:
    """Draw the PSI of each column, and the lines above which it is worth a look and an alarm."""
    every = ordered(drift)[:MOST]
    names = [_name(each, drift) for each in every]
    left = min(190.0, 30 + max((text_width(shorten(name, 26)) for name in names), default=0))
    top = 40.0
    most = max([0.3, *(each.psi for each in every)]) * 1.05
    frame = Frame(left, top, RIGHT, top + _ROW * len(every), 0.0, most, 0, 1)
    marks = [text(16, 20, f"PSI of {shorten(drift.model, 40)}", kind="t")]
    for value in ticks(0.0, most):
        at = frame.x(value)
        marks += [line(at, top, at, frame.bottom), text(at, frame.bottom + 16, tick_label(value), anchor="middle")]
    for i, (each, name) in enumerate(zip(every, names, strict=True)):
        y = top + _ROW * i
        colour = {"drift": "orange", "look": "orange"}.get(each.verdict, "blue")
        wide = max(1.0, frame.x(each.psi) - left)
        marks.append(text(left - 8, y + 13, shorten(name, 26), anchor="end"))
        marks.append(
            rect(left, y + 3, wide, _ROW - 6, colour=colour, tip=f"{name}: PSI {each.psi:.3f}, {each.verdict}")
        )
    for limit in (LOOK, PSI):
        marks.append(line(frame.x(limit), top, frame.x(limit), frame.bottom, colour="ink", width=1, dash="4 3"))
    marks.append(text((left + RIGHT) / 2, frame.bottom + 34, "dashed: worth a look, alarm", anchor="middle", kind="s"))
    return Chart(f"PSI of each column of {drift.model}", WIDTH, frame.bottom + 44, "".join(marks))


def _title(drift: Drift) -> str:
    return f"{drift.model}, {drift.n_rows:,} rows"


def _name(each: ColumnDrift, drift: Drift) -> str:
    return f"{each.name} (predicted)" if each in drift.predictions else each.name


def _cells(each: ColumnDrift, drift: Drift) -> tuple[str, ...]:
    return (
        _name(each, drift),
        each.verdict + (f": {each.why}" if each.why and each.verdict != "too few" else ""),
        f"{each.psi:.3f}",
        "" if each.ks is None else f"{each.ks:.3f}",
        f"{each.missing:.1%}",
        f"{each.missing_before:.1%}",
        f"{each.unseen:.1%}" if each.kind == "categorical" else "",
        f"{each.p:.2g}",
    )
