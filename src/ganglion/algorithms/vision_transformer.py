"""Vision transformer: a picture is a sequence of patches, and every patch looks at all the others.

    z_0 = [token; x_1 E; …; x_T E] + P            patches x_i, flattened; P a learned vector for every place    (eq. 1)
    z'_l = MSA(LN(z_{l-1})) + z_{l-1}             l = 1 … L, MSA attention with several heads                    (eq. 2)
    z_l  = MLP(LN(z'_l)) + z'_l                                                                                  (eq. 3)
    s    = W LN(z_L)_token + b                    scores: logits                                                 (eq. 4)

Dosovitskiy et al. 2021, "An image is worth 16 × 16 words", arXiv:2010.11929. Differs: with `pool="average"`, the
default, the scores read the mean of the patches, which learns more from few pictures (Beyer, Zhai & Kolesnikov 2022,
arXiv:2205.01580); the vectors of places begin as sines and cosines; sizes for small pictures. It knows nothing of
neighbourhoods beforehand, and needs more pictures, or more augmentation, than a convolutional network.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.classifier import Classifier
from ganglion.estimators.pictures import PictureOptions
from ganglion.estimators.spec import Spec
from ganglion.networks.activations import check_activation
from ganglion.networks.attention import Encoder, Patches
from ganglion.networks.mlp import linear
from ganglion.networks.network import Inputs, Network
from ganglion.options import hyperparameters, option
from ganglion.training.optimizers import Optimizer

SMALL_STEP = 1 / 2
GRID = 8  # patches along the longer side that `patch_size="auto"` aims at


@hyperparameters
class VisionTransformer(PictureOptions, Classifier):
    """Transformer over patches of pictures, for classes: two, several, or several labels at once.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> model = VisionTransformer(width=32, layers=2, heads=2, epochs=15, learning_rate=3e-3, random_state=0)
    >>> model = model.fit(digits.images, digits.target)
    >>> bool(model.score(digits.images, digits.target) > 0.98)
    True

    References
    ----------
    Dosovitskiy et al. 2021, arXiv:2010.11929.
    """

    patch_size: int | Literal["auto"] = option(
        "auto", "Side of a patch in pixels; 'auto' cuts the longer side of a picture into about 8.", at_least=1
    )
    width: int = option(128, "Width of the vector of each patch, a multiple of `heads`.", at_least=1)
    layers: int = option(6, "Blocks of attention and MLP.", at_least=1)
    heads: int = option(4, "Heads of each attention.", at_least=1)
    pool: Literal["average", "token"] = option(
        "average", "Whether the scores read the mean of the patches or the token in front of them."
    )
    activation: str = option("gelu", "Nonlinearity of the MLPs.", check=check_activation)
    dropout: float = option(0.0, "Share of what each block adds that is silenced in training.", at_least=0, below=1)

    tags: ClassVar[Tags] = Tags(task="classification", modalities=("image",), multilabel=True)

    def build(self, spec: Spec) -> Network:
        """Return input layer, patches, encoder, read-out and output layer for pictures like `spec`."""
        if self.width % self.heads:
            raise InvalidParameter(
                f"VisionTransformer(width={self.width}, heads={self.heads}): each head takes an equal part of the "
                f"vector. Give a multiple, such as width={self.heads * max(1, round(self.width / self.heads))}."
            )
        channels, height, width = spec.inputs.image
        patch = max(2, math.ceil(max(height, width) / GRID)) if self.patch_size == "auto" else self.patch_size
        body = nn.Sequential(
            Patches((channels, height, width), patch, self.width),
            Encoder(
                self.width,
                self.layers,
                self.heads,
                hidden=4 * self.width,
                activation=self.activation,
                dropout=self.dropout,
            ),
            ReadOut(self.width, spec.n_scores, self.pool),
        )
        return Network(spec.input_layer(), body, spec.output)

    def _rate(self, optimizer: Optimizer) -> float:
        # attention that has become sharp early stays so: transformers take smaller steps
        return super()._rate(optimizer) * (SMALL_STEP if self.learning_rate == "auto" else 1)

    def attention(self, X: Any) -> np.ndarray:
        """Return how much each place looks at each.

        Parameters
        ----------
        X : image stack

        Returns
        -------
        ndarray of shape (n_samples, layers, heads, 1 + n_patches, 1 + n_patches)
            Place 0 is the token, then come the patches, row by row; the last axis sums to 1.
        """
        self._check_fitted()
        network = self.network_
        with torch.inference_mode():
            patches, encoder, _ = cast(nn.Sequential, network.body)
            x = patches(network.input(network.prepare(cast(Inputs, self._encoded(X)))))
            return torch.stack(cast(Encoder, encoder).weights(x), 1).numpy()


class ReadOut(nn.Module):
    """Scores from the token or from the mean of the patches, (n, 1 + T, D) → (n, n_out)."""

    def __init__(self, width: int, n_out: int, pool: str) -> None:
        super().__init__()
        self.pool = pool
        self.layer = linear(width, n_out, "identity")
        if self.layer.weight.device.type != "meta":
            nn.init.zeros_(self.layer.weight)  # all classes alike at first, as in the paper's appendix B.1.1

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores."""
        return self.layer(x[:, 0] if self.pool == "token" else x[:, 1:].mean(1))
