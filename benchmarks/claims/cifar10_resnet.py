"""CIFAR-10 with a fifth of its training images and a residual network, within 30 minutes."""

from benchmarks.claims import Claim
from benchmarks.claims._pictures import accuracy_of
from benchmarks.public import cifar10


def claim() -> Claim:
    """Train once; the figure is the accuracy on the test images."""
    return accuracy_of(
        "cifar10_resnet",
        cifar10,
        described="CIFAR-10, 10,000 of its training images and 2,000 of its test images, bytes as they come.",
        options={
            "channels": (64, 128, 256),
            "residual": True,
            "hidden": (),
            "head": "average",
            "augmentation": "flip + shift + cutmix",
            "views": "flip",
            "epochs": 45,
            "batch_size": 128,
            "validation_fraction": 0,
        },
        reference="No paper has this part of the data; residual networks: He et al. 2016, arXiv:1512.03385.",
        target=0.78,
        paper="",
        minutes=30,
    )
