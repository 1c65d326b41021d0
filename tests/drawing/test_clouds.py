"""Two sets of rows over one another, and many pictures as one."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from ganglion.drawing.clouds import MOST_POINTS, cloud_chart, labels_chart, numbers_chart
from ganglion.drawing.contact import GAP, contact_sheet
from ganglion.drawing.png import png_file


def test_labels_are_drawn_as_often_as_they_stand():
    chart = labels_chart("job <b>", ["a", "a", "b", "c"], ["a", "b", "b", "d"])
    ET.fromstring(chart.inline)
    assert re.findall(r"real: ([\d.]+%)", chart.body) == ["50.0%", "25.0%", "25.0%"]
    assert re.findall(r"made: ([\d.]+%)", chart.body) == ["25.0%", "50.0%", "0.0%"]


@pytest.mark.parametrize("real", [np.array([1.0, 2.0, np.nan]), np.full(5, 7.0), np.array([np.nan, np.nan])])
def test_numbers_of_any_kind_can_be_drawn(real):
    chart = numbers_chart("x", real, np.array([1.0, -1e9, 1e9]))
    ET.fromstring(chart.inline)
    assert chart.body.count("<rect") == 40
    assert "nan" not in chart.body


def test_a_cloud_has_so_many_points_at_most():
    rng = np.random.default_rng(0)
    sets = [("real", rng.normal(size=(2000, 2))), ("made", 100 * rng.normal(size=(30, 2)))]
    chart = cloud_chart(sets, title="t", x_label="x", y_label="y")
    ET.fromstring(chart.inline)
    assert chart.body.count("<circle") == MOST_POINTS + 30


def test_pictures_stand_where_they_belong_on_a_sheet():
    pictures = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((5, 3, 4, 6), dtype=np.uint8)
    sheet = contact_sheet(pictures)
    assert sheet.shape == (3, 2 * 4 + GAP, 3 * 6 + 2 * GAP)
    assert [int(sheet[0, y * (4 + GAP), x * (6 + GAP)]) for y in (0, 1) for x in (0, 1, 2)] == [0, 1, 2, 3, 4, 255]
    assert (sheet[:, 4 : 4 + GAP] == 255).all()
    assert png_file(sheet)[:4] == b"\x89PNG"
