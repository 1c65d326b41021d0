"""How good forecasts are, each figure a mean over the steps of each forecast.

    mse, mae    mean of e², of |e|,   e = y - forecast
    smape       200 mean |e| / (|y| + |forecast|), %                              Makridakis 1993
    mase        mean |e| / q,   q the mean |y_i - y_{i-m}| over training            Hyndman & Koehler 2006, eq. 5
    crps        2 mean over the levels of the pinball loss of the quantiles,       Gneiting & Raftery 2007, section 4.2;
                or σ (z (2 Φ(z) - 1) + 2 φ(z) - 1/√π) of a normal, z = (y - μ) / σ  eq. 21
    coverage    share of the y between the outermost quantiles

Letters: n forecasts, H steps, t targets. What is NaN in y is not judged; a forecast without any y is NaN.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.special import ndtr

Array = np.ndarray


def mean_over_steps(each: Array) -> Array:
    """Return the mean of figures (n, H, t) over the steps that are known, (n, t)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN
        return np.nanmean(each, axis=1)


def squared(y: Array, forecast: Array) -> Array:
    """Return the squared errors, (n, H, t)."""
    return np.square(y - forecast)


def absolute(y: Array, forecast: Array) -> Array:
    """Return the absolute errors, (n, H, t)."""
    return np.abs(y - forecast)


def symmetric(y: Array, forecast: Array) -> Array:
    """Return 200 |e| / (|y| + |forecast|), (n, H, t), 0 where both are 0."""
    size = np.abs(y) + np.abs(forecast)
    return 200 * np.divide(np.abs(y - forecast), size, out=np.where(np.isnan(size), np.nan, 0.0), where=size > 0)


def pinball(y: Array, quantiles: Array, levels: Sequence[float]) -> Array:
    """Return the loss of each quantile, (n, H, t, n_levels): max(q e, (q - 1) e). Koenker & Bassett 1978."""
    error, q = y[..., None] - quantiles, np.asarray(levels)
    return np.maximum(q * error, (q - 1) * error)


def crps_of_quantiles(y: Array, quantiles: Array, levels: Sequence[float]) -> Array:
    """Return twice the mean pinball loss, (n, H, t): the integral over all levels, by these ones."""
    return 2 * pinball(y, quantiles, levels).mean(-1)


def crps_of_normals(y: Array, mean: Array, deviation: Array) -> Array:
    """Return the continuous ranked probability score of normals, (n, H, t)."""
    z = (y - mean) / deviation
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return deviation * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / math.sqrt(math.pi))


def covered(y: Array, low: Array, high: Array) -> Array:
    """Return 1 where y lies within, 0 where not, NaN where it is not known, (n, H, t)."""
    return np.where(np.isnan(y), np.nan, (y >= low) & (y <= high))


def naive_errors(values: Array, offsets: Array, season: int) -> Array:
    """Return the mean |y_i - y_{i-m}| of each target over the steps of some series, (t,), NaN left out.

    Parameters
    ----------
    values : ndarray of shape (n_steps, t)
    offsets : ndarray of shape (n_series + 1,), int
    season : int
        m; series that are not longer than that are compared with the step before.
    """
    parts = []
    for begin, end in pairwise(offsets.tolist()):
        lag = season if end - begin > season else 1
        parts.append(np.abs(values[begin + lag : end] - values[begin : end - lag]))
    every = np.concatenate(parts) if parts else np.empty((0, values.shape[1]))
    known = ~np.isnan(every)
    return np.where(known, every, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
