"""The charts that only a report has: confusions, calibration, residuals, and the race against the baselines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganglion.drawing.axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Frame,
    number,
    padded,
    tick_label,
    ticks,
)
from ganglion.drawing.svg import Chart, dot, legend, line, path, rect, shorten, shorten_inside, text, text_width
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.calibration import CalibrationBin
from ganglion.evaluation.predictions import Array

MOST_POINTS = 1500  # of a scatter plot: more only make the page heavy


def interval_chart(names: Sequence[str], estimates: Sequence[Estimate], *, title: str, label: str) -> Chart:
    """Draw one bar a contender with a whisker for its interval; the first, the model, stands out."""
    values = [v for e in estimates for v in (e.value, e.low, e.high) if v is not None]
    low, high = _bar_range(values)
    column = min(170.0, 24 + max(text_width(shorten(name, 24)) for name in names))
    height = 44 + 34 * len(names) + 44
    frame = Frame(column, 36, RIGHT - 44, height - 44, low, high, 0, 1)
    marks = [text(16, 20, title, kind="t")]
    for value in ticks(low, high, 5):
        at = frame.x(value)
        marks += [
            line(at, frame.top, at, frame.bottom),
            text(at, frame.bottom + 16, tick_label(value), anchor="middle", kind="s"),
        ]
    marks.append(text((frame.left + frame.right) / 2, frame.bottom + 34, label, anchor="middle", kind="s"))
    for i, (name, estimate) in enumerate(zip(names, estimates, strict=True)):
        y = frame.top + 8 + 34 * i
        marks.append(text(column - 8, y + 15, shorten(name, 24), anchor="end", kind="" if i else "b"))
        marks.append(_whiskered_bar(frame, y, estimate, "sky" if i else "blue"))
    return Chart(title, WIDTH, height, "".join(marks))


def _whiskered_bar(frame: Frame, y: float, estimate: Estimate, colour: str) -> str:
    if estimate.value is None:
        return text(frame.left + 6, y + 15, "not defined", kind="s")
    start, end = sorted((frame.x(max(frame.x_low, min(0.0, frame.x_high))), frame.x(estimate.value)))
    marks = [rect(start, y, end - start, 22, colour=colour, opacity=0.85, tip=str(estimate))]
    reach = end
    if estimate.low is not None and estimate.high is not None:
        low, high = frame.x(estimate.low), frame.x(estimate.high)
        reach = max(end, high)
        marks.append(line(low, y + 11, high, y + 11, colour="ink", width=1.5))
        marks += [line(at, y + 6, at, y + 16, colour="ink", width=1.5) for at in (low, high)]
    marks.append(text(reach + 6, y + 15, f"{estimate.value:.3g}", kind="s"))
    return "".join(marks)


def confusion_chart(counts: Array, classes: Sequence[str], *, unit: str = "rows") -> Chart:
    """Draw how often each true class was taken for each class: counts, percent of the row, darker for more.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes), int
        Rows are the truth.
    classes : sequence of str
        At most some 30 can be read.
    unit : str
        What is counted.
    """
    n = len(classes)
    cell = float(np.clip(330 / n, 38, 84))
    most = 16 if n <= 12 else 10
    names = [shorten_inside(name, most) for name in classes]
    margin = 34 + max(text_width(name) for name in names)
    flat = all(text_width(name) < cell - 4 for name in names)
    above = 30.0 if flat else 18 + 0.75 * max(text_width(name) for name in names)
    top, width = 46 + above, margin + n * cell + (16 if flat else above)
    title = "Confusion matrix" if unit == "rows" else f"Confusion matrix of {unit}"
    marks = [text(16, 20, title, kind="t"), text(margin, 42, "predicted", kind="s")]
    marks.append(text(11, top + n * cell / 2, "true", anchor="middle", kind="s", turn=-90))
    for i, name in enumerate(names):
        x = margin + (i + 0.5) * cell
        marks.append(text(margin - 8, top + (i + 0.5) * cell + 4, name, anchor="end"))
        marks.append(text(x, top - 8, name, anchor="middle") if flat else text(x, top - 6, name, turn=-45))
    totals = np.maximum(counts.sum(axis=1), 1)
    for i, j in np.ndindex(n, n):
        tip = f"{classes[i]} taken for {classes[j]}: {counts[i, j]:,} of {counts[i].sum():,}"
        marks.append(
            _cell(margin + j * cell, top + i * cell, cell, int(counts[i, j]), counts[i, j] / totals[i], i == j, tip)
        )
    return Chart(title, max(width, 320), top + n * cell + 14, "".join(marks))


def _cell(x: float, y: float, cell: float, count: int, share: float, right: bool, tip: str) -> str:
    colour, centre = "blue" if right else "orange", x + cell / 2
    marks = rect(x + 1, y + 1, cell - 2, cell - 2, colour="grid", opacity=0.45, tip=tip)
    if not count:
        return marks
    marks += rect(x + 1, y + 1, cell - 2, cell - 2, colour=colour, opacity=0.08 + 0.85 * share, tip=tip)
    ink = " on" if share > 0.55 else ""
    percent = f"{share:.0%}" if share >= 0.01 else "<1%"
    shown = (
        f"{count:,}" if count < 100_000 else f"{count / 1000:,.0f}k" if count < 10_000_000 else f"{count / 1e6:,.0f}M"
    )
    size = " xs" if cell < 50 and len(shown) > 4 else " b"
    return (
        marks
        + text(centre, y + cell / 2 - 1, shown, anchor="middle", kind=f"{size}{ink}".strip())
        + text(centre, y + cell / 2 + 12, percent, anchor="middle", kind=f"xs{ink or ' s'}")
    )


def reliability_chart(bins: Sequence[CalibrationBin], error: float | None) -> Chart:
    """Draw how often the model is right against how sure it was, above the histogram of its confidence."""
    names, _ = legend(LEFT, TOP + 8, [("perfect calibration", "soft", "5 4"), ("model", "blue", "")], RIGHT)
    frame = Frame(LEFT, TOP + 20, RIGHT, 228, 0, 1, 0, 1)
    counts = Frame(LEFT, 282, RIGHT, 330, 0, 1, 0, max((b.count for b in bins), default=1))
    marks = [text(16, 20, "Calibration", kind="t"), names, frame.axes("confidence", "share that is right")]
    marks.append(line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), colour="soft", width=1.5, dash="5 4"))
    points = [(frame.x(b.confidence), frame.y(b.accuracy)) for b in bins]
    marks.append(path(points, colour="blue") if len(points) > 1 else "")
    for b, (x, y) in zip(bins, points, strict=True):
        tip = f"{b.count:,} rows: confidence {b.confidence:.3f}, right {b.accuracy:.3f}"
        radius = 2.5 + 4 * (b.count / counts.y_high) ** 0.5  # bins of few rows say little, and look it
        marks.append(dot(x, y, colour="blue", radius=round(radius, 1), tip=tip))
        left, right = counts.x(b.low), counts.x(b.high)
        marks.append(
            rect(
                left + 1, counts.y(b.count), right - left - 2, counts.bottom - counts.y(b.count), colour="sky", tip=tip
            )
        )
    marks.append(line(LEFT, counts.bottom, RIGHT, counts.bottom, colour="soft"))
    marks.append(text(LEFT - 6, counts.top + 8, tick_label(counts.y_high), anchor="end", kind="s"))
    marks.append(text(LEFT - 6, counts.bottom, "0", anchor="end", kind="s"))
    marks.append(text(11, 306, "rows", anchor="middle", kind="s", turn=-90))
    if error is not None:
        marks.append(text(frame.right - 4, frame.bottom - 10, f"ECE {error:.3f}", anchor="end", kind="b"))
    return Chart("Calibration", WIDTH, 344, "".join(marks))


def scatter_chart(true: Array, predicted: Array, *, name: str, seed: int = 0) -> Chart:
    """Draw predicted against true values, (n,) each, with the line on which they are equal."""
    rows = np.random.default_rng(seed).permutation(len(true))[:MOST_POINTS]
    low, high = padded(float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max())))
    frame = Frame(LEFT, TOP, RIGHT, BOTTOM, low, high, low, high)
    marks = [text(16, 20, f"Predicted and true {shorten(name, 24)}", kind="t"), frame.axes("true", "predicted")]
    opacity = 0.6 if len(rows) < 300 else 0.3
    marks += [
        dot(frame.x(x), frame.y(y), colour="blue", radius=2.8, opacity=opacity)
        for x, y in zip(true[rows], predicted[rows], strict=True)
    ]
    marks.append(line(frame.x(low), frame.y(low), frame.x(high), frame.y(high), colour="soft", width=1.5, dash="5 4"))
    if len(rows) < len(true):
        marks.append(text(RIGHT, TOP - 4, f"{len(rows):,} of {len(true):,} rows", anchor="end", kind="s xs"))
    return Chart(f"Predicted and true {name}", WIDTH, HEIGHT, "".join(marks))


def residual_chart(residuals: Array, *, name: str) -> Chart:
    """Draw how errors, predicted minus true, (n,), are spread."""
    counts, edges = np.histogram(residuals, bins=int(np.clip(np.sqrt(len(residuals)), 8, 40)))
    frame = Frame(LEFT, TOP, RIGHT, BOTTOM, float(edges[0]), float(edges[-1]), 0, float(counts.max()) * 1.05)
    marks = [text(16, 20, f"Errors of {shorten(name, 28)}", kind="t"), frame.axes("predicted minus true", "rows")]
    for count, low, high in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        tip = f"{number(low)} to {number(high)}: {count:,} rows"
        x, y = frame.x(low), frame.y(count)
        marks.append(rect(x + 0.5, y, frame.x(high) - x - 1, frame.bottom - y, colour="sky", tip=tip))
    if edges[0] < 0 < edges[-1]:
        marks.append(line(frame.x(0), frame.top, frame.x(0), frame.bottom, colour="ink", width=1.5, dash="5 4"))
    return Chart(f"Errors of {name}", WIDTH, HEIGHT, "".join(marks))


def _bar_range(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis for bars: from 0, since a bar's length is read as its size."""
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    return low, (high if high > low else low + 1.0)
