"""Generation: a variational autoencoder on MNIST."""

from __future__ import annotations

from benchmarks.workloads import Contender, Workload, keras
from benchmarks.workloads._images import mnist_rows

WORKLOAD = Workload(
    title="MNIST, VAE 784-400-20, Adam 1e-3, batch 128, 5 epochs; negative ELBO in nats an image",
    job={"hidden": 400, "latent": 20, "learning_rate": 1e-3, "batch_size": 128, "epochs": 5},
    contenders={
        "ganglion": Contender("vae.ganglion"),
        "limit, float32": Contender("vae.limit"),
        "keras-jax": keras("vae.keras", "jax"),
        "DataLoader loop": Contender("vae.plain"),
        "pythae": Contender("vae.pythae", "pythae", environment={"TQDM_DISABLE": "1"}),
        "keras-torch": keras("vae.keras", "torch"),
    },
    data=mnist_rows,
    targets={"keras-jax": 1.5, "pythae": 2.6, "keras-torch": 3.3},
    quality="negative_elbo",
    lower_is_better=True,
    limits=("limit, float32",),
)
