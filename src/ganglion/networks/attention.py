"""Attention as blocks: every place looks at all places, and takes from each as much as it finds it fitting.

    A = softmax(Q Kᵀ / √d),   attended = A V                          Vaswani et al. 2017, arXiv:1706.03762, eq. 1

Letters: n samples, T places, D width, h heads, d = D / h.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.dropout import Dropout
from ganglion.networks.mlp import linear
from ganglion.networks.positions import rotated

SHORT = 256  # places up to which plain products are faster on a processor than the fused kernel


def attention_weights(q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return how much each place looks at each, softmax(q kᵀ / √d + bias): (n, h, T, d), (n, h, S, d) → (n, h, T, S).

    `bias` is broadcast to (n, h, T, S); where it is -inf, nothing is looked at (see `only` and `causal`).
    """
    fitting = (q / math.sqrt(q.shape[-1])) @ k.transpose(-2, -1)  # there are fewer queries than pairs
    return (fitting if bias is None else fitting + bias.to(fitting.dtype)).softmax(-1)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return what each place takes from all: (n, h, T, d), (n, h, S, d) twice → (n, h, T, d)."""
    if torch.compiler.is_exporting() or (q.device.type == "cpu" and k.shape[-2] <= SHORT):
        return attention_weights(q, k, bias) @ v
    return scaled_dot_product_attention(q, k, v, None if bias is None else bias.to(q.dtype))


def only(there: Tensor) -> Tensor:
    """Return a bias with which every place looks only where `there`, (n, S) bool, is true: (n, 1, 1, S)."""
    return torch.zeros(there.shape, device=there.device).masked_fill_(~there, -math.inf)[:, None, None]


def causal(n_places: int, n_seen: int = 0, *, device: torch.device | None = None) -> Tensor:
    """Return a bias with which a place looks at those before it and at itself, (T, S).

    The T places come behind `n_seen` others, so that S = n_seen + T.
    """
    return torch.full((n_places, n_seen + n_places), -math.inf, device=device).triu_(1 + n_seen)


class Kept:
    """Keys and values of places that were read already, (n, h, S, d): what comes after them need not read them again.

    Attributes
    ----------
    k, v : Tensor of shape (n, h, S, d), or None
        None before the first.
    """

    def __init__(self) -> None:
        self.k: Tensor | None = None
        self.v: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.k is None else self.k.shape[2]

    def add(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keep further places, (n, h, T, d), and return all that there are."""
        self.k = k if self.k is None else torch.cat([self.k, k], 2)
        self.v = v if self.v is None else torch.cat([self.v, v], 2)
        return self.k, self.v

    def take(self, rows: Tensor) -> None:
        """Go on with the samples `rows`, (m,) int64: left out, in another order, or several times."""
        if self.k is not None and self.v is not None:
            self.k, self.v = self.k[rows], self.v[rows]


