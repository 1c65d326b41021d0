"""The clock around an RBM, and one measure of how well it knows the test images. Needs numpy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.contenders.harness import Job, contend

MEASURED_ON = 500  # test images: 784 flips of each are a few seconds of numpy
Machine = tuple[np.ndarray, np.ndarray, np.ndarray]


def contend_as_rbm(fit: Callable[[Job, np.ndarray], Machine], packages: Sequence[str]) -> None:
    """Time `fit(job, V)`, which returns the weights (hidden, visible) and the biases of hidden and visible units."""

    def measure(machine: Machine, arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
        rows = arrays["X_test"][:MEASURED_ON]
        return {"pseudo_likelihood": pseudo_likelihood(*(np.asarray(part, np.float64) for part in machine), rows)}

    contend(fit, ["X_train"], measure, packages)


def pseudo_likelihood(weights: np.ndarray, of_hidden: np.ndarray, of_visible: np.ndarray, rows: np.ndarray) -> float:
    """Return the mean over rows of sum_i log P(v_i | all other v), exactly, in nats an image; nearer to 0 is better.

    A unit's odds follow from the free energy F(v) = -v·b - sum_j log(1 + exp(c_j + W_j·v)) with and without it flipped.
    """
    inputs = rows @ weights.T + of_hidden
    before, total = _softplus(inputs).sum(1), 0.0
    for i in range(rows.shape[1]):
        change = 1 - 2 * rows[:, i]
        flipped = _softplus(inputs + change[:, None] * weights[:, i]).sum(1)
        total -= _softplus(change * of_visible[i] + flipped - before).mean()  # log P = -log(1 + exp(F - F flipped))
    return float(total)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
