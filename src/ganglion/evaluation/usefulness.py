"""Whether a table that was made teaches what the real one does: train on it, test on real rows.

    tstr   a model of trees learns one column from the others on made rows, and is asked about real ones
    trtr   the same on as many training rows

Esteban, Hyland & Rätsch 2017, arXiv:1706.02633, section 3.1 (train on synthetic, test on real). Accuracy for a column
of classes, R² for one of numbers.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ganglion.evaluation.predictions import Array
from ganglion.evaluation.resampling import Resampled, ratio

if TYPE_CHECKING:
    from ganglion.data.dataset import Dataset

MOST_CLASSES = 20
ROUNDS = 60  # of boosting


@dataclass(frozen=True)
class Column:
    """The column that is learned from the others.

    Attributes
    ----------
    name : str
    place : int
        Which number of a block; 0 of other columns.
    classes : bool
        Whether it holds classes.
    block : bool
        Whether it is one number of a block.
    """

    name: str
    place: int
    classes: bool
    block: bool = False

    def __str__(self) -> str:
        return f"{self.name}{self.place}" if self.block else self.name

    def values(self, data: Dataset) -> Array:
        """Return its values: labels as text, numbers with NaN for missing."""
        column = data.values(self.name)
        if self.classes:
            return np.array([str(value) for value in column.tolist()])
        return (column[:, self.place] if column.ndim > 1 else column).astype(np.float64)


def column_to_learn(data: Dataset) -> Column | None:
    """Return the last column of classes, or else the last one of numbers; None of a single column, or of images."""
    fields = [field for field in data.features if field.kind in ("numeric", "boolean", "categorical")]
    if sum(int(np.prod(field.shape)) for field in fields) < 2 or len(fields) < len(data.features):
        return None
    classes = [f for f in fields if f.kind == "boolean" or 2 <= len(f.categories) <= MOST_CLASSES]
    if classes:
        return Column(classes[-1].name, 0, True)
    numbers = [field for field in fields if field.kind == "numeric"]
    if not numbers:
        return None
    return Column(numbers[-1].name, int(np.prod(numbers[-1].shape)) - 1, False, bool(numbers[-1].shape))


def answers(column: Column, seen: Dataset, asked: Dataset, reference: Dataset) -> Array:
    """Return what trees that learned the column from `seen` answer about `asked`, (n,)."""
    target = column.values(seen)
    known = np.ones(len(target), bool) if column.classes else np.isfinite(target)
    if known.sum() < 2 or len(np.unique(target[known])) < 2:  # nothing to tell apart
        return np.full(len(asked), target[known][0] if known.any() else 0.0)
    matrices, categories = zip(*(_others(column, each, reference) for each in (seen, asked)), strict=True)
    kind: Any = HistGradientBoostingClassifier if column.classes else HistGradientBoostingRegressor
    model = kind(max_iter=ROUNDS, categorical_features=categories[0] or None, random_state=0, early_stopping=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # columns without a value
        return model.fit(matrices[0][known], target[known]).predict(matrices[1])


def _others(column: Column, data: Dataset, reference: Dataset) -> tuple[Array, list[int]]:
    """Return the matrix of all other columns, read as `reference` is, and which of them hold codes."""
    from ganglion.data.encoding import TableEncoder

    encoder = TableEncoder.fit(reference)
    tensors = encoder.encode(data)
    names = encoder.feature_names
    parts = [tensors[key].double().numpy() for key in ("numeric", "categorical") if key in tensors]
    kept = [j for j, name in enumerate(names) if name != str(column)]
    matrix = np.concatenate(parts, axis=1)[:, kept]
    matrix[:, np.isnan(matrix).all(axis=0)] = 0.0
    sizes = dict(zip([each.name for each in encoder.categorical], encoder.cardinalities, strict=True))
    return matrix, [at for at, j in enumerate(kept) if sizes.get(names[j], 256) <= 255]


def resampled_usefulness(name: str, truth: Array, said: Array) -> Resampled:
    """Return the function of the weights that gives accuracy of labels, or R² of numbers, under a name."""
    if truth.dtype.kind in "US":
        right = (truth == said).astype(np.float64)
        return lambda weights: {name: right @ weights / weights.sum(axis=0)}
    known = np.isfinite(truth)
    centre = truth[known].mean() if known.any() else 0.0
    y, error = (np.where(known, each, 0.0) for each in (truth - centre, truth - said))

    def metrics(weights: Array) -> dict[str, Array]:
        weights = weights * known[:, None]
        total = np.maximum(weights.sum(axis=0), 1e-300)
        variation = np.square(y) @ weights - np.square(y @ weights) / total
        return {name: 1 - ratio(np.square(error) @ weights, variation)}

    return metrics
