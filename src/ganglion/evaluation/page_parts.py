"""What pages are made of: the frame with its style, sections, lists and tables; every word of data escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from ganglion.drawing.gallery import GALLERY_STYLE, scrollable
from ganglion.drawing.svg import STYLE, shorten
from ganglion.evaluation.page_style import PAGE_STYLE


def framed(content: str) -> str:
    """Return content with the style of reports around it."""
    return f'<style>{STYLE}{GALLERY_STYLE}{PAGE_STYLE}</style><main class="gg-report">{content}</main>'


def section(heading: str, content: str) -> str:
    """Return a section; its content is HTML already."""
    return f"<section><h2>{html.escape(heading)}</h2>{content}</section>"


def listed(heading: str, notes: Sequence[str]) -> str:
    """Return notes as a section, or nothing where there are none."""
    items = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return section(heading, f"<ul>{items}</ul>") if items else ""


def table(heads: Sequence[str], rows: Sequence[str], name: str) -> str:
    """Return a table of rows that are HTML already."""
    head = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in heads)
    content = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return scrollable(content, html.escape(name))


def row(cells: Iterable[str]) -> str:
    """Return a row of a table, whose first cell is its head."""
    first, *others = (html.escape(cell) for cell in cells)
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'


def plain_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of words, whose rows have no heads."""
    body = [f"<tr>{''.join(f'<td>{html.escape(words)}</td>' for words in cells)}</tr>" for cells in rows]
    return table([shorten(name, 30) for name in heads], body, "Table")
