"""Rows of whatever X is: an array, a frame, a list or a `Dataset`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ganglion.data.dataset import Dataset


def n_rows(X: Any) -> int:
    """Return how many samples X has."""
    return len(X) if isinstance(X, Dataset) else int(_num_samples(X))


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Return some samples of X, in the same form."""
    return X.take(rows) if isinstance(X, Dataset) else _safe_indexing(X, rows)


def some_rows(X: Any, most: int) -> Any:
    """Return at most so many samples of X, evenly spaced."""
    n = n_rows(X)
    return X if n <= most else take_rows(X, np.linspace(0, n - 1, most).astype(np.int64))
