"""Small images: a convolutional network on Fashion-MNIST."""

from __future__ import annotations

from pathlib import Path

from benchmarks.workloads import Contender, Workload, keras
from benchmarks.workloads._mlp import written


def data(folder: Path) -> dict[str, str]:
    from benchmarks.public import fashion_mnist

    X_train, y_train, X_test, y_test = fashion_mnist()
    return written(folder, X_train[:30_000] / 255, y_train[:30_000], X_test / 255, y_test)


WORKLOAD = Workload(
    title="Fashion-MNIST (30,000), CNN conv32-pool-conv64-pool-fc128-fc10 (3 × 3, padded, ReLU), Adam 1e-3, "
    "batch 128, 2 epochs",
    job={"learning_rate": 1e-3, "batch_size": 128, "epochs": 2},
    contenders={
        "limit, bf16": Contender("cnn.limit", settings={"precision": "bfloat16"}),
        "limit, float32": Contender("cnn.limit", settings={"precision": "float32"}),
        "skorch": Contender("cnn.skorch", "skorch"),
        "lightning": Contender("cnn.lightning", "lightning"),
        "keras-torch": keras("cnn.keras", "torch"),
        "keras-jax": keras("cnn.keras", "jax"),
    },
    data=data,
    targets={"limit, bf16": 1 / 1.2, "skorch": 2.0, "lightning": 2.0, "keras-torch": 3.2},
    limits=("limit, bf16", "limit, float32"),
)
