"""Pictures as charts: one, many in a grid, with classes laid over them, with boxes drawn around what is in them.

What lies over a picture has the same colours on a light and on a dark page: it is seen against the picture. They are
those of Okabe & Ito (2008), "Color Universal Design", told apart by the colour-blind, then lighter and darker ones.
"""

from __future__ import annotations

import html
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ganglion.drawing.png import MOST_BYTES, Array, palette_data_uri, png_data_uri, thinned
from ganglion.drawing.svg import Chart, image, shorten, text, text_width

CLASS_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
SMALL_SIDE = 96.0  # pixels on the page, of a picture among many
PANEL_SIDE = 232.0  # of a photograph, or one of two beside each other
LARGE_SIDE = 474.0  # of one that is looked at closely
MOST_KEYS = 24  # classes named in a legend
_GAP, _LINE = 8.0, 18.0

Status = Literal["found", "missed", "false"]
_STROKE: dict[Status, tuple[str, str, str]] = {  # colour, colour of the edge around it, dashes
    "found": ("#0072b2", "#ffffff", ""),
    "missed": ("#d55e00", "#ffffff", "7 4"),
    "false": ("#f0e442", "#000000", "2 3"),
}


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """An object in a picture: left, top, right, bottom in pixels of the picture, what became of it, its words."""

    box: tuple[float, float, float, float]
    status: Status
    words: str


