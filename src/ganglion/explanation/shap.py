"""SHAP: the Shapley values of a sample's features, each game a sample against a row of the background.

    φ_i = mean over background rows b of φ_i(v_b),    v_b(S) = f(the sample's features in S, b's elsewhere)

The standard error has two parts, as in two-stage sampling (Cochran 1977, eq. 10.14), where B of N rows were drawn:

    s² = (1 - B/N) var_b(φ(v_b)) / B   +   B/N · mean_b(var(φ(v_b) by what was drawn)) / B

The first is 0 where all rows are the background; the second, where all coalitions were asked.
Lundberg & Lee 2017, arXiv:1705.07874.   Letters: n samples, B background rows, d features, k outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ganglion.errors import InvalidParameter
from ganglion.explanation.asking import Array, Asked
from ganglion.explanation.explanation import Explanation
from ganglion.explanation.making import explanation_of
from ganglion.explanation.players import Flags, Places, Players
from ganglion.explanation.ranking import agreement
from ganglion.explanation.settings import Settings
from ganglion.explanation.shapley import MOST_EXACT, Games, averaged, exact, kernel, permutations

WALKS = 100  # pairs of walks of a sample at most, then
COALITIONS = 2048  # of the kernel method, beside twice the number of features: as in the package shap
TOGETHER = 2**23  # numbers of the estimates of a block of samples


@dataclass(frozen=True, slots=True)
class Values:
    """Values of a block of samples, (n, d, k), their standard errors where known, and the values by two halves."""

    values: Array
    errors: Array | None
    halves: tuple[Array, Array] | None
    how: str


def shap(players: Players, asked: Asked, settings: Settings) -> list[Explanation]:
    """Return the Shapley values of the features of all samples, by the method that the settings name, or "auto"."""
    cost = _exact_cost(players)
    method = settings.method if settings.method != "auto" else _best(cost, players, settings)
    found: list[Explanation] = []
    for rows in _blocks(players, asked.n_outputs):
        block = _estimated(_games(players, asked, rows), players, method, settings)
        shown = np.array([asked.shown(row)[1] for row in rows.tolist()])
        stability = (
            None
            if block.halves is None
            else agreement(*(half[np.arange(len(rows)), :, shown] for half in block.halves))
        )
        for i, row in enumerate(rows.tolist()):
            found.append(
                explanation_of(
                    players,
                    asked,
                    row,
                    method=method,
                    how=f"{block.how}; left out: {settings.replaced or players.replaced}",
                    effects=block.values[i],
                    errors=None if block.errors is None else block.errors[i],
                    stability=None if stability is None else float(stability[i]),
                )
            )
    return found


def _best(cost: float, players: Players, settings: Settings) -> str:
    allowed = players.free if settings.n_evaluations is None else settings.n_evaluations * players.n_rows
    return "exact" if cost <= allowed else "permutation"


def _exact_cost(players: Players) -> float:
    """Return how many evaluations exact values of all samples take; infinite where they are not to be had."""
    cost = 0.0
    for rows in _blocks(players, 1):
        sizes = players.differs(slice(rows[0], rows[-1] + 1)).sum(axis=2)
        cost += float(np.exp2(sizes).sum()) if sizes.max(initial=0) <= MOST_EXACT else np.inf
    return cost


def _blocks(players: Players, k: int) -> Iterator[Places]:
    step = max(1, TOGETHER // (players.n_background * len(players.names) * k))
    return (np.arange(i, min(players.n_rows, i + step)) for i in range(0, players.n_rows, step))


def _games(players: Players, asked: Asked, rows: Places) -> Games:
    """Return the games of some samples, each against every background row: B in a row for each sample."""
    B, start = players.n_background, int(rows[0])

    def value(which: Places, coalitions: Flags) -> Array:
        samples = start + which // B
        return asked.taken(players.mixed(samples, which % B, coalitions), samples)

    active = players.differs(slice(start, int(rows[-1]) + 1)).reshape(len(rows) * B, -1)
    empty = asked.taken(np.tile(asked.empty, (len(rows), 1)), np.repeat(rows, B))
    return Games(value, active, empty, np.repeat(asked.taken(asked.whole[rows], rows), B, axis=0))


def _estimated(games: Games, players: Players, method: str, settings: Settings) -> Values:
    B = players.n_background
    if method == "exact":
        return _over_background(exact(games)[None], B, settings.share, "all coalitions", drawn=False)
    if method == "kernel":
        m = _n_coalitions(games, B, settings)
        found = kernel(averaged(games, B), m, settings.rng)
        errors = None if found.variance is None else np.sqrt(found.variance)
        return Values(found.values, errors, found.halves, f"{m:,} coalitions")
    rounds = _rounds(games, B, players.usual, settings)
    words = f"{rounds * B:,} pairs of walks"
    return _over_background(permutations(games, rounds, settings.rng), B, settings.share, words, drawn=True)


def _rounds(games: Games, B: int, usual: int, settings: Settings) -> int:
    """Return how many pairs of walks each game gets."""
    round_cost = 2 * np.maximum(games.active.sum(axis=1) - 1, 0).sum() * B / len(games.active)
    if settings.n_evaluations is None:
        least = 2 if settings.share == 1 else 1  # of all rows that there are, only a second walk tells the error
        return max(least, min(-(-WALKS // B), int(usual // max(1.0, round_cost))))
    if settings.n_evaluations < round_cost:
        raise InvalidParameter(
            f"n_evaluations={settings.n_evaluations} is less than one pair of walks for each of {B} background rows "
            f"takes, about {round_cost:,.0f} a sample. Give more, or fewer background rows."
        )
    return int(settings.n_evaluations // max(1.0, round_cost))


def _n_coalitions(games: Games, B: int, settings: Settings) -> int:
    d = games.shape[1]
    return COALITIONS + 2 * d if settings.n_evaluations is None else settings.n_evaluations // B


def _over_background(draws: Array, B: int, share: float, how: str, *, drawn: bool) -> Values:
    """Return the mean over draws and background rows, with the two parts of its error.

    Parameters
    ----------
    draws : ndarray of shape (R, n B, d, k)
        R estimates of each game's values; exact ones, R = 1, where nothing was `drawn`.
    """
    R, games, d, k = draws.shape
    draws = draws.reshape(R, games // B, B, d * k)
    sums = draws.sum(axis=0)  # by game
    values = sums.sum(axis=1) / (R * B)
    between = np.einsum("nbi,nbi->ni", sums, sums)
    within = np.einsum("rnbi,rnbi->ni", draws, draws) - between / R
    # rounding may leave a difference of equals below 0
    of_games = None if B == 1 else np.maximum(between / R**2 - B * values**2, 0) / (B - 1) / B
    of_draws = np.maximum(within, 0) / (R * (R - 1) * B**2) if R > 1 else of_games if drawn else np.zeros_like(values)
    parts = [(1 - share, of_games), (share, of_draws)]
    known = all(part is not None for weight, part in parts if weight)
    errors = np.sqrt(sum(weight * part for weight, part in parts if part is not None)) if known else None
    halves = None
    if share < 1 and B > 1:
        halves = sums[:, ::2].mean(axis=1) / R, sums[:, 1::2].mean(axis=1) / R
    elif R > 1:
        halves = draws[: R // 2].mean(axis=(0, 2)), draws[R // 2 :].mean(axis=(0, 2))
    shape = (-1, d, k)
    return Values(
        values.reshape(shape),
        None if errors is None else errors.reshape(shape),
        None if halves is None else (halves[0].reshape(shape), halves[1].reshape(shape)),
        how,
    )
