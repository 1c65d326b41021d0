"""Whether two runs put features in the same order: Spearman's rank correlation, ties sharing their ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


def agreement(one: ArrayLike, other: ArrayLike) -> float:
    """Return the rank correlation of two vectors of values, -1 to 1; 1 where both are constant, 0 where one is."""
    ranks = [rankdata(np.round(np.asarray(each, dtype=np.float64), 12)) for each in (one, other)]
    apart = [each - each.mean() for each in ranks]
    sizes = [float(each @ each) for each in apart]
    if not all(sizes):
        return float(not any(sizes))
    return float(apart[0] @ apart[1]) / (sizes[0] * sizes[1]) ** 0.5
