"""Where a model is worst: groups of rows, found by a search over conditions on one column or two.

    conditions   a category, a truth value, a number in one of four parts of its column with equally many rows
    badness      1 of a wrong class, the absolute error of a number
    z            (mean inside - mean outside) / √(s²_in / n_in + s²_out / n_out)                          Welch 1947
    p            of the normal law, one side, times the number of groups looked at                        Bonferroni

All groups are counted by three products of the matrix of conditions with itself. Chung et al. 2019, "Slice Finder",
arXiv:1807.06068, has the idea; the correction here is stricter than theirs. Letters: n rows, m conditions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.stats import norm

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset, Field
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.predictions import Array, Predictions, Truth
from ganglion.evaluation.proportions import Z95

FEWEST, SMALLEST_SHARE = 20, 0.01  # rows of a group, whichever is more
PARTS = 4  # of a column of numbers
MOST_CONDITIONS, MOST_CATEGORIES = 200, 20
MOST_SHOWN = 5
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Slice:
    """A group of rows on which the model is worse than on the others.

    Attributes
    ----------
    conditions : tuple of str
        What its rows have in common: "job = cook", "age > 51".
    n_rows : int
    badness : Estimate
        Share of wrong classes, or mean absolute error, with its 95 % interval.
    others : float
        The same of all other rows.
    p_value : float
        How likely so large a difference would be in any of the groups looked at if there were none.
    """

    conditions: tuple[str, ...]
    n_rows: int
    badness: Estimate
    others: float
    p_value: float

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        what = " and ".join(self.conditions)
        return f"{what} ({self.n_rows:,} rows): {self.badness}, against {self.others:.3g} elsewhere."


@dataclass(frozen=True, slots=True)
class Slices:
    """The groups that a search found, worst first.

    Attributes
    ----------
    found : tuple of Slice
    n_looked_at : int
        How many groups were looked at, which each p-value was multiplied by.
    """

    found: tuple[Slice, ...]
    n_looked_at: int


def badness_of(truth: Truth, said: Predictions) -> Array:
    """Return how bad each answer is, (n,): 1 of a wrong class, the absolute error of (the first) number."""
    if truth.task == "regression":
        return np.abs(truth.values - said.values)[:, 0]
    wrong = truth.values != said.values
    return (wrong.any(axis=1) if wrong.ndim == 2 else wrong).astype(np.float64)


def worst_slices(X: Any, badness: Array, *, most: int = MOST_SHOWN) -> Slices:
    """Search for groups of rows on which a model is worse.

    Parameters
    ----------
    X : frame, mapping, array-like of shape (n, d), or Dataset
        Its columns; those that are neither numbers, truth values nor categories are not looked at.
    badness : ndarray of shape (n,)
        The greater, the worse.
    most : int
        Groups to return.
    """
    data = as_dataset(X)
    names, columns = _conditions(data)
    fewest = max(FEWEST, math.ceil(SMALLEST_SHARE * len(badness)))
    if not names:
        return Slices((), 0)
    inside = np.stack(columns, axis=1).astype(np.float64)  # (n, m)
    n = inside.T @ inside
    total = (inside * badness[:, None]).T @ inside
    squares = (inside * np.square(badness)[:, None]).T @ inside
    z, mean, deviation = _differences(n, total, squares, badness)
    apart = np.array([one.column != other.column or one is other for one in names for other in names])
    tested = np.triu((n >= fewest) & (n <= len(badness) - fewest) & apart.reshape(n.shape))
    p = np.where(tested, norm.sf(z) * tested.sum(), np.inf)
    order = sorted(zip(*np.nonzero(p < LEVEL), strict=True), key=lambda ij: (-float(mean[ij]), float(p[ij])))
    kept: list[tuple[int, int]] = []
    for i, j in order:
        if len(kept) < most and not _is_told(int(i), int(j), kept, mean, deviation, n):
            kept.append((int(i), int(j)))
    others = (badness.sum() - total) / np.maximum(len(badness) - n, 1)
    found = [_slice(names, i, j, n, mean, deviation, others, p) for i, j in kept]
    return Slices(tuple(found), int(tested.sum()))


def _differences(n: Array, total: Array, squares: Array, badness: Array) -> tuple[Array, Array, Array]:
    """Return Welch's z of each pair of conditions, and the mean and the error of the mean inside, (m, m) each."""
    mean, error = _mean_and_error(n, total, squares)
    outside, its_error = _mean_and_error(
        len(badness) - n, badness.sum() - total, float(np.square(badness).sum()) - squares
    )
    return (mean - outside) / np.sqrt(np.maximum(error**2 + its_error**2, 1e-300)), mean, error


