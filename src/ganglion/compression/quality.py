"""How good answers are, and how much worse than the original's, on the same held-out rows.

Accuracy of classes in percent, 100 R² of numbers (the mean over several targets). Both models meet the same resamples
of the rows: what is hard for both does not blur the difference.
"""

from __future__ import annotations

from collections.abc import Sequence

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

    def scores(self, errors: Sequence[Array], rows: Array | None = None) -> list[tuple[Estimate, Estimate]]:
        """Return score and loss of several models from their errors, the original's first, with their intervals.

        The score is accuracy or R², in percent; the loss is how many points less that is than the original's. `rows`
        are those to judge by, or all.
        """
        rows = np.arange(len(self.truth)) if rows is None else rows
        truth = self.truth[rows].reshape(len(rows), -1)
        parts = [each[rows] for each in errors]
        values = self._scores(parts, truth, np.ones((len(rows), 1)))[:, 0]
        drawn = resampled_weights(len(rows), self.n_bootstrap, self.seed)
        samples = np.concatenate([self._scores(parts, truth, weights) for weights in drawn], axis=1)
        return [
            (_estimate(value, sample), _estimate(values[0] - value, samples[0] - sample))
            for value, sample in zip(values, samples, strict=True)
        ]

    def _scores(self, errors: Sequence[Array], truth: Array, weights: Array) -> Array:
        """Return the score of each model at each column of weights, (m, b)."""
        total = weights.sum(axis=0)
        summed = np.stack([each.T @ weights for each in errors])
        if self.task == "classification":
            return 100 * (1 - summed[:, 0] / total)
        y = truth.astype(np.float64) - truth.astype(np.float64).mean(axis=0)
        variation = (y**2).T @ weights - (y.T @ weights) ** 2 / total
        with np.errstate(divide="ignore", invalid="ignore"):
            return 100 * (1 - summed / np.where(variation > 0, variation, np.nan)).mean(axis=1)


def _estimate(value: float, samples: Array) -> Estimate:
    if not np.isfinite(value):
        return Estimate(None, reason="the target is the same in every row")
    return Estimate(float(value), *percentile_interval(samples))
