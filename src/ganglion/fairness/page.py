"""An audit as HTML, in the style of reports: no scripts, nothing fetched; every word of data escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ganglion.drawing.gallery import grid
from ganglion.evaluation.page_parts import framed, listed, section, table
from ganglion.evaluation.terminal import figure
from ganglion.fairness.charts import chart_of
from ganglion.fairness.terminal import between, cell, ordered, title

if TYPE_CHECKING:
    from ganglion.fairness.result import Audit, Section

OUTCOME = {"unequal": "bad", "undecided": "even", "even": "good", "not judged": "even"}
HEADING = {
    "unequal": "Unequal",
    "undecided": "Not settled",
    "even": "No large difference",
    "not judged": "Not judged",
}


def fragment(audit: Audit) -> str:
    """Return the audit as a piece of HTML with its style, for a page or a notebook."""
    head = f"<header><h1>Audit of {html.escape(audit.model)}</h1><p>{audit.n_rows:,} rows</p></header>"
    return framed(head + inner(audit))


def inner(audit: Audit) -> str:
    """Return the sections of an audit, for a page that has the style already."""
    facts = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in audit.facts.items())
    return (
        "".join(map(_section, audit.sections))
        + listed("Notes on groups", audit.notes)
        + section("How groups were compared", f'<dl class="facts">{facts}</dl>')
    )


def _section(found: Section) -> str:
    groups = f"{grid([chart_of(found)])}{_groups(found)}<h3>How far groups are apart</h3>{_gaps(found)}"
    return (
        f'<section class="verdict {OUTCOME[found.outcome]}"><h2>{HEADING[found.outcome]}: '
        f"{html.escape(title(found))}</h2><p>{html.escape(found.verdict)}</p></section>"
        f"{section(title(found), groups)}"
    )


def _groups(section: Section) -> str:
    heads = [section.by, "rows", *(rate.label for rate in section.columns)]
    rows = []
    for each in ordered(section.groups):
        cells = [cell(each.rates[rate.name], rate) for rate in section.columns]
        shown = "".join(f"<td>{value}<small>{interval}</small></td>" for value, interval in cells)
        small = f"<small>{html.escape(each.too_small)}</small>" if each.too_small else ""
        rows.append(
            f'<tr><th scope="row">{html.escape(each.name)}{small}</th>'
            f"<td>{each.n:,}<small>{each.share:.1%}</small></td>{shown}</tr>"
        )
    return table(heads, rows, f"Groups: {title(section)}")


def _gaps(section: Section) -> str:
    rows = []
    for gap in section.gaps.values():
        value, _, interval = figure(gap.estimate).partition(" ")
        rows.append(
            f'<tr><th scope="row">{html.escape(gap.label)}</th><td>{value}<small>{html.escape(interval)}</small></td>'
            f"<td>{html.escape(between(gap))}</td></tr>"
        )
    return table(["measure", "value, interval", "between"], rows, f"Differences: {title(section)}")
