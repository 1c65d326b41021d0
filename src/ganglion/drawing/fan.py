"""A fan: what was, what is forecast, and how far it may be off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ganglion.drawing.axes import HEIGHT, LEFT, TOP, Frame, padded
from ganglion.drawing.svg import Chart, legend, line, path, text

FAN_WIDTH = 640.0
FAINTEST, STRONGEST = 0.16, 0.34  # opacities of the widest and of the narrowest band

Line = Sequence[float]


def fan_chart(
    past: tuple[Line, Line],
    ahead: Line,
    forecast: Line,
    *,
    bands: Sequence[tuple[str, Line, Line]] = (),
    truth: Line | None = None,
    title: str,
    y_label: str,
    write_time: Callable[[float], str] | None = None,
    x_label: str = "",
    width: float = FAN_WIDTH,
    height: float = HEIGHT,
) -> Chart:
    """Draw the past as a line, the forecast behind it, and bands around it, the widest the faintest.

    Parameters
    ----------
    past : pair of sequences
        Times and values; NaN is a hole.
    ahead, forecast : sequence of float
        Times and values of the steps ahead.
    bands : sequence of (name, low, high)
        The widest first.
    truth : sequence of float, optional
        What came in fact, where that is known.
    title, y_label, x_label : str
    write_time : callable, optional
        Writes a time below the axis; numbers otherwise.
    width, height : float
        Pixels.
    """
    shades = [FAINTEST + (STRONGEST - FAINTEST) * i / max(1, len(bands) - 1) for i in range(len(bands))]
    keys = [("past", "ink", "")] if len(past[0]) else []
    keys += [("forecast", "blue", "")] + ([] if truth is None else [("what came", "orange", "")])
    right = width - 16
    names, below = legend(LEFT, TOP + 8, keys, right)
    if bands:
        names += text(right, TOP + 8, f"bands: {', '.join(name for name, _, _ in bands)}", anchor="end", kind="s")
    every = [*past[1], *forecast, *(truth or ()), *(y for _, low, high in bands for y in (*low, *high))]
    known = [y for y in every if y == y]
    low_y, high_y = min(known), max(known)
    space = 0.06 * (high_y - low_y)
    sides = (low_y - space, high_y + space) if high_y > low_y else padded(low_y, high_y)
    first = past[0][0] if len(past[0]) else ahead[0]
    frame = Frame(LEFT, below + 14, right, height - 44, first, ahead[-1], *sides)
    write = write_time and _near([*past[0], *ahead], write_time)
    marks = [text(16, 20, title, kind="t"), names, frame.axes(x_label, y_label, write_x=write)]
    marks += [_band(frame, ahead, low, high, shade) for (_, low, high), shade in zip(bands, shades, strict=True)]
    if len(past[0]):
        at = frame.x(past[0][-1])
        marks.append(line(at, frame.top, at, frame.bottom, colour="soft", dash="3 3"))
    marks += [path(part, colour="ink", width=1.5) for part in _parts(frame, *past)]
    if truth is not None:
        marks += [path(part, colour="orange", width=1.5) for part in _parts(frame, ahead, truth)]
    marks += [path(part, colour="blue", width=2) for part in _parts(frame, ahead, forecast)]
    return Chart(title, width, height, "".join(marks))


def _near(times: Line, write: Callable[[float], str]) -> Callable[[float], str]:
    """Return what writes the nearest of some times: between two of them there is none. Seconds of 0 are left out."""
    return lambda at: write(min(times, key=lambda time: abs(time - at))).removesuffix(":00")


def _band(frame: Frame, ahead: Line, low: Line, high: Line, opacity: float) -> str:
    there = [(t, a, b) for t, a, b in zip(ahead, low, high, strict=True) if a == a and b == b]
    if len(there) < 2:
        return ""
    upper = [(frame.x(t), frame.y(b)) for t, _, b in there]
    lower = [(frame.x(t), frame.y(a)) for t, a, _ in reversed(there)]
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in (*upper, *lower))
    return f'<path d="M{steps}Z" fill="var(--blue)" fill-opacity="{opacity:.3g}" stroke="none"/>'


def _parts(frame: Frame, times: Line, values: Line) -> list[list[tuple[float, float]]]:
    """Return the stretches of a line between its holes."""
    parts: list[list[tuple[float, float]]] = [[]]
    for t, y in zip(times, values, strict=True):
        if y == y:
            parts[-1].append((frame.x(t), frame.y(y)))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if len(part) > 1]
