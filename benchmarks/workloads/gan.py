"""Generation: a GAN on MNIST."""

from __future__ import annotations

from benchmarks.measurement import US
from benchmarks.workloads import Contender, Workload, keras
from benchmarks.workloads._images import mnist_rows

WORKLOAD = Workload(
    title="MNIST, GAN 100-256-512-784 against 784-512-256-1, Adam, batch 128, 2 epochs; Fréchet distance of pixels",
    job={
        "latent": 100,
        "hidden": [256, 512],
        "learning_rate": 2e-4,
        "beta1": 0.5,
        "batch_size": 128,
        "epochs": 2,
    },
    contenders={
        "limit, float32": Contender("gan.limit"),
        "DataLoader loop": Contender("gan.plain"),
        US: Contender("gan.ganglion"),
        "keras-torch": keras("gan.keras", "torch"),
    },
    data=mnist_rows,
    targets={"DataLoader loop": 2.0, "keras-torch": 2.5},
    quality="frechet_distance",
    lower_is_better=True,
    limits=("limit, float32",),
)
