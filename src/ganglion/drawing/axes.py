"""Axes: round numbers to mark them with, how numbers are written on them, and the `Frame` that marks stand in."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from ganglion.drawing.svg import line, text

WIDTH, HEIGHT = 440.0, 300.0  # of a chart, unless it says otherwise
LEFT, TOP, RIGHT, BOTTOM = 66.0, 34.0, 424.0, 256.0  # of its plot area


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Return about `n` round numbers (1, 2 or 5 times a power of ten apart) within [low, high]."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, n)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [
        round(k * step, 12) + 0.0
        for k in itertools.takewhile(lambda k: k * step <= high + step * 1e-9, itertools.count(first))
    ]


def number(value: float) -> str:
    """Return a number as a chart shows it: few digits, no trailing zeros, thousands apart."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def tick_label(value: float) -> str:
    """Return a number short enough to stand beside an axis: 15k, 2M."""
    for power, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if power <= abs(value) < 1e12:
            return f"{value / (1e3 if letter == 'k' else power):.4g}{letter}"
    return number(value)


def padded(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis with room around the numbers; it begins at 0 where they nearly do."""
    space = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
    return (low - space if low < 0 or low > space else 0.0), high + space


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot area: where it lies on the picture, and which numbers its edges stand for."""

    left: float
    top: float
    right: float
    bottom: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        """Return the place of a number on the horizontal axis."""
        return self.left + (value - self.x_low) / ((self.x_high - self.x_low) or 1) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Return the place of a number on the vertical axis."""
        return self.bottom - (value - self.y_low) / ((self.y_high - self.y_low) or 1) * (self.bottom - self.top)

    def axes(self, x_label: str, y_label: str, *, whole_x: bool = False) -> str:
        """Return grid, ticks and labels; `whole_x` keeps to whole numbers (epochs)."""
        marks = []
        for value in ticks(self.y_low, self.y_high):
            at = self.y(value)
            marks += [
                line(self.left, at, self.right, at),
                text(self.left - 6, at + 4, tick_label(value), anchor="end", kind="s"),
            ]
        for value in ticks(self.x_low, self.x_high):
            if not whole_x or float(value).is_integer():
                marks.append(text(self.x(value), self.bottom + 16, tick_label(value), anchor="middle", kind="s"))
                marks.append(line(self.x(value), self.bottom, self.x(value), self.bottom + 4, colour="soft"))
        middle = (self.top + self.bottom) / 2
        marks.append(line(self.left, self.bottom, self.right, self.bottom, colour="soft"))
        marks.append(text((self.left + self.right) / 2, self.bottom + 34, x_label, anchor="middle", kind="s"))
        marks.append(text(11, middle, y_label, anchor="middle", kind="s", turn=-90))
        return "".join(marks)
