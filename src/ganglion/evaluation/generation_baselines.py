"""The dumb baselines of models that make data: what a network must beat to be worth its cost.

    independent columns   each column, or pixel, is drawn from the training rows on its own
    Gaussian              a normal law of their mean and covariance; categories are the largest of their places
    PCA                   rows said again from as many principal components as the model's code has numbers

and one that is no model: training rows drawn again. It bounds what figures of made rows can be on so many rows, and
has every one of its rows by heart; it does not race.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import PCA

from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import Baseline
from ganglion.evaluation.generation import Made, Reality, judged, squares
from ganglion.evaluation.predictions import Array

if TYPE_CHECKING:
    from ganglion.data.dataset import Dataset

FITTED = 5000  # training rows that a baseline looks at


def run_generation_baselines(
    truth: Reality,
    X: Any,
    *,
    train: tuple[Any, Reality] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Make rows in dumb ways, as many as are compared, and judge them as those of the model are.

    Parameters
    ----------
    truth : Reality
    X : not used
    train : tuple of X_train and its Reality
    weight : not used
    random_state : int

    Raises
    ------
    InvalidInput
        Without training rows: made of the rows that they are compared with, they would know them.
    """
    if train is None or truth.seen is None:
        raise InvalidInput("give the training rows, train=(X_train, y_train), for rows to be drawn like them")
    generator = np.random.default_rng(random_state)
    some = truth.seen.take(np.sort(generator.permutation(len(truth.seen))[:FITTED]))
    vectors, n = truth.space.plain(some), len(truth.rows)
    makers: dict[str, Callable[[], Dataset]] = {
        "independent columns": lambda: truth.space.back(independent(vectors, n, generator, _groups(truth))),
        "Gaussian": lambda: truth.space.back(gaussian(vectors, n, generator)),
        "training rows again": lambda: some.take(generator.integers(0, len(some), n)),
    }
    note = f"fitted on {len(some):,} training rows"
    pca = [] if truth.width is None else [_pca(truth, vectors, truth.width, note)]
    if truth.task == "reconstruction":  # the others say no row again
        return pca
    return [*pca, *(_raced(name, make, truth, note) for name, make in makers.items())]


def independent(vectors: Array, n: int, generator: np.random.Generator, groups: list[list[int]]) -> Array:
    """Return n vectors whose groups of places, (d,) in all, are drawn from different rows each."""
    made = np.empty((n, vectors.shape[1]))
    for group in groups:
        made[:, group] = vectors[generator.integers(0, len(vectors), n)][:, group]
    return made


def gaussian(vectors: Array, n: int, generator: np.random.Generator) -> Array:
    """Return n draws of a normal law that has the mean and the covariance of vectors, (k, d)."""
    mean = vectors.mean(axis=0)
    mixed = generator.standard_normal((n, len(vectors))) @ (vectors - mean)  # a sum of rows has their covariance
    return mean + mixed / np.sqrt(len(vectors))


def _groups(truth: Reality) -> list[list[int]]:
    """Return the places of a vector that belong together: those of one category."""
    width = truth.plain.shape[1]
    sizes = truth.space.sizes
    groups, start = [[j] for j in range(width - sum(sizes))], width - sum(sizes)
    for size in sizes:
        groups.append(list(range(start, start + size)))
        start += size
    return groups


def _raced(name: str, make: Callable[[], Dataset], truth: Reality, note: str) -> Baseline:
    started = time.perf_counter()
    made = judged(truth, make())
    ceiling = name == "training rows again"
    if ceiling:
        note = (
            f"no model and out of the race: {note.removeprefix('fitted on ')} drawn again, as near as figures can come"
        )
    return Baseline(name, made, note, time.perf_counter() - started, races=not ceiling)


def _pca(truth: Reality, vectors: Array, width: int, note: str) -> Baseline:
    started = time.perf_counter()
    n = min(width, *vectors.shape)
    pca = PCA(n, random_state=0).fit(vectors)
    again = truth.space.back(pca.inverse_transform(pca.transform(truth.plain)))
    made = Made(errors=squares(truth, again))
    return Baseline("PCA", made, f"{n} components, {note}", time.perf_counter() - started)
