"""The transformer of two halves: an encoder reads a sequence, a decoder says another, looking back at the first.

    z = encoder(x + P)                                            every place of the source looks at all of them
    y'  = y + A(LN y, LN y, LN y)     A looks at places before     every place of the answer looks at those before it,
    y'' = y' + A(LN y', z, z)         A looks at the source        then at the source,
    out = y'' + MLP(LN y'')                                        then at itself; so in every block

Vaswani et al. 2017, arXiv:1706.03762, figure 1; normalised before each part (Xiong et al. 2020, arXiv:2002.04745).

Letters: n samples, S places of the source, T of the answer, D width, h heads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.attention import CrossAttention, Encoder, Kept, SelfAttention, causal, only
from ganglion.networks.dropout import Dropout
from ganglion.networks.mlp import linear
from ganglion.networks.positions import sinusoids
from ganglion.networks.sequences import Steps


class TransformerReading:
    """What a decoder knows: keys and values of the source for every block, and of what it has said so far."""

    def __init__(self, source: list[tuple[Tensor, Tensor]], bias: Tensor | None) -> None:
        self.source, self.bias = source, bias
        self.kept = [Kept() for _ in source]

    @property
    def n_said(self) -> int:
        """How many tokens were said so far."""
        return len(self.kept[0])

    def take(self, rows: Tensor) -> None:
        """Go on with the samples `rows`, (m,) int64: left out, in another order, or several times."""
        self.source = [(k[rows], v[rows]) for k, v in self.source]
        self.bias = None if self.bias is None else self.bias[rows]
        for each in self.kept:
            each.take(rows)


class DecoderBlock(nn.Module):
    """A place of the answer looks at those before it, at the source, and at itself, (n, T, D) → (n, T, D)."""

    def __init__(
        self, width: int, n_heads: int, *, hidden: int, activation: str = "gelu", dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.first_norm, self.second_norm, self.third_norm = (nn.LayerNorm(width) for _ in range(3))
        self.attention, self.source = SelfAttention(width, n_heads), CrossAttention(width, n_heads)
        self.mlp = nn.Sequential(
            linear(width, hidden, "identity"),
            ACTIVATIONS[activation].module(),
            linear(hidden, width, activation),
        )
        self.dropout = Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        source: tuple[Tensor, Tensor],
        kept: Kept,
        *,
        ahead: Tensor | None = None,
        filling: Tensor | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """Return the places of the answer as this block makes them; `weights` is given how they looked at the source.

        Parameters
        ----------
        x : Tensor of shape (n, T, D)
        source : pair of Tensor of shape (n, h, S, d)
            Keys and values of the source.
        kept : Kept
            Those of the answer so far; the new ones join them.
        ahead, filling : Tensor, optional
            Biases that hide what comes later in the answer, and what fills up the source.
        weights : list, optional
            Gets the weights of this block, (n, h, T, S).
        """
        x = x + self.dropout(self.attention(self.first_norm(x), ahead, kept))
        asking = self.second_norm(x)
        if weights is not None:
            weights.append(self.source.weights(asking, source, filling))
        x = x + self.dropout(self.source(asking, source, filling))
        return x + self.dropout(self.mlp(self.third_norm(x)))


class TransformerPair(nn.Module):
    """Encoder and decoder of equal depth.

    Parameters
    ----------
    width, depth, n_heads : int
        Of both.
    hidden, activation : int, str
        Units of the MLP in each block, and their nonlinearity.
    dropout : float
        Share of what comes in, and of what each block adds, that is silenced in training.
    """

    def __init__(
        self, width: int, depth: int, n_heads: int, *, hidden: int, activation: str = "gelu", dropout: float = 0.0
    ) -> None:
        super().__init__()
        settings = {"hidden": hidden, "activation": activation, "dropout": dropout}
        self.scale = math.sqrt(width)  # vectors of deviation 1 / √D, as the output layer wants them, beside places
        self.encoder = Encoder(width, depth, n_heads, hidden=hidden, activation=activation, dropout=dropout)
        self.blocks = nn.ModuleList(DecoderBlock(width, n_heads, **settings) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        with torch.no_grad():  # as in `Encoder`: each part adds a share
            for block in cast("Iterable[DecoderBlock]", self.blocks):
                for last in (block.attention.join, block.source.join, cast(nn.Linear, block.mlp[-1])):
                    if last.weight.device.type != "meta":
                        last.weight /= math.sqrt(3 * depth)

    def read(self, source: Steps) -> TransformerReading:
        """Return what the decoder looks back at, from the vectors of a source, (n, S, D)."""
        bias = None if source.full else only(source.there)
        z = self.encoder(self._placed(source.x), bias)
        return TransformerReading([block.source.read(z) for block in self._blocks], bias)

    def answer(self, reading: TransformerReading, said: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        """Return what is to be said after each token, from the vectors of those that were said, (n, T, D) → (n, T, D).

        Those of earlier calls with the same `reading` come before them.
        """
        x, n_seen = self._placed(said, reading.n_said), reading.n_said
        ahead = causal(x.shape[1], n_seen, device=x.device) if x.shape[1] > 1 else None
        for block, source, kept in zip(self._blocks, reading.source, reading.kept, strict=True):
            x = block(x, source, kept, ahead=ahead, filling=reading.bias, weights=weights)
        return self.norm(x)

    def alignment(self, reading: TransformerReading, said: Tensor) -> Tensor:
        """Return how much each token of an answer looked at each of the source, (n, T, S): the mean over the heads.

        That of the last block but one where there are several: the last looks at what it will say.
        """
        weights: list[Tensor] = []
        self.answer(reading, said, weights)
        return weights[max(0, len(weights) - 2)].mean(1)

    @property
    def _blocks(self) -> list[DecoderBlock]:
        return list(cast("Iterable[DecoderBlock]", self.blocks))

    def _placed(self, x: Tensor, first: int = 0) -> Tensor:
        places = sinusoids(x.shape[1], x.shape[2], first=first, device=x.device)
        return self.dropout(x * self.scale + places.to(x.dtype))
