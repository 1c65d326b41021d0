"""Segmentation: figures against loops and scikit-learn, baselines, verdict and report."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics as sk

from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.errors import InvalidInput
from ganglion.evaluation.bootstrap import resampled_rows
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.mask_baselines import run_mask_baselines
from ganglion.evaluation.measuring import measure
from ganglion.evaluation.metrics import METRICS
from ganglion.evaluation.predictions import Truth
from ganglion.evaluation.segmentation import MaskPredictions, count_pixels, mask_values

EVIL = '<script>alert("x")</script>'
RNG = np.random.default_rng(3)


def discs(n: int = 12, side: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Bright discs on noise, and dim ones that are another class."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    masks = np.zeros((n, side, side), dtype=np.int64)
    for k in range(n):
        for code in (1, 2):
            cx, cy = rng.integers(6, side - 6, 2)
            masks[k][(x - cx) ** 2 + (y - cy) ** 2 < 25] = code
    images = np.choose(masks, [60, 200, 120]) + rng.normal(0, 10, masks.shape)
    return np.clip(images, 0, 255).astype(np.uint8), masks


class Segmenter:
    """Knows the truth of each picture by its first pixels, and gives `wrong` of the pixels the class 0."""

    tags = SimpleNamespace(task="segmentation")

    def __init__(self, images, masks, classes=(0, 1, 2), wrong: float = 0.0):
        self.answers = {image.tobytes(): mask for image, mask in zip(images, masks, strict=True)}
        self.classes_, self.wrong = np.array(classes), wrong

    def predict(self, X):
        images = np.asarray(X.columns["image"])[:, 0] if hasattr(X, "columns") else np.asarray(X)
        said = np.stack([self.answers[image.tobytes()] for image in images])
        return np.where(np.random.default_rng(0).random(said.shape) < self.wrong, self.classes_[0], said)


def random_masks(n_classes: int, n: int = 9) -> tuple[Truth, MaskPredictions]:
    right = RNG.integers(0, n_classes, (n, 6, 5)).astype(np.uint8)
    said = np.where(RNG.random(right.shape) < 0.6, right, RNG.integers(0, n_classes, right.shape)).astype(np.uint8)
    truth = Truth("segmentation", right, tuple("abcdef"[:n_classes]))
    return truth, MaskPredictions(count_pixels(right, said, n_classes), said)


def by_loops(truth: Truth, said: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """The figures of some images, pixel by pixel."""
    n = len(truth.classes)
    both, either, sizes = np.zeros(n), np.zeros(n), np.zeros(n)
    right = total = 0
    for row in rows:
        for a, b in zip(truth.values[row].ravel().tolist(), said[row].ravel().tolist(), strict=True):
            right, total = right + (a == b), total + 1
            for k in range(n):
                both[k] += a == k and b == k
                either[k] += a == k or b == k
                sizes[k] += (a == k) + (b == k)
    seen = [k for k in range(n) if either[k]]
    found = {
        "mean_iou": np.mean([both[k] / either[k] for k in seen]),
        "mean_dice": np.mean([2 * both[k] / sizes[k] for k in seen]),
        "pixel_accuracy": right / total,
        "pixel_error": 1 - right / total,
    }
    return found | {f"iou_{truth.classes[k]}": both[k] / either[k] for k in seen}


@pytest.mark.parametrize("n_classes", [2, 4])
def test_every_resample_equals_loops_over_its_pixels(n_classes):
    truth, said = random_masks(n_classes)
    rows = np.concatenate(list(resampled_rows(len(truth), 5, seed=3)))
    fast = measure(truth, {"m": said}, n_bootstrap=5, seed=3)["m"].samples
    slow = [by_loops(truth, said.values, each) for each in rows]
    assert set(fast) == set(slow[0])
    for name, values in fast.items():
        np.testing.assert_allclose(values, [each[name] for each in slow], err_msg=name)


def test_values_are_scikit_learns():
    truth, said = random_masks(3)
    right, guess = truth.values.ravel(), said.values.ravel()
    values = mask_values(truth, said)
    assert values["mean_iou"] == pytest.approx(sk.jaccard_score(right, guess, average="macro"))
    assert values["mean_dice"] == pytest.approx(sk.f1_score(right, guess, average="macro"))
    assert values["pixel_accuracy"] == pytest.approx(sk.accuracy_score(right, guess))
    np.testing.assert_array_equal(said.counts.sum(axis=0), sk.confusion_matrix(right, guess))


def test_weights_count_images_as_often():
    truth, said = random_masks(3, n=4)
    weighted = mask_values(truth, said, np.array([2.0, 0, 1, 0]))
    assert weighted == pytest.approx(by_loops(truth, said.values, np.array([0, 0, 2])))


def test_a_class_that_never_occurs_is_left_out_with_the_reason():
    right = np.zeros((2, 3, 3), np.uint8)
    truth = Truth("segmentation", right, ("ground", "sky"))
    values = mask_values(truth, MaskPredictions(count_pixels(right, right, 2)))
    assert values["mean_iou"] == 1
    assert "neither true nor predicted" in str(values["iou_sky"])


def test_baselines_in_closed_form():
    """Three quarters of class 0; the right half is class 1 in two of three images."""
    masks = np.zeros((3, 4, 4), dtype=np.uint8)
    masks[:2, :, 2:] = 1
    images = np.where(masks == 1, 200, 20).astype(np.uint8)
    truth = Truth("segmentation", masks, ("a", "b"))
    majority, mean, linear = run_mask_baselines(truth, images, train=(images, truth))
    assert mask_values(truth, majority.predictions)["pixel_accuracy"] == pytest.approx(2 / 3)
    assert mask_values(truth, mean.predictions)["pixel_accuracy"] == pytest.approx(5 / 6)  # half an image is wrong
    assert mask_values(truth, linear.predictions)["pixel_accuracy"] > 0.9
    assert [each.name for each in (majority, mean, linear)] == ["majority class", "mean mask", "logistic regression"]


def test_without_training_data_no_image_is_predicted_by_what_saw_it():
    images = RNG.integers(0, 256, (10, 8, 8)).astype(np.uint8)
    masks = np.zeros((10, 8, 8), dtype=np.uint8) + np.arange(10, dtype=np.uint8)[:, None, None] // 2 % 3
    truth = Truth("segmentation", masks, ("a", "b", "c"))
    first, again = (run_mask_baselines(truth, images, random_state=1) for _ in range(2))
    assert "out of fold" in first[0].note
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.predictions.counts, other.predictions.counts)
    masks[:9], masks[9] = 0, 1
    only = Truth("segmentation", masks, ("a", "b"))
    counts = run_mask_baselines(only, images)[0].predictions.counts
    assert counts[9, 1, 0] == 64  # the fold that holds the only image of class b has never seen it


@pytest.fixture(scope="module")
def report():
    images, masks = discs()
    names = np.array(["ground", EVIL, "moon"])
    model = Segmenter(images, names[masks], classes=sorted(names), wrong=0.1)
    raw = [f"{k}{EVIL}.png".encode() for k in range(8)]
    files = Ragged(*(_tensor(each) for each in (np.frombuffer(b"".join(raw), np.uint8), np.arange(9) * len(raw[0]))))
    fields = [Field("image", "image", (1, 32, 32)), Field("file", "text")]
    data = Dataset(fields, {"image": _tensor(images[:8, None]), "file": files}, index=("file",))
    return evaluate(model, data, names[masks][:8], train=(images[8:], names[masks][8:]), n_bootstrap=60)


def _tensor(array):
    import torch

    return torch.from_numpy(array.copy())


def test_the_report_of_masks(report):
    assert report.task == "segmentation"
    assert report.comparison.metric == "mean_iou"
    assert "has mean IoU" in report.verdict
    assert report.metrics["pixel_accuracy"].value == pytest.approx(1 - report.metrics["pixel_error"].value)
    assert report.metrics["pixel_accuracy"].low < report.metrics["pixel_accuracy"].value
    assert sum(map(sum, report.confusion)) == 8 * 32 * 32
    assert {metric.name for metric in METRICS["segmentation"]} < set(report.metrics)
    scores = [each.score for each in report.mistakes]
    assert scores == sorted(scores)
    assert any("Only 8 images" in note for note in report.notes)
    assert json.loads(report.to_json()) == report.to_dict()
    assert report.to_dict()["mistakes"][0]["file"].endswith(".png")


def test_the_page_of_masks(report):
    page = report.to_html()
    for words in ("Confusion matrix of pixels", "wrong pixels, as predicted", "Each class", "8 evaluation images"):
        assert words in page
    assert EVIL not in page
    assert "<script" not in page
    assert "https://" not in page
    assert len(page) < 2_000_000
    assert {"comparison", "confusion", "mistake_1"} <= set(report.plot())


def test_the_terminal_says_where_the_pictures_are(report):
    text = str(report)
    for words in ("segmentation on 8 images", "Mean IoU", "IoU of moon", "of the pixels wrong", "report.to_html(PATH)"):
        assert words in text


def test_the_seed_decides_everything():
    images, masks = discs(6, side=20)
    first, again = (
        evaluate(Segmenter(images, masks, wrong=0.2), images, masks, n_bootstrap=40, random_state=4, baselines=False)
        for _ in range(2)
    )
    assert first.to_dict() == again.to_dict()


def test_large_photographs_stay_small_on_the_page():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 600, 800, 3)).astype(np.uint8)  # noise: nothing takes more bytes
    masks = rng.integers(0, 2, (7, 600, 800))

    class Guess(Segmenter):
        def predict(self, X):
            return np.zeros((len(X), 600, 800), dtype=int)

    page = evaluate(Guess((), (), (0, 1)), images, masks, n_bootstrap=40, baselines=False).to_html()
    assert page.count("<use") == 4 * 6
    assert len(page) < 2_000_000


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (np.full((4, 16, 16), 7), "not trained on: 7"),
        (np.zeros((3, 16, 16), int), "X has 4 rows and y has 3"),
        (np.zeros((4, 16), int), r"shape \(4, 16\). Give a class of every pixel"),
        (np.zeros((4, 9, 9), int), "must have the same height and width"),
    ],
)
def test_bad_masks_are_refused(y, match):
    images, masks = discs(4, side=16)
    with pytest.raises(InvalidInput, match=match):
        evaluate(Segmenter(images, masks), images, y, n_bootstrap=40)


def test_predictions_that_no_class_has_are_refused():
    images, masks = discs(4, side=16)
    with pytest.raises(InvalidInput, match="predicts 2, which its classes_ do not hold: 0, 1"):
        evaluate(Segmenter(images, masks, classes=(0, 1)), images, masks % 2, n_bootstrap=40)


def test_masks_may_have_a_last_axis_of_one_and_the_target_tells_the_task():
    images, masks = discs(4, side=16)
    model = Segmenter(images, masks)
    model.tags = None
    report = evaluate(model, images, masks, n_bootstrap=40, baselines=False)
    assert report.metrics["mean_iou"].value == 1
    assert report.mistakes == ()
    assert "every image is predicted right" in report.to_html()
    model.tags = SimpleNamespace(task="segmentation")
    assert evaluate(model, images, masks[..., None], n_bootstrap=40, baselines=False).metrics["mean_iou"].value == 1
