"""Iris: 112 rows, 4 features, 3 classes. Hardly any arithmetic: what is left is what a library costs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.workloads import Workload
from benchmarks.workloads._mlp import TABLE_CONTENDERS, TABLE_TARGETS, standardised, table_job


def data(folder: Path) -> dict[str, str]:
    from sklearn.datasets import load_iris

    return standardised(folder, *load_iris(return_X_y=True))


WORKLOAD = Workload(
    title="iris (112 × 4), MLP 4-100-3 ReLU, Adam 1e-3, full batch, 100 epochs",
    job=table_job(112, epochs=100),
    contenders=TABLE_CONTENDERS,
    data=data,
    targets=TABLE_TARGETS,
)
