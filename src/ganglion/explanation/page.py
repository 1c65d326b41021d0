"""Explanations as HTML: in a notebook, or a page of their own."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ganglion.drawing.gallery import GALLERY_STYLE, grid
from ganglion.drawing.svg import STYLE
from ganglion.explanation.words import certainty

if TYPE_CHECKING:
    from ganglion.explanation.explanation import Explanation

MOST_SHOWN = 20
EXPLANATION_STYLE = """
.gg-explained{max-width:1120px;margin:0 auto;padding:16px 20px;box-sizing:border-box;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;color:#1b2430;line-height:1.5}
.gg-explained h2{font-size:1.1rem;margin:18px 0 2px}.gg-explained p{margin:2px 0;color:#5b6675;font-size:.9rem}
.gg-explained p.warned{color:#b3261e;font-weight:600}
@media (prefers-color-scheme:dark){.gg-explained{color:#e6eaf0}.gg-explained p{color:#9aa6b5}
.gg-explained p.warned{color:#ff8a80}}
"""


def fragment(explanations: Sequence[Explanation]) -> str:
    """Return explanations as HTML that brings its own style: charts, and how far each can be believed."""
    from ganglion.explanation.charts import charts_of
    from ganglion.explanation.explanation import Explanations

    shown = Explanations(explanations[:MOST_SHOWN])
    charts = charts_of(Explanations(explanations))
    parts = [grid([charts["summary"]])] if "summary" in charts else []
    headings = [f"<h2>Sample {i}</h2>" for i in range(len(shown))] if len(explanations) > 1 else [""]
    parts += [heading + _one(each) for heading, each in zip(headings, shown, strict=True)]
    if len(explanations) > len(shown):
        parts.append(f"<p>… and {len(explanations) - len(shown):,} more.</p>")
    style = f"<style>{STYLE}{GALLERY_STYLE}{EXPLANATION_STYLE}</style>"
    return f'{style}<div class="gg-explained">{"".join(parts)}</div>'


def _one(explanation: Explanation) -> str:
    lines = "".join(f"<p{_kind(line)}>{html.escape(line)}</p>" for line in certainty(explanation))
    return f"{grid([explanation.plot()])}{lines}"


def _kind(line: str) -> str:
    return ' class="warned"' if "MISS" in line else ""
