"""LIME: a linear model of what the model says near a sample, on which features are kept.

    z' ∈ {0, 1}^d    which features are as in the sample                                        (sec. 3.1)
    π(z) = exp(-D(x, z)² / σ²)                                                                  (sec. 3.3)
    β = argmin Σ_z π(z) (f(z) - β_0 - β·z')² + |β|²                                             (eq. 2, Ridge as Ω)

tables      every column takes the value of some background row, each of its own; z'_j = 1 where that is the sample's
            value or, of numbers, in the same quarter of the background. D² = number of zeros, σ² = 2 (0.75)² d, as in
            the authors' package. What is drawn does not depend on the sample: all samples share the answers to it
other data  parts are left out at random; D = 1 - cosine(z', 1), σ = 0.25

Ribeiro, Singh & Guestrin 2016, arXiv:1602.04938, and their package lime 0.2. Differs: background rows are drawn in
place of normal distributions, so that no value is drawn that no row has, and no features are selected beforehand.
The values need not add up to the prediction; the gap says by how much they do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganglion.explanation.asking import Array, Asked
from ganglion.explanation.explanation import Explanation
from ganglion.explanation.making import explanation_of
from ganglion.explanation.players import Players, TablePlayers
from ganglion.explanation.ranking import agreement
from ganglion.explanation.settings import Settings

DRAWN = 5000  # perturbed samples of a table, as in the package
DRAWN_PARTS = 1000  # of everything else, as for its pictures
RIDGE = 1.0
GROUPS = 8  # of what was drawn: their differences tell the standard error
Drawn = tuple[NDArray[np.bool_], Tensor, Tensor, Array]  # see `_of_tables`
TABLE_WIDTH, PARTS_WIDTH = 0.75, 0.25  # σ, the first times √d


@dataclass(frozen=True, slots=True)
class Fit:
    """A weighted linear model of k outputs.

    Attributes
    ----------
    slopes : ndarray of shape (d, k)
    intercept : ndarray of shape (k,)
    errors : ndarray of shape (d, k)
        Standard errors of the slopes, by how much eight groups of what was drawn pull at them (see `_pulls`).
    r2 : ndarray of shape (k,)
        Share of the weighted variance that the linear model explains.
    halves : pair of ndarray of shape (d, k)
        The slopes by either half of what was drawn.
    """

    slopes: Array
    intercept: Array
    errors: Array
    r2: Array
    halves: tuple[Array, Array]


def lime(players: Players, asked: Asked, settings: Settings) -> list[Explanation]:
    """Return the slopes of a linear model around each sample."""
    table = players.modality == "table"
    n = (DRAWN if table else DRAWN_PARTS) if settings.n_evaluations is None else settings.n_evaluations
    every = _of_tables(cast(TablePlayers, players), n, settings) if table else _of_parts(players, n, settings)
    found = []
    for row, (told, kept, weight, answers) in enumerate(every):
        itself = asked.taken(asked.whole[row : row + 1], np.array([row]))[0]
        fit, shown = fitted(kept, weight, asked.taken(answers, np.full(len(answers), row)), itself), asked.shown(row)[1]
        slopes, errors, *halves = (_filled(each, told) for each in (fit.slopes, fit.errors, *fit.halves))
        found.append(
            explanation_of(
                players,
                asked,
                row,
                method="lime",
                how=f"linear model on {n:,} perturbed samples, R² {fit.r2[shown]:.2f}; left out: "
                f"{settings.replaced or players.replaced}",
                effects=slopes,
                errors=errors,
                stability=float(agreement(*(half[:, shown] for half in halves))),
                adds_up=False,
                bases=fit.intercept,
            )
        )
    return found


def _filled(values: Array, told: NDArray[np.bool_]) -> Array:
    """Return values of the features of which something is told, (d', k), with zeros for the others, (d, k)."""
    found = np.zeros((len(told), values.shape[1]))
    found[told] = values
    return found


def _of_tables(players: TablePlayers, n: int, settings: Settings) -> Iterator[Drawn]:
    """Yield of each row what was drawn.

    Yields
    ------
    told : ndarray of shape (d,), bool
        The d' features of which something is told: not those that are in all that is drawn as in the row.
    kept : Tensor of shape (n, d'), float32
    weight : Tensor of shape (n,)
        How near that is.
    answers : ndarray of shape (n, outputs)
    """
    d = len(players.names)
    background = settings.rng.integers(players.n_background, size=(n, d))
    answers = players.mixed(np.zeros(n, dtype=np.intp), background, np.zeros((n, d), dtype=bool))
    own, others = players.levels()
    small = np.int16 if max(own.max(), others.max()) < 2**15 else np.int32  # each row is compared with all of them
    own, drawn = own.astype(small), np.take_along_axis(others.astype(small), background, axis=0)
    varies = (drawn != drawn[0]).any(axis=0)
    varying = torch.from_numpy(drawn[:, varies])
    for each in own:
        told = varies | (each != drawn[0])
        some = varying if (told == varies).all() else torch.from_numpy(drawn[:, told])
        kept = (some == torch.from_numpy(each[told])).float()
        yield told, kept, ((kept.sum(1) - told.sum()) / (2 * TABLE_WIDTH**2 * d)).exp(), answers


def _of_parts(players: Players, n: int, settings: Settings) -> Iterator[Drawn]:
    """Yield of each sample what was drawn, as `_of_tables` does."""
    d = len(players.names)
    for row in range(players.n_rows):
        kept = settings.rng.random((n, d)) < settings.rng.random((n, 1))  # any number of parts, as for texts
        background = settings.rng.integers(players.n_background, size=n)
        answers = players.mixed(np.full(n, row), background, kept)
        weight = np.exp(-((1 - np.sqrt(kept.mean(axis=1))) ** 2) / (2 * PARTS_WIDTH**2))
        yield np.ones(d, dtype=bool), torch.from_numpy(kept).float(), torch.from_numpy(weight).float(), answers


def fitted(kept: Tensor, weight: Tensor, answers: Array, itself: Array) -> Fit:
    """Return the ridge regression of answers on flags.

    Parameters
    ----------
    kept : Tensor of shape (n, d), float32
        Flags.
    weight : Tensor of shape (n,), float32
    answers : ndarray of shape (n, k)
    itself : ndarray of shape (k,)
        The answer to the sample itself, where all is kept; it counts 1.
    """
    parts = _products(kept, weight, torch.from_numpy(answers - itself))
    d = kept.shape[1]
    own = torch.cat([parts.new_ones(d + 1), parts.new_zeros(len(itself))])  # the sample's own row [z, 1, y]
    sums = torch.stack([parts.sum(0), parts[::2].sum(0), parts[1::2].sum(0)]) + own * own[:, None]
    apart, along, center, middle = _centered(sums, d)
    factors = torch.linalg.cholesky(apart + RIDGE * torch.eye(d, dtype=apart.dtype))
    slopes = torch.cholesky_solve(along, factors)
    constant = middle[0] - center[0] @ slopes[0]
    pulls = torch.cholesky_solve(_pulls(parts, slopes[0], constant, center[0]), factors[0])
    errors = (GROUPS / (GROUPS - 1)) ** 0.5 * (pulls - pulls.mean(0)).square().sum(0).sqrt()
    whole = sums[0].diagonal()[d + 1 :] - sums[0, d, d] * middle[0].square()
    left = whole + (slopes[0] * (apart[0] @ slopes[0] - 2 * along[0])).sum(0)
    r2 = 1 - left / torch.where(whole > 0, whole, 1)
    one, other = slopes[1].numpy(), slopes[2].numpy()
    return Fit(slopes[0].numpy(), itself + constant.numpy(), errors.numpy(), r2.numpy(), (one, other))


def _products(kept: Tensor, weight: Tensor, y: Tensor) -> Tensor:
    """Return the weighted sums of products of rows [z, 1, y] of each group, (GROUPS, d + 1 + k, d + 1 + k) float64."""
    size = len(kept) // GROUPS * GROUPS  # a few are left over
    rows = torch.cat([kept, kept.new_ones(len(kept), 1), y.float()], dim=1)[:size]
    weighted = rows * weight[:size, None]
    groups = rows.view(GROUPS, -1, rows.shape[1])
    return torch.bmm(groups.mT, weighted.view(groups.shape)).double()


def _centered(sums: Tensor, d: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return products of flags, (m, d, d), and of flags and answers, (m, d, k), about the means of both.

    Parameters
    ----------
    sums : Tensor of shape (m, d + 1 + k, d + 1 + k)
    d : int
    """
    count = sums[:, d, d][:, None]
    center, middle = sums[:, d, :d] / count, sums[:, d, d + 1 :] / count
    weighed = (count * center)[..., None]
    return sums[:, :d, :d] - weighed * center[:, None], sums[:, :d, d + 1 :] - weighed * middle[:, None], center, middle


def _pulls(parts: Tensor, slopes: Tensor, constant: Tensor, center: Tensor) -> Tensor:
    """Return Σ π(z) (z - z̄) (what is left of f(z)) of each group, (GROUPS, d, k): by that it moves the slopes.

    The slopes without a group are these less (A + 1)⁻¹ times that, to first order: a jackknife of one solution.
    """
    d, k = slopes.shape
    left = torch.cat([-slopes, -constant[None], torch.eye(k, dtype=slopes.dtype)])
    found = parts @ left
    return found[:, :d] - center[:, None] * found[:, d : d + 1]
