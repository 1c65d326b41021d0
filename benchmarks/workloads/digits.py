"""Digits: 1,347 images of 8 × 8 as rows, 10 classes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.workloads import Workload
from benchmarks.workloads._mlp import TABLE_CONTENDERS, TABLE_TARGETS, standardised, table_job


def data(folder: Path) -> dict[str, str]:
    from sklearn.datasets import load_digits

    return standardised(folder, *load_digits(return_X_y=True))


WORKLOAD = Workload(
    title="digits (1,347 × 64), MLP 64-100-10 ReLU, Adam 1e-3, batch 200, 50 epochs",
    job=table_job(1347, epochs=50),
    contenders=TABLE_CONTENDERS,
    data=data,
    targets=TABLE_TARGETS,
)
