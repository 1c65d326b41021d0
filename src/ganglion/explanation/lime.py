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

from ganglion.explanation.asking import Array, Asked
from ganglion.explanation.explanation import Explanation
from ganglion.explanation.making import explanation_of
from ganglion.explanation.players import Flags, Players, TablePlayers
from ganglion.explanation.ranking import agreement
from ganglion.explanation.settings import Settings

DRAWN = 5000  # perturbed samples of a table, as in the package
DRAWN_PARTS = 1000  # of everything else, as for its pictures
RIDGE = 1.0
GROUPS = 8  # of what was drawn: each is left out once
Drawn = tuple[Flags, Array, Array]  # what was kept, (n, d), how near that is, (n,), and the answers, (n, outputs)
TABLE_WIDTH, PARTS_WIDTH = 0.75, 0.25  # σ, the first times √d


@dataclass(frozen=True, slots=True)
class Fit:
    """A weighted linear model of k outputs.

    Attributes
    ----------
    slopes : ndarray of shape (d, k)
    intercept : ndarray of shape (k,)
    errors : ndarray of shape (d, k)
        Standard errors of the slopes, by a jackknife over eight groups of what was drawn.
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
    for row, (kept, weight, answers) in enumerate(every):
        itself = asked.taken(asked.whole[row : row + 1], np.array([row]))[0]
        fit, shown = fitted(kept, weight, asked.taken(answers, np.full(len(answers), row)), itself), asked.shown(row)[1]
        found.append(
            explanation_of(
                players,
                asked,
                row,
                method="lime",
                how=f"linear model on {n:,} perturbed samples, R² {fit.r2[shown]:.2f}; left out: "
                f"{settings.replaced or players.replaced}",
                effects=fit.slopes,
                errors=fit.errors,
                stability=float(agreement(*(half[:, shown] for half in fit.halves))),
                adds_up=False,
                bases=fit.intercept,
            )
        )
    return found


def _of_tables(players: TablePlayers, n: int, settings: Settings) -> Iterator[Drawn]:
    d = len(players.names)
    background = settings.rng.integers(players.n_background, size=(n, d))
    answers = players.mixed(np.zeros(n, dtype=np.intp), background, np.zeros((n, d), dtype=bool))
    own, others = players.levels()
    drawn = np.take_along_axis(others, background, axis=0)
    for row in range(players.n_rows):
        alike = drawn == own[row]
        yield alike, np.exp((alike.sum(axis=1) - d) / (2 * TABLE_WIDTH**2 * d)), answers


def _of_parts(players: Players, n: int, settings: Settings) -> Iterator[Drawn]:
    d = len(players.names)
    for row in range(players.n_rows):
        kept = settings.rng.random((n, d)) < settings.rng.random((n, 1))  # any number of parts, as for texts
        background = settings.rng.integers(players.n_background, size=n)
        answers = players.mixed(np.full(n, row), background, kept)
        yield kept, np.exp(-((1 - np.sqrt(kept.mean(axis=1))) ** 2) / (2 * PARTS_WIDTH**2)), answers


def fitted(kept: Flags, weight: Array, answers: Array, itself: Array) -> Fit:
    """Return the ridge regression of answers on flags.

    Parameters
    ----------
    kept : ndarray of shape (n, d), bool
    weight : ndarray of shape (n,)
    answers : ndarray of shape (n, k)
    itself : ndarray of shape (k,)
        The answer to the sample itself, where all is kept; it counts 1.
    """
    n, d = kept.shape
    size = n // GROUPS * GROUPS  # a few are left over
    rows = np.concatenate([kept, np.ones((n, 1)), answers - itself], axis=1, dtype=np.float32)[:size]
    weighted = torch.from_numpy(rows * weight[:size, None].astype(np.float32)).view(GROUPS, -1, rows.shape[1])
    parts = torch.bmm(torch.from_numpy(rows).view(weighted.shape).mT, weighted).double().numpy()
    own = np.concatenate([np.ones(d + 1), np.zeros(len(itself))])
    total = parts.sum(axis=0) + np.outer(own, own)
    half = [parts[i::2].sum(axis=0) + np.outer(own, own) for i in (0, 1)]
    slopes, middle, center = _solved(np.stack([total, *(total - part for part in parts), *half]), d)
    spread = slopes[1 : 1 + GROUPS] - slopes[1 : 1 + GROUPS].mean(axis=0)
    errors = np.sqrt((GROUPS - 1) / GROUPS * (spread**2).sum(axis=0))
    r2 = _explained(total, slopes[0], d)
    return Fit(slopes[0], itself + middle[0] - center[0] @ slopes[0], errors, r2, (slopes[-2], slopes[-1]))


def _solved(moments: Array, d: int) -> tuple[Array, Array, Array]:
    """Return ridge slopes, (m, d, k), and the means of answers and flags, from sums of products of rows [z, 1, y].

    Parameters
    ----------
    moments : ndarray of shape (m, d + 1 + k, d + 1 + k)
    d : int
    """
    count = moments[:, d, d][:, None]
    center, middle = moments[:, d, :d] / count, moments[:, d, d + 1 :] / count
    apart = moments[:, :d, :d] - count[..., None] * center[:, :, None] * center[:, None]
    along = moments[:, :d, d + 1 :] - count[..., None] * center[:, :, None] * middle[:, None]
    slopes: Array = np.linalg.solve(apart + RIDGE * np.eye(d), along).astype(np.float64)
    return slopes, middle, center


def _explained(moments: Array, slopes: Array, d: int) -> Array:
    """Return the share of the weighted variance that slopes explain, (k,)."""
    count, sums = moments[d, d], moments[d]
    center, middle = sums[:d] / count, sums[d + 1 :] / count
    apart = moments[:d, :d] - count * np.outer(center, center)
    along = moments[:d, d + 1 :] - count * np.outer(center, middle)
    whole = moments.diagonal()[d + 1 :] - count * middle**2
    left = whole - 2 * (slopes * along).sum(axis=0) + (slopes * (apart @ slopes)).sum(axis=0)
    return 1 - left / np.where(whole > 0, whole, 1)
