"""Line charts and their axes: where points stand, what axes say, and that no numbers break a picture."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganglion.drawing.axes import BOTTOM, LEFT, RIGHT, TOP, Frame, exponents, padded, tick_label, tick_labels, ticks
from ganglion.drawing.learning import learning_charts
from ganglion.drawing.lines import Mark, Series, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def elements(chart, tag):
    return list(ET.fromstring(chart.svg).iter(f"{SVG}{tag}"))


def points(chart):
    """Return the points of every line of a chart, in pixels."""
    found = [each.attrib["d"].removeprefix("M").split("L") for each in elements(chart, "path")]
    return [[tuple(map(float, pair.split())) for pair in line] for line in found]


def words(chart):
    return [each.text for each in elements(chart, "text")]


def draw(*ys, **settings):
    series = [Series(f"s{i}", range(1, len(y) + 1), y) for i, y in enumerate(ys)]
    return line_chart(series, **{"title": "T", "x_label": "epoch", "y_label": "loss", **settings})


def test_a_frame_maps_its_corners_and_its_middle():
    frame = Frame(10, 20, 110, 220, 0, 4, -1, 1)
    assert (frame.x(0), frame.x(1), frame.x(4)) == (10, 35, 110)
    assert (frame.y(-1), frame.y(0), frame.y(0.5), frame.y(1)) == (220, 120, 70, 20)


def test_a_logarithmic_frame_has_equal_factors_equally_apart():
    frame = Frame(0, 0, 100, 300, 0, 1, -2, 4, log_y=True)
    assert [frame.y(value) for value in (1e-2, 1, 1e2, 1e4)] == pytest.approx([300, 200, 100, 0])


def test_points_stand_where_the_axes_say():
    values = [0.0, 10.0, 5.0, 2.5]
    (line,) = points(draw(values))
    top, third = 56.0, (RIGHT - LEFT) / 3  # below the legend
    expected = [(LEFT + third * i, BOTTOM - value / 10.4 * (BOTTOM - top)) for i, value in enumerate(values)]
    assert [each for place in line for each in place] == pytest.approx(
        [v for place in expected for v in place], abs=0.06
    )


def test_one_point_is_a_dot_in_the_middle():
    chart = draw([0.7])
    (dot,) = elements(chart, "circle")
    assert float(dot.attrib["cx"]) == (LEFT + RIGHT) / 2
    assert float(dot.attrib["cy"]) == pytest.approx((56 + BOTTOM) / 2, abs=0.06)  # 0.35 to 1.05
    assert not points(chart)
    assert "1" in words(chart)


def test_what_is_no_number_is_left_out():
    line, other = points(draw([math.nan, 1.0, 2.0], [3.0, math.nan, 1.0]))
    assert len(line) == len(other) == 2


def test_a_mark_stands_on_its_point_and_in_the_legend():
    chart = draw([3.0, 1.0, 2.0], mark=Mark("best epoch: 2", 2, 1.0))
    (dot,) = elements(chart, "circle")
    place = (float(dot.attrib["cx"]), float(dot.attrib["cy"]))
    assert place == points(chart)[0][1]
    upright = [
        each.attrib for each in elements(chart, "line") if each.attrib["x1"] == each.attrib["x2"] == str(place[0])
    ]
    (dashed,) = [each for each in upright if "stroke-dasharray" in each]
    assert (dashed["y1"], dashed["y2"]) == ("56.0", f"{BOTTOM}")
    assert "best epoch: 2" in words(chart)
    assert dot[0].text == "best epoch: 2, loss 1"


def test_wide_numbers_have_a_logarithmic_axis_if_asked():
    values = [1e6, 1e4, 1e2, 1.0]
    chart = draw(values, log_if_wide=True)
    heights = [y for _, y in points(chart)[0]]
    assert [b - a for a, b in pairwise(heights)] == pytest.approx([(heights[-1] - heights[0]) / 3] * 3, abs=0.11)
    assert {"1", "10", "100", "1,000", "10k", "100k", "1M", "loss (log scale)"} <= {*words(chart)}
    assert "loss" in words(draw(values))


@pytest.mark.parametrize("values", [[1e3, 1.0], [1e6, 0.0], [1e6, -1.0]])
def test_other_numbers_have_a_linear_axis(values):
    assert "loss" in words(draw(values, log_if_wide=True))


def test_lines_beyond_the_colours_are_told_apart_by_dashes():
    chart = draw(*([float(i), i + 1.0] for i in range(9)))
    styles = [(each.attrib["stroke"], each.attrib.get("stroke-dasharray")) for each in elements(chart, "path")]
    assert len(set(styles)) == len(styles) == 9


def test_a_long_legend_takes_nothing_from_the_plot():
    short, long = draw([0.0, 1.0]), draw(*([0.0, 1.0] for _ in range(30)))
    height = [max(y for _, y in line) - min(y for _, y in line) for line in (points(short)[0], points(long)[0])]
    assert height[0] == pytest.approx(height[1], abs=0.11)
    assert long.height > short.height


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.0, 0.5, 1.0], ["0", "0.5", "1"]),
        ([2.3026, 2.30265, 2.3027], ["2.3026", "2.30265", "2.3027"]),
        ([12_345.1, 12_345.2], ["12345.1", "12345.2"]),
        ([1e-5, 1.5e-5, 2e-5], ["1e-5", "1.5e-5", "2e-5"]),
        ([10_000, 12_000], ["10k", "12k"]),
        ([1e15, 2e15], ["1e15", "2e15"]),
    ],
)
def test_labels_are_short_but_differ(values, labels):
    assert tick_labels(values) == labels


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.7, 12), (0.001, 0.0019), (1e6, 5e6), (2, 2), (1e-14, 2e-14)])
def test_ticks_are_few_and_inside(low, high):
    found = ticks(low, high)
    assert 1 <= len(found) <= 8
    assert all(low - 1e-9 * high <= value <= high * (1 + 1e-9) for value in found)
    assert len(set(found)) == len(found)


def test_exponents_are_few_and_evenly_apart():
    assert exponents(-2.1, 3.9) == [-2, -1, 0, 1, 2, 3]
    assert exponents(-0.5, 30) == [0, 4, 8, 12, 16, 20, 24, 28]
    assert exponents(-400, 400) == [-300, -200, -100, 0, 100, 200, 300]


def test_equal_numbers_look_flat():
    assert padded(2.30001, 2.30002) == pytest.approx((1.15, 3.45), rel=1e-4)
    assert padded(2.3, 2.3) == pytest.approx((1.15, 3.45))
    assert padded(0.0, 0.0) == (0.0, 0.5)
    assert padded(2.3, 2.4) == pytest.approx((2.296, 2.404))
    assert tick_label(1e-320).endswith("e-320")


numbers = st.floats(allow_nan=False, allow_infinity=False)
losses = st.lists(numbers, min_size=1, max_size=20)


@given(losses, losses, st.booleans())
def test_any_finite_numbers_can_be_drawn(loss, validation, positive):
    n = min(len(loss), len(validation))
    loss, validation = loss[:n], validation[:n]
    if positive:
        loss, validation = [abs(v) for v in loss], [abs(v) for v in validation]
    best = validation.index(min(validation)) + 1
    columns = {"loss": loss, "validation_loss": validation, "learning_rate": [abs(v) for v in loss]}
    charts = learning_charts(columns, best)
    for chart in charts.values():
        assert not re.search(r"\b(nan|inf)\b", chart.body)
        for x, y in (place for line in points(chart) for place in line):
            assert LEFT <= x <= RIGHT
            assert TOP <= y <= chart.height - 44


def test_shares_may_have_axes_from_0_to_1():
    chart = line_chart([Series("a", [0.2, 0.5], [0.9, 0.4])], title="t", x_label="x", y_label="y", ends=(0, 1))
    ((first, last),) = points(chart)
    width, height = RIGHT - LEFT, BOTTOM - 56.0
    expected = [LEFT + 0.2 * width, BOTTOM - 0.9 * height, LEFT + 0.5 * width, BOTTOM - 0.4 * height]
    assert [*first, *last] == pytest.approx(expected, abs=0.06)
