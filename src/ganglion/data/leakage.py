"""Does a feature give the target away? Measured by predicting the target from that feature alone.

Half of a sample is remembered: for each value of the feature the commonest class, or the mean, of the target. The
other half is predicted from the same value, or for numbers the nearest one. The score is the share of the error of
a constant guess that disappears: 1 is perfect, 0 or less is useless. Being measured on other rows than those
remembered, it is not fooled by names and numbers that occur once.
"""

from __future__ import annotations

import numpy as np

from ganglion.data.profile import Profile

SAMPLE = 5_000
_EXACT = 1e-9  # share of the target's variance that rounding may leave


def sample_rows(n: int, most: int = SAMPLE) -> np.ndarray:
    """Return at most `most` of n rows, in a random order that is always the same."""
    return np.random.default_rng(0).permutation(n)[:most]


def determination(feature: Profile, target: Profile, rows: np.ndarray, *, classes: bool) -> float:
    """Return how well one feature alone predicts the target on rows not seen: 1 is perfect, 0 a constant guess.

    Parameters
    ----------
    feature, target : Profile
        Columns of one data set.
    rows : ndarray of int
        The sample; rows without a target are left out.
    classes : bool
        Whether the target is a class, or else a number.
    """
    rows = rows[target.codes[rows] >= 0]
    known, asked = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    if len(known) < 10:
        return 0.0
    y = target.codes if classes else target.numbers
    table = _modes(feature, y[known], known) if classes else _means(feature, y[known], known)
    guess = table[_nearest(feature, known)[feature.codes[asked]]]
    if classes:
        constant = np.bincount(y[known]).argmax()
        return 1 - _ratio((guess != y[asked]).mean(), (constant != y[asked]).mean())
    return 1 - _ratio(np.square(guess - y[asked]).mean(), np.square(y[known].mean() - y[asked]).mean())


def exact_sum(features: list[Profile], target: Profile, rows: np.ndarray) -> list[str]:
    """Return the names of the features whose weighted sum is the target exactly, or nothing.

    Only features without missing values are looked at, and only when there are ten rows for each of them.
    """
    rows = rows[target.codes[rows] >= 0]
    used = [each for each in features if each.is_number and each.kind != "date" and not each.missing]
    used = [each for each in used if each.n_distinct > 1]
    if not used or len(rows) < 10 * len(used):
        return []
    X = np.column_stack([each.numbers[rows] for each in used])
    X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-300)
    y = target.numbers[rows]
    y = (y - y.mean()) / max(y.std(), 1e-300)
    weights = np.linalg.lstsq(X, y, rcond=None)[0]
    if np.square(y - X @ weights).mean() > _EXACT:
        return []
    return [each.name for each, weight in zip(used, weights, strict=True) if abs(weight) > 1e-3]


def _modes(feature: Profile, y: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the commonest class for each value of the feature (the last entry is for missing values)."""
    n_classes = int(y.max()) + 1
    constant = np.bincount(y).argmax()
    pairs, counts = np.unique(feature.codes[known] % (feature.n_distinct + 1) * n_classes + y, return_counts=True)
    table = np.full(feature.n_distinct + 1, constant)
    order = np.argsort(counts, kind="stable")  # the commonest class of a value is written last, and stays
    table[pairs[order] // n_classes] = pairs[order] % n_classes
    return table


def _means(feature: Profile, y: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the mean target for each value of the feature (the last entry is for missing values)."""
    codes = feature.codes[known] % (feature.n_distinct + 1)
    counts = np.bincount(codes, minlength=feature.n_distinct + 1)
    sums = np.bincount(codes, weights=y, minlength=feature.n_distinct + 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), y.mean())


def _nearest(feature: Profile, known: np.ndarray) -> np.ndarray:
    """Return for each value of a feature the nearest one that was remembered; categories have only themselves."""
    own = np.arange(feature.n_distinct + 1)
    if not feature.is_number:
        return own
    seen = np.unique(feature.codes[known])
    seen = seen[seen >= 0]
    if not len(seen):
        return own
    values, places = feature.values, np.searchsorted(seen, own[:-1])
    above, below = seen[np.minimum(places, len(seen) - 1)], seen[np.maximum(places - 1, 0)]
    closer_below = values - values[below] < np.abs(values[above] - values)
    own[:-1] = np.where(np.isin(own[:-1], seen), own[:-1], np.where(closer_below, below, above))
    return own


def _ratio(error: float, constant_error: float) -> float:
    return float(error / constant_error) if constant_error > 0 else 1.0
