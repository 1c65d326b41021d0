"""Proxies: columns that tell who belongs to a sensitive group, alone or all together.

A column is judged by how well the group can be told from it on rows not seen: the area under the ROC curve, 0.5 for
nothing and 1 for everything, mean over groups against the rest. One column: cut into at most 32 parts of equal size (or
its categories), the share of the group in each part, smoothed, from the other folds. All together: gradient-boosted
trees, out of fold. Intervals from the bootstrap over rows, their level raised for the columns that were looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from ganglion.data.dataset import Dataset, Field
from ganglion.evaluation.bootstrap import Estimate, resampled_weights
from ganglion.evaluation.matrices import matrices_of
from ganglion.evaluation.ranking import Ranking
from ganglion.fairness.gaps import interval
from ganglion.fairness.groups import Array, Groups

STRONG, WEAK = 0.75, 0.65  # areas from which on a column is a proxy, and worth a look
N_FOLDS, N_PARTS = 5, 32
MOST_ROWS = 20_000  # that are looked at
SMOOTHING = 5.0  # rows that every part of a column has at the overall share

Strength = Literal["proxy", "hint", "none"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """How well one column (or all together) tells a sensitive one.

    Attributes
    ----------
    column : str
        Its name; "all together" for all other columns.
    by : str
        The sensitive column.
    area : Estimate
        Under the ROC curve, out of fold, with its interval.
    strength : str
        "proxy", "hint" or "none".
    """

    column: str
    by: str
    area: Estimate
    strength: Strength


ALL = "all together"


def proxies_of(
    data: Dataset, groups: Groups, *, n_bootstrap: int = 200, seed: int = 0, together: bool = True
) -> list[Proxy]:
    """Return how well each column tells the groups, the strongest first, and behind them all columns together.

    Parameters
    ----------
    data : Dataset
        Without the sensitive columns.
    groups : Groups
        Groups of fewer rows than there are folds are left out.
    n_bootstrap, seed : int
        Resamples behind the intervals, and their seed.
    together : bool
        Whether to ask all columns together, too.
    """
    rows = _sample(groups, seed)
    codes = np.unique(groups.codes[rows], return_inverse=True)[1]
    folds = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(codes, codes))
    fields = [field for field in data.features if field.kind in ("numeric", "categorical", "boolean", "date")]
    fields = [field for field in fields if not field.shape]
    taken = data.take(rows)
    found = [
        _judged(
            field.name, groups.name, _area(_shares(_parts(taken, field), codes, folds), codes, n_bootstrap, seed), n
        )
        for n in [len(fields)]
        for field in fields
    ]
    found.sort(key=lambda each: -(each.area.value or 0.0))
    if together and len(fields) > 1:
        scores = _boosted(taken, codes, folds, seed)
        found.append(_judged(ALL, groups.name, _area(scores, codes, n_bootstrap, seed), 1))
    return found


def _sample(groups: Groups, seed: int) -> Array:
    """Return the rows to look at: of groups large enough for all folds, and not more than needed."""
    large = groups.counts >= N_FOLDS
    rows = np.flatnonzero(large[groups.codes])
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_ROWS])


def _parts(data: Dataset, field: Field) -> Array:
    """Return the part of a column that each row is in, (n,) int64; missing values are a part."""
    values = np.asarray(data.columns[field.name])
    if field.kind == "categorical":
        return values.astype(np.int64) + 1
    missing = np.isnan(values)
    there = values[~missing]
    if not len(there):
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(there, np.linspace(0, 1, N_PARTS + 1)[1:-1]))
    return np.where(missing, 0, 1 + np.searchsorted(edges, values, side="right"))


def _shares(parts: Array, codes: Array, folds: list[tuple[Array, Array]]) -> Array:
    """Return the share of each group in a row's part, counted on the other folds, (n, n_groups)."""
    n_groups, n_parts = int(codes.max()) + 1, int(parts.max()) + 1
    shares = np.empty((len(codes), n_groups))
    for known, asked in folds:
        table = np.bincount(parts[known] * n_groups + codes[known], minlength=n_parts * n_groups)
        counts = table.reshape(n_parts, n_groups) + SMOOTHING * np.bincount(codes[known]) / len(known)
        shares[asked] = (counts / counts.sum(axis=1, keepdims=True))[parts[asked]]
    return shares


def _boosted(data: Dataset, codes: Array, folds: list[tuple[Array, Array]], seed: int) -> Array:
    matrices = matrices_of(data)
    matrix = np.asarray(matrices.fit[np.arange(len(data))])
    scores = np.empty((len(codes), int(codes.max()) + 1))
    for known, asked in folds:  # small trees: larger ones learn the noise of a thousand rows
        options: dict[str, Any] = {"categorical_features": matrices.tree_categories(), "early_stopping": False}
        trees = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, random_state=seed, **options)
        scores[asked] = trees.fit(matrix[known], codes[known]).predict_proba(matrix[asked])
    return scores


def _area(scores: Array, codes: Array, n_bootstrap: int, seed: int) -> tuple[float, Array]:
    """Return the area under the ROC curve, mean over groups, and those of resamples, (b,).

    Of two groups one says all.
    """
    n_groups = scores.shape[1]
    rankings = [Ranking(codes == g, scores[:, g]) for g in (range(n_groups) if n_groups > 2 else [1])]
    value = np.mean([ranking.areas(np.ones((len(codes), 1)))[0][0] for ranking in rankings])
    samples = [
        np.mean([ranking.areas(weights)[0] for ranking in rankings], axis=0)
        for weights in resampled_weights(len(codes), n_bootstrap, seed)
    ]
    return float(value), np.concatenate(samples)


def _judged(column: str, by: str, area: tuple[float, Array], n_looks: int) -> Proxy:
    value, samples = area
    low, high = interval(samples, n_looks)
    strength: Strength = "none"
    if low is not None and low > 0.5:
        strength = "proxy" if value >= STRONG else "hint" if value >= WEAK else "none"
    return Proxy(column, by, Estimate(value, low, high), strength)
