"""How much of what is made lies among the data, and how much of the data is made: by balls around points.

    B_k(x) = ball around x that reaches its k-th nearest neighbour of its own set                radius r_k(x)

    precision = mean over made y of  [y in B_k(x) for some real x]
    recall    = mean over real x of  [x in B_k(y) for some made y]
    density   = mean over made y of  #{real x : y in B_k(x)} / k
    coverage  = mean over real x of  [some made y in B_k(x)]

Kynkäänniemi et al. 2019, arXiv:1904.06991, eqs. 1-3 (precision, recall); Naeem et al. 2020, arXiv:2002.09797, eqs. 3
and 5 (density, coverage), whose k = 5 is taken for all four. Density is 1 on average for samples of the same law, and
may exceed it; coverage is then 1 - (1/2)^k about, where as many are made as are real. The bootstrap draws points and
leaves the balls as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganglion.errors import InvalidInput
from ganglion.evaluation.predictions import Array

K = 5
BLOCK = 2**22  # distances held at a time


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """Who lies in whose ball.

    Attributes
    ----------
    holders : ndarray of shape (m,), int64
        In how many balls of real points each made one lies.
    recalled : ndarray of shape (n,), bool
        Whether each real point lies in the ball of a made one.
    covered : ndarray of shape (n,), bool
        Whether a made point lies in the ball of each real one.
    k : int
    """

    holders: Array
    recalled: Array
    covered: Array
    k: int

    def values(self) -> dict[str, float]:
        """Return precision, recall, density and coverage."""
        return {
            "precision": float((self.holders > 0).mean()),
            "recall": float(self.recalled.mean()),
            "density": float(self.holders.mean() / self.k),
            "coverage": float(self.covered.mean()),
        }


def neighbourhoods(real: Array, made: Array, *, k: int = K) -> Neighbourhoods:
    """Find which made points lie in balls of real ones, and the other way round.

    Parameters
    ----------
    real : array-like of shape (n, d)
    made : array-like of shape (m, d)
    k : int
        Below n and m.

    Raises
    ------
    InvalidInput
        If there are not more than k points of either, or their widths differ.
    """
    real, made = (np.asarray(each, dtype=np.float64) for each in (real, made))
    if min(len(real), len(made)) <= k or real.ndim != 2 or real.shape[1:] != made.shape[1:]:
        raise InvalidInput(
            f"real and made points have shapes {real.shape} and {made.shape}, but two matrices of the same width are "
            f"wanted, with more than k={k} rows each. Give more rows, or a smaller k."
        )
    center = real.mean(axis=0)  # small numbers, so that differences of squares keep their digits
    real, made = real - center, made - center
    of_real, of_made = radii(real, k), radii(made, k)
    holders, recalled, covered = (
        np.zeros(len(made), dtype=np.int64),
        np.empty(len(real), bool),
        np.empty(len(real), bool),
    )
    for part in _parts(len(real), len(made)):
        squares = squared_distances(real[part], made)
        inside = squares <= of_real[part, None]
        holders += inside.sum(axis=0)
        covered[part] = inside.any(axis=1)
        recalled[part] = (squares <= of_made).any(axis=1)
    return Neighbourhoods(holders, recalled, covered, k)


def radii(x: Array, k: int) -> Array:
    """Return the squared distance of each point to its k-th nearest other one, (n,)."""
    found = np.empty(len(x))
    for part in _parts(len(x), len(x)):
        squares = squared_distances(x[part], x)
        squares[np.arange(len(squares)), np.arange(len(x))[part]] = -1.0  # itself comes first, whatever the rounding
        found[part] = np.partition(squares, k, axis=1)[:, k]
    return found


def squared_distances(x: Array, y: Array) -> Array:
    """Return |x_i - y_j|², (n, m)."""
    squares = np.square(x).sum(axis=1)[:, None] - 2 * x @ y.T
    squares += np.square(y).sum(axis=1)
    return squares.clip(min=0.0, out=squares)


def nearest(x: Array, others: Array) -> tuple[Array, Array]:
    """Return the distance of each point, (n, d), to the nearest of some others, (m, d), and which one that is."""
    distance, place = np.empty(len(x)), np.empty(len(x), dtype=np.int64)
    for part in _parts(len(x), len(others)):
        squares = squared_distances(x[part], others)
        place[part] = squares.argmin(axis=1)
        gap = x[part] - others[place[part]]
        distance[part] = np.sqrt(np.square(gap).sum(axis=1))  # exactly 0 for a copy
    return distance, place


def _parts(n: int, m: int) -> list[slice]:
    step = max(1, BLOCK // max(1, m))
    return [slice(i, min(n, i + step)) for i in range(0, n, step)]
