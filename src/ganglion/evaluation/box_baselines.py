"""The dumb baseline of detection: the objects of a typical training image, whatever the image shows.

Of each class it has as many boxes as a training image has on average, at the centres of the clusters of the training
boxes (k-means on their four sides); each is as sure as the share of the training images that have an object there.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.model_selection import KFold

from ganglion.data.boxes import Boxes
from ganglion.data.matching import pairwise_iou
from ganglion.evaluation.baselines import N_FOLDS, Baseline
from ganglion.evaluation.detection import RIGHT_FROM, matched
from ganglion.evaluation.predictions import Array, Truth

MOST_BOXES = 20  # of a class
MOST_ROWS = 5000  # boxes of a class that clusters are looked for among


def run_box_baselines(
    truth: Truth,
    X: Any,
    *,
    train: tuple[Any, Truth] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Learn the typical boxes of the training images, and give them for every evaluation image.

    Parameters
    ----------
    truth : Truth
        Of the evaluation images.
    X : image stack or Dataset
        Not looked at.
    train : tuple of X_train and its Truth, optional
        Without it, those of the other folds of the evaluation images are given for each, in 5 folds.
    weight : ndarray of shape (n,), optional
        Weights of the evaluation images, used where these are what is learned from.
    random_state : int
        Decides folds and clusters.
    """
    started, every = time.perf_counter(), np.arange(len(truth))
    if train is None:
        splitter = KFold(min(N_FOLDS, len(truth)), shuffle=True, random_state=random_state)
        known, folds = truth, list(splitter.split(every))
        note = f"out of fold: the boxes of the evaluation images, {len(folds)} folds"
        weight = np.ones(len(truth)) if weight is None else weight
    else:
        known, folds, weight = train[1], [(np.arange(len(train[1])), every)], np.ones(len(train[1]))
        note = f"clusters of the boxes of {len(known):,} training images, the same for every image"
    said = np.empty(len(truth), dtype=object)
    for rows, asked in folds:
        boxes = typical_boxes(known.values[rows], weight[rows], len(known.classes), random_state)
        for row in asked.tolist():
            said[row] = boxes
    return [Baseline("typical boxes", matched(truth, said), note, time.perf_counter() - started)]


def typical_boxes(pictures: Array, weight: Array, n_classes: int, seed: int) -> Boxes:
    """Return the boxes of a typical image, the surest first.

    Parameters
    ----------
    pictures : ndarray of shape (n,), of Boxes
        Their labels are codes in [0, n_classes).
    weight : ndarray of shape (n,)
        How much each image counts.
    n_classes, seed : int
    """
    parts = [_of_class(pictures, weight, code, seed) for code in range(n_classes)]
    boxes, labels, scores = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.argsort(-scores, kind="stable")
    return Boxes(boxes[order], labels[order], scores[order])


def _of_class(pictures: Array, weight: Array, code: int, seed: int) -> tuple[Array, Array, Array]:
    """Return boxes (k, 4), labels (k,) and scores (k,) of one class."""
    own = [each.boxes[each.labels == code] for each in pictures]
    counts = np.array([len(each) for each in own])
    boxes, weights = np.concatenate(own).astype(np.float64), np.repeat(weight, counts)
    boxes, weights = boxes[weights > 0], weights[weights > 0]
    if not len(boxes):
        return np.empty((0, 4), dtype=np.float32), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    kept = np.random.default_rng(seed).permutation(len(boxes))[:MOST_ROWS]
    n_distinct = len(np.unique(boxes[kept], axis=0))
    n_boxes = int(np.clip(round(float(weight @ counts / weight.sum())), 1, min(MOST_BOXES, n_distinct)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clusters = KMeans(n_boxes, random_state=seed).fit(boxes[kept], sample_weight=weights[kept])
    centres = clusters.cluster_centers_
    there = np.array([(pairwise_iou(centres, each) >= RIGHT_FROM).any(axis=1) for each in own])
    scores = weight @ there / weight.sum()
    return centres.astype(np.float32), np.full(n_boxes, code), scores.astype(np.float32)
