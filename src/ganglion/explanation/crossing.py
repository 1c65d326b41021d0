"""A picture of counterfactuals: the number behind the decision now and after each change, beside the line."""

from __future__ import annotations

from collections.abc import Sequence

from ganglion.drawing.axes import Frame, padded
from ganglion.drawing.svg import Chart, line, rect, shorten, text, text_width
from ganglion.explanation.charts import axis

WIDTH, STEP, NAMES = 760, 26, 400.0


def crossing_chart(rows: Sequence[tuple[str, float]], at: float | None, title: str) -> Chart:
    """Draw a bar for each row, from the first one's number to its own, and the line where the decision turns.

    Parameters
    ----------
    rows : sequence of (str, float)
        What changes, and the number then; the first is the row as it is.
    at : float or None
        Where the line is.
    title : str
    """
    start = rows[0][1]
    column = min(NAMES, 16 + max(text_width(shorten(name, 56)) for name, _ in rows))
    bottom = 44 + STEP * len(rows)
    seen = [value for _, value in rows] + ([] if at is None else [at])
    frame = Frame(column, 40, WIDTH - 60, bottom, *padded(min(seen), max(seen)), 0, 1)
    marks = [text(12, 16, shorten(title, 66), kind="t"), axis(frame)]
    for i, (name, value) in enumerate(rows):
        y, (low, high) = 44 + STEP * i, sorted((frame.x(start), frame.x(value)))
        marks.append(text(column - 8, y + 15, shorten(name, 56), anchor="end"))
        marks.append(rect(low, y + 3, max(high - low, 2), 16, colour="blue", opacity=0.85, tip=f"{name}: {value:.4g}"))
        marks.append(text(high + 5, y + 15, f"{value:.3g}", kind="s xs"))
    if at is not None:
        marks.append(line(frame.x(at), 36, frame.x(at), bottom, colour="orange", width=1.5, dash="4 3"))
        marks.append(text(frame.x(at), 33, f"decision at {at:.3g}", anchor="middle", kind="s xs"))
    return Chart(title, WIDTH, bottom + 40, "".join(marks))
