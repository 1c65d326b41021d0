"""What the workloads on MNIST share: its images as rows, written out once."""

from __future__ import annotations

from pathlib import Path

from benchmarks.workloads._mlp import written


def mnist_rows(folder: Path) -> dict[str, str]:
    """Write rows of 784 pixels from 0 to 1."""
    from benchmarks.public import mnist

    X_train, y_train, X_test, y_test = mnist()
    return written(folder, X_train.reshape(-1, 784) / 255, y_train, X_test.reshape(-1, 784) / 255, y_test)


def mnist_in_black_and_white(folder: Path) -> dict[str, str]:
    """Write rows of 784 pixels that are 0 or 1."""
    from benchmarks.public import mnist

    X_train, y_train, X_test, y_test = mnist()
    return written(folder, X_train.reshape(-1, 784) > 127, y_train, X_test.reshape(-1, 784) > 127, y_test)
