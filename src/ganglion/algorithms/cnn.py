"""Convolutional networks: every unit sees a small window, and all windows share their weights.

    h_0 = x                                                  a picture, (C, H, W)
    h_l = pool(a(W_l * h_{l-1} + b_l))                        l = 1 … L, * a convolution, a the activation
    h_l = pool(a(F_l(h_{l-1}) + h_{l-1}))                     with `residual`: F_l two convolutions
    s   = MLP(flatten(h_L))                                  scores: logits, or numbers

LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition", section II; residual
blocks: He, Zhang, Ren & Sun 2016, arXiv:1512.03385. Differs from LeNet-5: rectifiers, batch normalisation and the
maximum of a window in place of tanh and its mean, all of which can be chosen. A row of a table is read as a signal, a
picture of height 1; of a recording the spectrogram is the picture (`networks.spectrograms`), as long as it is.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.classifier import Classifier
from ganglion.estimators.pictures import PictureOptions
from ganglion.estimators.regressor import Regressor
from ganglion.estimators.sound import SoundOptions
from ganglion.estimators.spec import Spec
from ganglion.networks.activations import check_activation
from ganglion.networks.convolution import ConvolutionStack, widths_of
from ganglion.networks.log_mel import LogMelInput
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.networks.spectrograms import SpectrogramPicture, SpectrogramStack
from ganglion.options import hyperparameters, option


def check_odd(kernel_size: Any) -> None:
    """Raise InvalidParameter unless a window of that width has a middle."""
    if not isinstance(kernel_size, int) or kernel_size < 1 or kernel_size % 2 == 0:
        raise InvalidParameter(f"kernel_size={kernel_size!r}: give an odd whole number: 1, 3, 5, 7, ….")


def check_channels(channels: Any) -> None:
    """Raise InvalidParameter unless every convolution that a tuple in `channels` names has a channel or more."""
    for stage in channels if isinstance(channels, tuple | list) else ():
        if isinstance(stage, tuple | list) and (not stage or min(stage) < 1):
            raise InvalidParameter(
                f"channels={channels!r}: {stage!r} is to be the channels of each convolution of a stage, one or more "
                "of at least 1."
            )


@hyperparameters
class CNNOptions(PictureOptions, SoundOptions):
    """What shapes the network, for classes and numbers alike."""

    channels: tuple[int | tuple[int, ...], ...] | Literal["auto"] = option(
        "auto",
        "Channels of each stage, after which the picture is halved, or a tuple of those of each of its convolutions in "
        "place of `depth`; 'auto' is 32, 64, … until a side is 8 or less.",
        at_least=1,
        check=check_channels,
    )
    depth: int = option(1, "Convolutions, or residual blocks, in a stage.", at_least=1)
    kernel_size: int = option(3, "Width of a window, an odd number: a window has a middle.", check=check_odd)
    residual: bool = option(False, "Whether a stage is made of residual blocks.")
    pooling: Literal["max", "average"] = option("max", "How a stage's output is halved.")
    head: Literal["flatten", "average"] = option(
        "flatten", "Whether all places of the last stage are features, or their mean over the picture."
    )
    hidden: tuple[int, ...] = option((128,), "Units of each hidden layer behind the convolutions.", at_least=1)
    activation: str = option("relu", "Nonlinearity of the hidden units, as of the MLP.", check=check_activation)
    normalization: Literal["auto", "batch"] | None = option(
        "auto",
        "Normalisation before each activation; 'auto' is batch for pictures and none for signals: with batches "
        "normalised, a weight of 2 is no second copy.",
    )
    dropout: float = option(0.0, "Share of channels and hidden units silenced in training.", at_least=0, below=1)

    def build(self, spec: Spec) -> Network:
        """Return input layer, convolutions, multi-layer perceptron and output layer for data like `spec`."""
        entry = self._hearing(spec) if spec.inputs.audio else spec.input_layer()
        shape, steps = self._shape(spec, entry), self._steps(entry)
        automatic = "batch" if spec.inputs.image or spec.inputs.audio else None
        normalization = automatic if self.normalization == "auto" else self.normalization
        channels = self._channels(max(shape[1:]))
        stack = ConvolutionStack(
            shape,
            channels,
            kernel_size=self.kernel_size,
            residual=self.residual,
            pooling=self.pooling,
            head=self.head,
            activation=self.activation,
            normalization=normalization,
            dropout=self.dropout,
        )
        features: Any = stack
        if spec.inputs.audio:
            features = (
                SpectrogramPicture(stack) if steps else SpectrogramStack(stack, shape[2], channels[-1][-1], self.head)
            )
        top = MLP(
            features.n_out,
            spec.n_scores,
            self.hidden,
            activation=self.activation,
            normalization=normalization,
            dropout=self.dropout,
            first_gain=None,
        )
        return Network(entry, nn.Sequential(features, top), spec.output)

    def _shape(self, spec: Spec, entry: Any) -> tuple[int, ...]:
        """Return the shape of one picture: a row of a table has height 1, a spectrogram its steps, or is as square."""
        width = entry.n_out
        return spec.inputs.image or ((1, self._steps(entry) or width, width) if spec.inputs.audio else (1, 1, width))

    def _steps(self, entry: Any) -> int | None:
        """Return how many steps all recordings have, or None if some have more."""
        return entry.settings.steps if isinstance(entry, LogMelInput) else None

    def _channels(self, side: int) -> tuple[tuple[int, ...], ...]:
        """Return the channels of each convolution, or residual block, of each stage."""
        stages = self.channels
        if isinstance(stages, str):
            stages = tuple(min(256, 32 * 2**i) for i in range(max(1, math.ceil(math.log2(side / 8)))))
        return widths_of(stages, self.depth)

    def widths(self: Any) -> dict[str, Any]:
        """Return the channels of each convolution (of each stage, if it has shortcuts) and the hidden units."""
        spec = Spec(self.encoder_.spec, self.target_.n_scores, self.target_.output())
        channels: tuple[Any, ...] = self._channels(max(self._shape(spec, self.network_.input)[1:]))
        if self.residual:  # blocks without a convolution in their shortcut are equally wide
            channels = tuple(stage if len(set(stage)) > 1 else stage[0] for stage in channels)
        return {"channels": channels, "hidden": tuple(self.hidden)}

    def feature_maps(self: Any, X: Any) -> list[np.ndarray]:
        """Return what each stage makes of X.

        Parameters
        ----------
        X : image stack, or array-like of shape (n_samples, n_features)

        Returns
        -------
        list of ndarray of shape (n_samples, channels, height, width)
            One a stage, each half the size of the one before.
        """
        self._check_fitted()
        if self.encoder_.spec.audio:
            raise InvalidInput(
                "feature_maps are of images and rows of tables; this model was trained on recordings, which are not "
                "equally long. Ask model.network_.body[0].maps for those of one."
            )
        network = self.network_
        with torch.inference_mode():
            x = network.input(network.prepare(self._encoded(X)))
            return [maps.numpy() for maps in network.body[0].maps(x)]


@hyperparameters
class CNNClassifier(CNNOptions, Classifier):
    """Convolutional network for classes: two, several, or several labels at once (y a matrix of zeros and ones).

    Reads stacks of images, and recordings; a row of a table is read as a signal.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> model = CNNClassifier(channels=(16, 32), epochs=20, random_state=0).fit(digits.images, digits.target)
    >>> bool(model.score(digits.images, digits.target) > 0.98)
    True

    References
    ----------
    LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86, 2278-2324. He et al. 2016, arXiv:1512.03385.
    """

    tags: ClassVar[Tags] = Tags(
        task="classification",
        modalities=("table", "image", "audio"),
        multilabel=True,
        preferred_for=("image", "audio"),
    )


@hyperparameters
class CNNRegressor(CNNOptions, Regressor):
    """Convolutional network for numbers: one target or several (y a matrix).

    Reads stacks of images, and recordings; a row of a table is read as a signal. The target is standardised inside;
    predictions are in its own units.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> ink = digits.images.mean((1, 2))
    >>> model = CNNRegressor(channels=(8,), epochs=10, random_state=0).fit(digits.images, ink)
    >>> bool(model.score(digits.images, ink) > 0.9)
    True

    References
    ----------
    LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86, 2278-2324. He et al. 2016, arXiv:1512.03385.
    """

    tags: ClassVar[Tags] = Tags(
        task="regression",
        modalities=("table", "image", "audio"),
        multioutput=True,
        preferred_for=("image", "audio"),
    )
