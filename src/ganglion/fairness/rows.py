"""Rows of whatever an estimator reads, by their places."""

from __future__ import annotations

from typing import Any

from ganglion.data.rows import take_rows
from ganglion.fairness.groups import Array


class Rows:
    """Features of any form, of which rows can be taken. A copy of it is the same object: data are not copied."""

    def __init__(self, X: Any) -> None:
        self.X = X

    def take(self, rows: Array) -> Any:
        """Return some rows, (k,) indices, in the form that X has."""
        return take_rows(self.X, rows)

    def __deepcopy__(self, memo: Any) -> Rows:
        return self
