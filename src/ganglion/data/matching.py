"""Which found objects are right, and how good that is: average precision, as COCO measures it.

    IoU(a, b) = |a ∩ b| / |a ∪ b|                                      how much two boxes cover each other
    precision = right / found,  recall = right / true                    of all boxes with at least some score
    AP        = mean over r = 0, 0.01, … 1 of  max {precision : recall >= r}

In each picture and class the found boxes, surest first, take the free true box that they cover best, if IoU reaches a
threshold; a true box is taken once. mAP@0.5 is the mean of AP over the classes at the threshold 0.5, mAP@[.5:.95]
that over the thresholds 0.5, 0.55, … 0.95, too.

Everingham et al. 2010, "The Pascal Visual Object Classes (VOC) Challenge", section 4.2; Lin et al. 2014,
arXiv:1405.0312, whose own implementation, pycocotools, gives the same to rounding. It stands in this room because
estimators score themselves with it, and evaluation is above them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.boxes import Boxes
from ganglion.errors import InvalidInput

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST_DETECTIONS = 100  # a picture and class, as COCO has it


@dataclass(frozen=True, eq=False, slots=True)
class Matches:
    """Every found box beside what it was: made once, from which figures for any weights of the pictures follow.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    thresholds : ndarray of shape (n_thresholds,)
        Of IoU.
    n_true : ndarray of shape (n_pictures, n_classes), int64
        How many objects there are.
    scores : ndarray of shape (n_found,), float64
        Of the found boxes of known classes, the surest first.
    right : ndarray of shape (n_thresholds, n_found), bool
        Whether the box took a true one at each threshold.
    picture, label : ndarray of shape (n_found,), int64
        Where each was found, and its place in `classes`.
    """

    classes: np.ndarray
    thresholds: np.ndarray
    n_true: np.ndarray
    scores: np.ndarray
    right: np.ndarray
    picture: np.ndarray
    label: np.ndarray


def match(
    truth: Sequence[Boxes] | np.ndarray,
    said: Sequence[Boxes] | np.ndarray,
    classes: Sequence[Any] | np.ndarray | None = None,
    *,
    thresholds: np.ndarray = THRESHOLDS,
    most: int = MOST_DETECTIONS,
) -> Matches:
    """Match the boxes that were found with the true ones.

    Parameters
    ----------
    truth, said : sequence of Boxes
        One a picture, in the same order; those of `said` have scores.
    classes : sequence of labels, optional
        Those of `truth` if not given. Boxes of other classes are not looked at.
    thresholds : ndarray of shape (n_thresholds,)
        IoU from which a box is right.
    most : int
        How many boxes of each picture and class count, the surest.

    Raises
    ------
    InvalidInput
        If there are more pictures in one than in the other, or found boxes without scores.
    """
    if len(truth) != len(said):
        raise InvalidInput(
            f"there are true boxes of {len(truth)} pictures, but found ones of {len(said)}. Give both of the same "
            "pictures, in the same order."
        )
    bare = next((i for i, each in enumerate(said) if each.scores is None), None)
    if bare is not None:
        raise InvalidInput(f"the boxes found in picture {bare} have no scores. Give what a detector's predict returns.")
    known = labels_of(truth) if classes is None else np.asarray(classes)
    n_true = np.zeros((len(truth), len(known)), dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64)
    parts = [(np.empty(0), np.empty((len(thresholds), 0), dtype=bool), nothing, nothing)]
    for i, (true, found) in enumerate(zip(truth, said, strict=True)):
        for code, label in enumerate(known):
            there, here = true.boxes[true.labels == label], np.flatnonzero(found.labels == label)
            n_true[i, code] = len(there)
            scores = np.asarray(found.scores, dtype=np.float64)[here]
            order = np.argsort(-scores, kind="stable")[:most]
            right = _taken(pairwise_iou(found.boxes[here[order]], there), thresholds)
            parts.append((scores[order], right, np.full(len(order), i), np.full(len(order), code)))
    scores, right, picture, label = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    order = np.argsort(-scores, kind="stable")
    return Matches(known, thresholds, n_true, scores[order], right[:, order], picture[order], label[order])


def labels_of(pictures: Sequence[Boxes] | np.ndarray) -> np.ndarray:
    """Return the classes of all objects, sorted."""
    labels = [each.labels for each in pictures if len(each)]  # those of no object may be of any type
    return np.unique(np.concatenate(labels)) if labels else np.empty(0, dtype=str)


def pairwise_iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how much boxes cover each other, (n, 4) and (m, 4) → (n, m) float64 from 0 to 1."""
    one, other = one.astype(np.float64)[:, None], other.astype(np.float64)[None]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = sides.clip(min=0).prod(-1)
    area = (one[..., 2:] - one[..., :2]).prod(-1) + (other[..., 2:] - other[..., :2]).prod(-1) - shared
    return np.divide(shared, area, out=np.zeros_like(shared), where=area > 0)


