"""What the figures of groups mean, in plain words.

    unequal      a difference beyond what is tolerated is shown: the whole interval lies beyond it
    undecided    the interval holds both: more rows are needed to tell
    even         the whole interval lies within what is tolerated
    not judged   fewer than two groups are large enough

For classes the disparate impact (four fifths) and the equalised odds difference decide; for numbers the differences of
the mean error and of the mean absolute error, in deviations of the target.
"""

from __future__ import annotations

from collections.abc import Mapping

from ganglion.drawing.axes import number
from ganglion.evaluation.bootstrap import Estimate
from ganglion.fairness.gaps import FOUR_FIFTHS, Gap
from ganglion.fairness.result import Group, Outcome

_HEAD: dict[Outcome, str] = {
    "unequal": "Unequal by {by}",
    "undecided": "Not settled by {by}",
    "even": "No large difference by {by}",
    "not judged": "Not judged by {by}",
}


def judge(
    by: str,
    positive: str,
    groups: Mapping[str, Group],
    gaps: Mapping[str, Gap],
    *,
    tolerance: float,
    deviation: float | None = None,
) -> tuple[Outcome, str]:
    """Return the outcome of a section and its verdict.

    Parameters
    ----------
    by, positive : str
        As of the section.
    groups : mapping of str to Group
    gaps : mapping of str to Gap
    tolerance : float
        The largest difference that is taken for a small one.
    deviation : float, optional
        Of the target, for numbers; its share `tolerance` is what is tolerated.
    """
    if deviation is None:
        return _of_classes(by, positive, groups, gaps, tolerance)
    return _of_numbers(by, positive, gaps, tolerance * deviation)


def _of_classes(
    by: str, positive: str, groups: Mapping[str, Group], gaps: Mapping[str, Gap], tolerance: float
) -> tuple[Outcome, str]:
    impact, odds = gaps["demographic_parity_ratio"], gaps["equalized_odds_difference"]
    outcome = _worst(_below(impact.estimate, FOUR_FIFTHS), _above(odds.estimate, tolerance))
    told = [_selection(positive, groups, impact), _odds(positive, groups, odds, tolerance), _truth(groups, impact)]
    return outcome, _said(by, outcome, told, [impact, odds])


def _of_numbers(by: str, target: str, gaps: Mapping[str, Gap], tolerated: float) -> tuple[Outcome, str]:
    error, size = gaps["error_difference"], gaps["mae_difference"]
    outcome = _worst(_above(error.estimate, tolerated), _above(size.estimate, tolerated))
    told = []
    for gap, what in ((error, "too high"), (size, "wrong")):
        if gap.estimate.value is not None:
            told.append(
                f"{target} is predicted {number(float(f'{gap.estimate.value:.3g}'))} more {what} for {gap.most} than "
                f"for {gap.least}{_span(gap.estimate)}; {number(float(f'{tolerated:.3g}'))} is tolerated."
            )
    return outcome, _said(by, outcome, told, [error, size])


def _said(by: str, outcome: Outcome, told: list[str], gaps: list[Gap]) -> str:
    reasons = dict.fromkeys(gap.estimate.reason for gap in gaps if gap.estimate.value is None)
    why = [f"{reason[0].upper()}{reason[1:]}." for reason in reasons if reason]
    return " ".join([f"{_HEAD[outcome].format(by=by)}.", *filter(None, told), *why])


def _below(estimate: Estimate, limit: float) -> Outcome:
    """Judge a ratio that ought to be `limit` or more."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not judged"
    return "unequal" if estimate.high < limit else "even" if estimate.low >= limit else "undecided"


def _above(estimate: Estimate, limit: float) -> Outcome:
    """Judge a difference that ought to be `limit` or less."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not judged"
    return "unequal" if estimate.low > limit else "even" if estimate.high <= limit else "undecided"


def _worst(*outcomes: Outcome) -> Outcome:
    order: tuple[Outcome, ...] = ("unequal", "undecided", "even", "not judged")
    return min(outcomes, key=order.index)


def _selection(positive: str, groups: Mapping[str, Group], impact: Gap) -> str:
    value = impact.estimate.value
    if value is None:
        return ""
    least, most = (groups[name].rates["selection_rate"].value for name in (impact.least, impact.most))
    rule = "below four fifths" if value < FOUR_FIFTHS else "four fifths or more"
    return (
        f"‘{positive}’ is predicted for {_percent(least)} of {impact.least} and {_percent(most)} of {impact.most}: "
        f"{value:.2f} times as often, {rule}{_span(impact.estimate)}."
    )


def _odds(positive: str, groups: Mapping[str, Group], odds: Gap, tolerance: float) -> str:
    value = odds.estimate.value
    if value is None:
        return ""
    least, most = (groups[name].rates[odds.rate].value for name in (odds.least, odds.most))
    who = f"Of those who are ‘{positive}’" if odds.rate == "tpr" else f"Of those who are not ‘{positive}’"
    what = "are found" if odds.rate == "tpr" else "are taken for it"
    rule = "more than" if value > tolerance else "no more than"
    return (
        f"{who}, {_percent(least)} of {odds.least} and {_percent(most)} of {odds.most} {what}: a difference of "
        f"{value:.3f}{_span(odds.estimate)}, {rule} {tolerance:g}."
    )


def _truth(groups: Mapping[str, Group], impact: Gap) -> str:
    if impact.estimate.value is None:
        return ""
    least, most = (groups[name].rates["base_rate"].value for name in (impact.least, impact.most))
    return f"In truth they are {_percent(least)} and {_percent(most)}."


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _span(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (interval {estimate.low:.3g} to {estimate.high:.3g})"
