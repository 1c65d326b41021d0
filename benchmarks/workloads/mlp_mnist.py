"""The classic: a multi-layer perceptron on MNIST, beside the peers and beside what a hand-written loop can do."""

from __future__ import annotations

from benchmarks.workloads import Contender, Workload, keras
from benchmarks.workloads._images import mnist_rows

WORKLOAD = Workload(
    title="MNIST, MLP 784-256-128-10 ReLU, Adam 1e-3 constant, batch 128, 5 epochs",
    job={"hidden": [256, 128], "learning_rate": 1e-3, "batch_size": 128, "epochs": 5},
    contenders={
        "ganglion": Contender("mlp.ganglion", settings={"scaling": "none"}),
        "limit, bf16 by hand": Contender("mlp.limit", settings={"step": "bf16"}),
        "limit, float32": Contender("mlp.limit", settings={"step": "float32"}),
        "keras-jax": keras("mlp.keras", "jax"),
        "lightning": Contender("mlp.lightning", "lightning"),
        "scikit-learn": Contender("mlp.scikit_learn"),
        "skorch": Contender("mlp.skorch", "skorch"),
        "fastai": Contender("mlp.fastai", "fastai"),
        "keras-torch": keras("mlp.keras", "torch"),
    },
    data=mnist_rows,
    # the limit is to be within 1.35 × of ours, so 1 / 1.35 of our time; it is the faster of the two
    targets={
        "limit, bf16 by hand": 1 / 1.35,
        "keras-jax": 2.0,
        "lightning": 2.4,
        "scikit-learn": 2.4,
        "skorch": 2.7,
        "keras-torch": 3.8,
    },
    limits=("limit, bf16 by hand", "limit, float32"),
)
