"""Whether two runs put features in the same order: Spearman's rank correlation, ties sharing their ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def agreement(one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Return the rank correlation of values, -1 to 1, of each sample: (…, d) → (…).

    It is 1 where both are constant, and 0 where one is.
    """
    ranks = [rankdata(np.round(np.asarray(each, dtype=np.float64), 12), axis=-1) for each in (one, other)]
    apart = [each - each.mean(axis=-1, keepdims=True) for each in ranks]
    sizes = [(each**2).sum(axis=-1) for each in apart]
    together, both = (apart[0] * apart[1]).sum(axis=-1), sizes[0] * sizes[1]
    flat = ((sizes[0] == 0) & (sizes[1] == 0)).astype(np.float64)
    return np.where(both > 0, together / np.sqrt(np.where(both > 0, both, 1)), flat)
