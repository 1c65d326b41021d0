"""Average precision: by hand, beside pycocotools, and with weights."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ganglion.data.boxes import Boxes
from ganglion.data.matching import THRESHOLDS, average_precision, match, mean_average_precision, pairwise_iou
from ganglion.errors import InvalidInput

CLASSES = ("cat", "dog", "eel")


def boxes(corners, labels, scores=None):
    scores = None if scores is None else np.array(scores, dtype=np.float32)
    return Boxes(np.array(corners, dtype=np.float32).reshape(-1, 4), np.array(labels, dtype=str), scores)


def made(seed, n_pictures=12, *, most=9, classes=CLASSES, digits=1):
    """Return true boxes, and found ones: shifted, missing, invented, and often equally sure."""
    rng = np.random.default_rng(seed)
    truth, said = [], []
    for _ in range(n_pictures):
        corners = rng.integers(0, 40, (rng.integers(0, most), 2))
        corners = np.concatenate([corners, corners + rng.integers(4, 30, corners.shape)], 1)
        labels = rng.choice(classes, len(corners))
        truth.append(boxes(corners, labels))
        kept = rng.choice(len(corners), len(corners) * 2) if len(corners) else np.empty(0, dtype=int)
        shift = np.sort(rng.integers(-3, 4, (len(kept), 4)).reshape(-1, 2, 2), 1).reshape(-1, 4)
        noise = rng.integers(0, 40, (rng.integers(0, 4), 2))
        found = np.concatenate([corners[kept] + shift, np.concatenate([noise, noise + 9], 1)])
        said_labels = np.where(rng.random(len(found)) < 0.8, [*labels[kept], *rng.choice(classes, len(noise))], "dog")
        said.append(boxes(found, said_labels, np.round(rng.random(len(found)), digits)))
    return truth, said


def by_pycocotools(truth, said, classes=CLASSES):
    """Return the average precision of every threshold and class, NaN where there is none."""
    images = [{"id": i + 1} for i in range(len(truth))]
    records = {"true": [], "found": []}
    for key, pictures in (("true", truth), ("found", said)):
        for i, each in enumerate(pictures):
            for j, (box, label) in enumerate(zip(each.boxes.astype(float), each.labels, strict=True)):
                record = {"image_id": i + 1, "category_id": classes.index(label) + 1, "iscrowd": 0}
                record |= {"bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]], "id": len(records[key]) + 1}
                record["area"] = record["bbox"][2] * record["bbox"][3]
                records[key].append(record if key == "true" else record | {"score": float(each.scores[j])})
    with contextlib.redirect_stdout(io.StringIO()):
        truth_of, found = COCO(), COCO()
        for coco, annotations in ((truth_of, records["true"]), (found, records["found"])):
            categories = [{"id": i + 1, "name": name} for i, name in enumerate(classes)]
            coco.dataset = {"images": images, "categories": categories, "annotations": annotations}
            coco.createIndex()
        evaluation = COCOeval(truth_of, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]  # of objects of any size, at most 100 a picture
    return np.where(precision[:, 0] < 0, np.nan, precision.mean(1))


@pytest.mark.parametrize("seed", range(12))
def test_as_pycocotools(seed):
    truth, said = made(seed, digits=1 if seed % 2 else 4)
    np.testing.assert_allclose(average_precision(match(truth, said, CLASSES)), by_pycocotools(truth, said), atol=1e-6)


def test_as_pycocotools_where_classes_or_boxes_are_missing():
    truth, said = made(99, classes=("cat", "dog"))
    mixed = [*truth, boxes([], []), boxes([[1, 1, 9, 9]], ["cat"])]
    found = [*said, boxes([[0, 0, 5, 5]] * 3, ["eel", "cat", "dog"], [1, 1, 1]), boxes([], [], [])]
    ours = average_precision(match(mixed, found, CLASSES))
    np.testing.assert_allclose(ours, by_pycocotools(mixed, found), atol=1e-6)
    assert np.isnan(ours[:, 2]).all()  # there is no eel
    nothing = [boxes([], [], []) for _ in mixed]
    np.testing.assert_array_equal(average_precision(match(mixed, nothing, CLASSES))[:, :2], 0)


def test_as_pycocotools_with_more_than_a_hundred_boxes():
    rng = np.random.default_rng(3)
    corners = rng.integers(0, 400, (150, 2))
    corners = np.concatenate([corners, corners + 12], 1)
    truth, said = [boxes(corners, ["cat"] * 150)], [boxes(corners, ["cat"] * 150, rng.random(150))]
    ours = average_precision(match(truth, said, CLASSES))
    np.testing.assert_allclose(ours, by_pycocotools(truth, said), atol=1e-6)
    assert ours[0, 0] < 0.68  # 100 of 150


def test_by_hand():
    truth = [boxes([[0, 0, 10, 10], [20, 0, 30, 10]], ["cat", "cat"])]
    said = [
        boxes([[0, 0, 10, 6], [50, 50, 60, 60], [20, 0, 30, 10], [20, 0, 30, 10]], ["cat"] * 4, [0.9, 0.8, 0.7, 0.6])
    ]
    matches = match(truth, said)
    assert matches.right[0].tolist() == [True, False, True, False]  # the fourth finds nothing left to take
    assert matches.right[-1].tolist() == [False, False, True, False]  # the first has an IoU of 0.6
    by_class = average_precision(matches)
    # recall 0 … 0.5 at precision 1, then 2 of 3; from 0.65 on recall 0 … 0.5 at 1 of 3
    assert by_class[0, 0] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert by_class[-1, 0] == pytest.approx(51 / 3 / 101)
    assert mean_average_precision(matches, threshold=0.5) == by_class[0, 0]
    assert mean_average_precision(matches) == pytest.approx(by_class.mean())


def test_perfect_boxes_score_one_and_no_truth_is_not_defined():
    truth, _ = made(5)
    said = [Boxes(each.boxes, each.labels, np.ones(len(each), dtype=np.float32)) for each in truth]
    assert mean_average_precision(match(truth, said, CLASSES)) == pytest.approx(1)
    assert np.isnan(mean_average_precision(match([boxes([], [])], [boxes([], [], [])])))
    assert np.isnan(mean_average_precision(match([], [])))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_a_weight_of_two_is_a_second_copy_and_zero_is_absence(seed):
    truth, said = made(seed, digits=6)
    weight = np.random.default_rng(seed).integers(0, 3, len(truth))
    chosen = np.repeat(np.arange(len(truth)), weight)
    repeated = average_precision(match([truth[i] for i in chosen], [said[i] for i in chosen], CLASSES))
    matches = match(truth, said, CLASSES)
    np.testing.assert_allclose(average_precision(matches, weight), repeated, atol=1e-12)
    both = average_precision(matches, np.stack([np.ones(len(truth)), weight], 1))
    np.testing.assert_allclose(both[..., 1], repeated, atol=1e-12)
    np.testing.assert_array_equal(both[..., 0], average_precision(matches))


def test_iou():
    one = np.array([[0, 0, 4, 4], [1, 1, 1, 1]])
    other = np.array([[0, 0, 4, 4], [2, 2, 6, 6], [4, 0, 8, 4], [1, 1, 1, 1]])
    np.testing.assert_allclose(pairwise_iou(one, other), [[1, 4 / 28, 0, 0], [0, 0, 0, 0]])


def test_what_does_not_belong_together_is_refused():
    truth, said = made(0)
    with pytest.raises(InvalidInput, match="true boxes of 12 pictures, but found ones of 11"):
        match(truth, said[1:])
    with pytest.raises(InvalidInput, match="found in picture 0 have no scores"):
        match(truth, truth)
    assert len(THRESHOLDS) == 10
