"""Annotations of objects: what VOC and COCO files say, and every way in which they can be malformed."""

import contextlib
import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.annotations import read_coco, read_voc
from ganglion.errors import DataWarning, InvalidFile

SIZE = "<size><width>40</width><height>30</height><depth>3</depth></size>"


def thing(box, name="cat", more=""):
    corners = "".join(
        f"<{tag}>{value}</{tag}>" for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return f"<object><name>{name}</name>{more}<bndbox>{corners}</bndbox></object>"


def voc(*objects, size=SIZE, file="<filename>a.jpg</filename>"):
    return f"<annotation>{file}{size}{''.join(objects)}</annotation>".encode()


def coco(annotations=(), **parts):
    whole = {
        "images": [{"id": 7, "file_name": "b.jpg", "height": 30, "width": 40}, {"id": 3, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 90, "name": "dog"}],
        "annotations": list(annotations),
    }
    return json.dumps(whole | parts).encode()


def note(bbox=(1, 2, 3, 4), image_id=7, category_id=1, **more):
    return {"image_id": image_id, "category_id": category_id, "bbox": list(bbox), **more}


# what is read


def test_voc_counts_pixels_from_one():
    read = read_voc(voc(thing((1, 1, 40, 30)), thing((11, 6, 20.5, 9), "dog")), "a.xml")
    assert (read.file, read.size) == ("a.jpg", (30, 40))
    assert read.boxes.boxes.tolist() == [[0, 0, 40, 30], [10, 5, 20.5, 9]]
    assert read.boxes.boxes.dtype == np.float32
    assert read.boxes.labels.tolist() == ["cat", "dog"]
    assert read.boxes.scores is None


def test_voc_without_objects_size_or_name():
    for size in ("", "<size><width>0</width><height>0</height></size>"):
        read = read_voc(voc(size=size, file=""), "folder/a.b.xml")
        assert read.file == "a.b"
        assert read.size is None
        assert len(read.boxes) == 0
        assert read.boxes.boxes.shape == (0, 4)
        assert read.boxes.labels.dtype.kind == "U"


def test_the_parts_of_a_voc_object_are_not_objects():
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    read = read_voc(voc(thing((1, 1, 20, 20), more=part)), "a.xml")
    assert read.boxes.labels.tolist() == ["cat"]
    assert read.boxes.boxes.tolist() == [[0, 0, 20, 20]]


def test_coco_gives_one_annotation_a_picture_in_the_order_of_the_file():
    first, second = read_coco(coco([note(), note((0.5, 1, 2, 3), 3, 90), note((10, 10, 5, 6), 7, 90)]), "c.json")
    assert (first.file, first.size, second.file, second.size) == ("b.jpg", (30, 40), "a.jpg", None)
    assert first.boxes.boxes.tolist() == [[1, 2, 4, 6], [10, 10, 15, 16]]
    assert first.boxes.labels.tolist() == ["cat", "dog"]
    assert second.boxes.labels.tolist() == ["dog"]


def test_coco_pictures_without_annotations_have_no_boxes():
    assert [len(each.boxes) for each in read_coco(coco(), "c.json")] == [0, 0]


def test_crowds_are_left_out_and_said():
    with pytest.warns(DataWarning, match=r"c\.json: 2 crowds left out"):
        first, _ = read_coco(coco([note(iscrowd=1), note(iscrowd=0), note(bbox=(), iscrowd=1)]), "c.json")
    assert len(first.boxes) == 1


# boxes beyond the edge, by the table of the module


@pytest.mark.parametrize(
    ("box", "clipped"),
    [((0, 0, 41, 31), (0, 0, 40, 30)), ((0.5, 1, 40.9, 30), (0, 0, 40, 30)), ((1, 1, 41, 30), (0, 0, 40, 30))],
)
def test_a_pixel_beyond_the_edge_is_how_tools_count(box, clipped):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = read_voc(voc(thing(box)), "a.xml")
    assert read.boxes.boxes.tolist() == [list(clipped)]


def test_what_stands_out_by_more_is_clipped_and_said():
    with pytest.warns(
        DataWarning, match=r"a\.xml, line 1, 'cat': the box \(9, 9, 55, 20\) in a picture 40 wide.*clipped"
    ):
        read = read_voc(voc(thing((10, 10, 55, 20))), "a.xml")
    assert read.boxes.boxes.tolist() == [[9, 9, 40, 20]]
    with pytest.warns(DataWarning, match="clipped"):  # left and top are known without the size
        read = read_voc(voc(thing((-8, 10, 55, 20)), size=""), "a.xml")
    assert read.boxes.boxes.tolist() == [[0, 9, 55, 20]]


@pytest.mark.parametrize("box", [(50, 5, 60, 10), (5, -9, 10, 0), (40.5, 5, 44, 10), (5, 5, 5, 5), (5, 5, 5, 9)])
def test_what_is_outside_or_has_no_area_is_left_out_and_said(box):
    with pytest.warns(DataWarning, match=r"a\.xml, line 1, 'dog'.*left out"):
        read = read_voc(voc(thing((1, 1, 9, 9)), thing(box, "dog")), "a.xml")
    assert read.boxes.labels.tolist() == ["cat"]


def test_coco_boxes_follow_the_same_rule_and_long_lists_are_cut():
    flat = [note((1, 1, 0, 5)) for _ in range(9)]
    with pytest.warns(DataWarning, match=r"c\.json, annotations\[0\], 'cat': the box \(1, 1, 1, 6\).*and 5 more"):
        first, _ = read_coco(coco([*flat, note((30, 20, 20, 10.5))]), "c.json")
    assert first.boxes.boxes.tolist() == [[30, 20, 40, 30]]


# what is refused

BOMB = '<!DOCTYPE a [<!ENTITY b "ha">' + "".join(f'<!ENTITY b{i} "{"&b;" * 9}">' for i in range(9)) + "]>"


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (b"", "it is no XML"),
        (b"not xml", "it is no XML.*line 1"),
        (voc(thing((1, 1, 9, 9)))[:-20], "it is no XML"),
        (b"\x89PNG\r\n\x1a\n\x00", "it is no XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><annotation/>', "it is no XML"),
        (b"<html><body/></html>", "the root is <html>"),
        ((BOMB + "<annotation><filename>&b8;</filename></annotation>").encode(), "document type declaration"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "document type declaration"),
        (b"<annotation><filename>&undefined;</filename></annotation>", "it is no XML"),
        (voc(thing((1, 1, 9, "nine"))), r"line 1: <ymax> is 'nine'; a number"),
        (voc(thing((1, 1, 9, ""))), "<bndbox> has no <ymax>"),
        (voc("\n\n<object><name>cat</name></object>"), "line 3: <object> has no <bndbox>"),
        (voc(thing((1, 1, 9, 9), "")), "<object> has no <name>"),
        (voc(thing((9, 1, 1, 9))), r"line 1, 'cat': the box is \(8, 0, 1, 9\).*left before right"),
        (voc(thing((1, "nan", 9, 9))), "finite"),
        (voc(thing((1, 1, "inf", 9))), "finite"),
        (voc(thing((1, 1, 1e300, 9)), size=""), "finite"),
        (voc(size="<size><width>-4</width><height>3</height></size>"), "-4.0 wide and 3.0 high"),
        (voc(size="<size><width>4.5</width><height>3</height></size>"), "4.5 wide"),
        (voc(size="<size><width>nan</width><height>3</height></size>"), "nan wide"),
        (voc(size="<size><width>4</width></size>"), "<size> has no <height>"),
    ],
)
def test_malformed_voc_is_refused_with_its_place(xml, message):
    with pytest.raises(InvalidFile, match=f"(?s)^a.xml.*{message}"):
        read_voc(xml, "a.xml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "it is no JSON"),
        (b'{"images": [', "it is no JSON.*line 1"),
        (b"\xff\xfe\x00", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "it holds a list"),
        (b'{"images": [], "info": {}}', "it holds the keys images, info.*annotations"),
        (coco(images={}), "lists of images"),
        (coco([3]), r"annotations\[0\]: it is 3"),
        (coco(images=[{"id": 1, "height": 1, "width": 1}]), r"images\[0\]: 'file_name' is missing; text"),
        (coco(images=[{"id": 1, "file_name": "a"}] * 2), r"images\[1\]: the id 1 stands twice"),
        (coco(images=[{"id": 1, "file_name": "a", "height": "3", "width": 4}]), "height and width are '3' and 4"),
        (coco(images=[{"id": 1, "file_name": "a", "height": 3}]), "height and width are 3 and missing"),
        (coco(images=[{"id": 1, "file_name": "a", "height": 0, "width": 4}]), "4 wide and 0 high"),
        (coco(images=[{"id": 1, "file_name": "a", "height": 10**400, "width": 4}]), "4 wide and 1000"),
        (coco(categories=[{"id": 1}]), r"categories\[0\]: 'name' is missing"),
        (coco(categories=[{"id": True, "name": "a"}]), "'id' is True; a whole number"),
        (coco([note(), note(image_id=99)]), r"annotations\[1\]: 'image_id' is 99, which the file does not list"),
        (coco([note(category_id=5)]), "'category_id' is 5"),
        (coco([note((1, 2, 3))]), r"'bbox' is \[1, 2, 3\]; left, top, width, height"),
        (coco([note(("1", 2, 3, 4))]), "'bbox' is"),
        (coco([{"image_id": 7, "category_id": 1}]), "'bbox' is missing"),
        (coco([note((5, 5, -3, 4))]), r"annotations\[0\], 'cat': the box is \(5, 5, 2, 9\).*left before right"),
        (coco([note((float("nan"), 5, 3, 4))]), "finite"),
        (coco([note((10**400, 5, 3, 4))]), "finite"),
    ],
)
def test_malformed_coco_is_refused_with_its_place(text, message):
    with pytest.raises(InvalidFile, match=f"(?s)^c.json.*{message}"):
        read_coco(text, "c.json")


def test_deep_nesting_breaks_nothing():
    deep = b"<annotation>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</annotation>"
    assert len(read_voc(deep, "a.xml").boxes) == 0


@pytest.mark.filterwarnings("ignore::ganglion.errors.DataWarning")
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_is_refused_or_read(data):
    for whole, read in ((voc(thing((1, 1, 9, 9))), read_voc), (coco([note()]), read_coco)):
        position = data.draw(st.integers(0, len(whole)))
        damaged = whole[:position] + data.draw(st.binary(max_size=4)) + whole[position + data.draw(st.integers(0, 4)) :]
        with contextlib.suppress(InvalidFile):  # any other error fails
            read(damaged, "file")
