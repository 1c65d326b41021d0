"""Rows of whatever an estimator reads, by their places."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np

from ganglion.data.dataset import Dataset
from ganglion.data.frames import is_frame


def n_rows(X: Any) -> int:
    """Return how many rows X has."""
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape else len(X)


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Return some rows of an array, a list, a frame or a data set, in the form in which they came."""
    if isinstance(X, Dataset):
        return X.take(rows)
    if is_frame(X):
        return nw.to_native(nw.from_native(X, eager_only=True)[rows.tolist()])
    return [X[i] for i in rows.tolist()] if isinstance(X, list | tuple) else X[rows]
