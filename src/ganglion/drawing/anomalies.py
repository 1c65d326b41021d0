"""Pictures of alarms: a series with what was marked in it, and below it the score that marked it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ganglion.drawing.axes import Frame, exponents, padded, tick_label, tick_labels, ticks
from ganglion.drawing.svg import Chart, dot, legend, line, path, rect, shorten, text

WIDTH = 900.0
LEFT, RIGHT = 66.0, 884.0
TOP, MIDDLE, GAP, BOTTOM = 62.0, 232.0, 20.0, 340.0
MOST_POINTS = 800  # of a line: of more steps the least and the largest in each of so many stretches
MOST_DOTS = 400
N_TIMES = 5
DECADES = 2  # scores that span more are drawn on a logarithmic axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A series, or a stretch of one, and what was said of it.

    Attributes
    ----------
    title : str
    values : ndarray of shape (n,), float
    scores : ndarray of shape (n,), float
        How strange each step is, NaN where nothing was said.
    alarms : ndarray of shape (n,), bool
    threshold : float
        Above which a score is an alarm.
    truth : ndarray of shape (n,), bool, or None
        Which steps are anomalies in truth; None where that is not known.
    name : str
        Of the values.
    time_of : callable
        From a step, 0 to n - 1, to its time in words.
    """

    title: str
    values: np.ndarray
    scores: np.ndarray
    alarms: np.ndarray
    threshold: float
    truth: np.ndarray | None = None
    name: str = "value"
    time_of: Callable[[int], str] = str


def anomaly_chart(shown: Marked) -> Chart:
    """Draw a series, its anomalies shaded and the alarms as dots, above its scores and the threshold."""
    keys = [(shown.name, "blue", ""), ("alarm", "orange", ""), ("threshold", "ink", "5 4")]
    keys += [("true anomaly", "green", "")] if shown.truth is not None and shown.truth.any() else []
    names, _ = legend(LEFT, 44, keys, RIGHT)
    series = _frame(shown.values, TOP, MIDDLE)
    drawn = [text(16, 22, shorten(shown.title, 110), kind="t"), names]
    drawn += [_shades(shown, series, TOP, BOTTOM), _grid(series, shown.name)]
    drawn += [_line(series, shown.values, "blue"), _dots(shown, series)]
    return Chart(shown.title, WIDTH, BOTTOM + 30, "".join([*drawn, _scores(shown), _times(shown, series)]))


def _frame(values: np.ndarray, top: float, bottom: float, *, log: bool = False) -> Frame:
    there = values[np.isfinite(values)]
    low, high = (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)
    if log:
        low, high = math.log10(low), math.log10(high)
        return Frame(LEFT, top, RIGHT, bottom, 0, max(len(values) - 1, 1), low, high + 0.05 * (high - low), log_y=True)
    return Frame(LEFT, top, RIGHT, bottom, 0, max(len(values) - 1, 1), *padded(low, high))


def _scores(shown: Marked) -> str:
    """Return the lower half: the scores, those of alarms in another colour, and the threshold."""
    known = np.where(np.isfinite(shown.scores), np.maximum(shown.scores, 0.0), np.nan)
    reach = np.append(known[np.isfinite(known)], shown.threshold)
    log = bool(shown.threshold > 0 and reach.max() > 10**DECADES * shown.threshold)
    if log:  # what is far below the threshold is of no interest
        known = np.maximum(known, shown.threshold / 10)
    frame = _frame(np.append(known, shown.threshold), MIDDLE + GAP, BOTTOM, log=log)
    frame = Frame(LEFT, frame.top, RIGHT, frame.bottom, 0, max(len(known) - 1, 1), frame.y_low, frame.y_high, log)
    level = frame.y(shown.threshold)
    marks = [_grid(frame, "score"), _line(frame, known, "sky")]
    marks.append(line(LEFT, level, RIGHT, level, colour="ink", width=1.2, dash="5 4"))
    return "".join(marks) + _dots(shown, frame, known)


