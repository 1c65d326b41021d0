"""How errors usually lie: their middle, their spread, and how far an error is from them.

    a_j(e) = √((e_j - μ_j)ᵀ Σ_j⁻¹ (e_j - μ_j) / c)          Malhotra et al. 2015 (ESANN), section 2.2, as a distance
    a(e)   = max_j a_j(e)                                   of the several forecasts of a step the worst
    Σ_j    = D^½ ((1 - ρ) R + ρ I) D^½                      R the correlations, shrunk: OAS, Chen et al. 2010, IEEE TSP,
                                                            eq. 23 (without its terms of 2/c, as in scikit-learn)

μ and Σ are those of the nine tenths of the errors that are nearest: the others may be anomalies themselves (steps of
concentration, Rousseeuw & Van Driessen 1999, Technometrics 41). Letters: n errors, each of c columns and J forecasts.
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
    middle : ndarray of shape (J, c), float64
    whiten : ndarray of shape (J, c, c), float64
        W_j with W_jᵀ W_j = Σ_j⁻¹.
    """

    middle: np.ndarray
    whiten: np.ndarray

    @classmethod
    def fit(cls, errors: np.ndarray) -> UsualErrors:
        """Learn from errors, (n, J, c), n of 2 or more."""
        middles, whitens = zip(*(_concentrated(each) for each in errors.swapaxes(0, 1)), strict=True)
        return cls(np.stack(middles), np.stack(whitens))

    def distance(self, errors: np.ndarray) -> np.ndarray:
        """Return how far errors, (n, J, c), are from the usual ones, (n,); what is NaN is not looked at."""
        away = np.nan_to_num(errors - self.middle)
        white = np.einsum("jcd,njd->njc", self.whiten, away)
        return np.sqrt((white**2).mean(axis=2).max(axis=1))

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same again."""
        return {"middle": self.middle.tolist(), "whiten": self.whiten.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> UsualErrors:
        """Make it again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
        middle, whiten = (np.array(stored[name], dtype=np.float64) for name in ("middle", "whiten"))
        if middle.ndim != 2 or whiten.shape != (*middle.shape, middle.shape[1]):
            raise ValueError(f"usual errors of shape {middle.shape} and {whiten.shape}")
        if not (np.isfinite(middle).all() and np.isfinite(whiten).all()):
            raise ValueError("usual errors are no numbers")
        return cls(middle, whiten)


def shrunk_correlation(x: np.ndarray) -> np.ndarray:
    """Return the correlations of standardised numbers, (n, c), shrunk to none, as far as few rows make them unsure."""
    n, c = x.shape
    plain = x.T @ x / n
    if c == 1:
        return np.ones((1, 1))
    square, trace = (plain**2).sum(), np.trace(plain)
    unsure = (n + 1) * (square - trace**2 / c)
    share = 1.0 if unsure <= 0 else min(1.0, (square + trace**2) / unsure)
    shrunk = (1 - share) * plain + share * trace / c * np.eye(c)
    shrunk[np.diag_indices(c)] = np.maximum(np.diag(shrunk), 1e-3)  # of a number that is always the same
    return shrunk + 1e-6 * np.eye(c)


def _concentrated(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return middle, (c,), and W, (c, c), of the errors of one forecast, (n, c)."""
    middle, whiten = _middle_and_whiten(errors[_nearest(_beside_medians(errors))])
    for _ in range(CONCENTRATIONS):
        distance = (((errors - middle) @ whiten.T) ** 2).sum(axis=1)
        middle, whiten = _middle_and_whiten(errors[_nearest(distance)])
    return middle, whiten


def _middle_and_whiten(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = np.maximum(errors.std(axis=0), LEAST_SPREAD)
    middle = errors.mean(axis=0)
    correlation = shrunk_correlation((errors - middle) / spread)
    return middle, np.linalg.inv(np.linalg.cholesky(correlation)) / spread


def _nearest(distance: np.ndarray) -> np.ndarray:
    """Return which of n distances are among the smallest nine tenths, (n,) bool."""
    return distance <= np.quantile(distance, NEAREST, method="higher")


def _beside_medians(errors: np.ndarray) -> np.ndarray:
    """Return how far errors, (n, c), are from the medians, number by number, (n,)."""
    middle = np.median(errors, axis=0)
    away = np.abs(errors - middle)
    spread = MAD * np.median(away, axis=0)
    spread = np.where(spread > 0, spread, np.maximum(errors.std(axis=0), LEAST_SPREAD))
    return ((away / spread) ** 2).sum(axis=1)
