"""Detection: figures against pycocotools' own and loops, the baseline, verdict and report."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from ganglion.data.boxes import Boxes
from ganglion.data.matching import match, mean_average_precision
from ganglion.errors import InvalidInput
from ganglion.evaluation.bootstrap import resampled_rows
from ganglion.evaluation.box_baselines import run_box_baselines, typical_boxes
from ganglion.evaluation.detection import _drawn, box_values, matched, precision_recall
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.measuring import measure
from ganglion.evaluation.metrics import METRICS
from ganglion.evaluation.predictions import Truth

EVIL = '<script>alert("x")</script>'
CLASSES = ("cell", "plate")


def objects(n: int, seed: int = 0) -> np.ndarray:
    """Pictures of 64 pixels a side with none to four objects."""
    rng = np.random.default_rng(seed)
    pictures = np.empty(n, dtype=object)
    for i in range(n):
        k = i % 5
        corner, size = rng.uniform(0, 40, (k, 2)), rng.uniform(8, 24, (k, 2))
        pictures[i] = Boxes(np.hstack([corner, corner + size]).astype(np.float32), rng.integers(0, 2, k))
    return pictures


def guesses(truth: np.ndarray, seed: int = 1) -> np.ndarray:
    """Most of the true boxes, moved a little, and some that are not there."""
    rng = np.random.default_rng(seed)
    said = np.empty(len(truth), dtype=object)
    for i, each in enumerate(truth):
        kept = rng.random(len(each)) < 0.8
        boxes = np.vstack([each.boxes[kept] + rng.normal(0, 2, (int(kept.sum()), 4)), [[1, 1, 20, 20]]])
        labels = np.append(each.labels[kept], rng.integers(0, 2))
        scores = rng.random(len(boxes)).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        said[i] = Boxes(boxes[order].astype(np.float32), labels[order], scores[order])
    return said


class Detector:
    """Gives `said`, the boxes of the whole evaluation set, by names."""

    tags = SimpleNamespace(task="detection")

    def __init__(self, said, classes=CLASSES, threshold: float = 0.0):
        self.classes_, self.score_threshold = np.array(classes), threshold
        self.said = [Boxes(each.boxes, self.classes_[each.labels], each.scores) for each in said]

    def predict(self, X):
        return self.said


def named(pictures: np.ndarray, classes=CLASSES) -> list[Boxes]:
    return [Boxes(each.boxes, np.array(classes)[each.labels]) for each in pictures]


TRUE = objects(20)
TRUTH = Truth("detection", TRUE, CLASSES)
SAID = matched(TRUTH, guesses(TRUE), threshold=0.4)
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 64, 64)).astype(np.uint8)


def counted_by_loops(rows: np.ndarray) -> tuple[int, int, int]:
    """Right, found and true boxes of some pictures: the surest first, each taking the free true box it covers best."""
    right = found = true = 0
    for row in rows:
        truth, said = TRUE[row], SAID.values[row]
        free = list(range(len(truth)))
        for i in np.argsort(-said.scores, kind="stable"):
            if said.scores[i] < 0.4:
                continue
            found += 1
            overlap = [(iou(said.boxes[i], truth.boxes[j]), j) for j in free if truth.labels[j] == said.labels[i]]
            if overlap and max(overlap)[0] >= 0.5:
                free.remove(max(overlap)[1])
                right += 1
        true += len(truth)
    return right, found, true


def iou(a, b) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0, width) * max(0, height)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def test_every_resample_equals_a_slow_twin():
    rows = np.concatenate(list(resampled_rows(len(TRUE), 6, seed=3)))
    fast = measure(TRUTH, {"m": SAID}, n_bootstrap=6, seed=3)["m"].samples
    for k, each in enumerate(rows):
        drawn = match(TRUE[each].tolist(), SAID.values[each].tolist(), np.arange(2))
        right, found, true = counted_by_loops(each)
        assert fast["map_50"][k] == pytest.approx(mean_average_precision(drawn, threshold=0.5))
        assert fast["map_50_95"][k] == pytest.approx(mean_average_precision(drawn))
        assert fast["precision"][k] == pytest.approx(right / found)
        assert fast["recall"][k] == pytest.approx(right / true)
    assert set(fast) == {metric.name for metric in METRICS["detection"]} | {"ap_50_cell", "ap_50_plate"}


def test_resamples_do_not_depend_on_how_many_are_held_together(monkeypatch):
    whole = measure(TRUTH, {"m": SAID}, n_bootstrap=40)["m"]
    monkeypatch.setattr("ganglion.evaluation.detection.MOST_CELLS", 100)
    assert measure(TRUTH, {"m": SAID}, n_bootstrap=40)["m"].metrics == whole.metrics


def test_weights_count_images_as_often():
    weight = np.zeros(20)
    weight[[3, 4]] = 2, 1
    rows = np.array([3, 3, 4])
    twice = Truth("detection", TRUE[rows], CLASSES)
    assert box_values(TRUTH, SAID, weight) == pytest.approx(box_values(twice, matched(twice, SAID.values[rows], 0.4)))


def test_figures_without_objects_are_absent_with_the_reason():
    empty = np.empty(2, dtype=object)
    empty[:] = [Boxes(np.empty((0, 4), np.float32), np.empty(0, int), np.empty(0, np.float32)) for _ in range(2)]
    values = box_values(Truth("detection", empty, CLASSES), matched(Truth("detection", empty, CLASSES), empty))
    assert "no box reaches the score of 0.3" in str(values["precision"])
    assert "no such true object" in str(values["map_50"])
    assert "no such true object" in str(values["ap_50_cell"])


def test_the_curve_ends_at_the_recall_of_all_boxes():
    curves = precision_recall(TRUTH, SAID)
    assert set(curves) == set(CLASSES)
    matches = SAID.matches
    for code, name in enumerate(CLASSES):
        right = matches.right[0][matches.label == code]
        assert curves[name][-1] == pytest.approx((right.sum() / matches.n_true[:, code].sum(), right.mean()))


def test_what_is_drawn_is_what_is_counted():
    for row in range(20):
        drawn = [each.status for each in _drawn(TRUE[row], SAID.values[row], CLASSES)]
        whole = matched(TRUTH, SAID.values, 0.0).counts[:, row]
        assert drawn.count("found") == whole[0]
        assert drawn.count("found") + drawn.count("false") == whole[1]
        assert drawn.count("found") + drawn.count("missed") == whole[2]


def test_typical_boxes_in_closed_form():
    """Every image has a cell at the left; the last two a plate at the right."""
    left, right = [0, 0, 10, 10], [50, 50, 60, 60]
    pictures = np.empty(4, dtype=object)
    for i in range(4):
        both = i >= 2
        boxes = np.array([left, right] if both else [left], dtype=np.float32)
        pictures[i] = Boxes(boxes, np.array([0, 1] if both else [0]))
    typical = typical_boxes(pictures, np.ones(4), 3, seed=0)
    assert typical.boxes.tolist() == [left, right]
    assert typical.labels.tolist() == [0, 1]
    assert typical.scores.tolist() == [1.0, 0.5]
    truth = Truth("detection", pictures, ("cell", "plate", "none"))
    (baseline,) = run_box_baselines(truth, None, train=(None, truth))
    # the box of the plate stands in four images and is right in the last two: its best precision is 1/2 at every recall
    assert box_values(truth, baseline.predictions)["map_50"] == pytest.approx((1 + 0.5) / 2, abs=0.01)
    assert typical_boxes(pictures, np.array([1.0, 1, 0, 0]), 3, seed=0).labels.tolist() == [0]


@pytest.fixture(scope="module")
def report():
    classes = (EVIL, "plate")
    model = Detector(SAID.values, classes, threshold=0.4)
    training = objects(12, seed=5)
    return evaluate(
        model, IMAGES, named(TRUE, classes), train=(IMAGES[:12] // 2, named(training, classes)), n_bootstrap=60
    )


def test_the_report_of_boxes(report):
    assert report.task == "detection"
    assert report.comparison.metric == "map_50"
    assert report.comparison.outcome == "better"
    assert "has mAP@0.5" in report.verdict
    assert [each.name for each in report.baselines] == ["typical boxes"]
    right, found, true = counted_by_loops(np.arange(20))
    assert report.metrics["precision"].value == pytest.approx(right / found)
    assert report.metrics["recall"].value == pytest.approx(right / true)
    scores = [each.score for each in report.mistakes]
    assert scores == sorted(scores)
    assert report.facts["Objects"] == "40, 2.0 an image"
    assert json.loads(report.to_json()) == report.to_dict()


def test_the_page_of_boxes(report):
    page = report.to_html()
    for words in (
        "Precision and recall at IoU 0.5",
        "Each class",
        "20 evaluation images",
        "false",
        "stroke-dasharray",
    ):
        assert words in page
    assert EVIL not in page
    assert "<script" not in page
    assert len(page) < 2_000_000
    assert {"comparison", "precision_recall", "mistake_1"} <= set(report.plot())
    assert "detection on 20 images" in str(report)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (named(TRUE)[:19], "X has 20 rows and y has 19"),
        (named(TRUE, ("cell", "moon")), "not trained on: 'moon'. Its classes are: 'cell', 'plate'"),
        ([{"boxes": [[0, 0, 1]], "labels": [1]}] * 20, "picture 0 has boxes of shape"),
    ],
)
def test_bad_boxes_are_refused(y, match):
    with pytest.raises(InvalidInput, match=match):
        evaluate(Detector(SAID.values), IMAGES, y, n_bootstrap=40)


def test_bad_answers_are_refused():
    model = Detector(SAID.values)
    model.said = model.said[:3]
    with pytest.raises(InvalidInput, match="predicts boxes of 3 images, but X has 20"):
        evaluate(model, IMAGES, named(TRUE), n_bootstrap=40)
    model = Detector(SAID.values)
    model.classes_ = np.array(["cell", "star"])
    with pytest.raises(InvalidInput, match="predicts 'plate', which its classes_ do not hold"):
        evaluate(model, IMAGES, [Boxes(each.boxes[:0], each.labels[:0]) for each in TRUE], n_bootstrap=40)


def test_boxes_tell_the_task_where_the_model_does_not():
    model = Detector(matched(TRUTH, guesses(TRUE)).values)
    model.tags = None
    assert evaluate(model, IMAGES, named(TRUE), n_bootstrap=40, baselines=False).task == "detection"
