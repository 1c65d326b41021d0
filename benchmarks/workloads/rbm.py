"""Energy: a restricted Boltzmann machine on MNIST, no gradient but the difference of two statistics."""

from __future__ import annotations

from benchmarks.workloads import Contender, Workload
from benchmarks.workloads._images import mnist_in_black_and_white

WORKLOAD = Workload(
    title="MNIST in black and white, RBM 784-256, PCD-1, rate 0.05, batch 100, 5 epochs; "
    "pseudo-likelihood in nats an image",
    job={"hidden": 256, "learning_rate": 0.05, "batch_size": 100, "epochs": 5},
    contenders={
        "ganglion": Contender("rbm.ganglion"),
        "limit, in place": Contender("rbm.limit"),
        "scikit-learn": Contender("rbm.scikit_learn"),
    },
    data=mnist_in_black_and_white,
    targets={"scikit-learn": 2.7},
    quality="pseudo_likelihood",
    limits=("limit, in place",),
)
