"""After how many steps a series repeats itself most, told from its own past."""

from __future__ import annotations

import numpy as np
from torch import Tensor

LEAST = 0.3  # of correlation, below which nothing repeats
NEARLY = 0.9  # of the strongest one: the first so strong is taken, since what repeats daily repeats weekly too
MOST_STEPS = 50_000  # of each series, its last ones
MOST_SERIES = 50


def season_of(values: Tensor, offsets: Tensor) -> int:
    """Return the season of series, (n_steps, t) end to end, in steps; 1 where there is none.

    The season is the lag at which changes from step to step are most alike, a peak of their autocorrelation, the mean
    over targets and series. Changes, since a trend is alike at every lag.
    """
    parts = []
    for i in range(min(len(offsets) - 1, MOST_SERIES)):
        begin, end = offsets[i : i + 2].tolist()
        part = values[max(begin, end - MOST_STEPS) : end].double().numpy()
        parts += [autocorrelation(np.diff(column[~np.isnan(column)])) for column in part.T]
    parts = [part for part in parts if len(part) > 2]
    if not parts:
        return 1
    longest = max(map(len, parts))
    stacked = np.full((len(parts), longest), np.nan)
    for row, part in zip(stacked, parts, strict=True):
        row[: len(part)] = part
    alike = np.nanmean(stacked, axis=0)
    lags = np.arange(2, longest - 1)
    peaks = lags[(alike[lags] >= alike[lags - 1]) & (alike[lags] > alike[lags + 1])]
    if not len(peaks) or alike[peaks].max() < LEAST:
        return 1
    return int(peaks[alike[peaks] >= NEARLY * alike[peaks].max()][0])


def autocorrelation(x: np.ndarray) -> np.ndarray:
    """Return how alike a series is to itself some steps before, for lags from 0 to a third of it.

    Parameters
    ----------
    x : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n // 3 + 1,), or (0,) where nothing changes
    """
    centred = x - x.mean() if len(x) else x
    power = float(centred @ centred)
    if len(x) < 6 or power <= 1e-20 * max(1.0, float(np.abs(x).max()) ** 2):
        return np.empty(0)
    size = 2 ** int(np.ceil(np.log2(2 * len(x))))
    spectrum = np.abs(np.fft.rfft(centred, size)) ** 2
    products = np.fft.irfft(spectrum, size)[: len(x) // 3 + 1]
    shorter = len(x) / (len(x) - np.arange(len(products)))  # there are fewer products at longer lags
    return products / power * shorter
