"""Segmentation by a U-Net: the class of every pixel, from what is near it and from what the picture shows at large.

    h_0 = f_0(x)                             f, g: two convolutions, 3 × 3, each with normalisation and activation
    h_l = f_l(pool(h_{l-1}))                 down, l = 1 … L: half the size, twice the channels
    u_l = g_l([h_l, up_l(u_{l+1})])          up, l = L-1 … 0, from u_L = h_L: twice the size, half the channels
    p_k = softmax_k(W u_0 + b)               for every pixel, k a class

    loss = - mean log p_y  +  1 - mean_k 2 Σ p_k g_k / (Σ p_k + Σ g_k)        cross-entropy and soft Dice

g_k is 1 where a pixel is of the class k, and Σ runs over the pixels of a picture.

Ronneberger, Fischer & Brox 2015, "U-Net: convolutional networks for biomedical image segmentation", arXiv:1505.04597;
Dice as in Drozdzal et al. 2016, arXiv:1608.04117, eq. 2. Differs from the paper: convolutions are padded, so that
every pixel of the input has an answer (sides that cannot be halved so often are continued); batch normalisation (Ioffe
& Szegedy 2015, arXiv:1502.03167) before each rectifier; Dice in place of weights for the pixels between touching cells;
Adam in place of momentum; 32 channels at first, not 64.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.segmenter import Segmenter
from ganglion.estimators.spec import Spec
from ganglion.networks.activations import check_activation
from ganglion.networks.network import Network
from ganglion.networks.unet import UNet
from ganglion.options import hyperparameters, option


@hyperparameters
class SegmentationCNN(Segmenter):
    """U-Net for the class of every pixel.

    Learns from stacks of images and as many masks of the same height and width; answers images of any size.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> masks = np.zeros((80, 16, 16), dtype=np.uint8)
    >>> for mask, (row, column) in zip(masks, rng.integers(0, 10, (80, 2))):
    ...     mask[row : row + 6, column : column + 6] = 1
    >>> images = masks + rng.normal(0, 0.3, masks.shape)
    >>> model = SegmentationCNN(channels=8, epochs=20, random_state=0).fit(images[:64], masks[:64])
    >>> model.predict(images[64:]).shape
    (16, 16, 16)
    >>> model.score(images[64:], masks[64:]) > 0.95
    True

    References
    ----------
    Ronneberger, Fischer & Brox 2015, arXiv:1505.04597. Drozdzal et al. 2016, arXiv:1608.04117.
    """

    channels: int = option(32, "Channels of the first stage; each stage below has twice as many.", at_least=1)
    depth: int | Literal["auto"] = option(
        "auto",
        "How often the image is halved on the way down; 'auto' is 4, and less where fewer than 4 pixels would be left.",
        at_least=1,
        at_most=8,
    )
    residual: bool = option(False, "Whether the two convolutions of a stage have a shortcut around them.")
    activation: str = option("relu", "Nonlinearity behind each convolution, as of the MLP.", check=check_activation)
    normalization: Literal["batch"] | None = option("batch", "Normalisation before each activation.")
    dropout: float = option(
        0.0, "Share of the channels silenced in training at the end of the way down.", at_least=0, below=1
    )

    tags: ClassVar[Tags] = Tags(task="segmentation", modalities=("image",), any_size=True, preferred_for=("image",))

    def build(self, spec: Spec) -> Network:
        """Return input layer, U-Net and output layer for images like `spec`."""
        n_channels, *sides = spec.inputs.image
        body = UNet(
            n_channels,
            spec.n_scores,
            channels=self.channels,
            depth=self._depth(min(sides)),
            residual=self.residual,
            activation=self.activation,
            normalization=self.normalization,
            dropout=self.dropout,
        )
        return Network(spec.input_layer(), body, spec.output)

    def _depth(self, side: int) -> int:
        if self.depth == "auto":
            return min(4, max(1, side.bit_length() - 3))
        most = max(1, side.bit_length() - 2)  # two pixels are left
        if self.depth > most:
            raise InvalidParameter(
                f"{type(self).__name__}(depth={self.depth}): images whose shorter side has {side} pixels cannot be "
                f"halved so often. Give at most {most}, or 'auto'."
            )
        return int(self.depth)

    def feature_maps(self: Any, X: Any) -> list[np.ndarray]:
        """Return what each stage makes of X.

        Parameters
        ----------
        X : image stack of shape (n_samples, height, width), with channels last or second, or Dataset

        Returns
        -------
        list of ndarray of shape (n_samples, channels, height, width)
            One a stage: on the way down each half the size of the one before, on the way up twice. Sides that cannot
            be halved so often have been continued.
        """
        self._check_fitted()
        network = self.network_
        with torch.inference_mode():
            x = network.input(network.prepare(self._encoded(X)))
            return [maps.numpy() for maps in network.body.maps(x)]
