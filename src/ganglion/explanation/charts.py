"""Pictures of explanations: bars of one sample, and of many the values of each feature (Lundberg & Lee 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion.drawing.axes import Frame, tick_labels, ticks
from ganglion.drawing.gallery import Charts
from ganglion.drawing.png import palette_data_uri, png_data_uri, thinned
from ganglion.drawing.svg import Chart, dot, image, line, rect, shorten, text, text_width
from ganglion.errors import InvalidParameter, suggestion
from ganglion.evaluation.proportions import Z95
from ganglion.explanation.regions import Heat, Regions
from ganglion.explanation.terminal import amount, cell
from ganglion.explanation.words import SIZES, begun, headline, rest, title, top

if TYPE_CHECKING:
    from ganglion.explanation.explanation import Explanation, Explanations

WIDTH, STEP = 480.0, 26.0
MOST_BARS = 14
MOST_POINTS = 1000
MOST_DOTS = 300  # of a feature
MOST_CHARTS = 12  # of samples
SIDE = 220.0  # of a picture, in pixels
SHADES = 16  # of either colour


def chart_of(explanation: Explanation) -> Chart:
    """Return the picture that suits the sample: its regions, its words, or else bars."""
    if isinstance(explanation.drawn, Regions):
        return regions(explanation, explanation.drawn)
    return words(explanation, explanation.drawn) if explanation.modality == "text" else bars(explanation)


def charts_of(explanations: Explanations) -> Charts:
    """Return the summary of samples with the same features, and the pictures of the first ones."""
    charts: dict[str, Chart] = {}
    if explanations.alike and len(explanations) > 1 and explanations[0].modality == "table":
        charts["summary"] = beeswarm(explanations)
    charts |= {str(i): chart_of(each) for i, each in enumerate(explanations[:MOST_CHARTS])}
    return Charts(charts)


def bars(explanation: Explanation) -> Chart:
    """Draw what each feature adds, the largest first, with 95 % whiskers: each bar begins where the last one ended."""
    shown = top(explanation, MOST_BARS)
    others = rest(explanation, shown)
    names = [_named(explanation, i) for i in shown]
    steps = [float(explanation.values[i]) for i in shown]
    labels = [amount(explanation, i) for i in shown]
    errors = [0.0 if explanation.error is None else Z95 * float(explanation.error[i]) for i in shown]
    if others:
        names, steps, labels, errors = (
            [*names, others[0]],
            [*steps, others[1]],
            [*labels, f"{others[1]:+.3g}"],
            [*errors, 0.0],
        )
    ends = np.cumsum([explanation.base, *steps])
    column = min(200.0, 16 + max(text_width(name) for name in names))
    reach = np.concatenate([ends, ends[1:] + errors, ends[1:] - errors])
    bottom = 44 + STEP * len(names)
    right = WIDTH - 8 - max(text_width(label, 11) for label in labels)
    frame = Frame(column, 40, right, bottom, *_room(reach.min(), reach.max()), 0, 1)
    told, start = headline(explanation), begun(explanation)
    marks = [text(12, 16, shorten(told, 54), kind="t"), text(12, 32, start, kind="s xs"), axis(frame)]
    marks.append(line(frame.x(explanation.base), 36, frame.x(explanation.base), bottom, colour="soft", dash="3 3"))
    for i, (name, label, error) in enumerate(zip(names, labels, errors, strict=True)):
        y = 44 + STEP * i
        low, high = sorted((frame.x(ends[i]), frame.x(ends[i + 1])))
        marks.append(text(column - 8, y + 15, name, anchor="end"))
        marks.append(
            rect(
                low,
                y + 3,
                max(high - low, 1),
                16,
                colour="orange" if steps[i] >= 0 else "blue",
                opacity=0.85,
                tip=label,
            )
        )
        if error:
            at = [frame.x(ends[i + 1] + side * error) for side in (-1, 1)]
            marks.append(line(at[0], y + 11, at[1], y + 11, colour="ink", width=1.5))
        marks.append(text(max(high, frame.x(ends[i + 1] + error)) + 5, y + 15, label, kind="s xs"))
    return Chart(title(explanation), WIDTH, bottom + 40, "".join(marks))


def interval_bars(names: Sequence[str], values: Any, reach: Any, title: str) -> Chart:
    """Draw a bar from 0 for each name, and over it how far its interval reaches on either side."""
    column = min(200.0, 16 + max(text_width(shorten(name, 26)) for name in names))
    bottom = 44 + STEP * len(names)
    ends = padded_both(float(np.min(values - reach)), float(np.max(values + reach)))
    frame = Frame(column, 40, WIDTH - 60, bottom, *ends, 0, 1)
    marks = [text(12, 20, shorten(title, 66), kind="t"), axis(frame)]
    for i, (name, value, error) in enumerate(zip(names, values, reach, strict=True)):
        y, (low, high) = 44 + STEP * i, sorted((frame.x(0.0), frame.x(float(value))))
        label = f"{value:.3g} ±{error:.2g}"
        marks.append(text(column - 8, y + 15, shorten(name, 26), anchor="end"))
        marks.append(rect(low, y + 3, max(high - low, 1), 16, colour="blue", opacity=0.85, tip=label))
        marks.append(line(frame.x(value - error), y + 11, frame.x(value + error), y + 11, colour="ink", width=1.5))
        marks.append(text(max(high, frame.x(value + error)) + 5, y + 15, f"{value:.3g}", kind="s xs"))
    return Chart(title, WIDTH, bottom + 40, "".join(marks))


def dependence(explanations: Explanations, feature: str | int) -> Chart:
    """Draw what a feature adds over what it is, a dot a sample (SHAP dependence plot)."""
    names = explanations[0].features
    if feature not in names and feature not in range(len(names)):
        raise InvalidParameter(f"no feature is {feature!r}.{suggestion(str(feature), names)} There are {len(names)}.")
    i = names.index(feature) if isinstance(feature, str) else feature
    values, given = explanations.values[:, i], [each.given[i] for each in explanations]
    numbers = all(isinstance(each, int | float) for each in given)
    kinds = sorted({cell(each) for each in given})
    at = np.array([float(each) if numbers else kinds.index(cell(each)) for each in given])
    sides = (*_room(np.nanmin(at), np.nanmax(at)), *padded_both(float(values.min()), float(values.max())))
    frame = Frame(66, 34, WIDTH - 16, 250, *sides)
    marks = [text(16, 20, f"What {shorten(names[i], 30)} adds", kind="t")]
    marks.append(frame.axes("" if not numbers else names[i], "adds", write_x=None if numbers else lambda value: ""))
    if not numbers:
        places = enumerate(shorten(kind, 14) for kind in kinds)
        marks += [text(frame.x(k), 268, kind, anchor="middle", kind="s xs") for k, kind in places]
    shown = zip(at.tolist(), values.tolist(), given, strict=True)
    marks += [
        dot(frame.x(x), frame.y(y), colour="blue", radius=2.6, opacity=0.6, tip=f"{cell(what)}: {y:+.3g}")
        for x, y, what in list(shown)[:MOST_POINTS]
        if x == x
    ]
    return Chart(f"What {names[i]} adds", WIDTH, 290, "".join(marks))


def regions(explanation: Explanation, drawn: Regions) -> Chart:
    """Draw a picture, and over it what each of its parts adds: orange for more, blue for less."""
    height, width = drawn.picture.shape[1:]
    scale = SIDE / max(height, width)
    across, down = scale * width, scale * height
    shown = drawn.heat[explanation.shown] if isinstance(drawn, Heat) else explanation.values[drawn.part]
    largest = float(np.abs(shown).max(initial=0)) or 1.0
    levels = np.round(SHADES * (shown / largest)).astype(np.intp) + SHADES
    shades = [_shade(level / SHADES - 1) for level in range(2 * SHADES + 1)]
    crisp = max(height, width) <= 64
    uri = png_data_uri(drawn.picture)
    overlay = palette_data_uri(thinned(levels, 256), shades)
    right = 24 + across
    marks = [text(12, 20, shorten(title(explanation), 62), kind="t")]
    marks += [image(x, 34, across, down, uri, crisp=crisp) for x in (12, right)]
    marks.append(image(right, 34, across, down, overlay, opacity=0.6, crisp=crisp))
    marks.append(text(right, 50 + down, _legend(explanation, largest), kind="s xs"))
    return Chart(title(explanation), max(right + across + 12, WIDTH), down + 64, "".join(marks))


def words(explanation: Explanation, drawn: Any) -> Chart:
    """Draw a text, each word on a ground of what it adds: orange for more, blue for less."""
    pieces = tuple(drawn) if drawn is not None else explanation.features
    largest = float(np.abs(explanation.values).max(initial=0)) or 1.0
    x, y = 12.0, 52.0
    marks = [text(12, 20, shorten(title(explanation), 62), kind="t")]
    for piece, value in zip(pieces, explanation.values.tolist(), strict=True):
        shown = " ".join(piece.split())
        long = text_width(shown, 13) + 6
        if x > 12 and x + long > WIDTH - 12:
            x, y = 12.0, y + 24
        colour = "orange" if value >= 0 else "blue"
        marks.append(rect(x, y - 14, long, 19, colour=colour, opacity=0.75 * abs(value) / largest, tip=f"{value:+.3g}"))
        marks.append(text(x + 3, y, shown))
        x += long + 3
    marks.append(text(12, y + 28, _legend(explanation, largest), kind="s xs"))
    return Chart(title(explanation), WIDTH, y + 40, "".join(marks))


def _legend(explanation: Explanation, largest: float) -> str:
    if explanation.method in SIZES:
        return f"the darker, the stronger: up to {largest:.2g}"
    return f"orange: adds up to {largest:.2g}, blue: takes as much"


def _shade(share: float) -> str | None:
    """Return the colour of what is added, -1 (blue) to 1 (orange); None in the middle."""
    if abs(share) < 1 / SHADES:
        return None
    strong = (213, 94, 0) if share > 0 else (0, 114, 178)
    return "#" + "".join(f"{round(255 + abs(share) * (part - 255)):02x}" for part in strong)


def beeswarm(explanations: Explanations, n_features: int = MOST_BARS) -> Chart:
    """Draw the values of many samples, a row a feature, the largest on average first; coloured by what it is there."""
    values = explanations.values
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:n_features].tolist()
    names = [shorten(explanations[0].features[i], 26) for i in order]
    column = min(190.0, 16 + max(text_width(name) for name in names))
    bottom = 58 + STEP * len(order)
    frame = Frame(column, 52, WIDTH - 16, bottom, *padded_both(values[:, order].min(), values[:, order].max()), 0, 1)
    title = "What each feature adds, a dot a sample"
    marks = [text(12, 20, title, kind="t"), axis(frame), line(frame.x(0), 46, frame.x(0), bottom, colour="soft")]
    marks.append(text(12, 38, "orange: high values of the feature, blue: low ones, grey: no order", kind="s xs"))
    for row, i in enumerate(order):
        y = 58 + STEP * row + STEP / 2
        marks.append(text(column - 8, y + 4, names[row], anchor="end"))
        marks.append(_dots(frame, y, values[:, i], [each.given[i] for each in explanations]))
    return Chart(title, WIDTH, bottom + 40, "".join(marks))


def _dots(frame: Frame, y: float, values: Any, given: list[Any]) -> str:
    levels = _levels(given)
    heights: dict[int, int] = {}
    marks = []
    for value, level, what in list(zip(values.tolist(), levels, given, strict=True))[:MOST_DOTS]:
        x = frame.x(value)
        n = heights[round(x / 4)] = heights.get(round(x / 4), 0) + 1
        shift = min(9.0, 1.6 * (n // 2)) * (1 if n % 2 else -1)
        colour = "soft" if level is None else "orange" if level > 0.5 else "blue"
        strength = 0.5 if level is None else 0.25 + 1.3 * abs(level - 0.5)
        marks.append(
            dot(x, y + shift, colour=colour, radius=2.4, opacity=min(strength, 0.9), tip=f"{cell(what)}: {value:+.3g}")
        )
    return "".join(marks)


def _levels(given: list[Any]) -> list[float | None]:
    """Return where each number stands among the others, 0 to 1; None where they are no numbers."""
    known = [float(each) for each in given if isinstance(each, int | float) and each == each]
    if len(known) < len(given) or not known or max(known) == min(known):
        return [None] * len(given)
    ranks = np.argsort(np.argsort(known, kind="stable"), kind="stable")
    first = dict(sorted(zip(known, ranks.tolist(), strict=True), reverse=True))
    return [first[value] / (len(known) - 1) for value in known]


def padded_both(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis that has 0 on it, with room on either side."""
    low, high = min(low, 0.0), max(high, 0.0)
    space = 0.06 * (high - low) or 0.5
    return low - space, high + space


def _room(low: float, high: float) -> tuple[float, float]:
    space = 0.06 * (high - low) or 0.5
    return low - space, high + space


def axis(frame: Frame) -> str:
    """Return a horizontal axis below a frame, with its grid."""
    at = ticks(frame.x_low, frame.x_high)
    marks = [line(frame.left, frame.bottom, frame.right, frame.bottom, colour="soft")]
    for value, label in zip(at, tick_labels(at), strict=True):
        marks.append(line(frame.x(value), frame.top, frame.x(value), frame.bottom))
        marks.append(text(frame.x(value), frame.bottom + 16, label, anchor="middle", kind="s"))
    return "".join(marks)


def _named(explanation: Explanation, i: int) -> str:
    given = explanation.given[i]
    if given is None:
        return shorten(explanation.features[i], 28)
    name = shorten(explanation.features[i], 22)
    return shorten(f"{name} = {cell(given)}", 32)
