"""Calibration: whether a model is right as often as it is sure.

    ECE = sum_b |B_b| / n * |acc(B_b) - conf(B_b)|            Guo et al. 2017, arXiv:1706.04599, eq. 3

over bins B_b of equal width of the confidence, the probability of the class that is predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganglion.evaluation.predictions import Array

N_BINS = 15  # as in Guo et al. 2017


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows whose confidence lies in (low, high]: how many, how sure the model was of them, how often it was right."""

    low: float
    high: float
    confidence: float
    accuracy: float
    count: int


def top_label(codes: Array, probabilities: Array) -> tuple[Array, Array]:
    """Return the confidence of each row, (n,), and 1.0 where its most probable class is the true one, (n,)."""
    confidence = probabilities.max(axis=1)
    return confidence, (probabilities.argmax(axis=1) == codes).astype(np.float64)


def bin_of(confidence: Array, n_bins: int = N_BINS) -> tuple[Array, int]:
    """Return the bin of each row, (n,) int64, and the number of bins. Bins are closed on the right."""
    return np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1), n_bins


def expected_calibration_error(
    codes: Array, probabilities: Array, weight: Array | None = None, *, n_bins: int = N_BINS
) -> float:
    """Measure how far confidence is from accuracy (0 is perfect, 1 the worst).

    Parameters
    ----------
    codes : ndarray of shape (n,), int64 in [0, n_classes)
        The true classes.
    probabilities : ndarray of shape (n, n_classes), float
        Rows sum to 1.
    weight : ndarray of shape (n,), optional
    n_bins : int
        Bins of equal width on [0, 1]. More bins: less bias, more noise.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    confidence, right = top_label(codes, probabilities)
    weight = np.ones(len(codes)) if weight is None else weight
    bins, _ = bin_of(confidence, n_bins)
    gaps = np.bincount(bins, weights=weight * (right - confidence), minlength=n_bins)
    return float(np.abs(gaps).sum() / weight.sum())


def calibration_curve(codes: Array, probabilities: Array, *, n_bins: int = N_BINS) -> tuple[CalibrationBin, ...]:
    """Return the bins that hold any row, in rising order of confidence; parameters as above."""
    confidence, right = top_label(codes, probabilities)
    bins, _ = bin_of(confidence, n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    sure = np.bincount(bins, weights=confidence, minlength=n_bins)
    hits = np.bincount(bins, weights=right, minlength=n_bins)
    return tuple(
        CalibrationBin(
            b / n_bins, (b + 1) / n_bins, float(sure[b] / counts[b]), float(hits[b] / counts[b]), int(counts[b])
        )
        for b in np.flatnonzero(counts).tolist()
    )
