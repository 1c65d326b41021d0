"""How errors usually lie: their middle, their spread, and how far an error is from them.

    a(e) = √((e - μ)ᵀ Σ⁻¹ (e - μ) / k)          Malhotra et al. 2015 (ESANN), section 2.2, as a distance
    Σ    = D^½ ((1 - ρ) R + ρ I) D^½            R the correlations, shrunk: OAS, Chen et al. 2010, IEEE TSP 58, eq. 23
                                            (without its terms of 2/k, as in scikit-learn)

μ and Σ are those of the nine tenths of the errors that are nearest: the others may be anomalies themselves (steps of
concentration, Rousseeuw & Van Driessen 1999, Technometrics 41). Letters: n errors of k numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

NEAREST = 0.9
CONCENTRATIONS = 2
LEAST_SPREAD = 1e-6  # of an error, in deviations of its column: one that never is wrong at all would divide by 0
MAD = 1.4826  # makes the median absolute deviation of a normal distribution its deviation


@dataclass(frozen=True, eq=False)
class UsualErrors:
    """Middle and spread of errors.

    Attributes
    ----------
    middle : ndarray of shape (k,), float64
    whiten : ndarray of shape (k, k), float64
        W with Wᵀ W = Σ⁻¹.
    """

    middle: np.ndarray
    whiten: np.ndarray

    @classmethod
    def fit(cls, errors: np.ndarray) -> UsualErrors:
        """Learn from errors, (n, k), n of 2 or more."""
        usual = cls._of(errors[_nearest(_beside_medians(errors))])
        for _ in range(CONCENTRATIONS):
            usual = cls._of(errors[_nearest(usual.distance(errors))])
        return usual

    @classmethod
    def _of(cls, errors: np.ndarray) -> UsualErrors:
        """Return mean and shrunk covariance of errors, (n, k)."""
        spread = np.maximum(errors.std(axis=0), LEAST_SPREAD)
        middle = errors.mean(axis=0)
        correlation = shrunk_correlation((errors - middle) / spread)
        return cls(middle, np.linalg.inv(np.linalg.cholesky(correlation)) / spread)

    def distance(self, errors: np.ndarray) -> np.ndarray:
        """Return how far errors, (n, k), are from the usual ones, (n,): about 1 where they are like them."""
        return np.sqrt((((errors - self.middle) @ self.whiten.T) ** 2).mean(axis=1))

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same again."""
        return {"middle": self.middle.tolist(), "whiten": self.whiten.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> UsualErrors:
        """Make it again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
        middle, whiten = (np.array(stored[name], dtype=np.float64) for name in ("middle", "whiten"))
        if middle.ndim != 1 or whiten.shape != (len(middle), len(middle)):
            raise ValueError(f"usual errors of shape {middle.shape} and {whiten.shape}")
        if not (np.isfinite(middle).all() and np.isfinite(whiten).all()):
            raise ValueError("usual errors are no numbers")
        return cls(middle, whiten)


def shrunk_correlation(x: np.ndarray) -> np.ndarray:
    """Return the correlations of standardised numbers, (n, k), shrunk to none, as far as few rows make them unsure."""
    n, k = x.shape
    plain = x.T @ x / n
    if k == 1:
        return np.maximum(plain, 1.0)
    square, trace = (plain**2).sum(), np.trace(plain)
    unsure = (n + 1) * (square - trace**2 / k)
    share = 1.0 if unsure <= 0 else min(1.0, (square + trace**2) / unsure)
    shrunk = (1 - share) * plain + share * trace / k * np.eye(k)
    shrunk[np.diag_indices(k)] = np.maximum(np.diag(shrunk), 1e-3)  # of a number that is always the same
    return shrunk + 1e-6 * np.eye(k)


def _nearest(distance: np.ndarray) -> np.ndarray:
    """Return which of n distances are among the smallest nine tenths, (n,) bool."""
    return distance <= np.quantile(distance, NEAREST, method="higher")


def _beside_medians(errors: np.ndarray) -> np.ndarray:
    """Return how far errors, (n, k), are from the medians, number by number, (n,)."""
    middle = np.median(errors, axis=0)
    away = np.abs(errors - middle)
    spread = MAD * np.median(away, axis=0)
    spread = np.where(spread > 0, spread, np.maximum(errors.std(axis=0), LEAST_SPREAD))
    return ((away / spread) ** 2).sum(axis=1)
