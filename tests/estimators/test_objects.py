"""Boxes as targets: what is refused, and how they are told to a network."""

import json

import numpy as np
import pytest
import torch

from ganglion.data.boxes import Boxes
from ganglion.errors import InvalidInput, InvalidModel
from ganglion.estimators.objects import BoxTarget, read_boxes
from ganglion.estimators.targets import target_from_json

SIDES = (30, 40)  # height, width


def of(*boxes, labels=None):
    return {"boxes": list(boxes), "labels": labels or ["cat"] * len(boxes)}


GOOD = of([1, 2, 5, 8])


def test_boxes_are_read_and_clipped_by_a_pixel():
    first, second, third = read_boxes([GOOD, of(), of([-1, -0.5, 41, 30.9])], 3, SIDES)
    assert first.boxes.tolist() == [[1, 2, 5, 8]]
    assert len(second) == 0
    assert third.boxes.tolist() == [[0, 0, 40, 30]]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "the target y is NoneType"),
        ("boxes", "the target y is str"),
        (7, "the target y is int"),
        ([GOOD], r"inconsistent numbers of samples: \[2, 1\]"),
        ([GOOD] * 3, r"\[2, 3\]"),
        ([GOOD, None], "the objects of picture 1 are a NoneType"),
        (np.zeros((2, 5)), "the objects of picture 0 are a ndarray"),
        ([GOOD, of([30, 2, 50, 9])], r"box 0 of picture 1, \(30, 2, 50, 9\), reaches beyond.*40 wide and 30 high"),
        ([of([1, 1, 9, 9], [40, 5, 48, 9]), GOOD], "box 1 of picture 0.*is outside"),
        ([GOOD, of([1, -9, 5, 0])], "is outside"),
        ([GOOD, of([5, 5, 5, 9])], "has no area. 1 of 2 boxes"),
        ([of(), of([1, 1, 2, 3], [5, 5, 3, 9])], "box 1 of picture 1.*corners swapped"),
        ([GOOD, of([1, np.nan, 5, 9])], "NaN or infinity"),
        ([GOOD, of([1, 2, np.inf, 9])], "NaN or infinity"),
        ([GOOD, {"boxes": [[1, 2, 3]], "labels": ["a"]}], r"picture 1 has boxes of shape \(1, 3\)"),
        ([GOOD, Boxes(np.zeros((2, 4)), np.array(["a"]))], r"boxes of shape \(2, 4\) and labels of shape \(1,\)"),
        ([GOOD, of([1, 2, 5, 8], labels=[3])], "labels are of mixed kinds: .*'cat'.* in picture 0.*3.* in picture 1"),
        ([GOOD, of([1, 2, 5, 8], [1, 2, 5, 8], labels=["cat", 3])], "the labels of picture 1 mix text and other"),
        ([GOOD, of([1, 2, 5, 8], labels=[None])], r"the labels of picture 1 are \[None\].*none missing"),
        ([GOOD, of([1, 2, 5, 8], labels=[1.5])], "float64"),
    ],
)
def test_bad_boxes_are_refused(y, message):
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        read_boxes(y, 2, SIDES)


def test_no_object_at_all_is_refused():
    with pytest.raises(InvalidInput, match="none of the 2 pictures has an object"):
        BoxTarget.fit(read_boxes([of(), of()], 2, SIDES))


def test_dense_boxes_are_padded():
    pictures = read_boxes([of([1, 2, 5, 8], [3, 3, 9, 9], labels=["dog", "cat"]), of(), GOOD], 3, SIDES)
    target = BoxTarget.fit(pictures)
    assert (target.classes.tolist(), target.per_picture, target.n_scores) == (["cat", "dog"], 1.0, 6)
    dense = target.encode(target.dense(pictures), torch.float64)
    assert dense.dtype == torch.float64
    padding = [0, 0, 0, 0, -1]
    assert dense.tolist() == [
        [[1, 2, 5, 8, 1], [3, 3, 9, 9, 0]],
        [padding, padding],
        [[1, 2, 5, 8, 0], padding],
    ]
    assert target.dense(pictures[1:2]).shape == (1, 1, 5)


@pytest.mark.parametrize("labels", [["eel"], [3], [True]])
def test_unknown_classes_are_refused(labels):
    target = BoxTarget(np.array(["cat", "dog"]))
    with pytest.raises(InvalidInput, match="picture 0 holds objects of the classes"):
        target.dense(read_boxes([of([1, 2, 5, 8], labels=labels)], 1, SIDES))


@pytest.mark.parametrize("classes", [["cat", "dog"], [1, 5], [False, True]])
def test_a_target_survives_json(classes):
    target = BoxTarget(np.array(classes), 3.25)
    again = target_from_json(json.loads(json.dumps(target.to_json())))
    np.testing.assert_array_equal(again.classes, target.classes, strict=True)
    assert again.per_picture == 3.25


@pytest.mark.parametrize(
    "change",
    [
        {"classes": []},
        {"classes": ["b", "a"]},
        {"classes": ["a", "a"]},
        {"classes": "ab"},
        {"classes": ["a", 1]},
        {"dtype": "float"},
        {"per_picture": 0.5},
        {"per_picture": "many"},
        {"per_picture": float("nan")},
        {"kind": "balls"},
    ],
)
def test_a_damaged_target_is_refused(change):
    stored = BoxTarget(np.array(["a", "b"])).to_json() | change
    with pytest.raises(InvalidModel, match="target is damaged"):
        target_from_json(stored)
