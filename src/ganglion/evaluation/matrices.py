"""From whatever a model takes to the matrix that a linear model or trees take.

Tables keep their numbers, NaN for missing, and one code a categorical column. Images are flattened, and many pixels
become their principal components: trees on thousands of pixels take minutes and gain nothing. Texts stay texts, in one
column: their baselines count words themselves. Sequences and recordings are reduced to a few numbers each.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ganglion.data.memory import piece_bytes
from ganglion.errors import DataWarning
from ganglion.evaluation.predictions import Array

if TYPE_CHECKING:
    from ganglion.data.dataset import Dataset
    from ganglion.data.encoding import TableEncoder

MakeMatrix = Callable[["Dataset"], Array]

MOST_PIXELS = 256
N_COMPONENTS = 64
PCA_ROWS = 5000  # enough rows for 64 directions; the others are only projected
MOST_CATEGORIES = 255  # what scikit-learn's trees take as categories; codes beyond are read as numbers


@dataclass(frozen=True)
class Stored:
    """The matrix of data that are too large for memory: rows of it are made when they are asked for.

    Attributes
    ----------
    data : Dataset
    make : callable
        Returns the matrix of a data set.
    width : int
        Number of its columns.
    """

    data: Dataset
    make: MakeMatrix
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return len(self.data), self.width

    @property
    def rows_together(self) -> int:
        """How many rows to make at a time."""
        return max(1, piece_bytes() // (8 * self.width))

    def __getitem__(self, rows: Array) -> Array:
        return self.make(self.data.take(rows))


@dataclass(frozen=True)
class Matrices:
    """Fit rows and score rows as matrices.

    Attributes
    ----------
    fit, score : ndarray of shape (n_rows, n_columns), float64, or Stored
        Numbers first, then the codes of categorical columns. The same object where there are no training data.
    cardinalities : tuple of int
        Number of codes of each of the last columns.
    note : str
        What was done to the data beyond reading it, or empty.
    texts : bool
        Whether the one column holds texts.
    """

    fit: Array | Stored
    score: Array | Stored
    cardinalities: tuple[int, ...] = ()
    note: str = ""
    texts: bool = False

    @property
    def n_numbers(self) -> int:
        """Number of columns that are not codes."""
        return self.fit.shape[1] - len(self.cardinalities)

    def tree_categories(self) -> list[int]:
        """Return the columns that trees are to read as categories."""
        return [self.n_numbers + i for i, size in enumerate(self.cardinalities) if size <= MOST_CATEGORIES]

    def linear_preparation(self) -> Any:
        """Return the unfitted transformer that imputes, scales and one-hot encodes for a linear model."""
        numbers = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()
        )
        categories = OneHotEncoder(handle_unknown="ignore", max_categories=MOST_CATEGORIES)
        columns = np.arange(self.fit.shape[1])
        return make_column_transformer((numbers, columns[: self.n_numbers]), (categories, columns[self.n_numbers :]))


def matrices_of(X: Any, X_train: Any = None, *, seed: int = 0) -> Matrices:
    """Return the matrices of the rows to score and, if given, the rows to fit on.

    Parameters
    ----------
    X, X_train : Dataset, ndarray, frame, or list of rows
        What `as_dataset` reads; X_train may be None: fit and score rows are then the same.
    seed : int
        Decides the rows that principal components are found on.

    Raises
    ------
    InvalidInput
        If the data cannot be read, or hold neither numbers nor categories.
    """
    from ganglion.data.convert import as_dataset
    from ganglion.data.encoders import modality_of

    score = as_dataset(X)
    fit = score if X_train is None else as_dataset(X_train)
    if modality_of(fit) == "text":
        return _texts(fit, score)
    if modality_of(fit) == "sequence":
        return _sequences(fit, score)
    if modality_of(fit) == "audio":
        return _recordings(fit, score)
    images = [field for field in fit.features if field.kind == "image"]
    return _pixels(fit, score, images[0].name, seed) if images else _table(fit, score)


def _texts(fit: Dataset, score: Dataset) -> Matrices:
    from ganglion.data.text_encoding import joined_texts, text_columns

    columns = text_columns(fit)
    first = np.array(joined_texts(fit, columns), dtype=object)[:, None]
    second = first if score is fit else np.array(joined_texts(score, columns), dtype=object)[:, None]
    others = [field.name for field in fit.features if field.name not in columns]
    note = f"other columns are left out ({', '.join(others[:5])})" if others else ""
    return Matrices(first, second, note=note, texts=True)


def _sequences(fit: Dataset, score: Dataset) -> Matrices:
    """Return what a sequence comes to: its length, and of each number of its steps five that tell of its course."""
    name = next(field.name for field in fit.features if field.kind == "sequence")

    def summed_up(data: Dataset) -> Array:
        return np.array([_course(steps) for steps in data.values(name)])

    first = summed_up(fit)
    note = "sequences are reduced to their length, and the first, last, mean, least and largest value of each number"
    return Matrices(first, first if score is fit else summed_up(score), note=note)


def _recordings(fit: Dataset, score: Dataset) -> Matrices:
    from ganglion.evaluation.hearing import summed_up

    first = summed_up(fit)
    note = "recordings are reduced to their length, and of 20 bands the level in each third and its spread"
    return Matrices(first, first if score is fit else summed_up(score), note=note)


def _course(steps: Array) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a number that is missing in every step has no mean
        told = [steps[0], steps[-1], np.nanmean(steps, 0), np.nanmin(steps, 0), np.nanmax(steps, 0)]
    return np.concatenate([[len(steps)], *told])


def _table(fit: Dataset, score: Dataset) -> Matrices:
    from ganglion.data.encoding import TableEncoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # free text is left out: told in the note
        encoder = TableEncoder.fit(fit)
    texts = [field.name for field in fit.features if field.kind == "text"]
    note = f"free text is left out ({', '.join(texts[:5])})" if texts else ""
    width = encoder.spec.numeric + len(encoder.cardinalities)
    return _made(fit, score, partial(_encoded, encoder), width, tuple(encoder.cardinalities), note)


def _made(
    fit: Dataset, score: Dataset, make: MakeMatrix, width: int, cardinalities: tuple[int, ...], note: str
) -> Matrices:
    first = _matrix(fit, make, width)
    return Matrices(first, first if score is fit else _matrix(score, make, width), cardinalities, note)


def _matrix(data: Dataset, make: MakeMatrix, width: int) -> Array | Stored:
    return Stored(data, make, width) if data.is_on_disk else make(data)


def _encoded(encoder: TableEncoder, data: Dataset) -> Array:
    tensors = encoder.encode(data)
    parts = [tensors[key].numpy().reshape(len(data), -1) for key in ("numeric", "categorical") if key in tensors]
    matrix = np.concatenate(parts, axis=1, dtype=np.float64)
    matrix[np.isinf(matrix)] = np.nan
    return matrix


def _pixels(fit: Dataset, score: Dataset, name: str, seed: int) -> Matrices:
    def flat(data: Dataset) -> Array:
        return np.asarray(data.columns[name]).reshape(len(data), -1).astype(np.float32)

    n_pixels = math.prod(fit.field(name).shape)
    if n_pixels <= MOST_PIXELS:
        note = "images are flattened to pixels"
        return _made(fit, score, lambda data: flat(data).astype(np.float64), n_pixels, (), note)
    rows = np.random.default_rng(seed).permutation(len(fit))[:PCA_ROWS]
    n_components = min(N_COMPONENTS, len(rows))
    pca = PCA(n_components, svd_solver="randomized", random_state=seed).fit(flat(fit.take(rows)))
    note = f"images are reduced from {n_pixels:,} pixels to {n_components} principal components"
    return _made(fit, score, lambda data: pca.transform(flat(data)).astype(np.float64), n_components, (), note)
