"""MNIST with a convolutional network, within 15 minutes."""

from benchmarks.claims import Claim
from benchmarks.claims._pictures import accuracy_of
from benchmarks.public import mnist


def claim() -> Claim:
    """Train once; the figure is the accuracy on the test set."""
    return accuracy_of(
        "mnist_cnn",
        mnist,
        described="MNIST, 60,000 training and 10,000 test images, bytes as they come.",
        options={
            "channels": (32, 64, 128),
            "depth": 2,
            "hidden": (),
            "head": "average",
            "augmentation": "affine(degrees=10, zoom=0.1, shift=0.08)",
            "epochs": 10,
            "batch_size": 128,
            "validation_fraction": 0,
        },
        reference="LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86, fig. 9: LeNet-5, 0.95 % errors.",
        target=0.994,
        paper="0.9905 (LeNet-5)",
        minutes=15,
    )
