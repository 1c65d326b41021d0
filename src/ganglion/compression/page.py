"""A compression as HTML, in the style of reports."""

from __future__ import annotations

import html

from ganglion.compression.result import Compression
from ganglion.compression.terminal import HEADS, cells_of
from ganglion.drawing.gallery import grid
from ganglion.evaluation.page_parts import framed, listed, row, section, table


def fragment(found: Compression) -> str:
    """Return the compression as a piece of HTML with its style, for a page or a notebook."""
    kept = found.best == found.variants[0].name
    head = (
        f"<header><h1>{html.escape(found.title)}</h1><p>{len(found.variants)} variants, judged on {found.n_rows:,} "
        f'held-out rows</p></header><section class="verdict {"even" if kept else "good"}"><h2>Verdict</h2>'
        f"<p>{html.escape(found.verdict)}</p></section>"
    )
    rows = [row(cells_of(each, first=each is found.variants[0])) for each in found.variants]
    heads = ["variant", *(head.replace("score", found.measure) for head in HEADS)]
    shown = table(heads, rows, "Variants")
    words = (
        "<p>kB: of the model file. ms: one answer on one thread, the median and the 99th percentile, all variants "
        "asked in turn for the same rows. A dot: on the Pareto front, nothing is as small, fast and good and better in "
        "one of these.</p>"
    )
    budget = f"<p>Budget: {html.escape(str(found.budget))}.</p>"
    return framed(
        head
        + section("Cost and gain", grid(found.plot().values()))
        + section("Variants", budget + shown + words)
        + listed("Notes", found.notes)
    )
