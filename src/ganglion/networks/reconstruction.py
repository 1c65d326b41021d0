"""What an autoencoder lowers: how far data said again are from the data, and what is added to or done to them.

    e(v, raw) = Σ (v - raw)²                          numbers, and pixels
              = -Σ v log σ(raw) + (1 - v) log(1 - σ(raw))   pixels in [0, 1], by cross-entropy
              = -log softmax(raw)_k                    a category whose place is k
    sparse        + λ Σ_j |z_j|                        L1
                  + λ Σ_j KL(ρ ‖ ρ̂_j)                  ρ̂_j the mean of unit j over a batch (Ng 2011)
    contractive   + λ ‖∂z/∂v‖²_F                       Rifai et al. 2011, "Contractive auto-encoders", eq. 5

Corruptions: Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders", and 2010, JMLR
11, section 3.3. Letters: n samples, d numbers of a vector, l units of a code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.coding import CodingNetwork
from ganglion.networks.draws import normal, uniform
from ganglion.networks.mlp import MLP, DenseLayer
from ganglion.networks.visible import Block, VisibleInput

Corruption = Literal["none", "masking", "gaussian", "salt_and_pepper"]
PixelLoss = Literal["squared", "cross_entropy"]
EXTREME = 2.0  # deviations of a standardised number that is salt or pepper
RAREST = 1e-3
LEAST = 1e-6  # and greatest mean of a unit whose divergence is told

# the slope of an activation, from its output
SLOPES: dict[type[nn.Module], Callable[[Tensor], Tensor]] = {
    nn.Identity: torch.ones_like,
    nn.ReLU: lambda h: (h > 0).to(h.dtype),
    nn.Sigmoid: lambda h: h * (1 - h),
    nn.Tanh: lambda h: 1 - h.square(),
}


def reconstruction_errors(
    blocks: Sequence[Block], v_nd: Tensor, raw_nd: Tensor, *, pixels: PixelLoss = "squared"
) -> Tensor:
    """Return how far each vector is from what is said of it, (n,): the mean over its columns, or pixels."""
    total, n_columns = v_nd.new_zeros(v_nd.shape[0]), 0
    for block in blocks:
        v, raw = v_nd[:, block.part], raw_nd[:, block.part]
        if block.kind == "category":
            total = total - (v * raw.log_softmax(1)).sum(1)
        elif block.kind == "pixel" and pixels == "cross_entropy":
            total = total + (F.softplus(raw) - v * raw).sum(1)
        else:
            total = total + (v - raw).square().sum(1)
        n_columns += 1 if block.kind == "category" else block.width
    return total / max(n_columns, 1)


def means(blocks: Sequence[Block], raw_nd: Tensor, *, pixels: PixelLoss = "squared") -> Tensor:
    """Return the vectors, (n, d), that raw numbers stand for."""
    parts = []
    for block in blocks:
        raw = raw_nd[:, block.part]
        if block.kind == "category":
            raw = raw.softmax(1)
        elif block.kind == "pixel" and pixels == "cross_entropy":
            raw = raw.sigmoid()
        parts.append(raw)
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def naturals(blocks: Sequence[Block], mean_d: Tensor, *, pixels: PixelLoss = "squared") -> Tensor:
    """Return raw numbers whose means are these, (d,); no chance is taken to be quite 0 or 1."""
    parts = []
    for block in blocks:
        mean = mean_d[block.part]
        if block.kind == "category":
            mean = mean.clamp(min=RAREST).log()
        elif block.kind == "pixel" and pixels == "cross_entropy":
            mean = mean.clamp(RAREST, 1 - RAREST).logit()
        parts.append(mean)
    return torch.cat(parts)


def corrupted(blocks: Sequence[Block], v_nd: Tensor, kind: Corruption, level: float) -> Tensor:
    """Return vectors with some of their columns spoiled, drawn anew at each call.

    Parameters
    ----------
    blocks : sequence of Block
    v_nd : Tensor of shape (n, d)
    kind : {"masking", "gaussian", "salt_and_pepper", "none"}
        masking: a share `level` of the columns says nothing, 0. gaussian: normal numbers of deviation `level` are
        added to numbers and pixels. salt_and_pepper: a share `level` becomes the least or the greatest value, of
        standardised numbers ±2; categories are masked.
    level : float
    """
    if kind == "none":
        return v_nd
    return torch.cat([_corrupted(block, v_nd[:, block.part], kind, level) for block in blocks], 1)


def _corrupted(block: Block, v: Tensor, kind: Corruption, level: float) -> Tensor:
    if kind == "gaussian":
        return v if block.kind == "category" else v + level * normal(tuple(v.shape), v)
    width = 1 if block.kind == "category" else block.width  # a category is masked as a whole
    chance = uniform((len(v), width), v)
    if kind == "masking" or block.kind == "category":
        return torch.where(chance < level, 0.0, v)
    low, high = (0.0, 1.0) if block.kind == "pixel" else (-EXTREME, EXTREME)
    return torch.where(chance < level / 2, low, torch.where(chance < level, high, v))


def sparseness(z_nl: Tensor, kind: Literal["l1", "kl"], target: float, weight: Tensor | None = None) -> Tensor:
    """Return how far codes are from sparse, a scalar: their mean size, or their units' divergence from `target`.

    A sample counts by its weight, (n,), of mean 1 over the training data.
    """
    sizes = z_nl.abs() if kind == "l1" else z_nl
    mean = sizes.mean(0) if weight is None else (sizes * weight[:, None]).sum(0) / weight.sum()
    if kind == "l1":
        return mean.sum()
    mean = mean.clamp(LEAST, 1 - LEAST)
    return (target * (target / mean).log() + (1 - target) * ((1 - target) / (1 - mean)).log()).sum()


def contraction(encoder: nn.Module, code: nn.Module, v_nd: Tensor) -> Tensor:
    """Return ‖∂z/∂v‖²_F of each sample, (n,), of codes z = code(encoder(v)), differentiable.

    Parameters
    ----------
    encoder : MLP
        Of dense layers whose activations know their slope from their output (`SLOPES`).
    code : Module
        The activation of the code, one of these too.
    v_nd : Tensor of shape (n, d)
    """
    *hidden, last = cast("list[Any]", list(encoder.children()))
    h, below = v_nd, []  # weight and slope of each hidden layer
    for layer in hidden:
        linear, activation = layer.layers[0], layer.layers[1]
        h = activation(linear(h))
        below.append((linear.weight, SLOPES[type(activation)](h)))
    z = code(last(h))
    jacobian = SLOPES[type(code)](z)[:, :, None] * last.weight  # (n, l, units of the last hidden layer)
    for i in reversed(range(len(below))):
        weight, slope = below[i]
        jacobian = jacobian * slope[:, None]
        if i == 0:  # ‖M W‖² = tr(M W Wᵀ Mᵀ): never as wide as a vector
            return (jacobian @ (weight @ weight.T) * jacobian).sum((1, 2))
        jacobian = jacobian @ weight
    return jacobian.square().sum((1, 2))


def knows_slopes(encoder: nn.Module) -> bool:
    """Return whether `contraction` can tell the slopes of an encoder."""
    if not isinstance(encoder, MLP):
        return False
    hidden = list(encoder.children())[:-1]
    return all(isinstance(layer, DenseLayer) and type(layer.layers[1]) in SLOPES for layer in hidden)


class Autoencoding(CodingNetwork):
    """Input layer, encoder and its activation, decoder; `offset` is the score below which a sample is an outlier.

    Parameters
    ----------
    input : VisibleInput
    encoder, decoder : Module
    code : str
        The activation of the code.
    latent : int
    pixels : {"squared", "cross_entropy"}
    """

    offset: Tensor

    def __init__(
        self,
        input: VisibleInput,
        encoder: nn.Module,
        decoder: nn.Module,
        code: str,
        *,
        latent: int,
        pixels: PixelLoss = "squared",
    ) -> None:
        super().__init__(input, encoder, decoder, latent=latent)
        self.code = ACTIVATIONS[code].module()
        self.pixels: PixelLoss = pixels
        self.register_buffer("offset", torch.zeros((), dtype=torch.float64))

    def coded(self, v_nd: Tensor) -> Tensor:
        """Return the code of each vector, (n, l)."""
        return self.code(self.encoded(v_nd))

    def scores(self, prepared: Mapping[str, Tensor]) -> Tensor:
        """Return the raw numbers that samples become, by their codes."""
        return self.decoded(self.coded(self.input(prepared)))

    def errors(self, v_nd: Tensor, raw_nd: Tensor) -> Tensor:
        """Return how far each vector is from what is said of it, (n,)."""
        return reconstruction_errors(self.visible.blocks, v_nd, raw_nd, pixels=self.pixels)

    def said(self, raw_nd: Tensor) -> Tensor:
        """Return the vectors, (n, d), that raw numbers stand for."""
        return means(self.visible.blocks, raw_nd, pixels=self.pixels)

    def natural(self) -> Tensor:
        """Return the raw numbers of the mean vector, (d,)."""
        return naturals(self.visible.blocks, self.visible.mean, pixels=self.pixels)