def _grid(frame: Frame, label: str) -> str:
    """Return the lines of an upright axis with few numbers: two of them stand above each other."""
    up = (
        [10.0**k for k in exponents(frame.y_low, frame.y_high, 3)]
        if frame.log_y
        else ticks(frame.y_low, frame.y_high, 4)
    )
    marks = [line(LEFT, frame.bottom, RIGHT, frame.bottom, colour="soft")]
    for value, words in zip(up, tick_labels(up), strict=True):
        at = frame.y(value)
        marks += [line(LEFT, at, RIGHT, at), text(LEFT - 6, at + 4, words, anchor="end", kind="s")]
    middle = (frame.top + frame.bottom) / 2
    return "".join([*marks, text(12, middle, shorten(label, 22), anchor="middle", kind="s", turn=-90)])


def _line(frame: Frame, values: np.ndarray, colour: str) -> str:
    """Return a line through the values, with a hole where some are missing."""
    parts, there = [], np.isfinite(values)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(int)))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        steps = begin + outline(values[begin:end], max(2, round(MOST_POINTS * (end - begin) / len(values))))
        points = [(frame.x(i), frame.y(float(values[i]))) for i in steps.tolist()]
        parts.append(path(points, colour=colour, width=1.3) if len(points) > 1 else dot(*points[0], colour=colour))
    return "".join(parts)


def outline(values: np.ndarray, most: int) -> np.ndarray:
    """Return the steps that a line through values (n,) needs: all, or the extremes of each of `most` stretches."""
    n = len(values)
    if n <= 2 * most:
        return np.arange(n)
    bounds = np.linspace(0, n, most + 1).astype(int)
    found = [(a + int(values[a:b].argmin()), a + int(values[a:b].argmax())) for a, b in pairwise(bounds.tolist())]
    return np.unique(np.concatenate([[0, n - 1], np.array(found).ravel()]))


def _dots(shown: Marked, frame: Frame, heights: np.ndarray | None = None) -> str:
    heights = shown.values if heights is None else heights
    steps = np.flatnonzero(shown.alarms & np.isfinite(heights))
    if len(steps) > MOST_DOTS:  # the strongest ones
        steps = np.sort(steps[np.argsort(-np.nan_to_num(shown.scores[steps]), kind="stable")[:MOST_DOTS]])
    return "".join(
        dot(frame.x(i), frame.y(float(heights[i])), colour="orange", radius=2.6, tip=_tip(shown, i))
        for i in steps.tolist()
    )


def _tip(shown: Marked, step: int) -> str:
    return f"{shown.time_of(step)}: {tick_label(float(shown.values[step]))}, score {shown.scores[step]:.3g}"


def _shades(shown: Marked, frame: Frame, top: float, bottom: float) -> str:
    """Return the true anomalies as upright stripes through both halves."""
    if shown.truth is None:
        return ""
    stripes = [(frame.x(begin - 0.5), frame.x(end - 0.5)) for begin, end in runs_of(shown.truth)]
    return "".join(rect(a, top, max(b - a, 1.5), bottom - top, colour="green", opacity=0.18) for a, b in stripes)


def runs_of(there: Sequence[bool] | np.ndarray) -> list[tuple[int, int]]:
    """Return where runs of True begin, and where they have ended, of values (n,) bool."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(there, dtype=bool), [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _times(shown: Marked, frame: Frame) -> str:
    places = np.unique(np.linspace(0, len(shown.values) - 1, N_TIMES).round().astype(int)).tolist()
    anchors = {places[0]: "start", places[-1]: "end"} if len(places) > 1 else {}
    times = [shown.time_of(i) for i in places]
    if all(time.endswith(":00") and time.count(":") == 2 for time in times):  # seconds that say nothing
        times = [time[:-3] for time in times]
    return "".join(
        line(frame.x(i), BOTTOM, frame.x(i), BOTTOM + 4, colour="soft")
        + text(frame.x(i), BOTTOM + 18, time, anchor=anchors.get(i, "middle"), kind="s")
        for i, time in zip(places, times, strict=True)
    )
