"""A restricted Boltzmann machine of 20 hidden units on MNIST: its partition function, enumerated and annealed."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.public import mnist
from ganglion.algorithms.rbm import RBM
from ganglion.errors import InvalidFile

SEED = 0
SETTINGS: dict[str, Any] = {
    "units": 20,
    "k": 1,
    "binarize": True,
    "optimizer": "sgd(momentum=0.0)",
    "learning_rate": 0.1,
    "batch_size": 100,
    "epochs": 20,
    "validation_fraction": 0,
    "threads": 1,
}
PAPER = "Salakhutdinov & Murray 2008, ICML, table 1: machines of 20 hidden units, enumerated and by 100 runs of AIS."


def claim() -> Claim:
    """Train by CD-1; the figure is how far the two values of log Z are apart, in nats."""
    try:
        X, _, X_test, _ = mnist()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    model = RBM(**SETTINGS, random_state=SEED).fit(X)
    exact, annealed = model.log_partition("exact"), model.log_partition("ais")
    apart = sorted(abs(end - exact.value) for end in (annealed.low, annealed.high))
    inside = annealed.low <= exact.value <= annealed.high
    likelihood = model.log_likelihood(binarized(X_test), "exact")
    return Claim(
        name="rbm_small",
        data="MNIST, 60,000 training images, each pixel drawn anew at each step with its intensity as chance; 10,000 "
        "test images, drawn once.",
        settings=f"RBM({written(SETTINGS)}), all else as it comes. log Z: {exact.value:.3f} by enumeration, "
        f"{annealed.value:.3f} ({annealed.low:.3f} to {annealed.high:.3f}) by annealed importance sampling, 100 "
        f"runs of 14,500 steps. Mean test log-probability {likelihood.value:.2f} ({likelihood.low:.2f} to "
        f"{likelihood.high:.2f}). Interval: that of the runs (bootstrap).",
        reference=PAPER,
        figures=[
            Figure(
                "nats between exact and annealed log Z",
                abs(annealed.value - exact.value),
                0.0 if inside else apart[0],
                apart[1],
                target=0.3,
                paper="",
                lower_is_better=True,
            )
        ],
        details={
            "exact": exact.value,
            "annealed": list(annealed),
            "test": list(likelihood),
            "history": model.history_.rows,
        },
    )


def binarized(images: np.ndarray) -> np.ndarray:
    """Return bytes of 0 and 255, drawn once, with the intensities as chances."""
    return np.where(np.random.default_rng(0).random(images.shape) < images / 255, 255, 0).astype(np.uint8)


def written(settings: dict[str, Any]) -> str:
    """Return settings as they stand in a call."""
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())
