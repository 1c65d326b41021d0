"""How well a detector does: mAP@0.5 and mAP@[.5:.95], for every class too, each with a 95 % bootstrap interval.

Pictures are resampled, not boxes: those of one picture are not independent. See `data.matching` for what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.boxes import Boxes
from ganglion.data.matching import Matches, average_precision, match
from ganglion.evaluation.bootstrap import Estimate, percentile_interval, resampled_weights
from ganglion.evaluation.predictions import Array

_NONE_TRUE = "there is no true object in these pictures"


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """The figures of a detector.

    Attributes
    ----------
    map_50, map_50_95 : Estimate
        The mean over the classes of which there are objects, at IoU 0.5, and over 0.5, 0.55, … 0.95.
    ap_50, ap_50_95 : mapping of label to Estimate
        The same of each class.
    """

    map_50: Estimate
    map_50_95: Estimate
    ap_50: Mapping[Any, Estimate]
    ap_50_95: Mapping[Any, Estimate]


def detection_scores(
    truth: Sequence[Boxes],
    said: Sequence[Boxes],
    classes: Sequence[Any] | Array | None = None,
    *,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> DetectionScores:
    """Measure found boxes against true ones.

    Parameters
    ----------
    truth, said : sequence of Boxes
        One a picture, in the same order; those of `said` have scores.
    classes : sequence of labels, optional
        Those of `truth` if not given.
    n_bootstrap : int
        Resamples of the pictures behind the intervals; 0 for none.
    seed : int
        The same seed gives the same intervals.

    Raises
    ------
    InvalidInput
        If there are more pictures in one than in the other, or found boxes without scores.
    """
    matches = match(truth, said, classes)
    figures = _figures(average_precision(matches)[..., None])
    resampled = [_figures(average_precision(matches, each)) for each in _weights(matches, n_bootstrap, seed)]

    def estimate(which: int, row: int) -> Estimate:
        value = figures[which][row, 0]
        if np.isnan(value):
            return Estimate(None, reason=_NONE_TRUE)
        if not resampled:
            return Estimate(float(value))
        return Estimate(float(value), *percentile_interval(np.concatenate([each[which][row] for each in resampled])))

    labels = matches.classes.tolist()
    ap_50, ap_50_95 = ({label: estimate(which, i) for i, label in enumerate(labels)} for which in (0, 1))
    return DetectionScores(estimate(0, -1), estimate(1, -1), ap_50, ap_50_95)


def _weights(matches: Matches, n_bootstrap: int, seed: int) -> Iterator[Array]:
    return resampled_weights(len(matches.n_true), n_bootstrap, seed)


def _figures(by_class: Array) -> tuple[Array, Array]:
    """Return the figures at IoU 0.5, and over all, (n_thresholds, n_classes, b) → (n_classes + 1, b); the mean last."""
    return _with_mean(by_class[0]), _with_mean(by_class.mean(0))


def _with_mean(by_class: Array) -> Array:
    defined = np.isfinite(by_class)
    total, n = np.where(defined, by_class, 0.0).sum(0), defined.sum(0)
    return np.vstack([by_class, np.divide(total, n, out=np.full(len(total), np.nan), where=n > 0)])
