"""How far groups are apart, and whether that may be chance.

    demographic parity difference   max_g P(ŷ=1) - min_g P(ŷ=1)
    disparate impact                min_g P(ŷ=1) / max_g P(ŷ=1), the four-fifths rule asks for 0.8 or more
    equal opportunity difference    max_g TPR - min_g TPR                     Hardt et al. 2016, arXiv:1610.02413
    equalised odds difference       the larger one of the differences of TPR and of FPR
    precision, calibration          in the same way

The groups that lie farthest apart are found in the data; the interval is that of the difference between these two, with
its sign, so that it tells chance from difference: a largest difference in itself is never below zero. Because the two
were sought among many, its level is raised to 1 - 0.05 / m, m the number of pairs that were looked at (Bonferroni).
The four-fifths rule: Uniform Guidelines on Employee Selection Procedures 1978, 29 CFR 1607.4 D.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganglion.evaluation.bootstrap import Estimate
from ganglion.fairness.groups import Array, Groups
from ganglion.fairness.rates import CLASS_RATES, NUMBER_RATES, Measured

FOUR_FIFTHS = 0.8
_RATE = {rate.name: rate for rate in (*CLASS_RATES, *NUMBER_RATES)}


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest difference of a rate between groups.

    Attributes
    ----------
    name, label : str
        In dictionaries, and in words.
    estimate : Estimate
        With the interval of the difference (or ratio) between the two groups; None with fewer than two to judge.
    rate : str
        The rate that differs.
    most, least : str
        The groups with the highest and the lowest one.
    """

    name: str
    label: str
    estimate: Estimate
    rate: str = ""
    most: str = ""
    least: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    label: str
    rates: tuple[str, ...]
    is_ratio: bool = False


CLASS_GAPS = (
    _Kind("demographic_parity_difference", "demographic parity difference", ("selection_rate",)),
    _Kind("demographic_parity_ratio", "disparate impact (demographic parity ratio)", ("selection_rate",), True),
    _Kind("equalized_odds_difference", "equalised odds difference", ("tpr", "fpr")),
    _Kind("equal_opportunity_difference", "equal opportunity difference (TPR)", ("tpr",)),
    _Kind("fpr_difference", "difference of FPR", ("fpr",)),
    _Kind("precision_difference", "predictive parity difference (precision)", ("precision",)),
    _Kind("accuracy_difference", "difference of accuracy", ("accuracy",)),
    _Kind("calibration_difference", "difference of calibration", ("calibration",)),
)
NUMBER_GAPS = (
    _Kind("prediction_difference", "difference of mean predictions", ("mean_prediction",)),
    _Kind("error_difference", "difference of mean errors", ("mean_error",)),
    _Kind("mae_difference", "difference of mean |errors|", ("mae",)),
)


def gaps_of(groups: Groups, measured: Measured, min_group: int) -> tuple[Gap, ...]:
    """Return how far the groups are apart, by every measure that the rates allow.

    Parameters
    ----------
    groups : Groups
    measured : Measured
        Of these groups.
    min_group : int
        Rows below which a group is not judged.
    """
    known = {rate.name for rate in measured.rates}
    kinds = CLASS_GAPS if "selection_rate" in known else NUMBER_GAPS
    return tuple(_gap(kind, groups, measured, min_group) for kind in kinds if known >= {*kind.rates})


def _gap(kind: _Kind, groups: Groups, measured: Measured, min_group: int) -> Gap:
    judged = {name: np.flatnonzero(measured.judged(_RATE[name], min_group)) for name in kind.rates}
    judged = {name: those for name, those in judged.items() if len(those) > 1}
    if not judged:
        return Gap(kind.name, kind.label, Estimate(None, reason="fewer than two groups are large enough to judge"))
    n_pairs = sum(len(those) * (len(those) - 1) // 2 for those in judged.values())
    ends = {name: _ends(measured.values[name], those) for name, those in judged.items()}
    rate = max(ends, key=lambda name: float(np.subtract(*measured.values[name][[*ends[name]]])))
    most, least = ends[rate]
    estimate = _ratio if kind.is_ratio else _difference
    value = estimate(measured.values[rate][most], measured.values[rate][least])
    samples = estimate(measured.samples[rate][most], measured.samples[rate][least])
    labels = groups.labels[most], groups.labels[least]
    if not np.isfinite(value):
        return Gap(kind.name, kind.label, Estimate(None, reason="no group has any row selected"), rate, *labels)
    return Gap(kind.name, kind.label, Estimate(float(value), *interval(samples, n_pairs)), rate, *labels)


def _ends(values: Array, judged: Array) -> tuple[int, int]:
    """Return the groups with the highest and the lowest value."""
    return int(judged[values[judged].argmax()]), int(judged[values[judged].argmin()])


def _difference(most: Array, least: Array) -> Array:
    return np.asarray(most - least)


def _ratio(most: Array, least: Array) -> Array:
    return np.divide(least, most, out=np.full(np.shape(most), np.nan), where=np.asarray(most) > 0)


def interval(samples: Array, n_looks: int = 1) -> tuple[float | None, float | None]:
    """Return the percentile interval of resampled figures, (b,), at a level of 1 - 0.05 / n_looks."""
    defined = samples[np.isfinite(samples)]
    if len(defined) < 2:
        return None, None
    outside = 2.5 / n_looks
    low, high = np.percentile(defined, [outside, 100 - outside])
    return float(low), float(high)


def gap_named(gaps: Sequence[Gap], name: str) -> Gap | None:
    """Return the gap of a name, or None where it was not measured."""
    return next((gap for gap in gaps if gap.name == name), None)
