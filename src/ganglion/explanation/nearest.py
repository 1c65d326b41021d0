"""The search for near rows that turn a decision: few changed columns first, then the least cost.

    1. one changed column, each value of it; then two, from the best attempts with one; then three, … (a beam)
    2. rows that are known and decided so, brought over as far as they may be (nearest unlike neighbours)
    3. each row found is tightened: what need not change is put back, numbers go back as far as the decision allows

Nothing of the model is used but its answers. Letters: n rows, d columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ganglion.explanation.asking import Array
from ganglion.explanation.variations import Allowed, Variations

MOST_CHANGED = 6  # columns of one answer, by the beam
BEAM, PER_SET = 16, 2  # attempts that are gone on with, and how many of them change the same columns
TOGETHER = 20_000  # rows of one step
NEIGHBOURS = 8
SPARE = 3  # attempts that are tightened for each answer that is wanted: what is nearest before need not be after
FINE = 64  # steps between a value and what it was

Margins = Callable[[Array], Array]  # rows, (n, d) → above 0 where they are decided as wanted, (n,)


@dataclass(frozen=True, slots=True)
class Search:
    """What was found.

    Attributes
    ----------
    rows : list of ndarray of shape (d,)
        The nearest first.
    best : ndarray of shape (d,)
        The attempt that came nearest to the decision, or beyond it.
    n_asked : int
    """

    rows: list[Array]
    best: Array
    n_asked: int


def search(space: Variations, values: Mapping[int, Allowed], margins: Margins, k: int) -> Search:
    """Find up to k rows that are decided as wanted, no two of which change the same columns.

    Parameters
    ----------
    space : Variations
    values : mapping of int to Allowed
        What each column that may change can become.
    margins : callable
    k : int
    """
    watched = _Watched(space, margins)
    found = _diverse(space, _beamed(space, values, watched, k), SPARE * k)
    if len(found) < k:
        found += _brought_over(space, values, watched)
    tight = [_tightened(space, row, values, watched) for row in found]
    return Search(_diverse(space, tight, k), watched.best, watched.n_asked)


class _Watched:
    """Margins that remember the best row and how many were asked."""

    def __init__(self, space: Variations, margins: Margins) -> None:
        self._margins, self.best, self._most, self.n_asked = margins, space.x, -np.inf, 0

    def __call__(self, rows: Array) -> Array:
        if not len(rows):
            return np.empty(0)
        found = self._margins(rows)
        self.n_asked += len(rows)
        if found.max() > self._most:
            self._most, self.best = float(found.max()), rows[int(found.argmax())]
        return found


def _beamed(space: Variations, values: Mapping[int, Allowed], margins: Margins, k: int) -> list[Array]:
    beam, found = space.x[None], list[Array]()
    width = max(1, sum(len(each.values) for each in values.values()))
    start = float(margins(beam)[0])
    for _ in range(min(MOST_CHANGED, len(values))):
        rows = _extended(space, beam, values)
        if not len(rows):
            break
        margin = margins(rows)
        found += list(rows[margin > 0])
        if len({_set(space, row) for row in found}) >= k:
            break
        beam = _best(space, rows[margin <= 0], margin[margin <= 0] - start, max(2, min(BEAM, TOGETHER // width)))
    return found


def _extended(space: Variations, beam: Array, values: Mapping[int, Allowed]) -> Array:
    """Return every row of the beam with every value of every column that it has not changed yet."""
    changed, parts = space.changed(beam), []
    for j, each in values.items():
        base = beam[~changed[:, j]]
        rows = np.repeat(base, len(each.values), axis=0)
        rows[:, j] = np.tile(each.values, len(base))
        parts.append(rows)
    return np.unique(np.concatenate(parts), axis=0) if parts else beam[:0]


def _best(space: Variations, rows: Array, gains: Array, n: int) -> Array:
    """Return n attempts: half gained most, half most for their cost, at most two of the same columns in either."""
    cost = space.costs(rows).sum(axis=1)
    chosen: list[int] = []
    for worth in (gains, gains / np.maximum(cost, 1e-12)):
        taken: dict[frozenset[int], int] = {}
        for i in np.argsort(-worth, kind="stable").tolist():
            which = _set(space, rows[i])
            if taken.get(which, 0) < PER_SET and i not in chosen:
                taken[which] = taken.get(which, 0) + 1
                chosen.append(i)
            if sum(taken.values()) == (n + 1) // 2:
                break
    return rows[chosen]


def _brought_over(space: Variations, values: Mapping[int, Allowed], margins: Margins) -> list[Array]:
    """Return known rows whose columns, as far as they may change, turn the decision: the nearest ones."""
    rows = np.repeat(space.x[None], len(space.known), axis=0)
    for j, each in values.items():
        other = space.known[:, j]
        fits = each.fits(space, j, other)
        rows[fits, j] = other[fits]
    turned = rows[margins(rows) > 0]
    return list(turned[np.argsort(space.costs(turned).sum(axis=1), kind="stable")[:NEIGHBOURS]])


def _tightened(space: Variations, row: Array, values: Mapping[int, Allowed], margins: Margins) -> Array:
    """Return a row that is decided as wanted, nearer to x: with fewer changes, and smaller ones."""
    row = row.copy()
    for j in np.argsort(-space.costs(row[None])[0], kind="stable").tolist():
        back = np.where(np.arange(len(row)) == j, space.x, row)
        if space.changed(row[None])[0, j] and margins(back[None])[0] > 0:
            row = back
    for j in np.argsort(-space.costs(row[None])[0], kind="stable").tolist():
        if space.numbers[j] and space.changed(row[None])[0, j] and not np.isnan(space.x[j]):
            row[j] = _nearest_value(space, row, j, values[j], margins)
    return row


def _nearest_value(space: Variations, row: Array, j: int, allowed: Allowed, margins: Margins) -> float:
    """Return the value of column j nearest to that of x with which the row is still decided as wanted."""
    far, near = float(row[j]), float(np.clip(space.x[j], allowed.low, allowed.high))
    for _ in range(2 if space.whole[j] else 3):
        values = np.linspace(near, far, FINE + 1)
        values = np.unique(np.round(values)) if space.whole[j] else values
        values = values[values != space.x[j]]
        values = values[np.argsort(np.abs(values - space.x[j]))]
        values = values[allowed.fits(space, j, values)]
        good = np.flatnonzero(_turned(row, j, values, margins))
        if not len(good):
            return far
        far, near = float(values[good[0]]), float(values[good[0] - 1]) if good[0] else near
    return far if space.whole[j] else _rounded(space, row, j, far, margins)


def _rounded(space: Variations, row: Array, j: int, value: float, margins: Margins) -> float:
    """Return a value without digits that say nothing, a hundredth of the column's scale, away from x."""
    step = 10.0 ** np.floor(np.log10(space.scale[j] / 100))
    away = np.ceil if value > space.x[j] else np.floor
    short = float(np.round(away(value / step) * step, 12))
    within = min(space.x[j], row[j]) <= short <= max(space.x[j], row[j])  # so also within the range
    return short if within and _turned(row, j, np.array([short]), margins)[0] else value


def _turned(row: Array, j: int, values: Array, margins: Margins) -> np.ndarray:
    rows = np.repeat(row[None], len(values), axis=0)
    rows[:, j] = values
    return margins(rows) > 0


def _set(space: Variations, row: Array) -> frozenset[int]:
    return frozenset(np.flatnonzero(space.changed(row[None])[0]).tolist())


def _ordered(space: Variations, rows: list[Array]) -> list[Array]:
    return sorted(rows, key=lambda row: (len(_set(space, row)), float(space.costs(row[None]).sum())))


def _one_each(space: Variations, rows: list[Array]) -> list[Array]:
    """Return the nearest row of each set of changed columns."""
    first: dict[frozenset[int], Array] = {}
    for row in _ordered(space, rows):
        first.setdefault(_set(space, row), row)
    return list(first.values())


def _diverse(space: Variations, rows: list[Array], k: int) -> list[Array]:
    """Return the k nearest rows, none of which changes all that another one changes, and more."""
    chosen: list[Array] = []
    for row in _one_each(space, rows):
        if not any(_set(space, each) <= _set(space, row) for each in chosen):
            chosen.append(row)
    return chosen[:k]
