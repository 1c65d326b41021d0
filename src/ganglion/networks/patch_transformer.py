"""Transformer over patches of a series, each column by itself.

    patches   P steps each, S apart; the window's end is continued by S steps                 N = ⌊(L - P) / S⌋ + 2
    z_0       = W_p patch + W_pos,   z = encoder(z_0),   y = W [z_1 … z_N] + b                N D → H n

Nie et al. 2023, arXiv:2211.14730 (PatchTST), sections 3.1 and 3.2: all columns share the weights, and none sees another
(`networks.series.Level` is its instance normalisation). Differs: blocks normalise before each part and over the width,
not after it and over the batch. Covariates known ahead are added linearly; others are not looked at.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganglion.networks.attention import Encoder
from ganglion.networks.dropout import Dropout
from ganglion.networks.mlp import linear
from ganglion.networks.series import Shape


class PatchTransformer(nn.Module):
    """PatchTST: columns (b, c, L), and those known ahead (b, k, H) → (b, t, H, n).

    Parameters
    ----------
    shape : Shape
    width, layers, heads, hidden : int
        Numbers of a patch, D; blocks; heads of each attention; units of each block's MLP.
    patch, stride : int
        Steps of a patch, and from one to the next.
    dropout : float
        Share silenced in training.
    """

    def __init__(
        self,
        shape: Shape,
        width: int,
        *,
        layers: int,
        heads: int,
        hidden: int,
        patch: int = 16,
        stride: int = 8,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape, self.stride = shape, stride
        self.patch = min(patch, shape.length + stride)
        n_patches = (shape.length + stride - self.patch) // stride + 1
        self.embed = linear(self.patch, width, "identity")
        self.places = nn.Parameter(torch.empty(n_patches, width))
        if self.places.device.type != "meta":
            nn.init.uniform_(self.places, -0.02, 0.02)
        self.encoder = Encoder(width, layers, heads, hidden=hidden, dropout=dropout)
        self.dropout = Dropout(dropout)
        self.head = linear(n_patches * width, shape.horizon * shape.n_out, "identity")
        self.ahead = nn.Parameter(torch.zeros(shape.targets, shape.ahead)) if shape.ahead else None

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        """Return what is told of each step."""
        t = self.shape.targets
        seen = x[:, :t] if self.ahead is None else x[:, :t] - self.ahead @ x[:, t + self.shape.past :]
        seen = nn.functional.pad(seen.flatten(0, 1)[:, None], (0, self.stride), mode="replicate")[:, 0]
        patches = self.embed(seen.unfold(1, self.patch, self.stride)) + self.places
        read = self.encoder(self.dropout(patches)).flatten(1)
        y = self.head(self.dropout(read)).view(x.shape[0], t, self.shape.horizon, self.shape.n_out)
        return y if self.ahead is None else y + (self.ahead @ known)[..., None]
