"""Where to draw the line between two classes when one mistake costs more than the other.

    say "positive" where p >= t;   cost(t) = (c_fp · false positives + c_fn · false negatives) / n

Of calibrated probabilities the best t is c_fp / (c_fp + c_fn) (Elkan 2001, "The foundations of cost-sensitive
learning", IJCAI, eq. 2); here t is looked for among those that the rows have. Letters: n rows, b resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.errors import InvalidParameter
from ganglion.evaluation.bootstrap import Estimate, percentile_interval, resampled_weights
from ganglion.evaluation.predictions import Array


@dataclass(frozen=True, slots=True)
class Threshold:
    """The line of the least cost, and what it costs.

    Attributes
    ----------
    value : float
        Say "positive" from this probability on.
    false_positive, false_negative : float
        What each mistake costs.
    cost, cost_at_half : Estimate
        Mean cost of a row, at this line and at one half, on rows that the line was not chosen on.
    calibrated : float
        What the line would be if the probabilities were right.
    """

    value: float
    false_positive: float
    false_negative: float
    cost: Estimate
    cost_at_half: Estimate
    calibrated: float

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        return (
            f"Where a false alarm costs {self.false_positive:g} and a miss {self.false_negative:g}, say yes from a "
            f"probability of {self.value:.3g} on: {self.cost} a row, against {self.cost_at_half} from one half on."
        )


def cheapest_threshold(positive: Array, probability: Array, false_positive: float, false_negative: float) -> float:
    """Return the line of the least mean cost, halfway between the two probabilities that it divides.

    Parameters
    ----------
    positive : ndarray of shape (n,), bool
        Which rows are positive in truth.
    probability : ndarray of shape (n,)
        Of being positive.
    false_positive, false_negative : float
        What each mistake costs.
    """
    order = np.argsort(probability, kind="stable")
    ordered, is_positive = probability[order], positive[order].astype(np.float64)
    missed = np.concatenate([[0.0], np.cumsum(is_positive)])  # of the first i rows, which are said to be negative
    alarms = (len(ordered) - is_positive.sum()) - np.concatenate([[0.0], np.cumsum(1 - is_positive)])
    cost = false_positive * alarms + false_negative * missed
    possible = np.concatenate([[True], ordered[1:] > ordered[:-1], [True]])
    best = int(np.argmin(np.where(possible, cost, np.inf)))
    ends = np.concatenate([[0.0], ordered, [1.0]])
    return float((ends[best] + ends[best + 1]) / 2)


def checked_threshold(
    positive: Array, probability: Array, costs: Any, *, n_bootstrap: int = 1000, seed: int = 0
) -> Threshold:
    """Choose the line on one half of the rows, look at the other, and the other way round.

    Parameters
    ----------
    positive : ndarray of shape (n,), bool
        Which rows are positive in truth.
    probability : ndarray of shape (n,)
        Of being positive.
    costs : pair of float
        Of a false positive and of a false negative, above 0.
    n_bootstrap, seed : int
        Resamples behind the intervals, and the seed of halves and resamples.

    Raises
    ------
    InvalidParameter
        If costs are not two numbers above 0.
    """
    false_positive, false_negative = check_costs(costs)
    halves = np.array_split(np.random.default_rng(seed).permutation(len(positive)), 2)
    lines = np.empty(len(positive))
    for here, there in (halves, halves[::-1]):
        lines[there] = cheapest_threshold(positive[here], probability[here], false_positive, false_negative)
    each = _costs(positive, probability >= lines, false_positive, false_negative)
    half = _costs(positive, probability >= 0.5, false_positive, false_negative)
    both, resamples = np.stack([each, half]), resampled_weights(len(positive), n_bootstrap, seed)
    drawn = np.concatenate([both @ weights / weights.sum(axis=0) for weights in resamples], axis=1)
    return Threshold(
        cheapest_threshold(positive, probability, false_positive, false_negative),
        false_positive,
        false_negative,
        Estimate(float(each.mean()), *percentile_interval(drawn[0])),
        Estimate(float(half.mean()), *percentile_interval(drawn[1])),
        false_positive / (false_positive + false_negative),
    )


def _costs(positive: Array, said: Array, false_positive: float, false_negative: float) -> Array:
    return np.where(positive, false_negative * ~said, false_positive * said)


def check_costs(costs: Any) -> tuple[float, float]:
    """Return two costs above 0, or raise InvalidParameter."""
    try:
        false_positive, false_negative = (float(each) for each in costs)
    except (TypeError, ValueError):
        false_positive = false_negative = float("nan")
    if not (0 < false_positive < np.inf and 0 < false_negative < np.inf):
        raise InvalidParameter(
            f"costs={costs!r}: give two numbers above 0, what a false positive and what a false negative costs: (1, 5)."
        )
    return false_positive, false_negative
