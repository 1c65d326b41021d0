"""Two models on the same held-out rows: is one better, or was it the luck of these folds and rows.

    d_j                                                   the difference of the two scores in fold j of J
    t = mean(d) / sqrt((1 / J + n_test / n_train) var(d)),  J - 1 degrees of freedom                        (eq. 6)

var(d) has J - 1 below. Without n_test / n_train this is the usual paired test, which takes folds for independent: their
training rows overlap, so that it finds differences that are none several times too often. Nadeau & Bengio 2003,
"Inference for the generalization error", Machine Learning 52, 239-281; for repeated folds Bouckaert & Frank 2004.

Of several comparisons the smallest p is multiplied by their number, the next by one less, and so on, never falling:
Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 65-70.
Whether anything beats a guess, and which model beats which, are two questions: each is corrected for its own number.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ganglion.evaluation.bootstrap import Estimate, percentile_interval
from ganglion.evaluation.predictions import Array

LEVEL = 0.05  # of all comparisons together


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contenders, the one with the better score first.

    Attributes
    ----------
    first, second : str
    difference : Estimate
        By how much the first is better, in units of the metric, with the interval of the paired bootstrap.
    t, p : float
        Of the corrected resampled t-test, two-sided.
    p_corrected : float
        p after Holm's correction for all pairs of its kind: with the guess, or without.
    """

    first: str
    second: str
    difference: Estimate
    t: float
    p: float
    p_corrected: float

    @property
    def told_apart(self) -> bool:
        """Whether both say so: the corrected test, and the interval over rows."""
        low = self.difference.low
        return self.p_corrected < LEVEL and (low is None or low > 0)


def corrected_t_test(differences: Array, test_share: float) -> tuple[float, float]:
    """Return t and the two-sided p of the corrected resampled t-test, eq. 6.

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        Of the two scores, fold by fold, of repeated folds too; two or more.
    test_share : float
        n_test / n_train: rows held out over rows learned from in a fold.

    Returns
    -------
    t, p : float
        Where all differences are the same: 0 and 1 if they are zero, else infinite and 0.

    References
    ----------
    Nadeau & Bengio 2003, Machine Learning 52, 239-281, eq. 6.
    """
    n, mean = len(differences), float(differences.mean())
    spread = standard_error(differences, test_share)
    if spread <= 1e-12 * max(1.0, abs(mean)):
        return (0.0, 1.0) if abs(mean) <= 1e-12 else (float(np.copysign(np.inf, mean)), 0.0)
    t = mean / spread
    return t, float(2 * stats.t.sf(abs(t), n - 1))


def standard_error(values: Array, test_share: float) -> float:
    """Return the standard error of a mean over folds, (n_folds,), corrected for their overlap."""
    return float(np.sqrt((1 / len(values) + test_share) * values.var(ddof=1)))


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the same order.

    Parameters
    ----------
    p : sequence of float

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    corrected = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1.0)
    found = np.empty(len(values))
    found[order] = corrected
    return found.tolist()


def compare_pairs(
    scores: Mapping[str, Array],
    samples: Mapping[str, Array],
    *,
    test_share: float,
    higher_is_better: bool,
    guess: str = "",
) -> tuple[Pair, ...]:
    """Compare every contender with every other one.

    Parameters
    ----------
    scores : mapping of str to ndarray of shape (n_folds,)
        Of each contender, in the same folds.
    samples : mapping of str to ndarray of shape (n_resamples,)
        The mean score over folds, on the same resamples of the rows.
    test_share : float
        Rows held out over rows learned from in a fold.
    higher_is_better : bool
    guess : str
        The contender that answers without looking, if there is one.

    Returns
    -------
    tuple of Pair
        The surest difference first.
    """
    sign = 1.0 if higher_is_better else -1.0
    found: list[tuple[str, str, Estimate, float, float]] = []
    for one, two in itertools.combinations(scores, 2):
        a, b = one, two
        if sign * (scores[a] - scores[b]).mean() < 0:
            a, b = two, one
        differences = sign * (scores[a] - scores[b])
        interval = percentile_interval(sign * (samples[a] - samples[b]))
        found.append((a, b, Estimate(float(differences.mean()), *interval), *corrected_t_test(differences, test_share)))
    pairs: list[Pair] = []
    for kind in (True, False):
        alike = [each for each in found if (guess in each[:2]) == kind]
        corrected = holm([each[-1] for each in alike])
        pairs += [Pair(*each, p) for each, p in zip(alike, corrected, strict=True)]
    return tuple(sorted(pairs, key=lambda pair: (pair.p_corrected, pair.p)))
