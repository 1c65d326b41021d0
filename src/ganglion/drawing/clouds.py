"""Two sets of rows, one over the other: the points of two columns, and how often each value stands in a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganglion.drawing.axes import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Frame, padded, tick_label
from ganglion.drawing.png import Array
from ganglion.drawing.svg import Chart, dot, legend, rect, shorten, text

MOST_POINTS = 500  # of each set: more only make the page heavy
N_BINS = 20
MOST_BARS = 12
COLOURS = ("blue", "orange")


def cloud_chart(
    sets: Sequence[tuple[str, Array]], *, title: str, x_label: str, y_label: str, ends: Array | None = None
) -> Chart:
    """Draw the points of two sets.

    Parameters
    ----------
    sets : sequence of (name, ndarray of shape (n, 2))
        The first is what the axes fit to; points that lie outside are drawn at their ends.
    title, x_label, y_label : str
    ends : ndarray of shape (2, 2), optional
        The least and the greatest of either axis, in place of those of the first set.
    """
    first = sets[0][1]
    low, high = (first.min(axis=0), first.max(axis=0)) if ends is None else ends
    room = 0.15 * (high - low)
    low, high = low - room, high + room
    names, last = legend(LEFT, TOP + 8, [(name, c, "") for (name, _), c in zip(sets, COLOURS, strict=False)], RIGHT)
    frame = Frame(LEFT, last + 10, RIGHT, BOTTOM, low[0], high[0], low[1], high[1])
    marks = [text(16, 20, title, kind="t"), names, frame.axes(x_label, y_label)]
    for (_, points), colour in zip(sets, COLOURS, strict=False):
        inside = np.clip(points[:MOST_POINTS], low, high)
        marks += [dot(frame.x(x), frame.y(y), colour=colour, radius=2.2, opacity=0.45) for x, y in inside]
    return Chart(title, WIDTH, 300.0, "".join(marks))


def numbers_chart(name: str, real: Array, made: Array) -> Chart:
    """Draw how the numbers of a column are spread in two sets; NaN is left out."""
    real, made = (each[np.isfinite(each)] for each in (real, made))
    low, high = (float(real.min()), float(real.max())) if len(real) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1, N_BINS + 1)
    shares = [np.histogram(each.clip(low, high), edges)[0] / max(1, len(each)) for each in (real, made)]
    labels = {0: tick_label(edges[0]), N_BINS // 2: tick_label(edges[N_BINS // 2]), N_BINS - 1: tick_label(edges[-1])}
    return _bars(name, shares, [labels.get(i, "") for i in range(N_BINS)])


def labels_chart(name: str, real: Sequence[str], made: Sequence[str]) -> Chart:
    """Draw how often each label stands in a column of two sets, the commonest first."""
    known, counts = np.unique(np.asarray(real, dtype=str), return_counts=True)
    shown = known[np.argsort(-counts, kind="stable")][:MOST_BARS].tolist()
    shares = [np.array([(np.asarray(each, dtype=str) == label).mean() for label in shown]) for each in (real, made)]
    return _bars(name, shares, [shorten(label, max(3, 60 // len(shown))) for label in shown])


def _bars(name: str, shares: Sequence[Array], labels: Sequence[str]) -> Chart:
    """Draw two shares side by side at each place."""
    title = shorten(name, 40)
    keys, last = legend(LEFT, TOP + 8, [("real", COLOURS[0], ""), ("made", COLOURS[1], "")], RIGHT)
    top = padded(0.0, float(max(each.max() for each in shares)))[1]
    frame = Frame(LEFT, last + 10, RIGHT, 186, 0, len(labels), 0, top)
    marks = [text(16, 20, title, kind="t"), keys, frame.axes("", "share", write_x=lambda value: "")]
    wide = (frame.x(1) - frame.x(0)) * 0.42
    for i, label in enumerate(labels):
        for k, each in enumerate(shares):
            x, y = frame.x(i + 0.5) - wide * (1 - k), frame.y(float(each[i]))
            tip = f"{'made' if k else 'real'}: {each[i]:.1%}"
            marks.append(rect(x, y, wide, frame.bottom - y, colour=COLOURS[k], opacity=0.8, tip=tip))
        marks.append(text(frame.x(i + 0.5), frame.bottom + 16, label, anchor="middle", kind="s xs"))
    return Chart(f"{title}: real and made", WIDTH, 212.0, "".join(marks))
