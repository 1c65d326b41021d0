"""Looking inside: what a network of pictures learned, what it makes of a picture, what it saw while training.

plot_filters           the weights of its first convolution, as pictures
plot_feature_maps      what each stage makes of some pictures
plot_augmentation      some pictures, and how training changes them at random
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ganglion.data.augmentation import augmentation_by_name, usual
from ganglion.data.convert import as_dataset
from ganglion.drawing.gallery import Charts
from ganglion.drawing.pictures import sheet
from ganglion.drawing.png import displayable
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.facts import innermost
from ganglion.evaluation.predictions import Array

MOST_FILTERS = 256
MOST_IMAGES = 8
MOST_MAPS = 12  # of a stage


def plot_filters(model: Any) -> Chart:
    """Draw the filters of a network's first convolution.

    Parameters
    ----------
    model : estimator
        A fitted one whose network has a convolution; pipelines too.

    Returns
    -------
    Chart
        Each filter has its own scale: grey is 0, white and black are its largest weight and minus that. Filters of
        three channels are in colour, of other numbers the mean over the channels.

    Raises
    ------
    InvalidInput
        If the model is not fitted, or its network has no convolution.
    """
    inner = innermost(model)
    network = getattr(inner, "network_", None)
    layers = [] if network is None else [each for each in network.modules() if isinstance(each, torch.nn.Conv2d)]
    if not layers:
        why = "is not fitted yet: call fit first" if network is None else "has no convolution, so there are no filters"
        raise InvalidInput(f"{type(inner).__name__} {why}. Give a fitted network of pictures, such as CNNClassifier.")
    weights = layers[0].weight.detach().cpu().double().numpy()[:MOST_FILTERS]
    if weights.shape[1] not in (1, 3):
        weights = weights.mean(axis=1, keepdims=True)
    largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    filters = np.round(127.5 * (1 + weights / np.where(largest > 0, largest, 1))).astype(np.uint8)
    columns = 8 if len(filters) <= 64 else 16
    rows = [list(filters[i : i + columns]) for i in range(0, len(filters), columns)]
    return sheet(rows, f"{len(filters)} filters of the first convolution", side=40)


def plot_feature_maps(model: Any, X: Any) -> Charts:
    """Draw what each stage of a network makes of pictures.

    Parameters
    ----------
    model : estimator
        A fitted one with `feature_maps`, such as CNNClassifier.
    X : image stack, or Dataset
        The first eight images are drawn.

    Returns
    -------
    Charts
        "image 0", "image 1", …: of each stage the channels that vary most over these images, each on its own scale.

    Raises
    ------
    InvalidInput
        If the model has no `feature_maps`, or X holds no images.
    """
    if not hasattr(model, "feature_maps"):
        raise InvalidInput(
            f"{type(model).__name__} has no feature_maps. Give a convolutional network, such as CNNClassifier."
        )
    images = _images(X, np.arange(min(MOST_IMAGES, len(X))))
    stages = []
    for maps in model.feature_maps(images):
        chosen = np.sort(np.argsort(-maps.std(axis=(0, 2, 3)), kind="stable")[:MOST_MAPS])
        what = f"{len(chosen)} of {maps.shape[1]} channels, {maps.shape[2]} × {maps.shape[3]}"
        stages.append((what, maps[:, chosen]))
    names = ["picture", *(f"stage {k}: {what}" for k, (what, _) in enumerate(stages, start=1))]
    charts = {}
    for i, image in enumerate(displayable(images)):
        rows = [[image], *([displayable(each[None, None])[0] for each in maps[i]] for _, maps in stages)]
        charts[f"image {i}"] = sheet(rows, f"Feature maps of image {i}", names=names, side=80)
    return Charts(charts)


def plot_augmentation(estimator: Any, X: Any, n: int = 8, *, n_images: int = 4, random_state: int = 0) -> Chart | None:
    """Draw pictures as they are and, beside each, as training changes them at random.

    Parameters
    ----------
    estimator : estimator with the option `augmentation`
        It need not be fitted.
    X : image stack, or Dataset
    n : int
        How many changed pictures to draw of each.
    n_images : int
        How many images, spread evenly over X.
    random_state : int
        The same seed gives the same changes; the global generator is put back afterwards.

    Returns
    -------
    Chart or None
        None where nothing is changed.

    Raises
    ------
    InvalidInput
        If the estimator has no such option, or X holds no images.
    InvalidParameter
        If `n` or `n_images` is below 1.
    """
    inner = innermost(estimator)
    if not hasattr(inner, "augmentation"):
        raise InvalidInput(f"{type(inner).__name__} has no option augmentation. Give an estimator of pictures.")
    if min(n, n_images) < 1:
        raise InvalidParameter(f"n={n}, n_images={n_images}: give at least 1 of each.")
    images = _images(X, np.linspace(0, len(X) - 1, min(n_images, len(X))).astype(np.int64))
    given = inner.augmentation
    change = usual(images.shape[1:]) if given == "auto" else augmentation_by_name(given)
    if change is None:
        return None
    whole = torch.from_numpy(images)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_state)
        changed = [change({"image": whole})["image"].numpy() for _ in range(n)]
    shown = [displayable(images), *(_as_shown(each, images) for each in changed)]
    rows = [[each[i] for each in shown] for i in range(len(images))]
    return sheet(rows, f"As it is, then changed at random by {change}", side=96)


def _images(X: Any, rows: Array) -> Array:
    """Return some images of X, (k, channels, height, width)."""
    chosen = as_dataset(X).take(rows)
    names = [field.name for field in chosen.features if field.kind == "image"]
    if not names or not len(rows):
        raise InvalidInput("X holds no images. Give a stack of images, (n, height, width), or a Dataset of them.")
    return np.asarray(chosen.columns[names[0]])


def _as_shown(changed: Array, images: Array) -> Array:
    """Return changed images as uint8, on the scale on which the images are shown."""
    if images.dtype == np.uint8 and images.max() > 127:
        return np.round(changed).clip(0, 255).astype(np.uint8)
    low, high = float(images.min()), float(images.max())
    return np.round(255 * (changed.astype(np.float64) - low) / ((high - low) or 1.0)).clip(0, 255).astype(np.uint8)
