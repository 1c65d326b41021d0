"""A compression in a terminal: the verdict, and a row for every variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ganglion.drawing.svg import shorten

if TYPE_CHECKING:
    from ganglion.compression.result import Compression, Variant

HEADS = ("kB", "ms", "p99", "score [95 %]", "points lost [95 %]", "verdict")


def render(found: Compression) -> RenderableType:
    """Return what rich prints for a compression."""
    kept = found.best == found.variants[0].name
    panel = Panel(Text(found.verdict), title="Verdict", title_align="left", border_style="yellow" if kept else "green")
    title = f"{found.model}: {found.measure}, on {found.n_rows:,} held-out rows; • on the Pareto front"
    table = Table(title=title, box=box.SIMPLE, title_justify="left", padding=(0, 1, 0, 0))
    rows = [_cells(each, first=each is found.variants[0]) for each in found.variants]
    table.add_column("", no_wrap=True, max_width=24)
    for i, head in enumerate(("kB", "smaller", "ms", "faster", "lost [95 %]"), 1):
        widest = max(len(head), *(len(row[i]) for row in rows))
        table.add_column(head, justify="right", no_wrap=True, min_width=widest)  # names are cut first
    for each, row in zip(found.variants, rows, strict=True):
        table.add_row(*map(Text, row), style="bold" if each.name == found.best else "")
    return Group(panel, table, *(Text(f"• {note}") for note in found.notes))


def _cells(variant: Variant, *, first: bool) -> tuple[str, ...]:
    """Return a variant as a row of a terminal, where there is room for some figures only; a page has all."""
    name, size, median, _, _, lost, _ = cells_of(variant, first=first)
    smaller = "" if first else f"{variant.times_smaller:.3g}"
    faster = "" if first else "no" if variant.times_faster == 1 else f"{variant.times_faster:.3g}"
    return name, size, smaller, median, faster, lost.replace("+0.00", "0")


def cells_of(variant: Variant, *, first: bool) -> tuple[str, ...]:
    """Return a variant as a row of a table; the first one is the original, beside which others stand."""
    score, loss = variant.score, variant.loss
    shown = "–" if score.value is None else f"{score.value:.2f}"
    if score.value is not None and score.low is not None:
        shown += f" [{score.low:.2f}, {score.high:.2f}]"
    lost = "" if first or loss.value is None else f"{loss.value:+.2f} [{loss.low:+.2f}, {loss.high:+.2f}]"
    return (
        f"{'• ' if variant.on_front else '  '}{shorten(variant.name, 44)}",
        f"{variant.size / 1000:,.1f}",
        f"{variant.latency.median:.3g}",
        f"{variant.latency.p99:.3g}",
        shown,
        lost,
        "" if first else variant.verdict,
    )
