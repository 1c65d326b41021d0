from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from ganglion.evaluation.bootstrap import percentile_interval, resampled_rows, resampled_weights
from ganglion.evaluation.calibration import calibration_curve, expected_calibration_error
from ganglion.evaluation.measuring import measure
from ganglion.evaluation.metrics import METRICS, point_value, point_values
from ganglion.evaluation.predictions import Predictions, Truth
from ganglion.evaluation.ranking import Ranking
from ganglion.evaluation.resampling import resampled_metrics

RNG = np.random.default_rng(7)


def classification(n_classes: int, n: int = 150) -> tuple[Truth, Predictions]:
    y = RNG.integers(0, n_classes, n)
    p = np.round(RNG.dirichlet(np.ones(n_classes), n), 1) + 0.1  # rounded: many ties
    p[np.arange(n), y] += 0.3 * RNG.random(n)
    p /= p.sum(axis=1, keepdims=True)
    task = "binary" if n_classes == 2 else "multiclass"
    return Truth(task, y, tuple("abcdefgh"[:n_classes])), Predictions(p.argmax(axis=1), p, p)


def multilabel(n: int = 150) -> tuple[Truth, Predictions]:
    y = RNG.integers(0, 2, (n, 3))
    p = np.round(np.clip(0.5 * y + 0.7 * RNG.random((n, 3)), 0, 1), 1)
    return Truth("multilabel", y, ("a", "b", "c")), Predictions((p > 0.5).astype(int), p, p)


def regression(n_targets: int, n: int = 151) -> tuple[Truth, Predictions]:
    y = RNG.normal(5, 2, (n, n_targets))
    return Truth("regression", y, tuple("uvw"[:n_targets])), Predictions(y + RNG.normal(0.3, 1, y.shape))


CASES = [classification(2), classification(5), multilabel(), regression(1), regression(3)]
NAMES = ["binary", "five classes", "multilabel", "regression", "three targets"]


@pytest.mark.parametrize(("truth", "said"), CASES, ids=NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_fast_bootstrap_equals_scikit_learn_on_the_resampled_rows(truth, said, weighted):
    weight = RNG.integers(1, 5, len(truth)).astype(float) if weighted else None
    rows = np.concatenate(list(resampled_rows(len(truth), 8, seed=3)))
    slow = [point_values(truth.take(r), take(said, r), None if weight is None else weight[r]) for r in rows]
    fast = measure(truth, {"m": said}, weight=weight, n_bootstrap=8, seed=3)["m"].samples
    for metric in METRICS[truth.task]:
        np.testing.assert_allclose(fast[metric.name], [each[metric.name] for each in slow], err_msg=metric.name)


def take(said: Predictions, rows: np.ndarray) -> Predictions:
    return Predictions(*(None if a is None else a[rows] for a in (said.values, said.probabilities, said.scores)))


def test_values_are_scikit_learns():
    truth, said = classification(4)
    values = point_values(truth, said)
    assert values["roc_auc"] == pytest.approx(sk.roc_auc_score(truth.values, said.probabilities, multi_class="ovr"))
    assert values["average_precision"] == pytest.approx(
        sk.average_precision_score(np.eye(4)[truth.values], said.probabilities)
    )
    assert values["f1"] == sk.f1_score(truth.values, said.values, average="macro")
    assert values["log_loss"] == sk.log_loss(truth.values, said.probabilities)
    assert values["brier"] == sk.brier_score_loss(truth.values, said.probabilities)


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        classification(2),
        classification(4),
        multilabel(),
        regression(2),
        (Truth("binary", np.array([0, 1, 1]), ("a", "b")), Predictions(np.zeros(3, dtype=int))),
    ],
    ids=["binary", "multiclass", "multilabel", "regression", "undefined"],
)
def test_one_metric_alone_is_what_it_is_among_all(truth, said):
    assert {metric.name: point_value(truth, said, metric.name) for metric in METRICS[truth.task]} == point_values(
        truth, said
    )


