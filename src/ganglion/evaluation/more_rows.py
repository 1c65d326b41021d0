"""How many more rows would change the verdict: two learning curves, extrapolated with what is not known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ganglion.evaluation.learning_law import FEWEST_SIZES, Law, drawn_curves, fit_law, weights_of
from ganglion.evaluation.predictions import Array

FARTHEST = 10.0  # times the rows that there are: beyond, a law of five points is a guess
SURE = 0.8  # share of the extrapolations that must agree
STEPS = 200
HARDLY = 5e-4  # of the score: a gain that nobody would notice


@dataclass(frozen=True, slots=True)
class Curve:
    """How a contender's score grows with the rows it learns from.

    Attributes
    ----------
    name : str
    sizes : tuple of int
        Rows learned from.
    scores : tuple of tuple of float
        Of each fold, at each size.
    law : tuple of three floats, or None
        a, b, c of q(n) = a - b n^-c, where q is the score, or an error with its sign turned; None of too few sizes.
    """

    name: str
    sizes: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    law: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class MoreRows:
    """What more rows would change.

    Attributes
    ----------
    outcome : {"enough", "would not", "cannot tell", "gain", "not asked"}
        "enough": so many rows would show the challenger to be better. "would not": ten times the rows would hardly.
        "gain": there is no challenger, and twice the rows would bring the best one so much.
    challenger, holder : str
        Whose curves were laid beside one another; of a gain the challenger is empty.
    share : float or None
        Of the extrapolations to ten times the rows, how many show the challenger to be better.
    rows : tuple of float, or None
        How many more: low, middle and high (8 of 10 extrapolations lie between), of those that get there; infinite
        where they do not.
    gain : tuple of float, or None
        What twice the rows would bring: low, middle, high, 8 of 10.
    sentence : str
    """

    outcome: str
    challenger: str
    holder: str
    share: float | None
    rows: tuple[float, float, float] | None
    gain: tuple[float, float, float] | None
    sentence: str


@dataclass(frozen=True)
class Growth:
    """The curves of a contender with all that is drawn around them, in units of q.

    Attributes
    ----------
    curve : Curve
    laws : Law or None
        One a draw.
    """

    curve: Curve
    laws: Law | None


def growth_of(
    name: str, sizes: Array, scores: Array, *, sign: float, best: float, test_share: float, seed: int
) -> Growth:
    """Fit the law to the curves of a contender.

    Parameters
    ----------
    name : str
    sizes : ndarray of shape (k,), int
    scores : ndarray of shape (n_folds, k)
    sign : float
        1, or -1 of an error.
    best : float
        What sign * score can never exceed.
    test_share : float
    seed : int
    """
    told = tuple(map(int, sizes)), tuple(tuple(map(float, each)) for each in scores)
    q = sign * scores
    if len(sizes) < FEWEST_SIZES or len(q) < 2:
        return Growth(Curve(name, *told, None), None)
    weight = weights_of(q)
    law = fit_law(sizes, q.mean(axis=0), weight, best=best)
    laws = fit_law(sizes, drawn_curves(q, test_share, seed), weight, best=best)
    return Growth(Curve(name, *told, (float(law.a), float(law.b), float(law.c))), laws)


def rows_until_better(
    challenger: Growth, holder: Growth, *, n_rows: int, n_folds: int, error: float, level: float = 0.05
) -> MoreRows:
    """Say how many more rows would show a challenger to be better than the holder of the recommendation.

    Shown means: its lead is larger than what a t-test asks for, whose error falls with the root of the rows.

    Parameters
    ----------
    challenger, holder : Growth
        Drawn with the same seed.
    n_rows : int
        That there are.
    n_folds : int
    error : float
        Standard error of the difference of the two scores now (`paired.standard_error`).
    level : float
        Of the test: 5 %, less after a correction for many pairs.
    """
    one, two = challenger.curve.name, holder.curve.name
    if challenger.laws is None or holder.laws is None:
        why = "Whether more rows would change this cannot be told: there are too few for a learning curve."
        return MoreRows("cannot tell", one, two, None, None, None, why)
    times = np.geomspace(1.0, FARTHEST, STEPS)
    sizes = challenger.curve.sizes[-1] * times
    lead = challenger.laws.at(sizes) - holder.laws.at(sizes)
    needed = stats.t.ppf(1 - level / 2, n_folds - 1) * error / np.sqrt(times)
    shown = lead > needed
    there = shown.any(axis=1)
    share = float(there.mean())
    reached = np.where(there, (times[shown.argmax(axis=1)] - 1) * n_rows, np.inf)
    low, middle, high = (float(each) for each in np.quantile(reached, [0.1, 0.5, 0.9], method="higher"))
    if share >= SURE:
        words = f"About {_rows(middle)} more rows would show {one} to be better than {two} ({_between(low, high)})."
        return MoreRows("enough", one, two, share, (low, middle, high), None, words)
    if share <= 1 - SURE:
        words = f"Even ten times the rows would hardly show {one} to be better than {two}: {_of_ten(share)} do."
        return MoreRows("would not", one, two, share, None, None, words)
    words = (
        f"Whether more rows would change this cannot be told: the learning curves are too uncertain. With ten times "
        f"the rows, {_of_ten(share)} show {one} to be better than {two}."
    )
    return MoreRows("cannot tell", one, two, share, None, None, words)


def gain_of_twice(best: Growth, *, metric: str, sign: float) -> MoreRows:
    """Say what twice the rows would bring a contender.

    Parameters
    ----------
    best : Growth
    metric : str
        Its name in words.
    sign : float
        1, or -1 of an error.
    """
    name = best.curve.name
    if best.laws is None:
        why = "What more rows would bring cannot be told: there are too few for a learning curve."
        return MoreRows("cannot tell", "", name, None, None, None, why)
    n = best.curve.sizes[-1]
    grown = best.laws.at(np.array([n, 2 * n]))
    low, middle, high = (float(each) for each in np.quantile(grown[:, 1] - grown[:, 0], [0.1, 0.5, 0.9]))
    what = "higher" if sign > 0 else "lower"
    if high < HARDLY * max(abs(float(grown[:, 0].mean())), 1e-12):
        words = f"Twice the rows would hardly bring {name} anything: at most {high:.1g} in {metric}."
    else:
        words = (
            f"With twice the rows the {metric} of {name} would be about {middle:.2g} {what} (8 of 10 extrapolations: "
            f"{low:.2g} to {high:.2g})."
        )
    return MoreRows("gain", "", name, None, None, (low, middle, high), words)


def _rows(number: float) -> str:
    if number < 1:
        return "0"
    digits = 10 ** max(0, int(np.floor(np.log10(number))) - 1)
    return f"{round(number / digits) * digits:,.0f}"


def _between(low: float, high: float) -> str:
    if np.isinf(high):
        return f"9 of 10 extrapolations: {_rows(low)} or more"
    return f"8 of 10 extrapolations: {_rows(low)} to {_rows(high)}"


def _of_ten(share: float) -> str:
    return f"{share:.0%} of the extrapolations"
