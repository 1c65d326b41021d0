"""The charts of a comparison: scores, how far the others are behind the best, and learning curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ganglion.drawing.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, padded, tick_label, ticks
from ganglion.drawing.gallery import Charts
from ganglion.drawing.lines import DASHES
from ganglion.drawing.svg import SERIES, Chart, dot, legend, line, path, shorten, text, text_width
from ganglion.evaluation.charts import interval_chart
from ganglion.evaluation.more_rows import Curve
from ganglion.evaluation.paired import Pair
from ganglion.evaluation.verdict import label_in_text

if TYPE_CHECKING:
    from ganglion.evaluation.comparison import Comparison

AHEAD = 4.0  # times the rows that there are: so far laws are drawn
MOST_CURVES = 8


def charts_of(found: Comparison) -> Charts:
    """Return the charts by name, in reading order."""
    better = "higher is better" if found.metric.higher_is_better else "lower is better"
    names, scores = [each.name for each in found.entries], [each.score for each in found.entries]
    label = f"{found.metric.label}, 95 % interval ({better})"
    charts = {"scores": interval_chart(names, scores, title="Scores on held-out rows", label=label)}
    behind = behind_best(found)
    if behind:
        charts["behind"] = _behind(found, behind)
    if found.curves and len(found.curves[0].sizes) > 1:
        charts["learning_curves"] = _growing(found)
    return Charts(charts)


def behind_best(found: Comparison) -> list[Pair]:
    """Return the pairs of the best contender and each other one, in the order of the others' scores."""
    best, order = found.entries[0].name, [each.name for each in found.entries]
    pairs = [pair for pair in found.pairs if best in (pair.first, pair.second)]
    return sorted(pairs, key=lambda pair: order.index(other(pair, best)))


def other(pair: Pair, name: str) -> str:
    """Return the other one of a pair."""
    return pair.second if pair.first == name else pair.first


def _behind(found: Comparison, pairs: list[Pair]) -> Chart:
    """Draw by how much the others are worse than the best, with intervals: one that holds 0 may be chance."""
    best = found.entries[0].name
    column = min(170.0, 24 + max(text_width(shorten(other(pair, best), 24)) for pair in pairs))
    ends = [v for pair in pairs for v in (pair.difference.low, pair.difference.high, pair.difference.value, 0.0)]
    low, high = padded(*(f(v for v in ends if v is not None) for f in (min, max)))
    height = 44 + 34 * len(pairs) + 44
    frame = Frame(column, 36, RIGHT - 10, height - 44, low, high, 0, 1)
    marks = [text(16, 20, f"Behind {shorten(best, 30)}", kind="t")]
    for value in ticks(low, high, 5):
        at = frame.x(value)
        marks += [
            line(at, frame.top, at, frame.bottom),
            text(at, frame.bottom + 16, tick_label(value), anchor="middle", kind="s"),
        ]
    marks.append(line(frame.x(0), frame.top, frame.x(0), frame.bottom, colour="ink", width=1.5, dash="5 4"))
    label = f"{label_in_text(found.metric)} worse by, 95 % interval"
    marks.append(text((frame.left + frame.right) / 2, frame.bottom + 34, label, anchor="middle", kind="s"))
    for i, pair in enumerate(pairs):
        y, colour = frame.top + 19 + 34 * i, "blue" if pair.told_apart else "soft"
        marks.append(text(column - 8, y + 4, shorten(other(pair, best), 24), anchor="end"))
        marks.append(_whisker(frame, y, pair, colour))
    return Chart(f"Behind {best}", WIDTH, height, "".join(marks))


def _whisker(frame: Frame, y: float, pair: Pair, colour: str) -> str:
    estimate = pair.difference
    tip = f"{pair.first} over {pair.second}: {estimate}, corrected p = {pair.p_corrected:.2g}"
    marks = dot(frame.x(estimate.value or 0.0), y, colour=colour, radius=5, tip=tip)
    if estimate.low is not None and estimate.high is not None:
        marks += line(frame.x(estimate.low), y, frame.x(estimate.high), y, colour=colour, width=2)
    return marks


def _growing(found: Comparison) -> Chart:
    """Draw the mean score at each size, and the fitted laws beyond, over a logarithmic axis of rows."""
    curves = found.curves[:MOST_CURVES]
    sign = 1.0 if found.metric.higher_is_better else -1.0
    ahead = any(each.law for each in curves)
    first, farthest = (math.log10(n) for n in (curves[0].sizes[0], curves[0].sizes[-1] * (AHEAD if ahead else 1.0)))
    means = {each.name: np.mean(each.scores, axis=0) for each in curves}
    beyond = {each.name: _law(each, sign) for each in curves if each.law}
    heights = [float(v) for part in (means, beyond) for values in part.values() for v in values]
    styles = [(SERIES[i % len(SERIES)], DASHES[i // len(SERIES) % len(DASHES)]) for i in range(len(curves))]
    keys, last = legend(LEFT, TOP + 8, [(c.name, *style) for c, style in zip(curves, styles, strict=True)], RIGHT)
    lower = max(0.0, last - TOP - 8)
    space = 0.06 * (max(heights) - min(heights)) or 0.05
    low, high = min(heights) - space, max(heights) + space
    frame = Frame(LEFT, last + 14, RIGHT, BOTTOM + lower, first, farthest, low, high)
    marks = [text(16, 20, "Learning curves", kind="t"), keys]
    marks.append(frame.axes("rows learned from (log scale)", found.metric.label, write_x=_rows))
    for each, (colour, dash) in zip(curves, styles, strict=True):
        points = [(frame.x(math.log10(n)), frame.y(v)) for n, v in zip(each.sizes, means[each.name], strict=True)]
        marks.append(path(points, colour=colour, dash=dash))
        marks += [dot(x, y, colour=colour, radius=3) for x, y in points]
        if each.name in beyond:
            steps = zip(_beyond(each), beyond[each.name], strict=True)
            marks.append(
                path([(frame.x(math.log10(n)), frame.y(v)) for n, v in steps], colour=colour, width=1.2, dash="2 4")
            )
    return Chart("Learning curves", WIDTH, HEIGHT + lower, "".join(marks))


def _beyond(curve: Curve) -> list[float]:
    return np.geomspace(curve.sizes[-1], curve.sizes[-1] * AHEAD, 20).tolist()


def _law(curve: Curve, sign: float) -> list[float]:
    a, b, c = curve.law or (0.0, 0.0, 1.0)
    return [sign * (a - b * n**-c) for n in _beyond(curve)]


def _rows(exponent: float) -> str:
    return tick_label(float(f"{10**exponent:.2g}"))
