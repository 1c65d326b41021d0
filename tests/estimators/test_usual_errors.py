"""Distances are those of the closed form, and few anomalies among the errors do not change them much."""

import json

import numpy as np
import pytest
from sklearn.covariance import oas

from ganglion.estimators.usual_errors import UsualErrors, shrunk_correlation

RNG = np.random.default_rng(0)


def test_one_number_is_how_many_deviations_it_is_away():
    errors = RNG.normal(3.0, 2.0, size=(50_000, 1, 1))
    usual = UsualErrors.fit(errors)
    # the nearest nine tenths of a normal distribution have a deviation of 0.789 of its own: E x² within ±1.645
    assert usual.distance(np.array([3.0, 13.0])[:, None, None]) == pytest.approx([0.0, 5 / 0.789], abs=0.1)


def test_correlated_numbers_have_the_distance_of_mahalanobis():
    root = np.array([[2.0, 0.0], [1.5, 0.5]])
    errors = RNG.normal(size=(50_000, 2)) @ root.T
    points = np.array([[2.0, 1.5], [2.0, -1.5]])
    expected = np.sqrt((np.linalg.solve(root, points.T) ** 2).mean(axis=0))
    ratio = UsualErrors.fit(errors[:, None]).distance(points[:, None]) / expected
    assert ratio[0] == pytest.approx(
        ratio[1], rel=0.05
    )  # as far as the shape goes; the scale is the threshold's matter


def test_shrinkage_is_that_of_scikit_learn():
    for n in (8, 40):
        x = RNG.normal(size=(n, 5)) @ RNG.normal(size=(5, 5))
        x = (x - x.mean(0)) / x.std(0)
        np.testing.assert_allclose(shrunk_correlation(x), oas(x, assume_centered=True)[0], atol=2e-6)


def test_anomalies_among_the_errors_move_little():
    errors = RNG.normal(size=(1000, 1, 3))
    spoiled = errors.copy()
    spoiled[::20] += 50.0
    far = np.full((1, 1, 3), 4.0)
    assert UsualErrors.fit(spoiled).distance(far) == pytest.approx(UsualErrors.fit(errors).distance(far), rel=0.15)


def test_errors_that_never_are_wrong_divide_by_nothing():
    usual = UsualErrors.fit(np.zeros((30, 1, 2)))
    assert np.isfinite(usual.distance(np.array([[[0.0, 1.0]]]))).all()
    assert usual.distance(np.zeros((1, 1, 2))) == 0


def test_it_comes_back_from_json_and_damage_is_refused():
    usual = UsualErrors.fit(RNG.normal(size=(40, 3, 2)))
    stored = json.loads(json.dumps(usual.to_json()))
    np.testing.assert_array_equal(
        UsualErrors.from_json(stored).distance(np.ones((1, 3, 2))), usual.distance(np.ones((1, 3, 2)))
    )
    for flaw in ({"middle": [[1.0]]}, {"whiten": np.full((3, 2, 2), np.nan).tolist()}, {"middle": "text"}):
        with pytest.raises((ValueError, TypeError)):
            UsualErrors.from_json(stored | flaw)


def test_of_several_forecasts_the_worst_counts_and_what_is_not_known_does_not():
    usual = UsualErrors.fit(RNG.normal(size=(20_000, 2, 1)) * [[1.0], [10.0]])
    one = usual.distance(np.array([[[5.0], [5.0]], [[0.0], [50.0]], [[np.nan], [50.0]]]))
    assert one[0] == pytest.approx(5 / 0.789, abs=0.2)
    assert one[1] == pytest.approx(one[0], rel=0.05)
    assert one[2] == pytest.approx(one[1])
