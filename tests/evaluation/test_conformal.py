"""Sets and intervals that hold the truth as often as they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.conformal import checked_coverage, conformal, conformal_quantile
from ganglion.evaluation.predictions import Predictions, Truth


@given(n=st.integers(1, 60), percent=st.integers(1, 99))
def test_the_quantile_is_that_of_the_definition(n, percent):
    scores = np.random.default_rng(n).permutation(n).astype(float)[:, None]
    rank = -(-(n + 1) * percent // 100)  # the ceiling, in whole numbers
    expected = np.inf if rank > n else rank - 1
    assert conformal_quantile(scores, percent / 100)[0] == expected


def test_new_rows_are_covered_as_often_as_promised():
    generator, covered = np.random.default_rng(0), []
    for _ in range(2000):
        scores = generator.exponential(size=(21, 1))
        covered.append(scores[20, 0] <= conformal_quantile(scores[:20], 0.8)[0])
    assert np.mean(covered) == pytest.approx(17 / 21, abs=0.03)  # ⌈21 · 0.8⌉ of 21 places


def test_sets_of_classes():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:200], y[:200])
    sure = conformal(model, X[200:400], y[200:400], coverage=0.95)
    sets = sure.predict_set(X[400:])
    assert sets.shape == (169, 2)
    assert sets[np.arange(169), y[400:]].mean() == pytest.approx(0.95, abs=0.04)
    probability = model.predict_proba(X[200:400])[np.arange(200), y[200:400]]
    assert sure.quantile_[0] == np.sort(1 - probability)[190]  # ⌈201 · 0.95⌉ = 191
    np.testing.assert_array_equal(sure.predict(X[400:]), model.predict(X[400:]))
    with pytest.raises(InvalidInput, match="predict_set"):
        sure.predict_interval(X)


def test_intervals_of_numbers():
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X[:150], y[:150])
    between = conformal(model, X[150:300], y[150:300]).predict_interval(X[300:])
    assert between.shape == (142, 2)
    inside = (between[:, 0] <= y[300:]) & (y[300:] <= between[:, 1])
    assert inside.mean() == pytest.approx(0.9, abs=0.06)
    np.testing.assert_allclose(between.mean(axis=1), model.predict(X[300:]))


def test_coverage_is_checked_on_rows_that_the_quantile_did_not_see():
    generator = np.random.default_rng(0)
    truth = Truth("regression", generator.normal(size=(3000, 1)), ("y",))
    found = checked_coverage(truth, Predictions(np.zeros((3000, 1))), 0.9)
    assert found.held.value == pytest.approx(0.9, abs=0.02)
    assert found.held.low < found.held.value < found.held.high
    assert found.size == pytest.approx(2 * 1.645, rel=0.05)  # 90 % of a normal law
    assert "90% prediction intervals" in found.sentence


def test_sets_may_be_empty_and_are_counted():
    probabilities = np.tile([0.5, 0.3, 0.2], (400, 1))
    codes = np.repeat([0, 1, 2], [200, 120, 80])
    found = checked_coverage(Truth("multiclass", codes, ("a", "b", "c")), Predictions(codes, probabilities), 0.45)
    assert (found.size, found.single, found.empty) == (1.0, 1.0, 0.0)
    assert found.held.value == 0.5


def test_what_cannot_be_promised_is_refused():
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X, y)
    with pytest.raises(InvalidParameter, match="between 0 and 1"):
        conformal(model, X, y, coverage=90)
    with pytest.raises(InvalidInput, match="Give 99 or more"):
        conformal(model, X[:50], y[:50], coverage=0.99)
    few = Truth("regression", np.zeros((30, 1)), ("y",))
    assert checked_coverage(few, Predictions(np.zeros((30, 1))), 0.9) is None
