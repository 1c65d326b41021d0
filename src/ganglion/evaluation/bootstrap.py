"""The bootstrap: how far a figure would move if other rows had been drawn from the same source.

Efron & Tibshirani 1993, ch. 13 (percentile interval). A resample is kept as weights, how often each row was drawn, so
that every metric of many resamples at once is a product of matrices. Letters: n rows, b resamples of one chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ganglion.evaluation.predictions import Array

CHUNK_CELLS = 2**20  # rows times resamples held at a time, 8 MiB of float64: fits the processor's cache
MOST_CELLS = 2e9  # rows times resamples times rankings, beyond which fewer resamples are drawn: some 10 s
FEWEST_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % bootstrap interval, or the reason why there is none.

    Attributes
    ----------
    value, low, high : float or None
        None where the figure is not defined on these rows.
    reason : str
        Why it is not defined, or empty.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return "–"
        return f"{self.value:.4g}" if self.low is None else f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def resampled_rows(n_rows: int, n_resamples: int, seed: int) -> Iterator[Array]:
    """Draw rows with replacement, in chunks of resamples.

    Yields
    ------
    ndarray of shape (b, n_rows), int64
        Row indices; b follows from the number of rows only, and the draws do not depend on it.
    """
    generator = np.random.default_rng(seed)
    size = max(1, min(128, CHUNK_CELLS // n_rows))
    for start in range(0, n_resamples, size):
        yield generator.integers(0, n_rows, size=(min(size, n_resamples - start), n_rows))


def resampled_weights(n_rows: int, n_resamples: int, seed: int, weight: Array | None = None) -> Iterator[Array]:
    """Give the same resamples as `resampled_rows`, as weights of the rows.

    Parameters
    ----------
    n_rows, n_resamples, seed : int
        As for `resampled_rows`.
    weight : ndarray of shape (n_rows,), optional
        Weights of the rows themselves; a row drawn twice counts twice its weight.

    Yields
    ------
    ndarray of shape (n_rows, b), float64
    """
    for rows in resampled_rows(n_rows, n_resamples, seed):
        size = len(rows)
        cells = rows * size + np.arange(size)[:, None]
        counts = np.bincount(cells.ravel(), minlength=n_rows * size).reshape(n_rows, size).astype(np.float64)
        yield counts if weight is None else counts * weight[:, None]


def affordable_resamples(n_rows: int, n_rankings: int, wanted: int) -> int:
    """Return how many resamples to draw: those wanted, or fewer where rows and rankings (classes) are many."""
    affordable = int(MOST_CELLS / (n_rows * max(1, n_rankings)))
    return min(wanted, max(FEWEST_RESAMPLES, affordable))


def percentile_interval(samples: Array, *, around: float | None = None) -> tuple[float | None, float | None]:
    """Return the 2.5th and 97.5th percentile of the resampled figures.

    Parameters
    ----------
    samples : ndarray of shape (b,)
        NaN, undefined there, is left out.
    around : float, optional
        The figure itself, for one that resampling lifts (a calibration error: noise in a bin never cancels). The
        percentiles are moved by the difference of the median to it, and stay at 0 or above.
    """
    defined = samples[np.isfinite(samples)]
    if len(defined) < 2:
        return None, None
    low, high = np.percentile(defined, [2.5, 97.5])
    if around is not None:
        bias = np.median(defined) - around
        low, high = max(0.0, low - bias), high - bias
    return float(low), float(high)
