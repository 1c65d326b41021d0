"""Line charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganglion.drawing.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, padded
from ganglion.drawing.svg import SERIES, Chart, area, dot, legend, path, text


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its name, its points, and the edges of a band around it."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def line_chart(series: Sequence[Series], *, title: str, x_label: str, y_label: str) -> Chart:
    """Draw lines over a common axis, with a legend and bands where there are any."""
    names = [each.name for each in series]
    names_row, last = legend(LEFT, TOP + 8, names, SERIES[: len(series)], RIGHT)
    ys = [
        v for each in series for values in (each.y, each.low or (), each.high or ()) for v in values if math.isfinite(v)
    ]
    xs = [v for each in series for v in each.x]
    y_low, y_high = padded(min(ys, default=0.0), max(ys, default=1.0))
    frame = Frame(LEFT, last + 14, RIGHT, BOTTOM, min(xs), max(xs), y_low, y_high)
    whole = all(float(v).is_integer() for v in xs)
    marks = [text(16, 20, title, kind="t"), names_row, frame.axes(x_label, y_label, whole_x=whole)]
    for each, colour in zip(series, SERIES, strict=False):
        if each.low is not None and each.high is not None:
            edge = [*zip(each.x, each.high, strict=True), *reversed(list(zip(each.x, each.low, strict=True)))]
            marks.append(area([(frame.x(x), frame.y(y)) for x, y in edge], colour=colour))
        points = [(frame.x(x), frame.y(y)) for x, y in zip(each.x, each.y, strict=True) if math.isfinite(y)]
        marks.append(
            path(points, colour=colour) if len(points) > 1 else "".join(dot(*p, colour=colour) for p in points)
        )
    return Chart(title, WIDTH, HEIGHT, "".join(marks))
