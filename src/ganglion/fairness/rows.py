"""Rows of whatever an estimator reads, by their places."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganglion.fairness.groups import Array


class Rows:
    """Features of any form, of which rows can be taken. A copy of it is the same object: data are not copied."""

    def __init__(self, X: Any) -> None:
        self.X = X

    def take(self, rows: Array) -> Any:
        """Return some rows, (k,) indices, in the form that X has."""
        X = self.X
        if hasattr(X, "with_target"):  # a Dataset
            return X.take(rows)
        if hasattr(X, "iloc"):
            return X.iloc[rows]
        if isinstance(X, list | tuple):
            return [X[row] for row in rows.tolist()]
        return X[rows] if isinstance(X, np.ndarray) else X[rows.tolist()]

    def __deepcopy__(self, memo: Any) -> Rows:
        return self
