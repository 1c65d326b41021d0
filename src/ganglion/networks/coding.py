"""Networks of two halves: an encoder from vectors to codes, a decoder from codes to raw numbers of vectors.

    dense          v → layers of units → codes           codes → the same layers, the other way round → raw
    convolutional  v → strided convolutions → codes      codes → a generator as of DCGAN → raw (`networks.adversarial`)

A label joins both halves as K numbers, one of which is 1 (Sohn, Lee & Yan 2015, conditional variational autoencoders).
Letters: n samples, d numbers of a vector, L of a code, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganglion.networks.adversarial import ConvFeatures, ConvGenerator
from ganglion.networks.mlp import MLP, linear
from ganglion.networks.network import Network
from ganglion.networks.visible import VisibleInput

Architecture = Literal["dense", "convolutional"]


class ConvEncoder(nn.Module):
    """Pictures laid out as rows, and labels beside them, to numbers: (n, C H W + K) → (n, n_out)."""

    def __init__(self, shape: Sequence[int], n_out: int, channels: int, *, n_classes: int = 0) -> None:
        super().__init__()
        self.features = ConvFeatures(shape, channels, spectral=False, normalization=False)
        self.n_classes = n_classes
        self.top = linear(self.features.n_out + n_classes, n_out, "identity")

    def forward(self, v: Tensor) -> Tensor:
        """Return a code's numbers."""
        if not self.n_classes:
            return self.top(self.features(v))
        seen = self.features(v[:, : -self.n_classes])
        return self.top(torch.cat([seen, v[:, -self.n_classes :]], 1))


def encoder_of(
    entry: VisibleInput,
    n_out: int,
    hidden: Sequence[int],
    *,
    architecture: Architecture,
    activation: str = "relu",
    channels: int = 32,
    n_classes: int = 0,
) -> nn.Module:
    """Return an encoder of vectors with labels beside them, (n, d + K) → (n, n_out)."""
    if architecture == "convolutional":
        return ConvEncoder(entry.image, n_out, channels, n_classes=n_classes)
    return MLP(entry.n_out + n_classes, n_out, hidden, activation=activation)


def decoder_of(
    entry: VisibleInput,
    latent: int,
    hidden: Sequence[int],
    *,
    architecture: Architecture,
    activation: str = "relu",
    channels: int = 32,
    n_classes: int = 0,
) -> nn.Module:
    """Return a decoder of codes with labels beside them, (n, L + K) → (n, d); `hidden` is told as of the encoder."""
    if architecture == "convolutional":
        return ConvGenerator(latent + n_classes, entry.image, channels)
    return MLP(latent + n_classes, entry.n_out, tuple(reversed(hidden)), activation=activation, first_gain=None)


class CodingNetwork(Network):
    """Input layer, encoder (the body) and decoder; what the decoder says are deviations from the mean (`natural`).

    Parameters
    ----------
    input : VisibleInput
    encoder, decoder : Module
        As of `encoder_of` and `decoder_of`.
    latent, n_classes : int
        L; K, 0 for no labels.
    """

    def __init__(
        self,
        input: VisibleInput,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        latent: int,
        n_classes: int = 0,
    ) -> None:
        super().__init__(input, encoder, nn.Identity())
        self.decoder, self.latent, self.n_classes = decoder, latent, n_classes

    def cast(self, dtype: torch.dtype, *, inputs: torch.dtype | None = None) -> CodingNetwork:
        """Compute in `dtype` from here on, in both halves."""
        super().cast(dtype, inputs=inputs)
        self.decoder.to(dtype)
        return self

    @property
    def visible(self) -> VisibleInput:
        """The input layer, which knows the mean of the vectors: what both halves speak of are deviations from it."""
        return cast(VisibleInput, self.input)

    def encoded(self, v_nd: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return what the encoder says of vectors, (n, n_out), given the places of their labels, (n,)."""
        return self.body(self.with_labels(v_nd - self.visible.mean, codes))

    def decoded(self, z_nl: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return the raw numbers of vectors, (n, d), that codes stand for."""
        return self.decoder(self.with_labels(z_nl, codes)) + self.natural()

    def natural(self) -> Tensor:
        """Return the raw numbers of the mean vector, (d,)."""
        raise NotImplementedError

    def scores(self, prepared: Mapping[str, Tensor]) -> Tensor:
        """Return the raw numbers that samples become, by their codes."""
        codes = prepared.get("target") if self.n_classes else None
        return self.decoded(self.encoded(self.input(prepared), codes)[:, : self.latent], codes)

    def with_labels(self, x: Tensor, codes: Tensor | None) -> Tensor:
        """Return numbers with labels beside them, (n, … + K); where none is known, zeros."""
        if not self.n_classes:
            return x
        if codes is None:
            return F.pad(x, (0, self.n_classes))
        return torch.cat([x, F.one_hot(codes, self.n_classes).to(x.dtype)], 1)
