"""Line charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganglion.drawing.axes import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, padded
from ganglion.drawing.svg import SERIES, Chart, dot, legend, line, path, text

DECADES = 3  # numbers that span more are told apart on a logarithmic axis only
LARGEST = 1e300  # differences of larger numbers may be infinite
DASHES = ("", "6 4", "2 3")  # a further one for every four lines, when the colours are used up
MARK_DASH = "3 3"


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its name and its points; one that is NaN is left out."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the horizontal axis that stands out, and the point there."""

    name: str
    x: float
    y: float


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    mark: Mark | None = None,
    height: float = HEIGHT,
    log_if_wide: bool = False,
    ends: tuple[float, float] | None = None,
) -> Chart:
    """Draw lines over a common axis, with a legend.

    Parameters
    ----------
    series : sequence of Series
    title, x_label, y_label : str
    mark : Mark, optional
        Drawn as a dashed line from top to bottom and a dot, and named in the legend.
    height : float
        Pixels; a legend of several rows adds its own.
    log_if_wide : bool
        Whether the vertical axis is logarithmic if all numbers are above 0 and span more than three decades.
    ends : tuple of two floats, optional
        Where both axes begin and end, in place of where the numbers do: (0, 1) for shares.
    """
    styles = [(SERIES[i % len(SERIES)], DASHES[i // len(SERIES) % len(DASHES)]) for i in range(len(series))]
    keys = [(each.name, *style) for each, style in zip(series, styles, strict=True)]
    keys += [(mark.name, "soft", MARK_DASH)] if mark else []
    said = len(keys) == 1 and series[0].name == y_label  # by the axis
    names_row, last = ("", TOP - 10) if said else legend(LEFT, TOP + 8, keys, RIGHT)
    lines = [_points(each) for each in series]
    xs, ys = [x for each in series for x in each.x], [y for points in lines for _, y in points]
    log = log_if_wide and _is_wide(ys)
    left, right = (min(xs), max(xs)) if min(xs) < max(xs) else (xs[0] - 0.5, xs[0] + 0.5)
    height += max(0.0, last - TOP - 8)
    sides = (*ends, *ends) if ends else (left, right, *_vertical(ys, log))
    frame = Frame(LEFT, last + 14, RIGHT, height - 44, *sides, log_y=log)
    whole = not ends and all(float(x).is_integer() for x in xs)
    axes = frame.axes(x_label, f"{y_label} (log scale)" if log else y_label, whole_x=whole)
    behind, before = _marked(frame, mark, y_label) if mark else ("", "")
    drawn = [
        _line([(frame.x(x), frame.y(y)) for x, y in points], *style)
        for points, style in zip(lines, styles, strict=True)
    ]
    return Chart(
        title, WIDTH, height, "".join([text(16, 20, title, kind="t"), names_row, axes, behind, *drawn, before])
    )


def _points(series: Series) -> list[tuple[float, float]]:
    return [(x, _held(y)) for x, y in zip(series.x, series.y, strict=True) if math.isfinite(y)]


def _held(y: float) -> float:
    return max(-LARGEST, min(LARGEST, y))


def _is_wide(ys: Sequence[float]) -> bool:
    return bool(ys) and min(ys) > 0 and math.log10(max(ys)) - math.log10(min(ys)) > DECADES


def _vertical(ys: Sequence[float], log: bool) -> tuple[float, float]:
    """Return the ends of the vertical axis, as powers of ten if it is logarithmic."""
    if not log:
        return padded(min(ys, default=0.0), max(ys, default=1.0))
    low, high = math.log10(min(ys)), math.log10(max(ys))
    space = 0.04 * (high - low)
    return low - space, high + space


def _line(places: Sequence[tuple[float, float]], colour: str, dash: str) -> str:
    if len(places) == 1:  # a line through one point cannot be seen
        return dot(*places[0], colour=colour)
    return path(places, colour=colour, dash=dash) if places else ""


def _marked(frame: Frame, mark: Mark, y_label: str) -> tuple[str, str]:
    """Return what stands behind the lines and what before them."""
    x = frame.x(mark.x)
    tip = f"{mark.name}, {y_label} {mark.y:.6g}"
    behind = line(x, frame.top, x, frame.bottom, colour="soft", dash=MARK_DASH)
    return behind, dot(x, frame.y(_held(mark.y)), colour="ink", tip=tip)
