"""MNIST with two hidden layers in five epochs."""

from __future__ import annotations

from statistics import fmean

from benchmarks.claims import Claim, Figure, Skipped, wilson
from benchmarks.public import mnist
from ganglion.algorithms.mlp import MLPClassifier
from ganglion.errors import InvalidFile

SEEDS = range(3)


def claim() -> Claim:
    """Train with three seeds; the figure is the mean accuracy on the test set."""
    try:
        X, y, X_test, y_test = mnist()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    settings = {"hidden": (256, 128), "batch_size": 128, "epochs": 5, "validation_fraction": 0}
    accuracies = [float(MLPClassifier(**settings, random_state=seed).fit(X, y).score(X_test, y_test)) for seed in SEEDS]
    low, high = wilson(fmean(accuracies), len(y_test))
    return Claim(
        name="mnist_mlp",
        data="MNIST, 60,000 training and 10,000 test images, bytes as they come.",
        settings=f"MLPClassifier({', '.join(f'{name}={value}' for name, value in settings.items())}), all else as it "
        f"comes; mean of seeds 0 to {SEEDS[-1]}: {', '.join(f'{value:.4f}' for value in accuracies)}. Interval: the "
        "sampling of the test images (Wilson).",
        reference="LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86, fig. 9: 784-300-100-10, 3.05 % errors.",
        figures=[Figure("accuracy", fmean(accuracies), low, high, target=0.978, paper="0.9695 (784-300-100-10)")],
        details={"seeds": list(SEEDS), "accuracies": accuracies},
    )
