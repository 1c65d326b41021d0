"""Which rows are learned from and which are held out, the same for every model.

    nothing said   5 folds of rows at random, classes in equal shares; of few rows several times over
    groups         whole groups (patients, customers) on one side
    cv="time"      rows as they stand: what comes later is held out, 5 times
    cv             a number of folds, a splitter of scikit-learn, or pairs of row indices

The number of folds and repetitions follows from the number of rows alone, so that the same data give the same result.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.predictions import Array, Truth

N_FOLDS = 5
THREE_TIMES, TWICE = 2_000, 20_000  # rows up to which folds are made so often anew
FEWEST_ROWS = 20
Order = Literal["rows", "groups", "time", "given"]


@dataclass(frozen=True)
class Folds:
    """Pairs of row indices, and how they came about.

    Attributes
    ----------
    pairs : tuple of (ndarray, ndarray)
        Rows to learn from and rows held out, each in rising order (of time: as they stand).
    n_repeats : int
        How often all rows were dealt out anew; the first `len(pairs) // n_repeats` pairs are one round.
    order : {"rows", "groups", "time", "given"}
    units : ndarray of shape (n_rows,), int64, or None
        What is drawn together by the bootstrap: groups, or of time stretches of neighbours. None for single rows.
    about : str
        In words.
    """

    pairs: tuple[tuple[Array, Array], ...]
    n_repeats: int
    order: Order
    units: Array | None
    about: str

    @property
    def first_round(self) -> tuple[tuple[Array, Array], ...]:
        """The pairs of the first time that the rows were dealt out."""
        return self.pairs[: len(self.pairs) // self.n_repeats]

    @property
    def test_share(self) -> float:
        """Rows held out over rows learned from, on average."""
        return float(np.mean([len(held) / len(learned) for learned, held in self.pairs]))

    @property
    def n_learned(self) -> float:
        """Rows learned from, on average."""
        return float(np.mean([len(learned) for learned, _ in self.pairs]))


def folds_of(truth: Truth, *, cv: Any = None, n_repeats: int | None = None, groups: Any = None, seed: int = 0) -> Folds:
    """Deal the rows out.

    Parameters
    ----------
    truth : Truth
    cv : int, "time", splitter of scikit-learn, or iterable of (learned, held out), optional
    n_repeats : int, optional
        How often the rows are dealt out; without, 3 times up to 2,000 rows, twice up to 20,000, else once.
    groups : ndarray of shape (n_rows,), optional
    seed : int

    Raises
    ------
    InvalidParameter
        If `cv` or `n_repeats` is not allowed.
    InvalidInput
        If there are too few rows or groups.
    """
    n = len(truth)
    if n < FEWEST_ROWS:
        raise InvalidInput(f"{n} rows are too few to compare models on. Give {FEWEST_ROWS} or more.")
    group_of = None if groups is None else _codes(groups, n)
    if n_repeats is not None and (not isinstance(n_repeats, int) or n_repeats < 1):
        raise InvalidParameter(f"n_repeats={n_repeats!r}: give a whole number of 1 or more.")
    if isinstance(cv, str) and cv == "time":
        return _of_time(n, groups)
    if cv is None or isinstance(cv, int | np.integer):
        repeats = n_repeats or (3 if n <= THREE_TIMES else 2 if n <= TWICE else 1)
        return _at_random(truth, N_FOLDS if cv is None else int(cv), repeats, group_of, seed)
    return _given(cv, truth, group_of)


def _at_random(truth: Truth, k: int, repeats: int, groups: Array | None, seed: int) -> Folds:
    n, n_units = len(truth), len(truth) if groups is None else int(groups.max()) + 1
    if not 2 <= k <= n_units:
        raise InvalidParameter(
            f"cv={k}: give a number of folds between 2 and {n_units}, the number of "
            f"{'rows' if groups is None else 'groups'}, or a splitter."
        )
    single = truth.task in ("binary", "multiclass")
    y = truth.values if single else np.zeros(n)
    pairs = []
    for repeat in range(repeats):
        settings: dict[str, Any] = {"n_splits": k, "shuffle": True, "random_state": seed + repeat}
        if groups is None:
            splitter: Any = (StratifiedKFold if single else KFold)(**settings)
        else:
            splitter = (StratifiedGroupKFold if single else GroupKFold)(**settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds: absent in some, as said
            pairs += _split(splitter, y, groups)
    times = {1: "", 2: ", twice"}.get(repeats, f", {repeats} times")
    what = "rows at random" if groups is None else f"{n_units:,} whole groups at random"
    alike = ", classes in equal shares" if single else ""
    order: Order = "rows" if groups is None else "groups"
    return Folds(tuple(pairs), repeats, order, groups, f"{k} folds of {what}{alike}{times} (seed {seed})")


def _split(splitter: Any, y: Array, groups: Array | None) -> list[tuple[Array, Array]]:
    try:
        return list(splitter.split(np.zeros((len(y), 1)), y, groups))
    except ValueError as error:
        raise InvalidInput(f"the rows cannot be dealt out into folds: {error}. Give fewer folds as cv=….") from error


def _of_time(n: int, groups: Any) -> Folds:
    if groups is not None:
        raise InvalidParameter("cv='time' and groups=… exclude one another. Give a splitter that knows both as cv=….")
    pairs = tuple(TimeSeriesSplit(N_FOLDS).split(np.zeros((n, 1))))
    units = np.arange(n) // max(1, round(np.sqrt(n)))
    about = f"{N_FOLDS} folds in the order of the rows: what comes later is held out"
    return Folds(pairs, 1, "time", units, about)


def _given(cv: Any, truth: Truth, groups: Array | None) -> Folds:
    if hasattr(cv, "split") and not isinstance(cv, str):
        pairs, name = _split(cv, truth.values if truth.values.ndim == 1 else np.zeros(len(truth)), groups), str(cv)
    elif isinstance(cv, Iterable) and not isinstance(cv, str):
        pairs, name = [(np.asarray(a), np.asarray(b)) for a, b in cv], "as given"
    else:
        raise InvalidParameter(
            f"cv={cv!r}: give a number of folds, 'time', a splitter of scikit-learn, or pairs of row indices."
        )
    if len(pairs) < 2 or any(not len(rows) for pair in pairs for rows in pair):
        raise InvalidInput(
            f"cv gives {len(pairs)} folds. Give 2 or more, each with rows to learn from and rows held out."
        )
    return Folds(tuple(pairs), 1, "given", groups, f"{len(pairs)} folds, {name}")


def _codes(groups: Any, n: int) -> Array:
    values = np.asarray(groups)
    if values.shape != (n,):
        raise InvalidInput(f"groups has shape {values.shape}, but there are {n:,} rows. Give one value a row.")
    codes = np.unique(values.astype(str), return_inverse=True)[1]
    if codes.max() < 1:
        raise InvalidInput("all rows are of one group, which cannot be held out. Give groups of at least two.")
    return codes


def nested(learned: Array, truth: Truth, folds: Folds, seed: int) -> Array:
    """Return the rows learned from in such an order that each beginning of it is a smaller training set.

    Classes come in equal shares, groups whole, and of time the latest rows first: what lies next to the held-out rows.
    """
    if folds.order == "time":
        return learned[::-1]
    generator = np.random.default_rng(seed)
    if folds.order == "groups" and folds.units is not None:
        rank = generator.permutation(int(folds.units.max()) + 1)[folds.units[learned]]
        return learned[np.argsort(rank, kind="stable")]
    shuffled = generator.permutation(learned)
    if truth.task not in ("binary", "multiclass"):
        return shuffled
    codes = truth.values[shuffled]
    counts = np.bincount(codes)
    by_class = np.argsort(codes, kind="stable")
    place = np.empty(len(codes))
    place[by_class] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return shuffled[np.argsort((place + 0.5) / counts[codes], kind="stable")]
