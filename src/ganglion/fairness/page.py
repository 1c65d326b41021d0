"""An audit as HTML, in the style of reports: no scripts, nothing fetched; every word of data escaped."""

from __future__ import annotations

import html

from ganglion.drawing.gallery import GALLERY_STYLE, grid, scrollable
from ganglion.drawing.svg import STYLE
from ganglion.evaluation.page_style import PAGE_STYLE
from ganglion.evaluation.terminal import figure
from ganglion.fairness.charts import chart_of
from ganglion.fairness.result import Audit, Section
from ganglion.fairness.terminal import between, cell, ordered, title

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


def framed(content: str) -> str:
    """Return content with the style of reports around it."""
    return f'<style>{STYLE}{GALLERY_STYLE}{PAGE_STYLE}</style><main class="gg-report">{content}</main>'


def inner(audit: Audit) -> str:
    """Return the sections of an audit, for a page that has the style already."""
    facts = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in audit.facts.items())
    return (
        "".join(map(_section, audit.sections))
        + listed("Notes on groups", audit.notes)
        + f'<section><h2>How groups were compared</h2><dl class="facts">{facts}</dl></section>'
    )


def listed(heading: str, notes: tuple[str, ...]) -> str:
    """Return notes as a section, or nothing where there are none."""
    items = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return f"<section><h2>{heading}</h2><ul>{items}</ul></section>" if items else ""


def table(heads: list[str], rows: list[str], name: str) -> str:
    """Return a table of rows that are HTML already."""
    head = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in heads)
    content = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return scrollable(content, html.escape(name))


def _section(section: Section) -> str:
    return (
        f'<section class="verdict {OUTCOME[section.outcome]}"><h2>{HEADING[section.outcome]}: '
        f"{html.escape(title(section))}</h2><p>{html.escape(section.verdict)}</p></section>"
        f"<section><h2>{html.escape(title(section))}</h2>{grid([chart_of(section)])}{_groups(section)}"
        f"<h3>How far groups are apart</h3>{_gaps(section)}</section>"
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
