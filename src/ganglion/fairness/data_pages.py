"""An audit of a data set in a terminal, as HTML, and as charts."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group as Stack
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ganglion.drawing.gallery import Charts, grid
from ganglion.drawing.svg import Chart, shorten
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.charts import interval_chart
from ganglion.evaluation.page_parts import framed, listed, row, section, table
from ganglion.evaluation.terminal import figure
from ganglion.fairness.proxies import Proxy

if TYPE_CHECKING:
    from ganglion.fairness.data_audit import DataAudit, Share, Spread

MOST_PROXIES = 8  # shown of each sensitive column; the others are in the dictionary
MOST_GROUPS = 24


def render(audit: DataAudit) -> RenderableType:
    """Return what rich prints for an audit of data."""
    found = "\n".join(f"• {each}" for each in audit.findings) or "Nothing that stands out."
    parts: list[RenderableType] = [Panel(Text(found), title="Findings", title_align="left")]
    parts += [_groups(audit, each) for each in audit.spreads]
    parts += [_proxies(by, shown) for by, shown in strongest(audit).items()]
    return Stack(*parts, *(Text(f"• {note}") for note in audit.notes))


def strongest(audit: DataAudit) -> dict[str, list[Proxy]]:
    """Return the strongest columns of each sensitive one, and all together."""
    found: dict[str, list[Proxy]] = {}
    for by in dict.fromkeys(each.by for each in audit.proxies):
        every = [each for each in audit.proxies if each.by == by]
        found[by] = [*every[:MOST_PROXIES], *([every[-1]] if len(every) > MOST_PROXIES else [])]
    return found


def charts_of(audit: DataAudit) -> Charts:
    """Return a chart of each sensitive column's groups (rows, label), and of what tells it."""
    charts: dict[str, Chart] = {}
    for each in audit.spreads:
        shown = each.groups[:MOST_GROUPS]
        charts[f"{each.by}: rows"] = _bars(shown, [group.share for group in shown], each.by, "share of rows")
        if audit.target:
            charts[f"{each.by}: label"] = _bars(shown, [group.label for group in shown], each.by, audit.target)
    for by, proxies in strongest(audit).items():
        names, areas = [each.column for each in proxies], [each.area for each in proxies]
        label = "area under the ROC curve, 0.5 is chance"
        if names:
            charts[f"{by}: proxies"] = interval_chart(names, areas, title=f"What tells {by}", label=label)
    return Charts(charts)


def fragment(audit: DataAudit) -> str:
    """Return the audit as a piece of HTML with its style, for a page or a notebook."""
    head = f"<header><h1>Audit of the data</h1><p>{audit.n_rows:,} rows</p></header>"
    items = "".join(f"<li>{html.escape(each)}</li>" for each in audit.findings) or "<li>Nothing that stands out.</li>"
    found = f'<section class="verdict even"><h2>Findings</h2><ul>{items}</ul></section>'
    charts = section("Charts", grid(charts_of(audit).values()))
    spreads = "".join(_spread(audit, each) for each in audit.spreads)
    told = "".join(_told(by, proxies) for by, proxies in strongest(audit).items())
    return framed(head + found + charts + spreads + told + listed("Notes", audit.notes))


def _bars(groups: Sequence[Share], estimates: Sequence[Estimate], by: str, label: str) -> Chart:
    names = [each.name for each in groups]
    return interval_chart(names, estimates, title=f"{shorten(label, 30)} by {shorten(by, 24)}", label=label)


def _cells(audit: DataAudit, group: Share) -> list[str]:
    label = [figure(group.label)] if audit.target else []
    return [group.name, f"{group.n:,}", figure(group.share), *label, f"{group.missing:.1%}", group.too_small]


def _heads(audit: DataAudit, spread: Spread) -> list[str]:
    return [spread.by, "rows", "share of rows", *([audit.target] if audit.target else []), "missing values", ""]


def _groups(audit: DataAudit, spread: Spread) -> Table:
    shown = Table(box=box.SIMPLE)
    for head in _heads(audit, spread):
        shown.add_column(Text(shorten(head, 40)))
    for group in spread.groups[:MOST_GROUPS]:
        shown.add_row(*(Text(shorten(cell, 60)) for cell in _cells(audit, group)))
    return shown


def _proxies(by: str, proxies: Sequence[Proxy]) -> Table:
    shown = Table(box=box.SIMPLE, title=f"What tells {shorten(by, 40)}", title_justify="left")
    for head in ("column", "area under the ROC curve", ""):
        shown.add_column(head)
    for each in proxies:
        shown.add_row(Text(shorten(each.column, 40)), Text(figure(each.area)), _word(each))
    return shown


def _word(proxy: Proxy) -> str:
    return "" if proxy.strength == "none" else proxy.strength


def _spread(audit: DataAudit, spread: Spread) -> str:
    rows = [row(_cells(audit, group)) for group in spread.groups]
    gap = spread.label_difference
    apart = f"Largest difference: {figure(gap)}, {spread.most} over {spread.least}." if gap.value is not None else ""
    name = f"Groups by {spread.by}"
    return section(name, f"{table(_heads(audit, spread), rows, name)}<p>{html.escape(apart)}</p>")


def _told(by: str, proxies: Sequence[Proxy]) -> str:
    rows = [row([each.column, figure(each.area), _word(each)]) for each in proxies]
    name = f"What tells {by}"
    return section(name, table(["column", "area under the ROC curve", ""], rows, name))
