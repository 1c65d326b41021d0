"""How good answers are, and how much worse than the original's, on the same held-out rows.

Accuracy of classes in percent, 100 R² of numbers (the mean over several targets). Both models meet the same resamples
of the rows: what is hard for both does not blur the difference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ganglion.errors import InvalidInput
from ganglion.evaluation.bootstrap import Estimate, percentile_interval, resampled_weights

Array = np.ndarray


class Judge:
    """Judges models on held-out rows.

    Parameters
    ----------
    task : {"classification", "regression"}
    truth : ndarray of shape (n,) or (n, n_targets)
    n_bootstrap, seed : int
        Of the resamples.
    """

    def __init__(self, task: str, truth: Array, *, n_bootstrap: int = 1000, seed: int = 0) -> None:
        self.task, self.truth = task, truth
        self.n_bootstrap, self.seed = n_bootstrap, seed

    @property
    def label(self) -> str:
        """What is measured, in words."""
        return "accuracy, %" if self.task == "classification" else "100 R²"

    def errors(self, said: Array) -> Array:
        """Return what is wrong with each row's answer: 1 or 0 of classes, the squared distance of numbers, (n, t)."""
        if len(said) != len(self.truth):
            raise InvalidInput(f"there are {len(said)} answers to {len(self.truth)} rows.")
        if self.task == "classification":
            wrong = np.asarray(said) != self.truth
            return wrong.reshape(len(wrong), -1).any(axis=1)[:, None].astype(np.float64)
        return ((np.asarray(said, np.float64) - self.truth.astype(np.float64)) ** 2).reshape(len(said), -1)

    def score(self, errors: Array, rows: Array | None = None) -> Estimate:
        """Return accuracy or R², in percent, on all rows or on some, with its interval."""
        return self._estimate([errors], rows, lambda scores: scores[0])

    def loss(self, errors: Array, original: Array, rows: Array | None = None) -> Estimate:
        """Return how many points less that is than with the original's errors, paired, with its interval."""
        return self._estimate([original, errors], rows, lambda scores: scores[0] - scores[1])

    def _estimate(self, errors: list[Array], rows: Array | None, of: Any) -> Estimate:
        rows = np.arange(len(self.truth)) if rows is None else rows
        truth = self.truth[rows].reshape(len(rows), -1)
        parts = [each[rows] for each in errors]
        value = of([self._scores(part, truth, np.ones((len(rows), 1))) for part in parts])[0]
        drawn = resampled_weights(len(rows), self.n_bootstrap, self.seed)
        samples = [of([self._scores(part, truth, weights) for part in parts]) for weights in drawn]
        if not np.isfinite(value):
            return Estimate(None, reason="the target is the same in every row")
        return Estimate(float(value), *percentile_interval(np.concatenate(samples)))

    def _scores(self, errors: Array, truth: Array, weights: Array) -> Array:
        """Return the score at each column of weights, (b,)."""
        total = weights.sum(axis=0)
        summed = errors.T @ weights
        if self.task == "classification":
            return 100 * (1 - summed[0] / total)
        y = truth.astype(np.float64) - truth.astype(np.float64).mean(axis=0)
        variation = (y**2).T @ weights - (y.T @ weights) ** 2 / total
        with np.errstate(divide="ignore", invalid="ignore"):
            return 100 * (1 - summed / np.where(variation > 0, variation, np.nan)).mean(axis=0)
