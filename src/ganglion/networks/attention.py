"""Attention as blocks: every place looks at all places, and takes from each as much as it finds it fitting.

    A = softmax(Q Kᵀ / √d),   attended = A V                          Vaswani et al. 2017, arXiv:1706.03762, eq. 1

Letters: n samples, T places, D width, h heads, d = D / h.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.mlp import linear

SHORT = 256  # places up to which plain products are faster on a processor than the fused kernel


def attention_weights(q: Tensor, k: Tensor) -> Tensor:
    """Return how much each place looks at each, softmax(q kᵀ / √d): (n, h, T, d), (n, h, S, d) → (n, h, T, S)."""
    return (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return what each place takes from all: (n, h, T, d), (n, h, S, d) twice → (n, h, T, d)."""
    if q.device.type == "cpu" and k.shape[-2] <= SHORT:
        return attention_weights(q, k) @ v
    return scaled_dot_product_attention(q, k, v)


class SelfAttention(nn.Module):
    """Attention of places to one another with several heads, (n, T, D) → (n, T, D)."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.project = linear(width, 3 * width, "identity")
        self.join = linear(width, width, "identity")

    def forward(self, x: Tensor) -> Tensor:
        """Return what each place takes from all of them."""
        return self.join(attend(*self._heads(x)).transpose(1, 2).flatten(2))

    def weights(self, x: Tensor) -> Tensor:
        """Return how much each place looks at each, (n, h, T, T); the last axis sums to 1."""
        q, k, _ = self._heads(x)
        return attention_weights(q, k)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.project(x).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        return q, k, v


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)), (n, T, D) → (n, T, D).

    Normalised before each part, as in Xiong et al. 2020, arXiv:2002.04745.
    """

    def __init__(
        self, width: int, n_heads: int, *, hidden: int, activation: str = "gelu", dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = SelfAttention(width, n_heads)
        self.mlp = nn.Sequential(
            linear(width, hidden, "identity"),
            ACTIVATIONS[activation].module(),
            linear(hidden, width, activation),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the places after they looked at each other, and each at itself."""
        x = x + self.dropout(self.attention(self.first_norm(x)))
        return x + self.dropout(self.mlp(self.second_norm(x)))

    def weights(self, x: Tensor) -> Tensor:
        """Return how much each place looks at each, (n, h, T, T)."""
        return self.attention.weights(self.first_norm(x))


class Encoder(nn.Module):
    """Several blocks and a last normalisation, (n, T, D) → (n, T, D)."""

    def __init__(
        self, width: int, depth: int, n_heads: int, *, hidden: int, activation: str = "gelu", dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *(EncoderBlock(width, n_heads, hidden=hidden, activation=activation, dropout=dropout) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(width)
        with torch.no_grad():  # each block adds a share, so that the sum of all stays of one size
            for block in cast("Iterable[EncoderBlock]", self.blocks):
                for last in (block.attention.join, cast(nn.Linear, block.mlp[-1])):
                    if last.weight.device.type != "meta":
                        last.weight /= math.sqrt(2 * depth)

    def forward(self, x: Tensor) -> Tensor:
        """Return every place as all blocks have made it."""
        return self.norm(self.blocks(x))

    def weights(self, x: Tensor) -> list[Tensor]:
        """Return how much each place looks at each, (n, h, T, T) for every block."""
        weights = []
        for block in cast("Iterable[EncoderBlock]", self.blocks):
            weights.append(block.weights(x))
            x = block(x)
        return weights


def waves(grid: tuple[int, ...], width: int) -> Tensor:
    """Return a vector for every place of a grid, (T, D): sines and cosines of its row and of its column.

    Vaswani et al. 2017, section 3.5, for two axes as in Beyer, Zhai & Kolesnikov 2022, arXiv:2205.01580; wavelengths
    from a place to some hundred.
    """
    n = -(-width // 4)
    rates = math.pi / 100 ** (torch.arange(n) / n)
    rows, columns = torch.meshgrid(*(torch.arange(side) for side in grid), indexing="ij")
    angles = [places.flatten()[:, None] * rates for places in (rows, columns)]
    return torch.cat([wave(each) for each in angles for wave in (torch.sin, torch.cos)], 1)[:, :width]


class Patches(nn.Module):
    """Pictures cut into squares, each a vector, with a token for the whole and a learned vector for every place.

    (n, C, H, W) → (n, 1 + T, D), T = ⌈H / p⌉ ⌈W / p⌉; at the right and at the bottom the picture is continued.
    Dosovitskiy et al. 2021, arXiv:2010.11929, eq. 1.
    """

    def __init__(self, shape: tuple[int, int, int], patch: int, width: int) -> None:
        super().__init__()
        channels, *sides = shape
        self.patch = patch
        self.grid = tuple(-(-side // patch) for side in sides)
        self.missing = tuple(n * patch - side for n, side in zip(self.grid, sides, strict=True))
        self.embed = linear(channels * patch * patch, width, "identity")
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.empty(1, 1 + math.prod(self.grid), width))
        if self.places.device.type != "meta":
            self.places.data = torch.cat([torch.zeros(1, width), waves(self.grid, width)])[None]

    def forward(self, x: Tensor) -> Tensor:
        """Return the token and the patches, row by row, with their places added."""
        if any(self.missing):
            x = nn.functional.pad(x, (0, self.missing[1], 0, self.missing[0]), mode="replicate")
        n, channels, height, width = x.shape
        p = self.patch
        cut = x.reshape(n, channels, height // p, p, width // p, p).permute(0, 2, 4, 1, 3, 5)
        patches = self.embed(cut.reshape(n, -1, channels * p * p))
        return torch.cat([self.token.to(patches.dtype).expand(n, -1, -1), patches], 1) + self.places
