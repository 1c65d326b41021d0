"""Charts side by side: in a notebook, on a page of their own, or inside a larger page."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ganglion.drawing.svg import STYLE, Chart
from ganglion.storage import write_text

GALLERY_STYLE = """
.gg-gallery{max-width:1120px;margin:0 auto;padding:24px 20px;box-sizing:border-box}
.gg-gallery p{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;margin:0 0 14px}
.gg-charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:18px;align-items:start}
.gg-charts figure{margin:0;min-width:0}.gg-charts figure.wide{grid-column:1/-1}
.gg-scroll{overflow-x:auto;border-radius:6px}
.gg-scroll:focus-visible{outline:2px solid #0072b2;outline-offset:2px}
"""
WIDE = 480  # pixels: a chart wider than that has a row to itself, and is scrolled rather than shrunk


class Charts(Mapping[str, Chart]):
    """Charts by name, and words to stand above them: show them all in a notebook, save them as a page or one by one."""

    def __init__(self, charts: Mapping[str, Chart], caption: str = "") -> None:
        self._charts, self.caption = dict(charts), caption

    def __getitem__(self, name: str) -> Chart:
        return self._charts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._charts)

    def __len__(self) -> int:
        return len(self._charts)

    def __repr__(self) -> str:
        return f"Charts({', '.join(self._charts)})"

    def _repr_html_(self) -> str:
        above = f"<p>{html.escape(self.caption)}</p>" if self.caption else ""
        shown = f'<div class="gg-gallery">{above}{grid(self._charts.values())}</div>'
        return f"<style>{STYLE}{GALLERY_STYLE}</style>{shown}"

    def save(self, path: str | Path) -> None:
        """Write all charts to one page, `.html`; a single chart is written by its own `save`."""
        write_text(path, document("Charts", self._repr_html_()))


def document(title: str, content: str) -> str:
    """Return a page around content that brings its own style."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{html.escape(title)}</title>"
        "<style>body{margin:0;background:#f5f7fa}@media (prefers-color-scheme:dark){body{background:#0d1117}}</style>"
        f"</head><body>{content}</body></html>\n"
    )


def grid(charts: Iterable[Chart]) -> str:
    """Return charts in as many columns as there is room for; a page around them has the two styles."""
    figures = []
    for each in charts:
        wide = each.width > WIDE
        least = f' style="min-width:{min(each.width, 1060):g}px"' if wide else ""
        inner = f"<div{least}>{each.inline}</div>"
        shown = scrollable(inner, html.escape(each.title)) if wide else inner
        figures.append(f'<figure class="wide">{shown}</figure>' if wide else f"<figure>{shown}</figure>")
    return f'<div class="gg-charts">{"".join(figures)}</div>' if figures else ""


def scrollable(content: str, name: str) -> str:
    """Wrap what may be wider than a phone; focusable, so that a keyboard can scroll it."""
    return f'<div class="gg-scroll" tabindex="0" role="region" aria-label="{name}">{content}</div>'