def class_colour(code: int) -> str:
    """Return the colour of a class, "#rrggbb": one of eight, then lighter and darker ones of them."""
    colour, round_ = CLASS_COLOURS[code % len(CLASS_COLOURS)], code // len(CLASS_COLOURS) % 3
    if round_ == 0:
        return colour
    towards = 255 if round_ == 1 else 0
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{(part + towards) // 2:02x}" for part in parts)


def picture_chart(picture: Array, title: str) -> Chart:
    """Draw one picture: small if it has few pixels, larger if it is a photograph, of which 256 pixels a side are kept.

    Parameters
    ----------
    picture : ndarray of shape (channels, height, width), uint8
    title : str
    """
    width, height = _fitted(picture.shape[1:], SMALL_SIDE if max(picture.shape[1:]) <= SMALL_SIDE else PANEL_SIDE)
    return Chart(title, width, height, image(0, 0, width, height, png_data_uri(picture), crisp=_is_small(picture)))


def sheet(rows: Sequence[Sequence[Array]], title: str, *, names: Sequence[str] = (), side: float = SMALL_SIDE) -> Chart:
    """Draw many pictures in a grid.

    Parameters
    ----------
    rows : sequence of sequences of ndarray of shape (channels, height, width), uint8
        What stands in each row; rows may differ in length, and pictures in size.
    title : str
    names : sequence of str
        A name a row, written above it.
    side : float
        Of the longer side of each picture on the page, in pixels.
    """
    marks, y, right = [text(0, 14, title, kind="t")], 26.0, text_width(title, 14)
    for i, row in enumerate(rows):
        if names:
            marks.append(text(0, y + 10, names[i], kind="s"))
            y += 16
        sizes = [_fitted(each.shape[1:], side) for each in row]
        x = 0.0
        for each, (width, height) in zip(row, sizes, strict=True):
            uri = png_data_uri(each, most_side=round(side), most_bytes=MOST_BYTES // 4)
            marks.append(image(x, y, width, height, uri, crisp=_is_small(each)))
            x += width + 4
        y += max((height for _, height in sizes), default=0.0) + (12 if names else 4)
        right = max(right, x - 4)
    return Chart(title, right, y, "".join(marks))


def masks_chart(picture: Array, truth: Array, said: Array, classes: Sequence[str], title: str) -> Chart:
    """Draw a picture, its true classes, those that a model saw, and where they differ.

    Parameters
    ----------
    picture : ndarray of shape (channels, height, width), uint8
    truth, said : ndarray of shape (height, width), integers in [0, n_classes)
    classes : sequence of str
        At most 255 names.
    title : str
    """
    width, height = _fitted(picture.shape[1:], PANEL_SIDE)
    uri = png_data_uri(picture)
    name = f"p{zlib.crc32(uri.encode()):08x}"  # the picture is kept once and shown three times
    colours = [class_colour(k) for k in range(len(classes))]
    right, guessed = (thinned(np.asarray(codes, dtype=np.uint8), 256) for codes in (truth, said))
    wrong = np.where(right == guessed, 0, guessed + 1)
    panels = (
        ("picture", 1.0, None),
        ("truth", 1.0, palette_data_uri(right, colours)),
        ("prediction", 1.0, palette_data_uri(guessed, colours)),
        ("wrong pixels, as predicted", 0.35, palette_data_uri(wrong, [None, *colours])),
    )
    drawn = image(0, 0, width, height, uri, crisp=_is_small(picture)).replace("<image", f'<image id="{name}"', 1)
    marks = [f"<defs>{drawn}</defs>"]
    for k, (caption, opacity, over) in enumerate(panels):
        x, y = (k % 2) * (width + _GAP), _LINE + (k // 2) * (height + _LINE + _GAP)
        marks.append(text(x, y - 5, shorten(caption, int(width / 6)), kind="s"))
        faint = f' opacity="{opacity:g}"' if opacity < 1 else ""
        marks.append(f'<use href="#{name}" x="{x:.1f}" y="{y:.1f}"{faint}/>')
        if over is not None:
            marks.append(image(x, y, width, height, over, opacity=0.6 if opacity == 1 else 1.0, crisp=True))
    total, bottom = 2 * width + _GAP, 2 * (height + _LINE + _GAP)
    present = np.union1d(right, guessed).tolist()
    keys, bottom = class_legend(0, bottom + 6, [(str(classes[k]), colours[k]) for k in present], total)
    return Chart(title, total, bottom + 8, "".join([*marks, keys]))


def class_legend(x: float, y: float, keys: Sequence[tuple[str, str]], right: float) -> tuple[str, float]:
    """Return keys (name, colour) in rows from (x, y) to `right`, and the baseline of the last one."""
    marks, at = [], x
    shown = [(shorten(name, 30), colour) for name, colour in keys[:MOST_KEYS]]
    shown += [(f"and {len(keys) - MOST_KEYS} more", "")] if len(keys) > MOST_KEYS else []
    for name, colour in shown:
        width = 18 + text_width(name)
        if at > x and at + width > right:
            at, y = x, y + 16
        swatch = f'<rect x="{at:.1f}" y="{y - 9:.1f}" width="11" height="11" rx="2" fill="{colour}"/>' if colour else ""
        marks.append(swatch + text(at + 15, y, name, kind="s"))
        at += width + 12
    return "".join(marks), y


def boxes_chart(picture: Array, boxes: Sequence[DrawnBox], title: str, *, most_words: int = 12) -> Chart:
    """Draw boxes over a picture: solid what was found, dashed what was missed, dotted what is false: not in the truth.

    Parameters
    ----------
    picture : ndarray of shape (channels, height, width), uint8
    boxes : sequence of DrawnBox
    title : str
    most_words : int
        With more boxes than that, the words of those that were found appear only when they are pointed at.
    """
    width, height = _fitted(picture.shape[1:], LARGE_SIDE)
    scale = width / picture.shape[2]
    marks = [image(0, 0, width, height, png_data_uri(picture, most_side=400), crisp=_is_small(picture))]
    order = sorted(boxes, key=lambda each: each.status != "found")  # mistakes lie on top
    marks += [_box(each, scale, width, height) for each in order]
    told = [each for each in order if len(boxes) <= most_words or each.status != "found"]
    marks += [_label(each, scale, width, height) for each in told]
    keys, x = [], 0.0
    for words, (colour, edge, dash) in _STROKE.items():
        keys.append(_stroke(f"M{x:.1f} {height + 14:.1f}h26", colour, edge, dash) + text(x + 32, height + 18, words))
        x += 44 + text_width(words)
    return Chart(title, width, height + 26, "".join([*marks, *keys]))


def _box(drawn: DrawnBox, scale: float, width: float, height: float) -> str:
    ends = (width, height) * 2  # what reaches beyond the picture is drawn to its edge
    left, top, right, bottom = (min(max(0.0, scale * float(v)), end) for v, end in zip(drawn.box, ends, strict=True))
    shape = f"M{left:.1f} {top:.1f}H{right:.1f}V{bottom:.1f}H{left:.1f}Z"
    return (
        f"<g><title>{html.escape(f'{drawn.words}: {drawn.status}')}</title>{_stroke(shape, *_STROKE[drawn.status])}</g>"
    )


def _stroke(shape: str, colour: str, edge: str, dash: str) -> str:
    """Return a line that is seen on anything: a thin one inside a wider one of another lightness."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{shape}" fill="none" stroke="{edge}" stroke-width="3.6" stroke-opacity="0.75"/>'
        f'<path d="{shape}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'
    )


def _label(drawn: DrawnBox, scale: float, width: float, height: float) -> str:
    words = shorten(drawn.words, 24)
    long = text_width(words, 11.5) + 6  # capitals are wide
    x = min(max(0.0, scale * float(drawn.box[0])), max(0.0, width - long))
    below = drawn.status == "missed"  # what was found near it has its words above
    y = min(max(0.0, scale * float(drawn.box[3]) if below else scale * float(drawn.box[1]) - 14), height - 14)
    colour, edge, _ = _STROKE[drawn.status]
    plate = f'<rect x="{x:.1f}" y="{y:.1f}" width="{long:.1f}" height="14" rx="2" fill="{colour}"/>'
    return plate + text(x + 3, y + 10.5, words, kind="xs").replace("<text", f'<text style="fill:{edge}"', 1)


def _fitted(shape: Sequence[int], side: float) -> tuple[float, float]:
    """Return width and height on the page of a picture of shape (height, width), the longer side `side` pixels."""
    height, width = shape
    return side * width / max(height, width), side * height / max(height, width)


def _is_small(picture: Array) -> bool:
    """Whether a picture is enlarged so much that its pixels should stay apart."""
    return max(picture.shape[1:]) <= 64
