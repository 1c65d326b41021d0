"""What a detector learns beside its network: how errors usually lie, and how far from that is an alarm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from ganglion.data.thresholds import FEWEST_SCORES, Rule, Tail, tail_of, threshold_by_rule
from ganglion.estimators.usual_errors import UsualErrors
from ganglion.networks.series import Points

MOST_KEPT = 1000  # calibration scores in a model file; of more, as many quantiles


@dataclass(frozen=True, eq=False)
class Calibration:
    """How large scores are where nothing is wrong, told from steps on which nothing was learned.

    Attributes
    ----------
    threshold : float
        A score above it is an alarm.
    n : int
        How many scores there were.
    quantiles : ndarray of shape (at most 1,000,), float64
        Of them, rising.
    tail : Tail or None
        How rare larger ones are; None where there were too few to tell.
    """

    threshold: float
    n: int
    quantiles: np.ndarray
    tail: Tail | None

    @classmethod
    def fit(cls, scores: np.ndarray, rule: Rule, false_alarm_rate: float) -> Calibration:
        """Learn from the scores, (n,), of steps on which nothing was learned."""
        threshold = threshold_by_rule(rule, scores, false_alarm_rate)
        tail = tail_of(scores) if len(scores) >= FEWEST_SCORES else None
        ordered = np.sort(scores)
        kept = np.linspace(0, len(ordered) - 1, min(len(ordered), MOST_KEPT)).round().astype(int)
        return cls(threshold, len(scores), ordered[kept], tail)

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """Return the chance of scores at least as large, (m,), where nothing is wrong: conformal, then of the tail."""
        share = 1 - np.searchsorted(self.quantiles, scores, side="left") / len(self.quantiles)
        seen = (1 + self.n * share) / (self.n + 1)
        if self.tail is None:
            return seen
        return np.where(scores > self.tail.level, self.tail.p_values(scores), seen)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same again."""
        tail = None if self.tail is None else self.tail.to_json()
        return {"threshold": self.threshold, "n": self.n, "quantiles": self.quantiles.tolist(), "tail": tail}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Calibration:
        """Make it again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
        threshold, n, quantiles = (
            float(stored["threshold"]),
            stored["n"],
            np.array(stored["quantiles"], dtype=np.float64),
        )
        if type(n) is not int or not 0 < len(quantiles) <= n or quantiles.ndim != 1 or not math.isfinite(threshold):
            raise ValueError(f"a calibration of {n!r:.20} scores")
        if not np.isfinite(quantiles).all() or (np.diff(quantiles) < 0).any():
            raise ValueError("quantiles of scores")
        return cls(threshold, n, quantiles, None if stored["tail"] is None else Tail.from_json(stored["tail"]))


@dataclass(frozen=True, eq=False)
class AlarmTarget:
    """The step itself is what is to be foretold, or said again: there is no target beside it.

    Attributes
    ----------
    n_scores : int
        Numbers that the network says of a window.
    usual : UsualErrors or None
        How its errors usually lie; None before it was trained.
    calibration : Calibration or None
    """

    n_scores: int
    usual: UsualErrors | None = None
    calibration: Calibration | None = None

    def output(self) -> nn.Module:
        """Return the output layer: numbers in the units of the series."""
        return Points()

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        usual, calibration = (None if each is None else each.to_json() for each in (self.usual, self.calibration))
        return {"kind": "alarms", "n_scores": self.n_scores, "usual": usual, "calibration": calibration}


def alarm_target(stored: Mapping[str, Any]) -> AlarmTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
    n_scores = stored["n_scores"]
    if type(n_scores) is not int or not 0 < n_scores < 2**31:
        raise ValueError(f"n_scores {n_scores!r:.20}")
    return AlarmTarget(n_scores, UsualErrors.from_json(stored["usual"]), Calibration.from_json(stored["calibration"]))
