"""A restricted Boltzmann machine of 500 hidden units on MNIST: the log-probability of the test images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.claims.rbm_small import binarized, written
from benchmarks.public import mnist
from ganglion.algorithms.rbm import RBM
from ganglion.errors import InvalidFile
from ganglion.networks.partition import Interval

SEED = 0
SETTINGS: dict[str, Any] = {  # chosen among two by the last 10,000 training images: rate 0.05 or 0.1
    "units": 500,
    "persistent": True,
    "k": 1,
    "chains": 100,
    "binarize": True,
    "optimizer": "sgd(momentum=0.0)",
    "learning_rate": 0.1,
    "schedule": "cosine",
    "batch_size": 100,
    "epochs": 60,
    "validation_fraction": 0,
    "threads": 1,
}
PAPER = "Salakhutdinov & Murray 2008, ICML, table 1: CD-25, 500 hidden units, -86.34 nats."


def claim() -> Claim:
    """Train by persistent contrastive divergence; the figure is of the test part, log Z by annealing."""
    try:
        X, _, X_test, _ = mnist()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    model = RBM(**SETTINGS, random_state=SEED).fit(X)
    log_z = model.log_partition("ais")
    test = likelihood(model, binarized(X_test), log_z)
    training = likelihood(model, binarized(X[:10_000]), log_z)
    return Claim(
        name="rbm_large",
        data="MNIST, 60,000 training images, each pixel drawn anew at each step with its intensity as chance; 10,000 "
        "test images, drawn once.",
        settings=f"RBM({written(SETTINGS)}), all else as it comes. log Z {log_z.value:.2f} ({log_z.low:.2f} to "
        f"{log_z.high:.2f}) by annealed importance sampling, 100 runs of 14,500 steps; of 10,000 training images "
        f"{training.value:.2f} nats. Interval: the sampling of test images, and of the runs, together.",
        reference=PAPER,
        figures=[Figure("nats a test image", *test, target=-90.0, paper="-86.34")],
        details={"log_z": list(log_z), "training": list(training), "history": model.history_.rows},
    )


def likelihood(model: RBM, X: np.ndarray, log_z: Interval) -> Interval:
    """Return the mean log-likelihood of images by a log Z that is known: what `log_likelihood` says, for less."""
    scores = model.score_samples(X)
    half, value = 1.96 * scores.std() / math.sqrt(len(scores)), float(scores.mean()) - log_z.value
    return Interval(
        value, value - math.hypot(half, log_z.high - log_z.value), value + math.hypot(half, log_z.value - log_z.low)
    )
