"""What the claims of classifiers of pictures have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped, wilson
from ganglion.algorithms.cnn import CNNClassifier
from ganglion.errors import InvalidFile

Data = Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]


def accuracy_of(
    name: str,
    data: Data,
    *,
    described: str,
    options: Mapping[str, Any],
    reference: str,
    target: float,
    paper: str,
    minutes: float,
) -> Claim:
    """Train a network once with seed 0, within so many minutes, and measure its accuracy on the test set."""
    try:
        X, y, X_test, y_test = data()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    start = time.perf_counter()
    model = CNNClassifier(**options, random_state=0).fit(X, y)
    took = (time.perf_counter() - start) / 60
    accuracy = float((model.predict(X_test) == y_test).mean())
    low, high = wilson(accuracy, len(y_test))
    shown = ", ".join(f"{key}={value!r}" for key, value in options.items())
    return Claim(
        name=name,
        data=described,
        settings=f"CNNClassifier({shown}, random_state=0), all else as it comes. Interval: the sampling of the test "
        "images (Wilson).",
        reference=reference,
        figures=[
            Figure("accuracy", accuracy, low, high, target=target, paper=paper),
            Figure("minutes of training", took, took, took, target=minutes, lower_is_better=True),
        ],
        details={"execution": model.history_.execution, "losses": model.history_["loss"]},
    )
