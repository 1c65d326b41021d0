"""Two numbers to be added, a hundred steps apart at most: an LSTM does, Elman's network cannot."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, bootstrap_mean
from ganglion.algorithms.rnn import RNNRegressor

LENGTH, N_TRAIN, N_TEST, SEEDS = 100, 3000, 2000, (0, 1, 2)
SETTINGS: dict[str, Any] = {
    "bidirectional": False,
    "width": 24,
    "batch_size": 50,
    "learning_rate": 0.015,
    "epochs": 12,
    "threads": 1,
}
SOLVED, UNSOLVED = 0.01, 0.15  # mean squared errors; that of the mean is 1/6


def claim() -> Claim:
    """Train both on the same sequences, three times; the worst LSTM and the best of Elman's networks count."""
    X_test, y_test = adding(N_TEST, LENGTH, seed=99)
    squares: dict[str, list[np.ndarray]] = {"lstm": [], "elman": []}
    for seed in SEEDS:
        X, y = adding(N_TRAIN, LENGTH, seed)
        for cell, found in squares.items():
            options: dict[str, Any] = {"cell": cell, "random_state": seed, **SETTINGS}
            model = RNNRegressor(**options).fit(X, y)
            found.append((model.predict(X_test) - y_test) ** 2)
    lstm, elman = max(squares["lstm"], key=np.mean), min(squares["elman"], key=np.mean)
    return Claim(
        name="adding_problem",
        data=f"{LENGTH} steps of a number in [0, 1] and a mark; the target is the sum of the two marked numbers, one "
        f"in each half. {N_TRAIN:,} sequences to train, {N_TEST:,} to test, seeds {', '.join(map(str, SEEDS))}.",
        settings=f"RNNRegressor({', '.join(f'{name}={value!r}' for name, value in SETTINGS.items())}), all else as it "
        f"comes: {N_TRAIN * SETTINGS['epochs']:,} sequences are shown. Intervals: bootstrap over the sequences.",
        reference="Hochreiter & Schmidhuber 1997, section 5.4: 74,000 sequences until the average error is below 0.01; "
        "numbers between -1 and 1 there, and another scale of the target.",
        figures=[
            Figure("squared error, LSTM", lstm.mean(), *bootstrap_mean(lstm.tolist()), SOLVED, "< 0.01", True),
            Figure("squared error, Elman", elman.mean(), *bootstrap_mean(elman.tolist()), UNSOLVED),
        ],
        details={cell: [float(each.mean()) for each in found] for cell, found in squares.items()},
    )


def adding(n: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences, (n, length, 2) float32: numbers and marks; and the sums of the marked numbers, (n,)."""
    rng = np.random.default_rng(seed)
    X, rows = np.zeros((n, length, 2), dtype=np.float32), np.arange(n)
    X[..., 0] = rng.random((n, length))
    places = rng.integers(0, length // 2, n), rng.integers(length // 2, length, n)
    for place in places:
        X[rows, place, 1] = 1
    return X, X[rows, places[0], 0] + X[rows, places[1], 0]
