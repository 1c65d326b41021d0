"""From scores to alarms: how large a score must be, so that where nothing is wrong so few steps reach it.

    conformal       p(s) = (1 + #{i: c_i >= s}) / (n + 1)                 Vovk, Gammerman & Shafer 2005, eq. 2.20
                    alarm where p(s) <= α: if the calibration scores c_1 … c_n and s come in any order alike, that is
                    so with a chance of at most α, whatever their distribution
    extreme value   P(S > s) = N_u / n (1 + γ (s - u) / σ)^(-1/γ)         Siffer et al. 2017 (KDD), eq. 1 and 2
                    of the n scores N_u lie above u; what they exceed it by has a generalised Pareto distribution
                    (Pickands 1975), so that chances can be told that no calibration score has reached yet

α is the false-alarm rate. Letters: n calibration scores, N_u peaks above the level u, γ shape, σ scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import minimize_scalar

from ganglion.errors import InvalidInput, InvalidParameter

Rule = Literal["conformal", "extreme_value"]
PEAK_SHARE = 0.02  # of the scores that are taken as peaks, as in the paper,
FEWEST_PEAKS = 30  # but at least so many: of fewer a shape cannot be told,
MOST_PEAK_SHARE = 0.5  # and at most half of all
FEWEST_SCORES = 20  # for an extreme value
# a tail of a shape below 0 ends, and beyond its end one score would be as impossible as another; above 1 no mean exists
SHAPES = (0.0, 1.0)
GRID = 200  # places where the likelihood is looked at first


def conformal_p_values(calibration: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return how many of the calibration scores are as large as each score, as a share in which it counts itself.

    Parameters
    ----------
    calibration : ndarray of shape (n,), float
    scores : ndarray of shape (m,), float

    Returns
    -------
    ndarray of shape (m,), float64
        From 1 / (n + 1) to 1.
    """
    ordered = np.sort(calibration)
    above = len(ordered) - np.searchsorted(ordered, scores, side="left")
    return (1 + above) / (len(ordered) + 1)


def conformal_threshold(calibration: np.ndarray, false_alarm_rate: float) -> float:
    """Return the threshold above which a score has a conformal p-value of at most `false_alarm_rate`.

    Parameters
    ----------
    calibration : ndarray of shape (n,), float
        Scores of steps on which nothing was learned.
    false_alarm_rate : float in (0, 1)

    Raises
    ------
    InvalidParameter
        If there are too few scores for so low a rate: 1 / rate - 1 are needed.
    """
    n = len(calibration)
    refuse_too_few("conformal", n, false_alarm_rate)
    k = _allowed(n, false_alarm_rate)
    return float(np.partition(calibration, n - k)[n - k])


def refuse_too_few(rule: Rule, n: int, false_alarm_rate: float) -> None:
    """Raise an error if `n` calibration scores are too few for a rule and a rate.

    Raises
    ------
    InvalidParameter
        If the conformal rule needs more for so low a rate.
    InvalidInput
        If a tail cannot be told from so few.
    """
    if rule == "conformal" and _allowed(n, false_alarm_rate) < 1:
        least = f"a rate of {1 / (n + 1):.2g} or more, " if n > 1 else ""
        raise InvalidParameter(
            f"false_alarm_rate={false_alarm_rate:g} with threshold='conformal' needs "
            f"{math.ceil(1 / false_alarm_rate - 1e-9) - 1:,} steps to calibrate on, but there are {n:,}. Give {least}a "
            "longer series, or threshold='extreme_value', which goes on beyond what was seen."
        )
    if rule == "extreme_value" and n < FEWEST_SCORES:
        raise InvalidInput(
            f"{n} steps to calibrate on are too few to tell how large errors can be: at least {FEWEST_SCORES} are "
            "needed. Give a longer series, a shorter window, or a larger calibration_fraction."
        )


def _allowed(n: int, false_alarm_rate: float) -> int:
    """Return how many of n + 1 scores may be alarms."""
    return math.floor(false_alarm_rate * (n + 1) + 1e-9)  # 0.1 * (9 + 1) is one score, however the product is rounded


