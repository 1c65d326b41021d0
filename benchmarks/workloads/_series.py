"""What the workloads on series share: ETTh1's oil temperature, scaled by its first twelve months."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measurement import US
from benchmarks.workloads import Contender, Workload

JOB: Mapping[str, Any] = {
    "window": 96,
    "horizon": 24,
    "width": 32,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "steps": 1000,
}
N_WINDOWS = 200  # of the test months, evenly spaced, that forecasts are judged on


def data(folder: Path) -> dict[str, str]:
    """Write twelve months to learn from, windows of the last four months, and what follows each."""
    import numpy as np

    from benchmarks.public import etth1

    train, _, test = etth1()
    mean, deviation = train[:, -1].mean(), train[:, -1].std()
    series, later = ((part[:, -1] - mean) / deviation for part in (train, test))
    length = JOB["window"] + JOB["horizon"]
    starts = np.linspace(0, len(later) - length, N_WINDOWS).astype(int)
    rows = later[starts[:, None] + np.arange(length)].astype(np.float32)
    path = folder / "series.npz"
    np.savez(path, train=series.astype(np.float32), windows=rows[:, : JOB["window"]], truth=rows[:, JOB["window"] :])
    return {"data": str(path)}


def forecasting(network: str, title: str, targets: Mapping[str, float]) -> Workload:
    """Return the workload of training a network for so many steps."""
    return Workload(
        title=f"ETTh1's oil temperature, 12 months, {title}, window 96, horizon 24, batch 32, Adam 1e-3, 1,000 steps; "
        "squared error on 200 windows of the test months",
        job={**JOB, "network": network},
        contenders={
            US: Contender("forecast.ganglion"),
            "limit": Contender("forecast.limit"),
            "plain loop": Contender("forecast.plain"),
            "darts": Contender("forecast.darts", "darts"),
            "neuralforecast": Contender("forecast.neuralforecast", "neuralforecast"),
        },
        data=data,
        targets=targets,
        quality="mse",
        lower_is_better=True,
        limits=("limit",),
    )
