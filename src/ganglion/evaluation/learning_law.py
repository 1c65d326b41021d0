"""How a score grows with the rows learned from: an inverse power law, and how sure it is.

    q(n) = a - b n^-c,  b >= 0,  a at most what the metric allows

q is the score (an error with its sign turned). Errors of networks fall so over many decades (Cortes et al. 1993,
"Learning curves: asymptotic values and rates of convergence"; Hestness et al. 2017, arXiv:1712.00409). For each c of a
grid a and b follow by least squares, weighted by the variances over folds; the c that leaves least is taken.

How sure it is: J curves, one a fold, are drawn anew around their mean with their own covariance, times 1 / J + n_test /
n_train as in the corrected test (`paired`), with the heavy tails of Student's t, and the law is fitted to each draw.
Curves drawn with the same seed go together fold by fold, so that the gap of two can be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganglion.evaluation.predictions import Array

EXPONENTS = np.geomspace(0.1, 2.0, 40)
FEWEST_SIZES = 4  # points through which a law of three numbers may be laid
N_DRAWS = 1000


@dataclass(frozen=True)
class Law:
    """A fitted law, or many: a, b, c of shape () or (n_draws,)."""

    a: Array
    b: Array
    c: Array

    def at(self, n: Array) -> Array:
        """Return q at sizes n, (k,): shape (k,), or (n_draws, k)."""
        a, b, c = (np.asarray(each)[..., None] for each in (self.a, self.b, self.c))
        return a - b * np.asarray(n, dtype=np.float64) ** -c


def fit_law(sizes: Array, q: Array, weight: Array, *, best: float = np.inf) -> Law:
    """Fit the law to curves.

    Parameters
    ----------
    sizes : ndarray of shape (k,)
        Rows learned from, four or more different ones.
    q : ndarray of shape (k,) or (n_curves, k)
        The greater, the better.
    weight : ndarray of shape (k,)
        Of each size; 1 / variance.
    best : float
        What q can never exceed.
    """
    curves = np.atleast_2d(q)
    w = weight / weight.sum()
    least = np.full(len(curves), np.inf)
    found = [np.zeros(len(curves)) for _ in range(3)]
    for c in EXPONENTS:
        x = (sizes / sizes.max()) ** -c
        a, b = _line(x, curves, w, best)
        left = (np.square(curves - a[:, None] + b[:, None] * x) * w).sum(axis=1)
        better = left < least
        least = np.where(better, left, least)
        for place, value in enumerate((a, b * float(sizes.max()) ** c, np.full(len(curves), c))):
            found[place] = np.where(better, value, found[place])
    a, b, c = found
    return Law(a, b, c) if np.ndim(q) == 2 else Law(a[0], b[0], c[0])


def _line(x: Array, curves: Array, w: Array, best: float) -> tuple[Array, Array]:
    """Return a and b of q = a - b x by least squares, b not below 0 and a not above `best`."""
    mean_x, mean = w @ x, curves @ w
    b = -((curves - mean[:, None]) * (x - mean_x)) @ w / (w @ np.square(x - mean_x))
    b = np.maximum(b, 0.0)
    a = mean + b * mean_x
    over = a > best
    if over.any():
        a = np.where(over, best, a)
        b = np.where(over, np.maximum((best - curves) @ (w * x) / (w @ np.square(x)), 0.0), b)
    return a, b


def drawn_curves(curves: Array, test_share: float, seed: int, n_draws: int = N_DRAWS) -> Array:
    """Draw mean curves as other folds might have given them.

    Parameters
    ----------
    curves : ndarray of shape (n_folds, k)
        q of each fold at each size; two folds or more.
    test_share : float
        n_test / n_train.
    seed : int
        The same draws for every contender.
    n_draws : int

    Returns
    -------
    ndarray of shape (n_draws, k)
    """
    n_folds = len(curves)
    generator = np.random.default_rng(seed)
    steps = generator.normal(size=(n_draws, n_folds)) @ (curves - curves.mean(axis=0)) / np.sqrt(n_folds - 1)
    heavy = np.sqrt(generator.chisquare(n_folds - 1, size=(n_draws, 1)) / (n_folds - 1))
    return curves.mean(axis=0) + steps * np.sqrt(1 / n_folds + test_share) / heavy


def weights_of(curves: Array) -> Array:
    """Return a weight for each size, (k,): 1 over the variance over folds, evened out, as few folds tell little."""
    variance = curves.var(axis=0, ddof=1)
    return 1 / (0.5 * variance + 0.5 * variance.mean() + 1e-12)
