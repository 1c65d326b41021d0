"""ROC AUC and average precision of many resamples at once, from one sort.

Rows in falling order of score fall into groups of equal score. Only groups that hold a positive matter: with the
weights w, for the group g, p_g its positives, a_g all of its rows, A_g all rows from the top to its end, T all rows,
P all positives,

    AUC = (sum_g p_g (T - A_g + a_g / 2) - P^2 / 2) / (P (T - P))        ties count half; P^2 / 2 is positive against
    AP  = sum_g p_g / P * (p_1 + ... + p_g) / A_g                        positive, which the first term counted too

Hanley & McNeil 1982 (AUC as a probability); AP as scikit-learn defines it, without interpolation.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ganglion.evaluation.predictions import Array


class Ranking:
    """Scores of one class against the rest, sorted once.

    Parameters
    ----------
    positive : ndarray of shape (n,), bool
    scores : ndarray of shape (n,), float
        Greater means more likely positive.
    """

    def __init__(self, positive: Array, scores: Array) -> None:
        n = len(scores)
        self.is_defined = bool(positive.any() and not positive.all())
        order = np.argsort(-scores, kind="stable")
        ordered, hit = scores[order], positive[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, n]))
        has_positive = np.add.reduceat(hit.astype(np.int64), starts) > 0
        before = np.cumsum(has_positive) - has_positive
        # segment 2 g + 1 is the g-th group with a positive, segment 2 g what lies between it and the one above
        segment = (2 * before + has_positive)[group]
        self._n_groups = int(has_positive.sum())
        ones = np.ones(n)
        self._segments = sparse.csr_matrix((ones, (segment, order)), shape=(2 * self._n_groups + 1, n))
        self._positives = sparse.csr_matrix(
            (ones[: hit.sum()], (before[group][hit], order[hit])), shape=(self._n_groups, n)
        )

    def areas(self, weights: Array) -> tuple[Array, Array]:
        """Return ROC AUC and average precision of each resample.

        Parameters
        ----------
        weights : ndarray of shape (n, b), float
            Weights of the rows in each of b resamples.

        Returns
        -------
        tuple of two ndarrays of shape (b,)
            NaN where a resample holds no positive or no negative row.
        """
        parts = self._segments @ weights
        positives = self._positives @ weights
        inside = parts[1::2].copy()
        reached = np.cumsum(parts, axis=0, out=parts)
        total, to_end = reached[-1].copy(), reached[1::2]
        n_positive = positives.sum(axis=0)
        pairs = np.einsum("gb,gb->b", positives, total - to_end + inside / 2) - n_positive**2 / 2
        precision = np.cumsum(positives, axis=0) / np.where(to_end > 0, to_end, 1.0)
        gained = np.einsum("gb,gb->b", positives, precision)
        both = (n_positive > 0) & (total > n_positive)
        with np.errstate(divide="ignore", invalid="ignore"):
            area = np.where(both, pairs / (n_positive * (total - n_positive)), np.nan)
            return area, np.where(both, gained / n_positive, np.nan)
