"""A made-up table of 10,000 × 50: the middle size of everyday work."""

from __future__ import annotations

from pathlib import Path

from benchmarks.workloads import Workload
from benchmarks.workloads._mlp import TABLE_CONTENDERS, TABLE_TARGETS, standardised, table_job


def data(folder: Path) -> dict[str, str]:
    from sklearn.datasets import make_classification

    # a third more rows than are trained on: a quarter is held out
    X, y = make_classification(
        n_samples=13_334, n_features=50, n_informative=15, n_redundant=10, n_classes=2, flip_y=0.02, random_state=0
    )
    return standardised(folder, X, y)


WORKLOAD = Workload(
    title="table (10,000 × 50, made up), MLP 50-100-2 ReLU, Adam 1e-3, batch 200, 20 epochs",
    job=table_job(10_000, epochs=20),
    contenders=TABLE_CONTENDERS,
    data=data,
    targets=TABLE_TARGETS,
)
