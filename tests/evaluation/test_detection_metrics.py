"""The figures of a detector and their intervals."""

import numpy as np
import pytest

from ganglion.data.boxes import Boxes
from ganglion.data.matching import match, mean_average_precision
from ganglion.evaluation.detection_metrics import detection_scores


def pictures(n, chance, *, seed=0):
    """Return one square a picture and class; of the first class each is found, of the second with a chance."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 30, (n, 2, 2))
    boxes = np.concatenate([corners, corners + 10], 2).astype(np.float32)
    truth = [Boxes(each, np.array(["a", "b"])) for each in boxes]
    kept = [np.array([True, rng.random() < chance]) for _ in range(n)]
    said = [Boxes(b[k], t.labels[k], np.ones(k.sum(), np.float32)) for b, k, t in zip(boxes, kept, truth, strict=True)]
    return truth, said


def test_figures_of_classes_and_their_means():
    truth, said = pictures(200, 0.5)
    scores = detection_scores(truth, said, n_bootstrap=200)
    share = np.mean([len(each) == 2 for each in said])
    assert scores.ap_50["a"].value == scores.ap_50_95["a"].value == scores.ap_50["a"].low == 1
    assert scores.ap_50["b"].value == pytest.approx(share, abs=0.01)  # at 101 recalls
    assert scores.map_50.value == mean_average_precision(match(truth, said), threshold=0.5)
    assert scores.map_50_95.value == mean_average_precision(match(truth, said))
    # binomial: 1.96 √(p (1 - p) / n)
    half = 1.96 * np.sqrt(share * (1 - share) / 200)
    assert scores.ap_50["b"].high - scores.ap_50["b"].low == pytest.approx(2 * half, rel=0.2)
    assert scores.map_50.high - scores.map_50.low == pytest.approx(half, rel=0.2)


def test_the_interval_holds_the_expected_figure_in_most_samples():
    inside = []
    for seed in range(40):
        map_50 = detection_scores(*pictures(60, 0.7, seed=seed), n_bootstrap=200).map_50
        inside.append(map_50.low <= 0.85 <= map_50.high)
    assert np.mean(inside) >= 0.85


def test_a_class_without_objects_is_not_defined():
    truth, said = pictures(5, 1.0)
    scores = detection_scores(truth, said, ["a", "b", "c"], n_bootstrap=0)
    assert scores.ap_50["c"].value is None
    assert "no true object" in scores.ap_50["c"].reason
    assert scores.map_50.value == 1
    assert scores.map_50.low is None


def test_the_same_seed_gives_the_same_intervals():
    truth, said = pictures(30, 0.5)
    one, again, other = (detection_scores(truth, said, n_bootstrap=50, seed=seed).map_50 for seed in (1, 1, 2))
    assert one == again
    assert one != other
