"""Segmentation: a class of every pixel, judged by the pixels of all images; the bootstrap draws images.

With C_kl the pixels of class k that were taken for class l, summed over the images,

    IoU_k  = C_kk / (sum_l C_kl + sum_l C_lk - C_kk)             Jaccard 1912
    Dice_k = 2 C_kk / (sum_l C_kl + sum_l C_lk)                  Dice 1945, the F1 of the pixels
    pixel accuracy = sum_k C_kk / sum_kl C_kl,  pixel error = 1 - pixel accuracy

The means are over the classes that are true or predicted anywhere, as in PASCAL VOC (Everingham et al. 2010, section
4.2.2). All of it follows from one matrix an image, so that is what is kept of a prediction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.drawing.pictures import masks_chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.inputs import check_lengths, class_codes, listed
from ganglion.evaluation.metrics import class_metrics
from ganglion.evaluation.mistakes import Mistake, pictures_of
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, mean_where, ratio, values_at

N_WORST = 6  # images shown
MOST_CLASSES = 255
PIECE_PIXELS = 2**22  # read together: labels of pixels take 8 bytes each


@dataclass(frozen=True, slots=True)
class MaskPredictions:
    """What one model says about the pixels of the evaluation images.

    Attributes
    ----------
    counts : ndarray of shape (n, n_classes, n_classes), int64
        Of each image, how many pixels of each true class (rows) were taken for each class.
    values : ndarray of shape (n, height, width), uint8, or None
        Codes of the predicted classes; baselines, which are not shown, keep none.
    """

    counts: Array
    values: Array | None = None


def mask_truth(model: Any, X: Any, y: Any, what: str = "y") -> Truth:
    """Return the true classes of the pixels, coded by the classes of the model.

    Parameters
    ----------
    model : estimator with `classes_`
    X : image stack or Dataset of n images
    y : array-like of shape (n, height, width), or that with a last axis of 1
    what : str
        What y is called in messages.

    Raises
    ------
    InvalidInput
        If the shapes do not fit, or y has a class that the model does not know.
    """
    masks = np.asarray(y.values(y.names[0]) if hasattr(y, "with_target") else y)
    if masks.ndim == 4 and masks.shape[-1] == 1:
        masks = masks[..., 0]
    if masks.ndim != 3:
        raise InvalidInput(f"{what} has shape {masks.shape}. Give a class of every pixel: (n, height, width).")
    check_lengths(X, masks, what)
    classes = np.asarray(model.classes_)
    if len(classes) > MOST_CLASSES:
        raise InvalidInput(f"the model has {len(classes)} classes; masks of at most {MOST_CLASSES} can be evaluated.")
    codes, strangers = _mask_codes(masks, classes)
    if strangers:
        raise InvalidInput(
            f"{what} holds classes that {type(model).__name__} was not trained on: {listed(strangers)}. Its classes "
            f"are: {listed(classes.tolist())}. Write the masks with these, or train on masks that have the others too."
        )
    return Truth("segmentation", codes, tuple(str(each) for each in classes.tolist()))


def predict_masks(model: Any, X: Any, truth: Truth) -> MaskPredictions:
    """Ask a model for the classes of all pixels, a few million at a time.

    Raises
    ------
    InvalidInput
        If the answers have another shape than the truth, or classes that the model does not name.
    """
    classes, shape = np.asarray(model.classes_), truth.values.shape[1:]
    values = np.empty_like(truth.values)
    for rows in _pieces(truth.values.shape):
        said = np.asarray(model.predict(_rows_of(X, rows)))
        if said.shape != (len(rows), *shape):
            raise InvalidInput(
                f"{type(model).__name__} predicts an array of shape {said.shape} for {len(rows)} images whose masks "
                f"have shape {shape}. Images and masks must have the same height and width."
            )
        values[rows], strangers = _mask_codes(said, classes)
        if strangers:
            raise InvalidInput(
                f"{type(model).__name__} predicts {listed(strangers)}, which its classes_ do not hold: "
                f"{listed(classes.tolist())}. Its predict and classes_ must agree."
            )
    return MaskPredictions(count_pixels(truth.values, values, len(classes)), values)


def count_pixels(truth: Array, said: Array, n_classes: int) -> Array:
    """Return how many pixels of each class were taken for each class, image by image.

    Parameters
    ----------
    truth, said : ndarray of shape (n, height, width), integers in [0, n_classes)
    n_classes : int

    Returns
    -------
    ndarray of shape (n, n_classes, n_classes), int64
        Rows are the truth.
    """
    cells = (
        np.bincount(right.ravel().astype(np.intp) * n_classes + guess.ravel(), minlength=n_classes**2)
        for right, guess in zip(truth, said, strict=True)
    )
    return np.stack(list(cells)).reshape(-1, n_classes, n_classes)


def resampled_mask_metrics(truth: Truth, said: MaskPredictions) -> list[Resampled]:
    """Return the function of the weights of the images, (n, b), that gives every metric, (b,) each."""
    n_classes = len(truth.classes)
    flat = said.counts.reshape(len(truth), -1).T.astype(np.float64)
    names = [metric.name for metric in class_metrics("segmentation", truth.classes)]

    def metrics(weights: Array) -> dict[str, Array]:
        cells = (flat @ weights).reshape(n_classes, n_classes, -1)
        iou, dice = _overlaps(cells)
        accuracy = np.trace(cells) / cells.sum(axis=(0, 1))
        found = {"mean_iou": mean_where(iou, np.isfinite(iou)), "mean_dice": mean_where(dice, np.isfinite(dice))}
        found |= {"pixel_accuracy": accuracy, "pixel_error": 1 - accuracy}
        return found | dict(zip(names, iou, strict=True))

    return [metrics]


def mask_values(truth: Truth, said: MaskPredictions, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric, or the reason why it is not defined on these images."""
    return values_at(
        resampled_mask_metrics(truth, said),
        np.ones(len(truth)) if weight is None else weight,
        lambda name: "the class is neither true nor predicted",
    )


