"""Axes: round numbers to mark them with, how numbers are written on them, and the `Frame` that marks stand in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ganglion.drawing.svg import line, text

WIDTH, HEIGHT = 440.0, 300.0  # of a chart, unless it says otherwise
LEFT, TOP, RIGHT, BOTTOM = 66.0, 34.0, 424.0, 256.0  # of its plot area


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Return about `n` round numbers (1, 2 or 5 times a power of ten apart) within [low, high]."""
    if not high - low > 1e-300:  # the numbers that lie closer have no powers of ten between them
        return [low]
    rough = (high - low) / max(1, n)
    exponent = math.floor(math.log10(rough))
    step = next(10.0**exponent * k for k in (1, 2, 5, 10) if 10.0**exponent * k >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [
        round(k * step, 12 - min(0, exponent)) + 0.0
        for k in itertools.takewhile(lambda k: k * step <= high + step * 1e-9, itertools.count(first))
    ]


def exponents(low: float, high: float, n: int = 8) -> list[int]:
    """Return about `n` powers of ten at most, evenly apart, within [10^low, 10^high] and what a float can hold."""
    every = max(1, math.ceil((high - low) / n))
    return [k for k in range(math.ceil(max(low, -307)), math.floor(min(high, 308)) + 1) if k % every == 0]


def number(value: float) -> str:
    """Return a number as a chart shows it: few digits, no trailing zeros, thousands apart."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def tick_label(value: float) -> str:
    """Return a number short enough to stand beside an axis: 15k, 2M, 1e-5."""
    for power, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if power <= abs(value) < 1e12:
            return f"{value / (1e3 if letter == 'k' else power):.4g}{letter}"
    mantissa, e, exponent = number(value).partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def tick_labels(values: Sequence[float]) -> list[str]:
    """Return the labels of one axis: short, but with as many digits as tell them apart."""
    labels = [tick_label(value) for value in values]
    for digits in range(5, 18):
        if len(set(labels)) == len(set(values)):
            break
        labels = [f"{value:.{digits}g}" for value in values]
    return labels


def padded(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis with room around the numbers; it begins at 0 where they nearly do.

    Numbers that are equal to four digits have as much room as equal ones: a flat line shall look flat.
    """
    size = max(abs(low), abs(high))
    space = 0.04 * (high - low) if high - low > 1e-4 * size else 0.5 * size or 0.5
    return (low - space if low < 0 or low > space else 0.0), high + space


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot area: where it lies on the picture, and which numbers its edges stand for.

    With `log_y` the vertical axis is logarithmic, and `y_low` and `y_high` are powers of ten.
    """

    left: float
    top: float
    right: float
    bottom: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    log_y: bool = False

    def x(self, value: float) -> float:
        """Return the place of a number on the horizontal axis."""
        return self.left + (value - self.x_low) / ((self.x_high - self.x_low) or 1) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Return the place of a number on the vertical axis; above 0 if that is logarithmic."""
        level = math.log10(value) if self.log_y else value
        return self.bottom - (level - self.y_low) / ((self.y_high - self.y_low) or 1) * (self.bottom - self.top)

    def axes(
        self, x_label: str, y_label: str, *, whole_x: bool = False, write_x: Callable[[float], str] | None = None
    ) -> str:
        """Return grid, ticks and labels; `whole_x` keeps to whole numbers (epochs), `write_x` writes four times."""
        across = [value for value in ticks(self.x_low, self.x_high) if not whole_x or float(value).is_integer()]
        across = across if write_x is None else [self.x_low + (self.x_high - self.x_low) * i / 3 for i in range(4)]
        names = tick_labels(across) if write_x is None else [write_x(value) for value in across]
        up = [10.0**k for k in exponents(self.y_low, self.y_high)] if self.log_y else ticks(self.y_low, self.y_high)
        marks = []
        for value, label in zip(up, tick_labels(up), strict=True):
            at = self.y(value)
            marks += [line(self.left, at, self.right, at), text(self.left - 6, at + 4, label, anchor="end", kind="s")]
        anchors = ["middle"] * len(across) if write_x is None else ["start", "middle", "middle", "end"]
        for value, label, anchor in zip(across, names, anchors, strict=True):
            at = self.x(value)
            marks.append(text(at, self.bottom + 16, label, anchor=anchor, kind="s"))
            marks.append(line(at, self.bottom, at, self.bottom + 4, colour="soft"))
        middle = (self.top + self.bottom) / 2
        marks.append(line(self.left, self.bottom, self.right, self.bottom, colour="soft"))
        marks.append(text((self.left + self.right) / 2, self.bottom + 34, x_label, anchor="middle", kind="s"))
        marks.append(text(10, middle, y_label, anchor="middle", kind="s", turn=-90))
        return "".join(marks)