@dataclass(frozen=True, slots=True)
class Tail:
    """The tail of a distribution of scores, above a level.

    Attributes
    ----------
    level : float
        u.
    share : float
        Of the scores that lie above it, N_u / n.
    shape, scale : float
        γ and σ of what they exceed it by.
    """

    level: float
    share: float
    shape: float
    scale: float

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """Return the chance of a score larger than each of `scores`, (m,), eq. 1; below the level, `share`."""
        excess = np.maximum(np.asarray(scores, dtype=np.float64) - self.level, 0.0)
        if self.scale == 0:
            return np.where(excess > 0, 0.0, self.share)
        if abs(self.shape) < 1e-9:
            return self.share * np.exp(-excess / self.scale)
        return self.share * np.maximum(1 + self.shape * excess / self.scale, 0.0) ** (-1 / self.shape)

    def quantile(self, rate: float) -> float:
        """Return the score that is exceeded with the chance `rate`, at most `share`, eq. 2."""
        ratio = rate / self.share
        if abs(self.shape) < 1e-9:
            return self.level - self.scale * math.log(ratio)
        return self.level + self.scale / self.shape * (ratio**-self.shape - 1)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same tail again."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Tail:
        """Make a tail again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
        level, share, shape, scale = (float(stored[name]) for name in ("level", "share", "shape", "scale"))
        if not (math.isfinite(level) and 0 < share <= 1 and SHAPES[0] <= shape <= SHAPES[1] and 0 <= scale < math.inf):
            raise ValueError(f"a tail of {level}, {share}, {shape}, {scale}")
        return cls(level, share, shape, scale)


def tail_of(calibration: np.ndarray) -> Tail:
    """Fit the tail of calibration scores, (n,): those among the largest 2 %, or the 30 largest.

    Raises
    ------
    InvalidInput
        If there are fewer than 20 scores.
    """
    n = len(calibration)
    refuse_too_few("extreme_value", n, 0.0)
    n_peaks = min(max(math.ceil(PEAK_SHARE * n), FEWEST_PEAKS), int(MOST_PEAK_SHARE * n))
    ordered = np.sort(calibration.astype(np.float64))
    level = float(ordered[n - n_peaks - 1])
    excesses = ordered[ordered > level] - level
    if not len(excesses):  # the largest scores are all the same
        return Tail(level, n_peaks / n, 0.0, 0.0)
    return Tail(level, len(excesses) / n, *fit_pareto(excesses))


def fit_pareto(excesses: np.ndarray) -> tuple[float, float]:
    """Return shape and scale of the generalised Pareto distribution that numbers above 0, (k,), are likeliest under.

    With θ = γ / σ the likelihood is largest, for each θ, at γ = mean log(1 + θ y), so that one number is searched for
    (Grimshaw 1993, Technometrics 35). Shapes are held in [0, 1]: a tail that ends is taken as an exponential one.
    """
    y = excesses / excesses.mean()
    places = np.geomspace(1e-4, 1e3, GRID)
    shapes = np.log1p(places[:, None] * y).mean(axis=1)
    places, shapes = places[shapes <= SHAPES[1]], shapes[shapes <= SHAPES[1]]

    def cost(theta: float) -> float:  # minus the mean log-likelihood, but for a constant
        shape = float(np.log1p(theta * y).mean())
        return math.log(shape / theta) + shape

    at = int(np.argmin(np.log(shapes / places) + shapes))
    bounds = places[max(at - 1, 0)], places[min(at + 1, len(places) - 1)]
    found: Any = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-10})
    theta = float(found.x) if found.fun < cost(float(places[at])) else float(places[at])
    if cost(theta) >= 0.0:  # the exponential distribution, θ = 0, is as likely
        return 0.0, float(excesses.mean())
    shape = float(np.log1p(theta * y).mean())
    return shape, shape / theta * float(excesses.mean())


def extreme_value_threshold(calibration: np.ndarray, false_alarm_rate: float) -> float:
    """Return the threshold that a score exceeds with the chance `false_alarm_rate`, told from the tail of others.

    Parameters
    ----------
    calibration : ndarray of shape (n,), float
        At least 20.
    false_alarm_rate : float in (0, 1)
        At rates that the tail does not reach down to, it is the conformal threshold.
    """
    tail = tail_of(calibration)
    if false_alarm_rate >= tail.share:
        return conformal_threshold(calibration, false_alarm_rate)
    return tail.quantile(false_alarm_rate)


def threshold_by_rule(rule: Rule, calibration: np.ndarray, false_alarm_rate: float) -> float:
    """Return the threshold of a rule, "conformal" or "extreme_value"; see there."""
    rules = {"conformal": conformal_threshold, "extreme_value": extreme_value_threshold}
    return rules[rule](calibration, false_alarm_rate)
