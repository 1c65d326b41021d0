"""Pictures of a compression: what is lost against size, and against the time of an answer."""

from __future__ import annotations

import math
from collections.abc import Callable

from ganglion.compression.result import Compression, Variant
from ganglion.drawing.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, number, padded
from ganglion.drawing.gallery import Charts
from ganglion.drawing.svg import SERIES, Chart, dot, legend, line, text

KINDS = (("original", SERIES[0]), ("on the front", SERIES[1]), ("behind it", SERIES[2]), ("taken", SERIES[3]))


MOST = 10.0  # points: what loses more is drawn there, so that what loses little can be told apart


def charts_of(found: Compression) -> Charts:
    """Return the two charts by name, "size" and "latency"."""
    return Charts(
        {
            "size": _chart(found, "Points lost against size", "kB of the file", lambda each: each.size / 1000),
            "latency": _chart(
                found, "Points lost against time", "ms an answer, median", lambda each: each.latency.median
            ),
        }
    )


def _chart(found: Compression, title: str, label: str, of: Callable[[Variant], float]) -> Chart:
    """Draw variants with the interval of their loss; the horizontal axis is logarithmic."""
    across = [math.log10(of(each)) for each in found.variants]
    up = [_seen(v) for each in found.variants for v in (each.loss.value, each.loss.low, each.loss.high)]
    most = max(0.0, *up)
    space = 0.06 * (max(across) - min(across)) or 0.1
    low, high = padded(min(0.0, *up), most)
    words = "points lost" if most < MOST else f"points lost ({MOST:g} or more at the top)"
    keys, last = legend(LEFT, TOP + 8, [(name, colour, "") for name, colour in KINDS], RIGHT)
    lower = max(0.0, last - TOP - 8)
    frame = Frame(LEFT, last + 14, RIGHT, BOTTOM + lower, min(across) - space, max(across) + space, low, high)
    marks = [text(16, 20, title, kind="t"), keys]
    marks.append(frame.axes(label, words, write_x=lambda power: number(float(f"{10**power:.3g}"))))
    zero = frame.y(0.0)
    marks.append(line(frame.left, zero, frame.right, zero, colour="soft"))
    marks += [_mark(frame, each, math.log10(of(each)), _colour(found, each)) for each in found.variants]
    return Chart(title, WIDTH, HEIGHT + lower, "".join(marks))


def _colour(found: Compression, variant: Variant) -> str:
    if variant is found.variants[0]:
        return KINDS[0][1]
    if variant.name == found.best:
        return KINDS[3][1]
    return KINDS[1][1] if variant.on_front else KINDS[2][1]


def _mark(frame: Frame, variant: Variant, across: float, colour: str) -> str:
    x, lost = frame.x(across), _seen(variant.loss.value)
    tip = f"{variant.name}: {variant.verdict}"
    marks = dot(x, frame.y(lost), colour=colour, radius=4.5 if variant.on_front else 3.5, tip=tip)
    if variant.loss.low is not None and variant.loss.high is not None and variant.loss.low < variant.loss.high:
        marks = line(x, frame.y(_seen(variant.loss.low)), x, frame.y(_seen(variant.loss.high)), colour=colour) + marks
    return marks


def _seen(lost: float | None) -> float:
    return min(MOST, max(-MOST, lost or 0.0))
