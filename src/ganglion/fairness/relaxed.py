"""Thresholds of groups whose rates may differ by a little: the linear programme of Hardt et al. with slack.

    maximise    Σ_g Σ_k p_gk accuracy_gk            k the thresholds, p_gk how often group g uses threshold k
    subject to  Σ_k p_gk = 1,  low <= Σ_k p_gk rate_gk <= low + slack      for each rate that is to agree, low free

Only thresholds on the convex hull of a group's ROC curve can be of use, so that the programme is small. With a slack of
0 it is the optimum of Hardt, Price & Srebro 2016, arXiv:1610.02413, section 3.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import linprog

from ganglion.fairness.groups import Array

RATES = {
    "equalized_odds": ("tpr", "fpr"),
    "demographic_parity": ("selection",),
    "true_positive_rate_parity": ("tpr",),
    "false_positive_rate_parity": ("fpr",),
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of each group, and how often each is used.

    Attributes
    ----------
    cuts : tuple of ndarray
        Scores from which on the second class is answered, one array a group.
    shares : tuple of ndarray
        How often each is used; they sum to 1.
    """

    cuts: tuple[Array, ...]
    shares: tuple[Array, ...]

    def chances(self, scores: Array, groups: Array) -> Array:
        """Return how likely each row is answered with the second class, (n,)."""
        chance = np.empty(len(scores))
        for g, (cuts, shares) in enumerate(zip(self.cuts, self.shares, strict=True)):
            rows = groups == g
            chance[rows] = (scores[rows, None] >= cuts) @ shares
        return np.clip(chance, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Curve:
    """What each useful threshold of a group gives."""

    cuts: Array
    tpr: Array
    fpr: Array
    selection: Array
    right: Array  # share of all rows that are answered right, and are of this group


def find_thresholds(scores: Array, true: Array, groups: Array, *, constraint: str, slack: float) -> Thresholds:
    """Return the thresholds with the best accuracy whose rates differ by at most `slack`.

    Parameters
    ----------
    scores : ndarray of shape (n,), float
    true : ndarray of shape (n,), bool
        Each group has rows of both kinds.
    groups : ndarray of shape (n,), int64
    constraint : str
        A key of `RATES`.
    slack : float
    """
    curves = [_curve(scores[groups == g], true[groups == g], len(scores)) for g in range(int(groups.max()) + 1)]
    sizes = [len(curve.cuts) for curve in curves]
    starts = np.cumsum([0, *sizes])
    rates = RATES[constraint]
    n = starts[-1] + len(rates)  # and the lowest value of each rate
    gain = np.zeros(n)
    gain[: starts[-1]] = np.concatenate([curve.right for curve in curves])
    sums, limits, ones = [], [], np.zeros((len(curves), n))
    for g, curve in enumerate(curves):
        ones[g, starts[g] : starts[g + 1]] = 1
        for r, rate in enumerate(rates):
            row = np.zeros(n)
            row[starts[g] : starts[g + 1]], row[starts[-1] + r] = getattr(curve, rate), -1
            sums += [row, -row]
            limits += [slack, 0.0]
    found = linprog(-gain, A_ub=np.array(sums), b_ub=limits, A_eq=ones, b_eq=np.ones(len(curves)), bounds=(0, 1))
    parts = [np.clip(found.x[a:b], 0, 1) for a, b in pairwise(starts)]
    kept = [part > 1e-9 for part in parts]
    return Thresholds(
        tuple(curve.cuts[k] for curve, k in zip(curves, kept, strict=True)),
        tuple(part[k] / part[k].sum() for part, k in zip(parts, kept, strict=True)),
    )


def _curve(scores: Array, true: Array, n_all: int) -> _Curve:
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(true[order])
    last = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])  # rows of one score are answered alike
    positive = int(hits[-1])
    found, taken = np.r_[0, hits[last]], np.r_[0, last + 1 - hits[last]]
    tpr, fpr = found / positive, taken / (len(true) - positive)
    hull = _upper_hull(fpr, tpr)
    cuts = np.r_[np.inf, ordered[last]][hull]
    found, taken = found[hull], taken[hull]
    right = (found + (len(true) - positive) - taken) / n_all
    return _Curve(cuts, tpr[hull], fpr[hull], (found + taken) / len(true), right)


def _upper_hull(x: Array, y: Array) -> Array:
    """Return the points, in rising order of x, that no line between others passes above; the ends are kept."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) > 1 and _is_below(x, y, kept[-2], kept[-1], i):
            kept.pop()
        kept.append(i)
    return np.array(kept)


def _is_below(x: Array, y: Array, a: int, b: int, c: int) -> bool:
    return (y[b] - y[a]) * (x[c] - x[a]) <= (y[c] - y[a]) * (x[b] - x[a])


def number_to_json(value: float) -> float | str:
    """Return a number as JSON can hold it; an infinite one as a word."""
    return float(value) if math.isfinite(value) else str(float(value))
