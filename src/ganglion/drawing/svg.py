"""The few marks that every chart is made of, and the finished `Chart`.

Lengths are in pixels of the view box; a page may scale it. Colours are CSS variables with a light and a dark value,
after Okabe & Ito (2008), "Color Universal Design": told apart by the colour-blind.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganglion.storage import write_text

SERIES = ("blue", "orange", "green", "pink")
STYLE = """
.gg-chart{--ink:#1b2430;--soft:#5b6675;--grid:#e4e8ee;--paper:#fff;--blue:#0072b2;--orange:#d55e00;--green:#009e73;
--pink:#b4558a;--sky:#56b4e9;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
font-size:12px;fill:var(--ink);display:block;width:100%;height:auto;font-variant-numeric:tabular-nums}
@media (prefers-color-scheme:dark){.gg-chart{--ink:#e6eaf0;--soft:#9aa6b5;--grid:#303947;--paper:#161b22;--blue:#4db2ec;
--orange:#ff8c42;--green:#35c79b;--pink:#e48fc0;--sky:#8fd0f5}}
.gg-chart .t{font-size:14px;font-weight:600}.gg-chart .s{fill:var(--soft)}.gg-chart .xs{font-size:10px}
.gg-chart .b{font-weight:600}.gg-chart .on{fill:#fff}
"""


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished picture, drawn as SVG.

    Attributes
    ----------
    title : str
        What it shows, in plain words; also read aloud by screen readers.
    width, height : float
        Of the view box, in pixels.
    body : str
        The marks.
    """

    title: str
    width: float
    height: float
    body: str

    @property
    def inline(self) -> str:
        """The SVG element for a page that has `STYLE` already."""
        name = html.escape(self.title)
        return (
            f'<svg class="gg-chart" role="img" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'style="max-width:{self.width * 1.2:g}px" aria-label="{name}">'
            f"<title>{name}</title>{self.body}</svg>"
        )

    @property
    def svg(self) -> str:
        """The SVG document, complete in itself."""
        background = f'<rect width="{self.width:g}" height="{self.height:g}" fill="var(--paper)"/>'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}"'
        return self.inline.replace("<svg", head, 1).replace(
            "</title>", f"</title><style>{STYLE}</style>{background}", 1
        )

    def save(self, path: str | Path) -> None:
        """Write the picture to a file, `.svg`."""
        write_text(path, self.svg)

    def _repr_html_(self) -> str:
        return f"<style>{STYLE}</style>{self.inline}"


def text(x: float, y: float, words: object, *, anchor: str = "start", kind: str = "", turn: float = 0) -> str:
    """Return words whose baseline starts (or ends, or has its middle) at (x, y), turned by `turn` degrees."""
    turned = f' transform="rotate({turn:g} {x:.1f} {y:.1f})"' if turn else ""
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}{turned}>{html.escape(str(words))}</text>'


def line(x1: float, y1: float, x2: float, y2: float, *, colour: str = "grid", width: float = 1, dash: str = "") -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="var(--{colour})" '
        f'stroke-width="{width:g}"{dashed}/>'
    )


def rect(x: float, y: float, width: float, height: float, *, colour: str, opacity: float = 1.0, tip: str = "") -> str:
    """Return a filled rectangle, with words that appear when it is pointed at."""
    inside = f"<title>{html.escape(tip)}</title>" if tip else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'fill="var(--{colour})" fill-opacity="{opacity:.3g}">{inside}</rect>'
    )


def dot(x: float, y: float, *, colour: str, radius: float = 3.5, opacity: float = 1.0, tip: str = "") -> str:
    """Return a filled circle, with words that appear when it is pointed at."""
    inside = f"<title>{html.escape(tip)}</title>" if tip else ""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="var(--{colour})" '
        f'fill-opacity="{opacity:.3g}">{inside}</circle>'
    )


def path(points: Sequence[tuple[float, float]], *, colour: str, width: float = 2, dash: str = "") -> str:
    """Return a line through points."""
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="M{steps}" fill="none" stroke="var(--{colour})" stroke-width="{width:g}" '
        f'stroke-linejoin="round" stroke-linecap="round"{dashed}/>'
    )


def image(
    x: float, y: float, width: float, height: float, uri: str, *, opacity: float = 1.0, crisp: bool = False
) -> str:
    """Return a picture, a data URI, stretched over a rectangle; `crisp` keeps its pixels apart when it is enlarged."""
    faint = f' opacity="{opacity:.3g}"' if opacity < 1 else ""
    edges = ' style="image-rendering:pixelated"' if crisp else ""
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
        f'href="{html.escape(uri)}"{faint}{edges}/>'
    )


def legend(x: float, y: float, keys: Sequence[tuple[str, str, str]], right: float) -> tuple[str, float]:
    """Return keys (name, colour, dash) in rows from (x, y) to `right`, and the baseline of the last one."""
    marks, at = [], x
    for name, colour, dash in keys:
        shown = shorten(name, 30)
        width = 20 + text_width(shown)
        if at > x and at + width > right:
            at, y = x, y + 16
        swatch = line(at, y - 4, at + 12, y - 4, colour=colour, width=3, dash=dash)
        marks.append(swatch + text(at + 17, y, shown, kind="s"))
        at += width + 12
    return "".join(marks), y


def text_width(words: str, size: float = 12) -> float:
    """Return about how wide words are, in pixels: nothing measures them before the browser does."""
    return 0.56 * size * len(words)


def shorten(words: object, most: int) -> str:
    """Return words cut to at most `most` characters, with an ellipsis where any were cut."""
    whole = str(words)
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def shorten_inside(words: str, most: int) -> str:
    """Return words cut in their middle: long names of classes often differ at their end only."""
    return words if len(words) <= most else words[: most // 2] + "…" + words[len(words) - (most - most // 2 - 1) :]