def _mean_and_error(n: Array, total: Array, squares: Array) -> tuple[Array, Array]:
    n = np.maximum(n, 2)
    mean = total / n
    variance = np.maximum(squares - n * mean**2, 0.0) / (n - 1)
    return mean, np.sqrt(np.maximum(variance, 1 / n**2 * (variance == 0)) / n)  # no group is sure of what it is


def _is_told(i: int, j: int, kept: Sequence[tuple[int, int]], mean: Array, error: Array, n: Array) -> bool:
    """Say whether a group says no more than one that is kept: it shares a condition, and is not clearly worse."""
    for a, b in kept:
        if {i, j} & {a, b} and mean[i, j] < mean[a, b] + Z95 * (error[i, j] + error[a, b]):
            return True
    return i != j and any(mean[i, j] < mean[k, k] + Z95 * error[i, j] and n[k, k] >= n[i, j] for k in (i, j))


def _slice(
    names: Sequence[Condition], i: int, j: int, n: Array, mean: Array, error: Array, others: Array, p: Array
) -> Slice:
    conditions = (names[i].words,) if i == j else (names[i].words, names[j].words)
    value, half = float(mean[i, j]), Z95 * float(error[i, j])
    badness = Estimate(value, max(0.0, value - half), value + half)
    return Slice(conditions, int(n[i, j]), badness, float(others[i, j]), float(p[i, j]))


@dataclass(frozen=True, slots=True)
class Condition:
    """What rows of a group have in common in one column."""

    column: str
    words: str


def _conditions(data: Dataset) -> tuple[list[Condition], list[Array]]:
    names: list[Condition] = []
    columns: list[Array] = []
    for field in data.features:
        if field.kind not in ("numeric", "boolean", "categorical") or len(field.shape) > 1:
            continue
        values = data.values(field.name)
        block = values.reshape(len(values), -1)
        for k in range(block.shape[1]):
            name = f"{field.name}{k}" if field.shape else field.name
            for words, rows in _of_column(field, name, block[:, k]):
                names.append(Condition(name, words))
                columns.append(rows)
    return names[:MOST_CONDITIONS], columns[:MOST_CONDITIONS]


def _of_column(field: Field, name: str, values: Array) -> list[tuple[str, Array]]:
    if field.kind == "categorical":
        known, counts = np.unique([str(each) for each in values], return_counts=True)
        usual = known[np.argsort(-counts, kind="stable")][:MOST_CATEGORIES]
        text = np.array([str(each) for each in values])
        return [(f"{name} = {each}", text == each) for each in usual]
    numbers = values.astype(np.float64)
    missing = np.isnan(numbers)
    found = [(f"{name} is missing", missing)] if missing.any() else []
    known = np.unique(numbers[~missing])
    if len(known) <= PARTS:
        return [*found, *((f"{name} = {each:.4g}", numbers == each) for each in known)]
    ends = np.unique(np.quantile(numbers[~missing], np.linspace(0, 1, PARTS + 1)[1:-1]))
    edges = [-np.inf, *ends.tolist(), np.inf]
    for low, high in pairwise(edges):
        words = f"{name} ≤ {high:.4g}" if low == -np.inf else f"{name} > {low:.4g}"
        words = words if np.inf in (-low, high) else f"{low:.4g} < {name} ≤ {high:.4g}"
        found.append((words, (numbers > low) & (numbers <= high)))
    return found
