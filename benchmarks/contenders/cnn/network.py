"""The network of the torch-based contenders."""

from torch import nn


def cnn() -> nn.Sequential:
    """Return conv32-pool-conv64-pool-fc128-fc10 with ReLU, from images (n, 28, 28) to scores."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 28)),
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
