"""MNIST, binarised by sampling: how likely the test images are under a VAE, in nats, by importance weighting."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped, bootstrap_mean
from benchmarks.public import mnist
from ganglion.algorithms.vae import VAE
from ganglion.errors import InvalidFile

SEED = 0
SETTINGS: dict[str, Any] = {  # rate and batch chosen by the evidence bound of 6,000 held-out training images
    "latent": 50,
    "hidden": (200, 200),
    "activation": "tanh",
    "likelihood": "bernoulli",
    "binarize": True,
    "optimizer": "adam",
    "learning_rate": 2e-3,
    "batch_size": 100,
    "epochs": 300,
    "validation_fraction": 0,
    "threads": 1,
}
DRAWS, TESTED = 5000, 2000
TARGET, MINUTES = -88.5, 60.0
PAPER = "-86.76: a VAE of these sizes, k = 1, one layer, 3,280 epochs (Burda et al. 2016, arXiv:1509.00519, table 1)"


def claim() -> Claim:
    """Train on all training images, drawn anew as 0 and 1 in each epoch; the figure is of test images drawn once."""
    try:
        X, _, X_test, _ = mnist()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    rng = np.random.default_rng(SEED)
    ink = X_test[np.sort(rng.choice(len(X_test), TESTED, replace=False))].reshape(TESTED, -1) / np.float32(255)
    drawn = (rng.random(ink.shape) < ink).astype(np.float32)
    start = time.perf_counter()
    model = VAE(**SETTINGS, random_state=SEED).fit(X.reshape(len(X), -1) / np.float32(255))
    took = (time.perf_counter() - start) / 60
    nats = model.log_likelihood(drawn, samples=DRAWS)
    low, high = bootstrap_mean(nats.tolist())
    shown = ", ".join(f"{name}={value!r}" for name, value in SETTINGS.items())
    return Claim(
        name="vae_mnist",
        data=f"MNIST, 60,000 images to train on, each pixel drawn as 0 or 1 with the chance of its ink, anew in each "
        f"epoch; {TESTED:,} of the 10,000 test images (drawn with seed {SEED}), binarised once.",
        settings=f"VAE({shown}, random_state={SEED}). log p by {DRAWS:,} importance-weighted draws of each image's "
        "code. Interval: the sampling of test images (bootstrap).",
        reference=PAPER,
        figures=[
            Figure("log-likelihood, nats", float(nats.mean()), low, high, target=TARGET, paper=PAPER),
            Figure("minutes of training", took, took, took, target=MINUTES, lower_is_better=True),
        ],
        details={
            "elbo": float(model.elbo(drawn).mean()),
            "active_units": model.history_["active_units"],
            "losses": model.history_["loss"],
            "execution": model.history_.execution,
        },
    )
