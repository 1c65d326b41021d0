"""The dumb baselines of segmentation: what a network must beat to be worth its cost.

    majority class      the commonest class of all pixels, everywhere
    mean mask           at each place the class that is commonest there
    logistic regression of each pixel on its colour, the mean colour around it at two scales, and how fast the
                        brightness changes there

With training data they are fitted on it; without, each evaluation image is predicted by those fitted on other folds.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_gradient_magnitude, uniform_filter
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import N_FOLDS, Baseline
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.segmentation import MaskPredictions, count_pixels

N_PIXELS = 20_000  # that the linear classifier learns from, of so many images at most:
N_IMAGES = 100
WINDOWS = (5, 15)  # pixels a side

Image = Callable[[int], Array]  # row -> (channels, height, width)
Answer = Callable[[Array], Array]  # (channels, height, width) -> (height, width), codes
Fit = Callable[[Image, Truth, Array, Array, int], Answer]  # of images, their truth, rows and weights of rows, seed


def run_mask_baselines(
    truth: Truth,
    X: Any,
    *,
    train: tuple[Any, Truth] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Fit the baselines and count which pixels of the evaluation images they take for what.

    Parameters
    ----------
    truth : Truth
        Of the evaluation images.
    X : image stack or Dataset
    train : tuple of X_train and its Truth, optional
        Without it, the baselines predict out of fold, in 5 folds of the evaluation images.
    weight : ndarray of shape (n,), optional
        Weights of the evaluation images, used in fitting where these are what is fitted on.
    random_state : int
        Decides folds and samples of pixels.

    Raises
    ------
    InvalidInput
        If X cannot be read as images.
    """
    asked, every = _images(X), np.arange(len(truth))
    if train is None:
        splitter = KFold(min(N_FOLDS, len(truth)), shuffle=True, random_state=random_state)
        seen, known, folds = asked, truth, list(splitter.split(every))
        weight = np.ones(len(truth)) if weight is None else weight
        note = f"out of fold: fitted on the evaluation images, {len(folds)} folds"
    else:
        seen, known = _images(train[0]), train[1]
        folds, weight = [(np.arange(len(known)), every)], np.ones(len(known))
        note = f"fitted on {len(known):,} training images"
    found = []
    for name, fit, more in _BASELINES:
        started = time.perf_counter()
        counts = np.zeros((len(truth), len(truth.classes), len(truth.classes)), dtype=np.int64)
        for rows, held_out in folds:
            answer = fit(seen, known, rows, weight[rows], random_state)
            for row in held_out.tolist():
                said = answer(asked(row))
                counts[row] = count_pixels(truth.values[row : row + 1], said[None], len(truth.classes))[0]
        found.append(Baseline(name, MaskPredictions(counts), note + more, time.perf_counter() - started))
    return found


def _images(X: Any) -> Image:
    data = as_dataset(X)
    names = [field.name for field in data.features if field.kind == "image"]
    if not names:
        raise InvalidInput("there are no images in X.")
    return lambda row: np.asarray(data.take([row]).columns[names[0]])[0]


def _majority(images: Image, truth: Truth, rows: Array, weight: Array, seed: int) -> Answer:
    n_classes = len(truth.classes)
    counts = sum(
        w * np.bincount(truth.values[row].ravel(), minlength=n_classes) for row, w in zip(rows, weight, strict=True)
    )
    code = int(np.argmax(counts))
    return lambda image: np.full(image.shape[1:], code, dtype=np.uint8)


def _mean_mask(images: Image, truth: Truth, rows: Array, weight: Array, seed: int) -> Answer:
    height, width = truth.values.shape[1:]
    counts = np.zeros((len(truth.classes), height * width))
    for row, w in zip(rows, weight, strict=True):
        counts[truth.values[row].ravel(), np.arange(height * width)] += w
    mask = counts.argmax(axis=0).reshape(height, width)

    def answer(image: Array) -> Array:  # images of another size have the same places, nearer or further apart
        down, right = (np.arange(side) * had // side for side, had in zip(image.shape[1:], mask.shape, strict=True))
        return mask[down[:, None], right]

    return answer


def _linear(images: Image, truth: Truth, rows: Array, weight: Array, seed: int) -> Answer:
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(rows))[:N_IMAGES]
    share = -(-N_PIXELS // len(chosen))
    features, codes, weights = [], [], []
    for row, w in zip(rows[chosen].tolist(), weight[chosen].tolist(), strict=True):
        pixels = random.permutation(truth.values[row].size)[:share]
        features.append(_features(images(row))[pixels])
        codes.append(truth.values[row].ravel()[pixels])
        weights.append(np.full(len(pixels), w))
    y, w = np.concatenate(codes), np.concatenate(weights)
    if len(np.unique(y[w > 0])) < 2:
        return _majority(images, truth, rows, weight, seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a baseline that has not converged is still a baseline
        model.fit(np.concatenate(features)[w > 0], y[w > 0], logisticregression__sample_weight=w[w > 0])
    return lambda image: model.predict(_features(image)).reshape(image.shape[1:])


def _features(image: Array) -> Array:
    """Return what is known of each pixel, (height * width, n_features)."""
    channels = image.astype(np.float64)
    around = [uniform_filter(each, size) for size in WINDOWS for each in channels]
    slope = gaussian_gradient_magnitude(channels.mean(axis=0), 1.0)
    return np.stack([*channels, *around, slope]).reshape(-1, slope.size).T


_BASELINES: tuple[tuple[str, Fit, str], ...] = (
    ("majority class", _majority, ""),
    ("mean mask", _mean_mask, ""),
    (
        "logistic regression",
        _linear,
        f"; it sees {N_PIXELS:,} single pixels: colour, means around in {WINDOWS[0]} and {WINDOWS[1]} pixels, slope",
    ),
)
