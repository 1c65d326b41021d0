"""Which contender to take: the best one, or the simplest of those that are not told apart from it.

Simple, simpler, simplest: baselines in their own order (majority or mean, linear, trees), then models without a
network, then networks, each in the order in which they were given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.metrics import Metric
from ganglion.evaluation.paired import Pair
from ganglion.evaluation.verdict import label_in_text

Outcome = Literal["best", "tied", "nothing"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One contender and what it scored.

    Attributes
    ----------
    name : str
    score : Estimate
        Mean over the folds, with the interval of the bootstrap over rows.
    by_fold : tuple of float
    seconds : float
        Of fitting and predicting once, on average.
    is_baseline, is_deep : bool
    note : str
        Of a baseline: how it was fitted.
    """

    name: str
    score: Estimate
    by_fold: tuple[float, ...]
    seconds: float
    is_baseline: bool = False
    is_deep: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to take.

    Attributes
    ----------
    outcome : {"best", "tied", "nothing"}
        "best": the best contender is the one to take. "tied": a simpler one is not told apart from it. "nothing": not
        even the majority class, or the mean, is told apart from it.
    best, take : str
        The contender with the best score, and the one to take.
    challenger : str
        Whom more rows might bring to the front: the best network, or the best contender, where another one is to be
        taken; else empty.
    sentence : str
    """

    outcome: Outcome
    best: str
    take: str
    challenger: str
    sentence: str


def simplest_first(entries: Sequence[Entry]) -> list[Entry]:
    """Return contenders, given in their own order, in the order of their simplicity."""
    return sorted(entries, key=lambda each: (not each.is_baseline, each.is_deep))


def recommend(entries: Sequence[Entry], pairs: Sequence[Pair], metric: Metric) -> Recommendation:
    """Say which contender to take, and why.

    Parameters
    ----------
    entries : sequence of Entry
        Baselines in the order of their simplicity, then models as they were given.
    pairs : sequence of Pair
        Every two of them.
    metric : Metric
    """
    sign = 1.0 if metric.higher_is_better else -1.0
    simple = simplest_first(entries)
    ordered = sorted(simple, key=lambda each: -sign * (each.score.value or 0.0))
    best = ordered[0]
    tied = {pair.second for pair in pairs if pair.first == best.name and not pair.told_apart}
    tied |= {pair.first for pair in pairs if pair.second == best.name and not pair.told_apart}  # of equal scores
    take = next(each for each in simple if each.name == best.name or each.name in tied)
    outcome: Outcome = "best" if take is best else "tied"
    if take is simple[0] and take.is_baseline:
        outcome = "nothing"
    deep = [each for each in ordered if each.is_deep]
    challenger = deep[0].name if deep and not take.is_deep else best.name if best is not take else ""
    words = _sentence(outcome, best, take, tied, ordered, metric, pairs)
    return Recommendation(outcome, best.name, take.name, challenger, f"{_of_deep(outcome, best, take, deep)}{words}")


def _of_deep(outcome: Outcome, best: Entry, take: Entry, deep: Sequence[Entry]) -> str:
    """Return what the figures say of deep learning, where a network is among the contenders and another is taken."""
    if not deep or outcome == "nothing":
        return ""
    if take.is_deep:
        return "Deep learning is worth it here: "
    if best.is_deep and outcome == "tied":
        return "Deep learning is not shown to be worth it here: "
    return "Don't use deep learning here: "


def _sentence(
    outcome: Outcome,
    best: Entry,
    take: Entry,
    tied: set[str],
    ordered: Sequence[Entry],
    metric: Metric,
    pairs: Sequence[Pair],
) -> str:
    label = label_in_text(metric)
    if outcome == "nothing" and best is take:
        return (
            f"Nothing is better than {take.name}, with {label} {_value(take)}: these columns do not show what is asked."
        )
    pair = next((each for each in pairs if {each.first, each.second} == {best.name, take.name}), None)
    p = pair.p_corrected if pair else 0.0
    if outcome == "nothing":
        on_these = pair is not None and pair.difference.low is not None and pair.difference.low > 0
        words = "is better on these rows, but folds differ too much to say so of others" if on_these else "neither"
        return (
            f"Nothing is shown to be better than {take.name}, with {label} {_value(take)}: {best.name} with "
            f"{_value(best)} {words} (corrected p = {p:.2g}). More rows, or more rounds of folds, may show it."
        )
    if outcome == "tied":
        return (
            f"{best.name} has the best {label}, {_value(best)}, but is not told apart from {take.name} with "
            f"{_value(take)} (corrected p = {p:.2g}): take the simpler, {take.name}."
        )
    if tied:
        more = ", ".join(each.name for each in ordered if each.name in tied)
        return f"{take.name} has the best {label}, {_value(take)}, and is simpler than what is not told apart: {more}."
    second = f", the next is {ordered[1].name} with {_value(ordered[1])}" if len(ordered) > 1 else ""
    return f"{take.name} is best, told apart from all others: {label} {_value(take)}{second}."


def _value(entry: Entry) -> str:
    return f"{entry.score.value:.4g}"
