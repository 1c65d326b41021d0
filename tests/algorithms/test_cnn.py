"""Convolutional networks as estimators."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import ganglion as gg
from ganglion.errors import InvalidInput, InvalidParameter

DIGITS = load_digits()


def stripes(n, *, seed=0):
    """Return pictures with one bright bar somewhere, and whether it stands upright."""
    rng = np.random.default_rng(seed)
    images, upright = rng.normal(0, 0.3, (n, 12, 12)), rng.integers(0, 2, n)
    for image, up in zip(images, upright, strict=True):
        (image.T if up else image)[rng.integers(12)] += 1.0
    return images.astype(np.float32), upright


def test_it_sees_a_bar_wherever_it_stands():
    X, y = stripes(600)
    X_new, y_new = stripes(200, seed=1)
    model = gg.CNNClassifier(channels=(8,), head="average", epochs=15, random_state=0).fit(X, y)
    assert model.score(X_new, y_new) > 0.97


@pytest.mark.parametrize(
    "options", [{}, {"residual": True, "head": "average"}, {"activation": "tanh", "pooling": "average"}]
)
def test_digits(options):
    X, X_new, y, y_new = train_test_split(DIGITS.images, DIGITS.target, test_size=500, random_state=0)
    model = gg.CNNClassifier(channels=(8, 16), epochs=12, learning_rate=0.005, random_state=0, **options).fit(X, y)
    assert model.score(X_new, y_new) > 0.97


def test_numbers_from_pictures():
    X, y = DIGITS.images[:800], DIGITS.images[:800].mean((1, 2))
    model = gg.CNNRegressor(channels=(8,), epochs=25, random_state=0).fit(X[:600], y[:600])
    assert model.score(X[600:], y[600:]) > 0.9


def test_feature_maps_halve():
    model = gg.CNNClassifier(channels=(4, 6), epochs=1, random_state=0).fit(DIGITS.images[:100], DIGITS.target[:100])
    first, second = model.feature_maps(DIGITS.images[:3])
    assert first.shape == (3, 4, 4, 4)
    assert second.shape == (3, 6, 2, 2)
    assert (first >= 0).all()  # rectified


def test_stages_follow_the_size_of_the_picture():
    def n_stages(side):
        images = np.random.default_rng(0).integers(0, 256, (20, side, side)).astype(np.uint8)
        model = gg.CNNClassifier(epochs=1, hidden=(), random_state=0).fit(images, np.arange(20) % 2)
        return [maps.shape[1:] for maps in model.feature_maps(images[:1])]

    assert n_stages(6) == [(32, 3, 3)]
    assert n_stages(28) == [(32, 14, 14), (64, 7, 7)]
    assert n_stages(33) == [(32, 17, 17), (64, 9, 9), (128, 5, 5)]


def test_signals_and_pictures_are_not_mixed():
    model = gg.CNNClassifier(channels=(4,), epochs=1, random_state=0).fit(DIGITS.images[:50], DIGITS.target[:50])
    with pytest.raises(InvalidInput, match=r"trained on images \(channels, height, width\) = \(1, 8, 8\)"):
        model.predict(DIGITS.data[:5])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": (4, 0)}, "channels"),
        ({"depth": 0}, "depth"),
        ({"pooling": "sum"}, "pooling"),
        ({"head": "mean"}, "head"),
        ({"kernel_size": 0}, "kernel_size"),
        ({"kernel_size": 4}, "odd"),
    ],
)
def test_options_outside_their_limits_are_refused(options, words):
    with pytest.raises(InvalidParameter, match=words):
        gg.CNNClassifier(**options).fit(DIGITS.images[:20], DIGITS.target[:20])
