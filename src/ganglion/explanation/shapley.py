"""Shapley values: what each player of a game gains it, on average over all orders in which players can join.

    φ_i = Σ_{S ∌ i}  |S|! (n - |S| - 1)! / n!  ·  (v(S ∪ i) - v(S))                    (1; Shapley 1953)
        = E_π [ v(before i in π, and i) - v(before i in π) ],   π a random order        (2)
    φ   = argmin_φ Σ_S k(S) (v(S) - v(∅) - Σ_{i ∈ S} φ_i)²   where Σ_i φ_i = v(all) - v(∅),
          k(S) = (n - 1) / (C(n, |S|) |S| (n - |S|))                                   (3; Lundberg & Lee 2017, th. 2)

Players are features: v(S) is what a model says when those in S are as in the sample, and the others as in a row of the
background. Each (sample, background row) is a game of its own; φ is linear in v, so that a sample's values against
many rows are the mean over its games. In a game, a feature that is the same on both sides cannot gain anything: it has
0 by definition, and costs no evaluation.

exact        (1) over all coalitions of the n players that differ, 2^n evaluations
permutations (2) over orders drawn at random, each walked from both ends (antithetic: Mitchell et al. 2022,
             JMLR 23, 43; Štrumbelj & Kononenko 2014 draw order and background row together, as here)
kernel       (3) over coalitions drawn with k, each with its complement (Covert & Lee 2021, AISTATS, eq. 7 and sec. 4)

Lundberg & Lee 2017, arXiv:1705.07874.   Letters: G games, d players, k outputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganglion.errors import InvalidParameter

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Value = Callable[[Places, Flags], Array]  # games (N,) and coalitions (N, d) → what the model says, (N, k)

MOST_EXACT = 15  # players: 32,768 coalitions
PIECE = 2**23  # flags of coalitions that are made together


@dataclass(frozen=True, slots=True)
class Games:
    """Games whose players are alike.

    Attributes
    ----------
    value : (games, coalitions) -> what the model says
        Of games, (N,), and in each a coalition, (N, d), true for those that joined; (N, k).
    active : ndarray of shape (G, d), bool
        Which players can change anything.
    empty, whole : ndarray of shape (G, k)
        The value of nobody, and of everybody.
    """

    value: Value
    active: Flags
    empty: Array
    whole: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        """Games, players and outputs."""
        return (*self.active.shape, self.empty.shape[1])


@dataclass(frozen=True, slots=True)
class Regression:
    """Shapley values of games by a regression.

    Attributes
    ----------
    values : ndarray of shape (G, d, k)
    variance : ndarray of the same shape, or None
        The sampling variance of each, 0 where nothing was drawn; None where too little was to tell.
    halves : pair of ndarray of the same shape, or None
        The values by either half of what was drawn.
    """

    values: Array
    variance: Array | None = None
    halves: tuple[Array, Array] | None = None


def exact(games: Games) -> Array:
    """Return the Shapley values of games by (1), (G, d, k), over every coalition of the players that differ.

    Raises
    ------
    InvalidParameter
        If a game has more than 15 of them.
    """
    sizes = games.active.sum(axis=1)
    if sizes.max(initial=0) > MOST_EXACT:
        raise InvalidParameter(
            "method='exact' asks for all 2^n coalitions of the features that differ from the background, and here n "
            f"is {sizes.max()}; at most {MOST_EXACT} are allowed. Give method='permutation', whose intervals say how "
            "near it comes."
        )
    values = np.zeros(games.shape)
    for n in np.unique(sizes[sizes > 0]).tolist():
        alike = np.flatnonzero(sizes == n)
        for some in np.array_split(alike, -(-len(alike) * 2**n * games.shape[1] // PIECE)):
            players = np.nonzero(games.active[some])[1].reshape(-1, n)
            values[some[:, None], players] = _by_definition(_all_coalitions(games, some, players))
    return values


def _all_coalitions(games: Games, some: Places, players: Places) -> Array:
    """Return the values of all coalitions of n players, (games, 2^n, k): bit i of the place is player i."""
    n, (_, d, k) = players.shape[1], games.shape
    subsets = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    coalitions = np.zeros((len(some), 2**n, d), dtype=bool)
    coalitions[np.arange(len(some))[:, None, None], np.arange(2**n)[:, None], players[:, None]] = subsets
    found = np.empty((len(some), 2**n, k))
    found[:, 0], found[:, -1] = games.empty[some], games.whole[some]
    if n > 1:
        asked = coalitions[:, 1:-1].reshape(-1, d)
        found[:, 1:-1] = games.value(np.repeat(some, 2**n - 2), asked).reshape(len(some), -1, k)
    return found


def _by_definition(values: Array) -> Array:
    """Return (1) from the values of all coalitions, (games, 2^n, k) → (games, n, k)."""
    n = values.shape[1].bit_length() - 1
    sizes = np.array([place.bit_count() for place in range(2 ** (n - 1))])  # of coalitions of all players but one
    shares = np.array([1 / (n * math.comb(n - 1, size)) for size in range(n)])[sizes]
    gains = []
    for i in range(n):
        split = values.reshape(len(values), 2 ** (n - 1 - i), 2, 2**i, -1)
        gain = (split[:, :, 1] - split[:, :, 0]).reshape(len(values), 2 ** (n - 1), -1)
        gains.append(np.einsum("s,gsk->gk", shares, gain))
    return np.stack(gains, axis=1)


def permutations(games: Games, rounds: int, rng: np.random.Generator) -> Array:
    """Return estimates of the Shapley values of games by (2), (rounds, G, d, k); their mean is the estimate.

    Each is of one random order a game, walked from both ends.
    """
    G, d, k = games.shape
    gains = np.empty((rounds * G, d, k))
    which = np.tile(np.arange(G), rounds)
    longest = max(1, int(games.active.sum(axis=1).max(initial=1)))
    for walks in _pieces(rounds * G, 2 * longest * d):
        gains[walks] = _walked(games, which[walks], rng)
    return gains.reshape(rounds, G, d, k)


def _walked(games: Games, which: Places, rng: np.random.Generator) -> Array:
    """Return what each player gains on a walk from nobody to everybody and on the walk back, (walks, d, k)."""
    active, empty, whole = games.active[which], games.empty[which], games.whole[which]
    lengths = active.sum(axis=1)
    order = np.where(active, rng.random(active.shape), 2.0).argsort(axis=1)  # who cannot change anything comes last
    rank = np.empty(
        order.shape, dtype=np.int16 if order.shape[1] < 2**15 else np.int64
    )  # looked up for every coalition
    np.put_along_axis(rank, order, np.arange(order.shape[1], dtype=rank.dtype), axis=1)
    inside = np.maximum(lengths - 1, 0)
    walks = np.repeat(np.arange(len(which)), inside)
    joined = np.arange(1, len(walks) + 1) - np.repeat(
        np.cumsum(inside) - inside, inside
    )  # 1, …, length - 1 on each walk
    coalitions = rank[walks] < joined.astype(rank.dtype)[:, None]
    asked = np.concatenate([coalitions, ~coalitions])  # the first ones of the order, and the last ones
    # nobody between the ends: there is nothing to ask
    found = games.value(which[np.tile(walks, 2)], asked) if len(walks) else np.empty((0, empty.shape[1]))
    longest = int(lengths.max(initial=0))
    first, last = np.repeat(whole[:, None], longest + 1, axis=1), np.repeat(empty[:, None], longest + 1, axis=1)
    first[:, 0], last[:, 0] = empty, whole
    first[walks, joined], last[walks, joined] = found[: len(walks)], found[len(walks) :]
    gains = np.zeros((*active.shape, empty.shape[1]))
    steps = (np.diff(first, axis=1) - np.diff(last, axis=1)) / 2
    np.put_along_axis(gains, order[:, :longest, None], steps, axis=1)
    return gains


def kernel(games: Games, n_coalitions: int, rng: np.random.Generator) -> Regression:
    """Return the Shapley values of games by (3), from coalitions that are drawn once for all of them.

    Where there are no more coalitions than `n_coalitions`, all are taken with their weights: the result is exact.

    Raises
    ------
    InvalidParameter
        If there are too few coalitions for a regression on all players.
    """
    G, d, k = games.shape
    if d == 1:
        return Regression((games.whole - games.empty)[:, None], np.zeros((G, 1, k)))
    least = min(2 * d, 2**d - 2)
    if n_coalitions < least:
        raise InvalidParameter(
            f"{n_coalitions} coalitions of {d} features are too few: method='kernel' needs at least {least}, each with "
            "every background row. Give more n_evaluations, or fewer background rows."
        )
    complete = 2**d - 2 <= n_coalitions
    coalitions, weight = _every_coalition(d) if complete else _drawn_coalitions(d, n_coalitions // 2, rng)
    asked = np.tile(coalitions, (G, 1))
    values = games.value(np.repeat(np.arange(G), len(coalitions)), asked).reshape(G, -1, k)
    gains, total = values - games.empty[:, None], games.whole - games.empty
    found, projection = _regressed(coalitions, weight, gains, total)
    if complete:
        return Regression(found, np.zeros_like(found))
    variance = _variance(coalitions @ projection, gains - coalitions @ found)
    middle = len(coalitions) // 4 * 2  # whole pairs
    if middle < least:
        return Regression(found, variance)
    parts = (slice(None, middle), slice(middle, None))
    one, two = (_regressed(coalitions[part], weight[part], gains[:, part], total)[0] for part in parts)
    return Regression(found, variance, (one, two))


def _every_coalition(d: int) -> tuple[Flags, Array]:
    """Return all coalitions but the empty and the whole one, (2^d - 2, d), and the weight k(S) of each."""
    coalitions = (np.arange(1, 2**d - 1)[:, None] >> np.arange(d) & 1).astype(bool)
    by_size = np.array([0.0, *((d - 1) / (math.comb(d, s) * s * (d - s)) for s in range(1, d))])
    return coalitions, by_size[coalitions.sum(axis=1)]


def _drawn_coalitions(d: int, n_pairs: int, rng: np.random.Generator) -> tuple[Flags, Array]:
    """Return coalitions drawn with k(S), each followed by its complement, (2 n_pairs, d); they count alike."""
    chance = np.array([1 / (s * (d - s)) for s in range(1, d)])
    sizes = rng.choice(np.arange(1, d), size=n_pairs, p=chance / chance.sum())
    order = rng.random((n_pairs, d)).argsort(axis=1).argsort(axis=1)
    first = order < sizes[:, None]
    return np.stack([first, ~first], axis=1).reshape(-1, d), np.ones(2 * n_pairs)


def _regressed(coalitions: Flags, weight: Array, gains: Array, total: Array) -> tuple[Array, Array]:
    """Solve (3): return φ, (G, d, k), and the matrix M of Δφ = M ZᵀW Δgains, (d, d), which keeps the sum.

    Parameters
    ----------
    coalitions : ndarray of shape (m, d), bool
    weight : ndarray of shape (m,)
    gains : ndarray of shape (G, m, k)
        v(S) - v(∅).
    total : ndarray of shape (G, k)
        What the values must sum to.
    """
    Z = coalitions.astype(np.float64)
    inverse = np.linalg.pinv((Z.T * weight) @ Z, hermitian=True)
    u = inverse.sum(axis=1)
    projection = inverse - np.outer(u, u) / u.sum()
    found = projection @ ((Z.T * weight) @ gains) + (u / u.sum())[:, None] * total[:, None]
    return found, projection


def _variance(influence: Array, residual: Array) -> Array | None:
    """Return the sampling variance of a regression on pairs of coalitions (sandwich, clustered by pair), (G, d, k).

    Parameters
    ----------
    influence : ndarray of shape (m, d)
        How much each coalition's residual moves each value.
    residual : ndarray of shape (G, m, k)
    """
    n_pairs, d = len(influence) // 2, influence.shape[1]
    if n_pairs <= d:
        return None
    (one, other), (r, s) = (influence[0::2], influence[1::2]), (residual[:, 0::2], residual[:, 1::2])
    squares = (one**2).T @ r**2 + 2 * (one * other).T @ (r * s) + (other**2).T @ s**2
    return squares * n_pairs / (n_pairs - d)


def averaged(games: Games, n_backgrounds: int) -> Games:
    """Return the games of samples against all their background rows at once: every value is the mean over those."""
    G, d, k = games.shape

    def value(samples: Places, coalitions: Flags) -> Array:
        means = np.empty((len(samples), k))
        for some in _pieces(len(samples), n_backgrounds * d):
            which = samples[some, None] * n_backgrounds + np.arange(n_backgrounds)
            found = games.value(which.ravel(), np.repeat(coalitions[some], n_backgrounds, axis=0))
            means[some] = found.reshape(-1, n_backgrounds, k).mean(axis=1)
        return means

    shape = (G // n_backgrounds, n_backgrounds, -1)
    empty, whole = (each.reshape(shape).mean(axis=1) for each in (games.empty, games.whole))
    return Games(value, np.logical_or.reduce(games.active.reshape(shape), axis=1), empty, whole)


def _pieces(n: int, flags: int) -> Iterator[slice]:
    """Cut n rows into pieces whose coalitions have about `PIECE` flags, where each row has so many."""
    step = max(1, PIECE // max(1, flags))
    return (slice(start, min(n, start + step)) for start in range(0, n, step))