def mask_facts(truth: Truth, said: MaskPredictions) -> dict[str, str]:
    """Return what a reader must know of the masks."""
    shares = np.bincount(truth.values.ravel(), minlength=len(truth.classes)) / truth.values.size
    most = np.argsort(-shares, kind="stable")[:6]
    listed = ", ".join(f"{truth.classes[k]} {shares[k]:.1%}" for k in most)
    height, width = truth.values.shape[1:]
    return {"Pixels": f"{height} × {width} an image", "Classes": f"{len(truth.classes)}: {listed}"}


def worst_masks(truth: Truth, said: MaskPredictions, X: Any) -> tuple[Mistake, ...]:
    """Return the images with the lowest mean IoU of their own, worst first, with what was said laid over them."""
    if said.values is None:
        return ()
    iou, _ = _overlaps(np.moveaxis(said.counts, 0, -1).astype(np.float64))
    scores = mean_where(iou, np.isfinite(iou))
    n_pixels = int(np.prod(truth.values.shape[1:]))
    wrong = 1 - np.trace(said.counts, axis1=1, axis2=2) / n_pixels
    rows = np.flatnonzero(wrong)
    rows = rows[np.lexsort((-wrong[rows], scores[rows]))][:N_WORST]
    mistakes = []
    for row, (picture, file) in zip(rows.tolist(), pictures_of(X, rows), strict=True):
        counts = said.counts[row]
        mistakes.append(
            Mistake(
                row,
                _shares(counts.sum(axis=1) / n_pixels, truth.classes),
                f"{wrong[row]:.1%} of the pixels wrong, mean IoU {scores[row]:.3f}",
                score=float(scores[row]),
                file=file,
                picture=None
                if picture is None or picture.shape[1:] != truth.values.shape[1:]
                else masks_chart(
                    picture, truth.values[row], said.values[row], truth.classes, f"Image {row}: truth and prediction"
                ),
            )
        )
    return tuple(mistakes)


def _overlaps(cells: Array) -> tuple[Array, Array]:
    """Return IoU and Dice of each class, (n_classes, b), NaN where it does not occur, from counts (K, K, b)."""
    hits = np.diagonal(cells).T
    both = cells.sum(axis=0) + cells.sum(axis=1)
    return ratio(hits, both - hits), ratio(2 * hits, both)


def _mask_codes(masks: Array, classes: Array) -> tuple[Array, list[Any]]:
    """Return labels of pixels as codes into `classes`, uint8, and the labels that are not among them."""
    codes, strangers = np.empty(masks.shape, dtype=np.uint8), set()
    for rows in _pieces(masks.shape):
        codes[rows], strange = class_codes(masks[rows], classes)
        strangers |= set(strange)
    return codes, sorted(strangers, key=str)


def _pieces(shape: tuple[int, ...]) -> Iterator[Array]:
    """Give the rows of so many images as have a few million pixels, and the next ones, until there are none."""
    step = max(1, PIECE_PIXELS // max(1, math.prod(shape[1:])))
    yield from (np.arange(start, min(start + step, shape[0])) for start in range(0, shape[0], step))


def _rows_of(X: Any, rows: Array) -> Any:
    if hasattr(X, "take") and hasattr(X, "with_target"):  # a Dataset, without importing torch
        return X.take(rows)
    return X[rows[0] : rows[-1] + 1]


def _shares(shares: Array, classes: tuple[str, ...]) -> str:
    order = [k for k in np.argsort(-shares, kind="stable").tolist() if shares[k] > 0]
    return ", ".join(f"{classes[k]}: {shares[k]:.0%}" for k in order[:3]) + (", …" if len(order) > 3 else "")
