"""The Fréchet distance: closed forms, laws, and what two samples of one law have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from ganglion.errors import InvalidInput
from ganglion.evaluation.frechet import (
    distance_of_moments,
    expected_of_one_law,
    frechet_distance,
    moments,
    resampled_frechet,
)


def test_of_numbers_it_is_the_distance_of_means_and_deviations():
    rng = np.random.default_rng(0)
    x, y = rng.normal(1.0, 2.0, (50, 1)), rng.normal(4.0, 0.5, (70, 1))
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)


def test_of_any_gaussians_it_is_the_formula_with_a_matrix_root():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)), rng.normal(size=(80, 4)) @ rng.normal(size=(4, 4)) + 1
    first, second = np.cov(x.T), np.cov(y.T)
    traces = np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_distance(x, y) == pytest.approx(np.square(x.mean(0) - y.mean(0)).sum() + traces, rel=1e-9)


def test_singular_covariances_do_no_harm():
    x = np.outer(np.arange(5.0), [1.0, 2.0])
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(x, x + 3) == pytest.approx(18, rel=1e-6)


@given(st.integers(0, 2**31))
def test_it_is_symmetric_and_turns_with_the_points(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(9, 3)), 2 * rng.normal(size=(7, 3)) + rng.normal(size=3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    there = frechet_distance(x, y)
    assert frechet_distance(y, x) == pytest.approx(there, rel=1e-6)
    assert frechet_distance(x @ turn + 5, y @ turn + 5) == pytest.approx(there, rel=1e-6)


def test_what_two_samples_of_one_law_have_is_foretold():
    rng = np.random.default_rng(2)
    deviations = np.array([3.0, 1.0, 1.0, 0.3])
    n, m = 200, 400
    found = [frechet_distance(*(rng.normal(size=(k, 4)) * deviations for k in (n, m))) for _ in range(400)]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - expected_of_one_law(np.diag(deviations**2), n, m)) < 3 * error + 0.03 * np.mean(found)


def test_whole_weights_are_repetitions():
    rng = np.random.default_rng(3)
    x, y, weights = rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), np.array([0, 1, 3, 0, 1, 1])
    rows = np.repeat(np.arange(6), weights)
    said = resampled_frechet(x, y)(np.column_stack([weights, np.ones(6)]))["frechet"]
    repeated = [moments(each[rows]) for each in (x, y)]
    assert said[0] == pytest.approx(distance_of_moments(*repeated[0], *repeated[1]))
    assert said[1] == pytest.approx(frechet_distance(x, y))


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        (np.zeros((3, 2)), np.zeros((3, 4)), "same width"),
        (np.zeros(3), np.zeros(3), "two matrices"),
        (np.zeros((1, 2)), np.zeros((3, 2)), "two rows or more"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), "impute"),
    ],
)
def test_what_is_no_cloud_of_points_is_refused(x, y, why):
    with pytest.raises(InvalidInput, match=why):
        frechet_distance(x, y)
