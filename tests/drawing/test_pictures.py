"""Pictures inside pages: what they hold, how large they may become, and that no name breaks out of them."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from ganglion.drawing.pictures import (
    CLASS_COLOURS,
    DrawnBox,
    boxes_chart,
    class_colour,
    masks_chart,
    picture_chart,
    sheet,
)
from ganglion.drawing.png import displayable, palette_data_uri, png_data_uri, shrunk, thinned

RNG = np.random.default_rng(0)
EVIL = '<script>alert("x")</script>&\''
SVG = "{http://www.w3.org/2000/svg}"


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2])))


@pytest.mark.parametrize("shape", [(1, 5, 9), (3, 17, 6), (4, 8, 8), (3, 1, 1)])
def test_a_small_picture_is_kept_bit_for_bit(shape):
    picture = RNG.integers(0, 256, shape).astype(np.uint8)
    smooth = (np.add.outer(np.arange(shape[1]), np.arange(shape[2])) * 7 % 256).astype(np.uint8)  # other filters
    for each in (picture, np.broadcast_to(smooth, shape)):
        read = np.asarray(decoded(png_data_uri(each))).reshape(*shape[1:], shape[0])
        np.testing.assert_array_equal(read.transpose(2, 0, 1), each)


def test_other_numbers_of_channels_show_the_first():
    picture = RNG.integers(0, 256, (7, 4, 4)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(decoded(png_data_uri(picture))), picture[0])


def test_large_photographs_are_averaged_down():
    picture = np.zeros((3, 400, 800), dtype=np.uint8)
    picture[:, :, 1::2] = 200  # stripes: thinning would keep one colour of them, a mean has both
    small = decoded(png_data_uri(picture))
    assert small.size == (256, 128)
    assert abs(np.asarray(small).mean() - 100) < 2
    assert shrunk(picture, 256).shape == (3, 128, 256)
    blocks = shrunk(np.arange(64, dtype=np.uint8).reshape(1, 8, 8), 4)
    np.testing.assert_array_equal(blocks[0, 0], np.round([4.5, 6.5, 8.5, 10.5]))


@pytest.mark.parametrize("most", [80_000, 20_000, 3_000])
def test_no_picture_takes_more_bytes_than_allowed(most):
    noise = RNG.integers(0, 256, (3, 300, 300)).astype(np.uint8)
    uri = png_data_uri(noise, most_bytes=most)
    assert len(base64.b64decode(uri.partition("base64,")[2])) <= most
    assert min(decoded(uri).size) >= 16


def test_codes_keep_their_colours_and_their_places():
    codes = RNG.integers(0, 3, (11, 13)).astype(np.uint8)
    read = np.asarray(decoded(palette_data_uri(codes, [None, "#0072b2", "#e69f00"])).convert("RGBA"))
    np.testing.assert_array_equal(read[codes == 1], np.broadcast_to([0, 0x72, 0xB2, 255], (int((codes == 1).sum()), 4)))
    assert (read[codes == 0][:, 3] == 0).all()
    large = np.zeros((512, 1024), dtype=np.uint8)
    large[:, 512:] = 7
    small = thinned(large, 256)
    assert small.shape == shrunk(large[None], 256).shape[1:] == (128, 256)
    assert set(np.unique(small[:, :128])) == {0}
    assert set(np.unique(small[:, 128:])) == {7}


def test_dim_images_are_stretched():
    assert displayable(np.full((2, 1, 2, 2), 3.0)).dtype == np.uint8
    assert displayable(np.array([0, 16], np.uint8).reshape(1, 1, 1, 2)).max() == 255


def test_colours_of_classes_differ_and_come_again_only_after_24():
    assert [class_colour(k) for k in range(8)] == list(CLASS_COLOURS)
    assert len({class_colour(k) for k in range(24)}) == 24
    assert class_colour(24) == class_colour(0)
    assert re.fullmatch("#[0-9a-f]{6}", class_colour(17))


def test_masks_show_picture_truth_prediction_and_the_wrong_pixels():
    picture = RNG.integers(0, 256, (3, 20, 30)).astype(np.uint8)
    truth, said = np.zeros((20, 30), np.uint8), np.zeros((20, 30), np.uint8)
    truth[:, 10:], said[:, 15:] = 1, 1
    root = ET.fromstring(masks_chart(picture, truth, said, ["ground", EVIL], "Image 3").svg)
    maps = [decoded(each.attrib["href"]).convert("RGBA") for each in root.findall(f"{SVG}image")]
    assert len(root.findall(f".//{SVG}use")) == 4
    assert len(maps) == 3
    blue, orange = ([int(class_colour(k)[i : i + 2], 16) for i in (1, 3, 5)] for k in (0, 1))
    assert np.asarray(maps[0])[0, 12, :3].tolist() == orange
    assert np.asarray(maps[1])[0, 12, :3].tolist() == blue
    wrong = np.asarray(maps[2])
    np.testing.assert_array_equal(wrong[:, :, 3] > 0, truth != said)
    assert wrong[0, 12, :3].tolist() == blue  # what it was taken for
    assert {each.text for each in root.iter(f"{SVG}text")} >= {"picture", "truth", "prediction", "ground"}


def test_boxes_say_what_became_of_them():
    picture = RNG.integers(0, 256, (1, 48, 96)).astype(np.uint8)
    boxes = [
        DrawnBox((10, 4, 30, 24), "found", "cell 0.93"),
        DrawnBox((40, 4, 60, 24), "missed", EVIL),
        DrawnBox((70, 4, 95, 24), "false", "cell 0.51"),
    ]
    chart = boxes_chart(picture, boxes, EVIL)
    root = ET.fromstring(chart.svg)
    tips = [each.text for each in root.iter(f"{SVG}title")][1:]
    assert tips == ["cell 0.93: found", f"{EVIL}: missed", "cell 0.51: false"]
    assert EVIL not in chart.svg
    scale = 474 / 96
    assert f"M{10 * scale:.1f} {4 * scale:.1f}H{30 * scale:.1f}V{24 * scale:.1f}" in chart.svg
    words = {each.text for each in root.iter(f"{SVG}text")}
    assert {"cell 0.93", "cell 0.51", "found", "missed", "false"} <= words
    few = boxes_chart(picture, boxes, "t", most_words=2).svg
    assert few.count("cell 0.93") == 1  # the tip only: found, and there are many
    assert few.count("cell 0.51") == 2


def test_sheets_hold_every_picture_and_name():
    rows = [[RNG.integers(0, 256, (1, 8, 8)).astype(np.uint8) for _ in range(n)] for n in (3, 2)]
    root = ET.fromstring(sheet(rows, "Maps", names=["stage 1", EVIL]).svg)
    pictures = root.findall(f"{SVG}image")
    assert len(pictures) == 5
    np.testing.assert_array_equal(np.asarray(decoded(pictures[3].attrib["href"])), rows[1][0][0])
    assert [each.text for each in root.findall(f"{SVG}text")] == ["Maps", "stage 1", EVIL]


def test_a_picture_keeps_its_shape():
    chart = picture_chart(np.zeros((1, 30, 60), np.uint8), "Row 1")
    assert (chart.width, chart.height) == (96, 48)
    photograph = picture_chart(np.zeros((3, 600, 300), np.uint8), "Row 1")
    assert (photograph.width, photograph.height) == (116, 232)