def test_intervals_hold_the_value_and_come_again_with_the_seed():
    truth, said = classification(2)
    first, again, other = (measure(truth, {"m": said}, n_bootstrap=100, seed=s)["m"].metrics for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert all(e.low <= e.value <= e.high for name, e in first.items() if name != "calibration_error")


def test_the_global_generator_is_left_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    truth, said = regression(1)
    measure(truth, {"m": said}, n_bootstrap=50)
    assert (np.random.get_state()[1] == before).all()


def test_resamples_do_not_depend_on_the_chunks(monkeypatch):
    whole = np.concatenate(list(resampled_weights(50, 30, seed=1)), axis=1)
    monkeypatch.setattr("ganglion.evaluation.bootstrap.CHUNK_CELLS", 350)
    parts = list(resampled_weights(50, 30, seed=1))
    assert len(parts) > 1
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    assert (whole.sum(axis=0) == 50).all()


def test_the_interval_covers_a_known_accuracy():
    """95 % of the intervals of a proportion of 0.8 from 200 rows must hold 0.8; 300 trials: +- 2.5 % is two sigma."""
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(300):
        right = (rng.random(200) < 0.8).astype(float)
        samples = np.concatenate([right @ w / 200 for w in resampled_weights(200, 200, seed)])
        low, high = percentile_interval(samples)
        covered += low <= 0.8 <= high
    assert 0.91 <= covered / 300 <= 0.98


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=30))
def test_areas_equal_scikit_learn_for_any_ties_and_weights(rows):
    positive, scores, weights = (np.array(column) for column in zip(*rows, strict=True))
    weights = weights.astype(float)
    area, precision = Ranking(positive, scores.astype(float)).areas(weights[:, None])
    kept = weights > 0
    if len(set(positive[kept])) < 2:
        assert np.isnan(area[0])
        return
    assert area[0] == pytest.approx(sk.roc_auc_score(positive[kept], scores[kept], sample_weight=weights[kept]))
    expected = sk.average_precision_score(positive[kept], scores[kept], sample_weight=weights[kept])
    assert precision[0] == pytest.approx(expected)


def test_calibration_error_in_closed_form():
    """Confidence 0.9, right in 6 of 10; confidence 0.6, right in 5 of 10: (0.3 + 0.1) / 2."""
    p = np.repeat([[0.9, 0.1], [0.6, 0.4]], 10, axis=0)
    y = np.r_[np.zeros(6), np.ones(4), np.zeros(5), np.ones(5)].astype(int)
    assert expected_calibration_error(y, p) == pytest.approx(0.2)
    curve = calibration_curve(y, p)
    assert [(round(b.confidence, 6), b.accuracy, b.count) for b in curve] == [(0.6, 0.5, 10), (0.9, 0.6, 10)]


def test_one_class_leaves_areas_undefined_with_the_reason():
    p = np.array([[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])
    truth = Truth("binary", np.zeros(3, dtype=int), ("no", "yes"))
    found = measure(truth, {"m": Predictions(p.argmax(axis=1), p, p)}, n_bootstrap=50)["m"].metrics
    assert found["roc_auc"].value is None
    assert "one class" in found["roc_auc"].reason
    assert "no row is 'yes'" in found["recall"].reason
    assert found["accuracy"].value == pytest.approx(2 / 3)


def test_precision_without_positive_predictions_is_absent_not_zero():
    truth = Truth("binary", np.array([0, 1, 0]), ("no", "yes"))
    found = point_values(truth, Predictions(np.zeros(3, dtype=int)))
    assert "predicted as 'yes'" in str(found["precision"])
    assert found["recall"] == 0
    assert "neither probabilities nor scores" in str(found["roc_auc"])
    assert "no probabilities" in str(found["log_loss"])


def test_a_constant_target_has_no_r2():
    truth = Truth("regression", np.ones((4, 1)), ("y",))
    found = measure(truth, {"m": Predictions(np.zeros((4, 1)))}, n_bootstrap=50)["m"].metrics
    assert found["r2"].value is None
    assert found["rmse"].value == 1


def test_every_metric_has_samples_wherever_it_has_a_value():
    for truth, said in CASES:
        weights = next(resampled_weights(len(truth), 4, 0))
        found = {name for function in resampled_metrics(truth, said) for name in function(weights)}
        assert found == {metric.name for metric in METRICS[truth.task]}