class SelfAttention(nn.Module):
    """Attention of places to one another with several heads, (n, T, D) → (n, T, D).

    With `rotary`, queries and keys are turned by the angles of their places (see `positions`).
    """

    def __init__(self, width: int, n_heads: int, *, rotary: bool = False) -> None:
        super().__init__()
        self.n_heads, self.rotary = n_heads, rotary
        self.project = linear(width, 3 * width, "identity")
        self.join = linear(width, width, "identity")

    def forward(self, x: Tensor, bias: Tensor | None = None, kept: Kept | None = None) -> Tensor:
        """Return what each place takes from all of them, and from those that were kept before."""
        q, k, v = self._heads(x, first=0 if kept is None else len(kept))
        k, v = (k, v) if kept is None else kept.add(k, v)
        return self.join(attend(q, k, v, bias).transpose(1, 2).flatten(2))

    def weights(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return how much each place looks at each, (n, h, T, T); the last axis sums to 1."""
        q, k, _ = self._heads(x)
        return attention_weights(q, k, bias)

    def _heads(self, x: Tensor, *, first: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.project(x).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        return (rotated(q, first=first), rotated(k, first=first), v) if self.rotary else (q, k, v)


class CrossAttention(nn.Module):
    """Attention of places to those of another sequence, (n, T, D), (n, S, D) → (n, T, D)."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.ask = linear(width, width, "identity")
        self.project = linear(width, 2 * width, "identity")
        self.join = linear(width, width, "identity")

    def read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of the other sequence, (n, h, S, d) each; they are the same for every place."""
        k, v = self.project(source).unflatten(-1, (2, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        return k, v

    def forward(self, x: Tensor, read: tuple[Tensor, Tensor], bias: Tensor | None = None) -> Tensor:
        """Return what each place takes from the other sequence, of which `read` was made."""
        return self.join(attend(self._asked(x), *read, bias).transpose(1, 2).flatten(2))

    def weights(self, x: Tensor, read: tuple[Tensor, Tensor], bias: Tensor | None = None) -> Tensor:
        """Return how much each place looks at each of the other sequence, (n, h, T, S)."""
        return attention_weights(self._asked(x), read[0], bias)

    def _asked(self, x: Tensor) -> Tensor:
        return self.ask(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)), (n, T, D) → (n, T, D).

    Normalised before each part, as in Xiong et al. 2020, arXiv:2002.04745.
    """

    def __init__(
        self,
        width: int,
        n_heads: int,
        *,
        hidden: int,
        activation: str = "gelu",
        dropout: float = 0.0,
        rotary: bool = False,
    ) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = SelfAttention(width, n_heads, rotary=rotary)
        self.mlp = nn.Sequential(
            linear(width, hidden, "identity"),
            ACTIVATIONS[activation].module(),
            linear(hidden, width, activation),
        )
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor | None = None, kept: Kept | None = None) -> Tensor:
        """Return the places after they looked at each other, and each at itself."""
        x = x + self.dropout(self.attention(self.first_norm(x), bias, kept))
        return x + self.dropout(self.mlp(self.second_norm(x)))

    def weights(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return how much each place looks at each, (n, h, T, T)."""
        return self.attention.weights(self.first_norm(x), bias)


class Encoder(nn.Module):
    """Several blocks and a last normalisation, (n, T, D) → (n, T, D).

    With `bias=causal(T)` no place sees what comes after it: that is how a language model reads.
    """

    def __init__(
        self,
        width: int,
        depth: int,
        n_heads: int,
        *,
        hidden: int,
        activation: str = "gelu",
        dropout: float = 0.0,
        rotary: bool = False,
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *(
                EncoderBlock(width, n_heads, hidden=hidden, activation=activation, dropout=dropout, rotary=rotary)
                for _ in range(depth)
            )
        )
        self.norm = nn.LayerNorm(width)
        with torch.no_grad():  # each block adds a share, so that the sum of all stays of one size
            for block in cast("Iterable[EncoderBlock]", self.blocks):
                for last in (block.attention.join, cast(nn.Linear, block.mlp[-1])):
                    if last.weight.device.type != "meta":
                        last.weight /= math.sqrt(2 * depth)

    def forward(self, x: Tensor, bias: Tensor | None = None, kept: Sequence[Kept] | None = None) -> Tensor:
        """Return every place as all blocks have made it.

        Parameters
        ----------
        x : Tensor of shape (n, T, D)
        bias : Tensor, broadcast to (n, h, T, S), optional
            Added before each softmax: `only(there)` hides filling, `causal(T)` what comes later; both may be added.
        kept : sequence of Kept, optional
            One a block; `x` then comes behind what they hold, and joins it.
        """
        for i, block in enumerate(self.blocks):
            x = block(x, bias, None if kept is None else kept[i])
        return self.norm(x)

    def weights(self, x: Tensor, bias: Tensor | None = None) -> list[Tensor]:
        """Return how much each place looks at each, (n, h, T, T) for every block."""
        weights = []
        for block in cast("Iterable[EncoderBlock]", self.blocks):
            weights.append(block.weights(x, bias))
            x = block(x, bias)
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
