"""Pictures of an audit: the rates of each group with their intervals, one row a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ganglion.drawing.axes import RIGHT, WIDTH, Frame, padded, tick_label, ticks
from ganglion.drawing.gallery import Charts
from ganglion.drawing.svg import SERIES, Chart, dot, legend, line, shorten, text, text_width
from ganglion.evaluation.bootstrap import Estimate
from ganglion.fairness.rates import Rate

if TYPE_CHECKING:
    from ganglion.fairness.result import Audit, Group, Section

MOST_GROUPS = 24
DRAWN = {  # one axis for each: shares, or units of the target
    True: ("selection_rate", "tpr", "fpr"),
    False: ("mean_error", "mae"),
}
ROW, STEP = 18.0, 12.0  # pixels around a group, and between its rates


def charts_of(audit: Audit) -> Charts:
    """Return the chart of each section by the name of its column, and of its class where there are several."""
    several = len({each.positive for each in audit.sections}) > 1
    named = {f"{each.by}: {each.positive}" if several else each.by: chart_of(each) for each in audit.sections}
    return Charts(named)


def chart_of(section: Section) -> Chart:
    """Draw the rates of the groups of a section; groups too small to judge are faint."""
    shares = any(rate.name == "selection_rate" for rate in section.columns)
    rates = [rate for rate in section.columns if rate.name in DRAWN[shares]]
    groups = sorted(section.groups, key=lambda each: bool(each.too_small))[:MOST_GROUPS]
    column = min(190.0, 30 + max(text_width(shorten(each.name, 28)) for each in groups))
    keys, last = legend(16, 42, [(rate.label, SERIES[i], "") for i, rate in enumerate(rates)], RIGHT)
    each_row = ROW + STEP * len(rates)
    bottom = last + 14 + each_row * len(groups)
    ends = (0.0, 1.0) if shares else _ends(groups, rates)
    frame = Frame(column, last + 14, RIGHT, bottom, *ends, 0, 1)
    name = f"{shorten(section.positive, 30)} by {shorten(section.by, 30)}"
    marks = [text(16, 20, name, kind="t"), keys, _grid(frame, "share of rows" if shares else "in units of the target")]
    for i, group in enumerate(groups):
        top = frame.top + i * each_row
        marks.append(text(column - 8, top + each_row / 2 + 4, shorten(group.name, 28), anchor="end"))
        marks += [
            _whisker(frame, top + ROW / 2 + STEP * (k + 0.5), group.rates[rate.name], SERIES[k], bool(group.too_small))
            for k, rate in enumerate(rates)
        ]
    return Chart(f"{name}: {', '.join(rate.label for rate in rates)}", WIDTH, bottom + 44, "".join(marks))


def _ends(groups: Sequence[Group], rates: Sequence[Rate]) -> tuple[float, float]:
    estimates = [group.rates[rate.name] for group in groups for rate in rates]
    known = [v for e in estimates for v in (e.value, e.low, e.high) if v is not None]
    return padded(min(known, default=0.0), max(known, default=1.0))


def _grid(frame: Frame, label: str) -> str:
    marks = []
    for value in ticks(frame.x_low, frame.x_high):
        at = frame.x(value)
        marks += [
            line(at, frame.top, at, frame.bottom),
            text(at, frame.bottom + 16, tick_label(value), anchor="middle"),
        ]
    middle = (frame.left + frame.right) / 2
    return "".join([*marks, text(middle, frame.bottom + 34, label, anchor="middle", kind="s")])


def _whisker(frame: Frame, y: float, estimate: Estimate, colour: str, faint: bool) -> str:
    if estimate.value is None:
        return text(frame.left + 4, y + 4, "–", kind="s")
    opacity = 0.35 if faint else 1.0
    marks = dot(frame.x(estimate.value), y, colour=colour, opacity=opacity, tip=str(estimate))
    if estimate.low is None or estimate.high is None:
        return marks
    low, high = (frame.x(max(frame.x_low, min(frame.x_high, end))) for end in (estimate.low, estimate.high))
    return line(low, y, high, y, colour=colour, width=1 if faint else 2) + marks
