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
from ganglion.explanation.shapley import MOST_EXACT, Estimates, Games, averaged, exact, kernel, permutations

WALKS = 100  # pairs of walks of a sample, over all its background rows
COALITIONS = 2048  # of the kernel method, beside twice the number of features: as in the package shap
FREE = 2**20  # evaluations, of all samples together, that "auto" spends on exact values
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
        games = _games(players, asked, rows)
        block = _estimated(games, players.n_background, method, settings)
        for i, row in enumerate(rows.tolist()):
            shown = asked.shown(row)[1]
            halves = None if block.halves is None else [half[i, :, shown] for half in block.halves]
            found.append(
                explanation_of(
                    players,
                    asked,
                    row,
                    method=method,
                    how=f"{block.how}; left out: {settings.replaced or players.replaced}",
                    effects=block.values[i],
                    errors=None if block.errors is None else block.errors[i],
                    stability=None if halves is None else agreement(*halves),
                )
            )
    return found


def _best(cost: float, players: Players, settings: Settings) -> str:
    allowed = FREE if settings.n_evaluations is None else settings.n_evaluations * players.n_rows
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


def _estimated(games: Games, B: int, method: str, settings: Settings) -> Values:
    if method == "exact":
        return _over_background(exact(games), B, settings.share, "exact: all coalitions")
    if method == "kernel":
        m = _n_coalitions(games, B, settings)
        found = kernel(averaged(games, B), m, settings.rng)
        errors = None if found.variance is None else np.sqrt(found.variance)
        return Values(found.values, errors, found.halves, f"{m:,} coalitions")
    rounds = _rounds(games, B, settings)
    words = f"{rounds * B:,} pairs of walks"
    return _over_background(permutations(games, rounds, settings.rng), B, settings.share, words)


def _rounds(games: Games, B: int, settings: Settings) -> int:
    """Return how many pairs of walks each game gets."""
    if settings.n_evaluations is None:
        return max(-(-WALKS // B), 2 if settings.share == 1 else 1)
    round_cost = 2 * np.maximum(games.active.sum(axis=1) - 1, 0).sum() * B / len(games.active)
    if settings.n_evaluations < round_cost:
        raise InvalidParameter(
            f"n_evaluations={settings.n_evaluations} is less than one pair of walks for each of {B} background rows "
            f"takes, about {round_cost:,.0f} a sample. Give more, or fewer background rows."
        )
    return int(settings.n_evaluations // max(1.0, round_cost))


def _n_coalitions(games: Games, B: int, settings: Settings) -> int:
    d = games.shape[1]
    return COALITIONS + 2 * d if settings.n_evaluations is None else settings.n_evaluations // B


def _over_background(found: Estimates, B: int, share: float, how: str) -> Values:
    """Return the mean of games over the background rows, with the two parts of its error."""

    def split(of: Array) -> Array:
        return of.reshape(-1, B, *of.shape[1:])

    values = split(found.values)
    between = values.var(axis=1, ddof=1) / B if B > 1 else None
    within = None if found.variance is None else split(found.variance).mean(axis=1) / B
    parts = [(1 - share, between), (share, between if within is None else within)]
    known = all(part is not None for weight, part in parts if weight)
    errors = np.sqrt(sum(weight * part for weight, part in parts if part is not None)) if known else None
    halves = None
    if share < 1 and B > 1:
        halves = values[:, ::2].mean(axis=1), values[:, 1::2].mean(axis=1)
    elif found.halves is not None:
        halves = (split(found.halves[0]).mean(axis=1), split(found.halves[1]).mean(axis=1))
    return Values(values.mean(axis=1), errors, halves, how)
