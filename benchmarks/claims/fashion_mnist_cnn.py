"""Fashion-MNIST with half of its training images."""

from benchmarks.claims import Claim
from benchmarks.claims._pictures import accuracy_of
from benchmarks.public import fashion_mnist


def claim() -> Claim:
    """Train once; the figure is the accuracy on the test set."""
    return accuracy_of(
        "fashion_mnist_cnn",
        fashion_mnist,
        described="Fashion-MNIST, 30,000 of its training images and its 10,000 test images, bytes as they come.",
        options={
            "channels": (32, 64, 128),
            "depth": 2,
            "hidden": (),
            "head": "average",
            "augmentation": "flip + shift(by=0.08) + erase",
            "epochs": 20,
            "batch_size": 128,
            "validation_fraction": 0,
        },
        reference="The data set's own table (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747, and its list of results).",
        target=0.925,
        paper="0.916 (2 convolutions, 60,000 images)",
        minutes=30,
    )