def _taken(iou: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return whether each found box, in order, takes a true one, (n_found, n_true) → (n_thresholds, n_found)."""
    n_found, n_true = iou.shape
    right = np.zeros((len(thresholds), n_found), dtype=bool)
    free = np.ones((len(thresholds), n_true), dtype=bool)
    rows, lowest = np.arange(len(thresholds)), thresholds.min()
    for i in np.flatnonzero(iou.max(1, initial=0.0) >= lowest):
        open_to = np.where(free, iou[i], -1.0)
        best = n_true - 1 - open_to[:, ::-1].argmax(1)  # of equal ones the last, as in pycocotools
        right[:, i] = open_to[rows, best] >= np.minimum(thresholds, 1 - 1e-10)
        free[rows, best] &= ~right[:, i]
    return right


def average_precision(matches: Matches, weight: np.ndarray | None = None) -> np.ndarray:
    """Return the average precision of every threshold and class.

    Parameters
    ----------
    matches : Matches
    weight : ndarray of shape (n_pictures,) or (n_pictures, b), optional
        How much each picture counts: resamples of the bootstrap are b such columns. A weight of 2 is a second copy.

    Returns
    -------
    ndarray of shape (n_thresholds, n_classes), or (n_thresholds, n_classes, b)
        NaN for a class of which there is no true object.
    """
    several = weight is not None and weight.ndim == 2
    weights = np.ones((len(matches.n_true), 1)) if weight is None else weight.reshape(len(weight), -1)
    found = np.full((len(matches.thresholds), len(matches.classes), weights.shape[1]), np.nan)
    for code in range(len(matches.classes)):
        of_class = np.flatnonzero(matches.label == code)
        each = weights[matches.picture[of_class]]
        n_true, n_found = matches.n_true[:, code] @ weights, each.cumsum(0)
        for i, right in enumerate(matches.right[:, of_class]):
            n_right = (each * right[:, None]).cumsum(0)
            found[i, code] = _areas(n_right, n_found, n_true)
    return found if several else found[..., 0]


def _areas(n_right: np.ndarray, n_found: np.ndarray, n_true: np.ndarray) -> np.ndarray:
    """Return the mean of the greatest precision at 101 recalls, (m, b), (m, b), (b,) → (b,)."""
    precision = n_right / (n_found + np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    areas = np.full(len(n_true), np.nan)
    for b in np.flatnonzero(n_true > 0):
        reached = np.searchsorted(n_right[:, b] / n_true[b], RECALLS, side="left")
        areas[b] = precision[reached[reached < len(precision)], b].sum() / len(RECALLS)
    return areas


def mean_average_precision(
    matches: Matches, *, threshold: float | None = None, weight: np.ndarray | None = None
) -> float:
    """Return the mean over classes that have true objects, at one IoU threshold of `matches` or over all; or NaN.

    `weight`, (n_pictures,), is how much each picture counts.
    """
    by_class = average_precision(matches, weight)
    if threshold is not None:
        by_class = by_class[np.isclose(matches.thresholds, threshold)]
    defined = by_class[np.isfinite(by_class)]
    return float(defined.mean()) if len(defined) else float("nan")
