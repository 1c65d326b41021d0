"""Temperature scaling: one number that makes probabilities as sure as the model is right.

    p_T(k | x) = softmax(log p(k | x) / T),   T the minimum of the mean of -log p_T(y | x)

Guo, Pleiss, Sun & Weinberger 2017, arXiv:1706.04599, eq. 9. T above 1 says that the model is too sure of itself.
Letters: n rows, k classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from ganglion.evaluation.calibration import expected_calibration_error
from ganglion.evaluation.predictions import Array

LEAST, HIGHEST = 0.05, 20.0
SMALLEST = 1e-12  # a probability that is said to be 0


@dataclass(frozen=True, slots=True)
class Scaled:
    """What one temperature would change, on rows that it was not fitted on.

    Attributes
    ----------
    temperature : float
        Of all rows.
    before, after : float
        Expected calibration error.
    loss_before, loss_after : float
        Mean of minus the logarithm of the true class's probability, nats.
    """

    temperature: float
    before: float
    after: float
    loss_before: float
    loss_after: float

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        much = "too sure of itself" if self.temperature > 1 else "not sure enough"
        if self.loss_after >= self.loss_before:
            return f"One temperature ({self.temperature:.3g}) would not make the probabilities better."
        return (
            f"The model is {much}: a temperature of {self.temperature:.3g} takes the calibration error from "
            f"{self.before:.3g} to {self.after:.3g}, on rows that it was not fitted on."
        )


def fit_temperature(codes: Array, probabilities: Array) -> float:
    """Return the temperature of the least loss, between 0.05 and 20.

    Parameters
    ----------
    codes : ndarray of shape (n,), int64
    probabilities : ndarray of shape (n, k)
    """
    logs = np.log(np.maximum(probabilities, SMALLEST))
    rows = np.arange(len(codes))

    def loss(log_t: float) -> float:
        return -float(log_softmax(logs / math.exp(log_t), axis=1)[rows, codes].mean())

    found = minimize_scalar(loss, bounds=(math.log(LEAST), math.log(HIGHEST)), method="bounded")
    return math.exp(float(found.x))  # type: ignore[attr-defined]


def scaled(probabilities: Array, temperature: float) -> Array:
    """Return probabilities at a temperature, (n, k)."""
    return softmax(np.log(np.maximum(probabilities, SMALLEST)) / temperature, axis=1)


def checked_temperature(codes: Array, probabilities: Array, *, seed: int = 0) -> Scaled:
    """Fit the temperature on one half of the rows, look at the other, and the other way round."""
    halves = np.array_split(np.random.default_rng(seed).permutation(len(codes)), 2)
    after = np.empty_like(probabilities)
    for here, there in (halves, halves[::-1]):
        after[there] = scaled(probabilities[there], fit_temperature(codes[here], probabilities[here]))
    return Scaled(
        fit_temperature(codes, probabilities),
        expected_calibration_error(codes, probabilities),
        expected_calibration_error(codes, after),
        _loss(codes, probabilities),
        _loss(codes, after),
    )


def _loss(codes: Array, probabilities: Array) -> float:
    return -float(np.log(np.maximum(probabilities[np.arange(len(codes)), codes], SMALLEST)).mean())
