"""Boxes: what may be given, what comes back."""

import numpy as np
import pytest
import torch

from ganglion.data.boxes import as_boxes, holds_boxes
from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.data.task import infer_task
from ganglion.errors import InvalidInput

CAT = {"boxes": [[1, 2, 5, 8]], "labels": ["cat"]}
NONE = {"boxes": [], "labels": []}


def test_dictionaries_become_boxes():
    cat, none = as_boxes([CAT, NONE])
    np.testing.assert_array_equal(cat.boxes, np.array([[1, 2, 5, 8]], dtype=np.float32))
    assert cat.labels.tolist() == ["cat"]
    assert cat.scores is None
    assert len(none) == 0


def test_a_column_of_boxes_comes_back_by_picture_and_follows_its_rows():
    values = torch.tensor([[0, 0, 1, 1, 1], [2, 2, 4, 4, 0], [1, 1, 3, 3, 1]], dtype=torch.float32)
    column = Ragged(values, torch.tensor([0, 2, 2, 3]))
    data = Dataset([Field("objects", "boxes", categories=("cat", "dog"))], {"objects": column}, target=["objects"])
    first, second, third = data.X_y()[1]
    assert first.labels.tolist() == ["dog", "cat"]
    assert len(second) == 0
    assert third.boxes.tolist() == [[1, 1, 3, 3]]
    assert [len(each) for each in data.take([2, 0]).X_y()[1]] == [1, 2]


def test_the_index_of_a_data_set_is_no_feature():
    fields = [Field("file", "numeric"), Field("x", "numeric"), Field("y", "numeric")]
    columns = {name: torch.arange(3.0) for name in ("file", "x", "y")}
    data = Dataset(fields, columns, target=["y"], index=["file"])
    assert [field.name for field in data.features] == ["x"]
    assert data.take([0]).index == data.drop(["x"]).index == data.with_target("x").index == ("file",)
    assert data.rename({"file": "path"}).index == ("path",)
    assert data.drop(["file"]).index == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[1, 2, 3, 4]], "picture 0 are a list.*boxes.*labels"),
        ([CAT, {"boxes": [[1, 2, 3]], "labels": ["cat"]}], r"picture 1 has boxes of shape \(1, 3\)"),
        ([{"boxes": [[1, 2, 3, 4]], "labels": []}], r"labels of shape \(0,\)"),
        ([{"boxes": [["a", 2, 3, 4]], "labels": [1]}], "must be numbers"),
        ([{"boxes": []}], "the keys boxes"),
    ],
)
def test_what_is_no_boxes_is_refused(given, message):
    with pytest.raises(InvalidInput, match=message):
        as_boxes(given)


def test_the_task_is_told_from_the_target():
    assert infer_task([CAT, NONE]).name == infer_task(as_boxes([CAT])).kind == "detection"
    assert infer_task(np.zeros((2, 4, 4), dtype=np.uint8)).name == "segmentation"
    assert infer_task(np.array([[0.5, 1.5], [2.5, 1.0]])).kind == "regression"
    assert not holds_boxes(np.zeros(3))
