"""Measuring models side by side: every figure, and its interval from the same resamples for all of them.

Each resample adds noise to the gaps of the calibration error, which never makes an absolute gap smaller on average, and
may lack rare labels, of which models know least, in a mean over labels; a row drawn twice makes covariances less
alike: these intervals are moved back by that bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganglion.evaluation.bootstrap import Estimate, percentile_interval, resampled_weights
from ganglion.evaluation.kinds import KINDS
from ganglion.evaluation.metrics import Measured
from ganglion.evaluation.predictions import Array, Truth

LIFTED = {
    ("binary", "calibration_error"),
    ("multiclass", "calibration_error"),
    ("tagging", "f1_macro"),
    ("generation", "frechet"),
}  # by resampling


def measure(
    truth: Truth,
    contenders: Mapping[str, Any],
    *,
    weight: Array | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Measured]:
    """Measure several models on the same rows and the same resamples, so that they can be compared in pairs.

    Parameters
    ----------
    truth : Truth
    contenders : mapping of str to Predictions, MaskPredictions, BoxPredictions, Surprise or TagPredictions
        As the task has them.
    weight : ndarray of shape (n,), optional
        Weights of the rows.
    n_bootstrap : int
        Number of resamples.
    seed : int
        The same seed gives the same intervals; the global generators are never touched.

    Returns
    -------
    dict of str to Measured
        Under the names of `contenders`.
    """
    kind = KINDS[truth.task]
    functions = {name: kind.resampled(truth, said) for name, said in contenders.items()}
    found: dict[str, dict[str, list[Array]]] = {name: {} for name in contenders}
    for weights in resampled_weights(len(truth), n_bootstrap, seed, weight):
        for name in contenders:
            for function in functions[name]:
                for metric, values in function(weights).items():
                    found[name].setdefault(metric, []).append(values)
    samples = {name: {metric: np.concatenate(parts) for metric, parts in each.items()} for name, each in found.items()}
    return {name: _measured(truth, contenders[name], weight, samples[name]) for name in contenders}


def _measured(truth: Truth, said: Any, weight: Array | None, samples: Mapping[str, Array]) -> Measured:
    estimates = {}
    for name, value in KINDS[truth.task].values(truth, said, weight).items():
        if isinstance(value, str):
            estimates[name] = Estimate(None, reason=value)
        else:
            around = value if (truth.task, name) in LIFTED else None
            estimates[name] = Estimate(value, *percentile_interval(samples[name], around=around))
    return Measured(estimates, samples)
