"""Where a place stands in its sequence: attention alone would read a sequence as a bag.

    sinusoidal   P(t, 2i) = sin(t / 10000^(2i / D)),  P(t, 2i + 1) = cos(…)    added; Vaswani et al. 2017, section 3.5
    learned      P(t) a vector of its own, for as many places as there are     added; Gehring et al. 2017, section 3.1
    rotary       queries and keys are turned by the angles of their places:    Su et al. 2021, arXiv:2104.09864, eq. 34
                 (a, b) → (a cos - b sin, a sin + b cos)

Letters: n samples, T places, D width, h heads, d = D / h.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ganglion.errors import InvalidInput

Kind = Literal["sinusoidal", "learned", "rotary"]


def angles(n_places: int, width: int, *, first: int = 0, device: torch.device | None = None) -> Tensor:
    """Return t / 10000^(2i / D) for the places t = first, first + 1, … and i = 0 … D / 2 - 1: (T, ⌈D / 2⌉)."""
    rates = 10000.0 ** (-torch.arange(0, width, 2, device=device) / width)
    return torch.arange(first, first + n_places, device=device)[:, None] * rates


def sinusoids(n_places: int, width: int, *, first: int = 0, device: torch.device | None = None) -> Tensor:
    """Return a vector of sines and cosines for every place from `first` on, (T, D)."""
    turned = angles(n_places, width, first=first, device=device)
    return torch.stack([turned.sin(), turned.cos()], 2).flatten(1)[:, :width]


def rotated(x: Tensor, *, first: int = 0) -> Tensor:
    """Return queries or keys, (n, h, T, d) of even d, turned by the angles of their places, the first one `first`.

    The product of a turned query and a turned key depends on how far apart they stand, not on where.
    """
    exact = torch.promote_types(x.dtype, torch.float32)  # in bfloat16 far places would be one
    turned = angles(x.shape[2], x.shape[3], first=first, device=x.device).to(exact)
    sin, cos = turned.sin().to(x.dtype), turned.cos().to(x.dtype)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], 4).flatten(3)


class Positions(nn.Module):
    """Vectors of places are added to those of tokens, (n, T, D) → (n, T, D); rotary ones are left to attention.

    Parameters
    ----------
    kind : {"sinusoidal", "learned", "rotary"}
    width : int
        D.
    most : int
        Places that learned vectors are for; the other kinds know no limit.
    scale : float
        Size of the added vectors beside that of sines and cosines; those that are learned begin as these.

    Raises
    ------
    InvalidInput
        By `forward`, if a sequence has more places than were learned.
    """

    def __init__(self, kind: Kind, width: int, most: int, *, scale: float = 1.0) -> None:
        super().__init__()
        self.kind, self.width, self.scale = kind, width, scale
        if kind == "learned":
            self.vectors = nn.Parameter(torch.empty(most, width))
            if self.vectors.device.type != "meta":
                self.vectors.data = scale * sinusoids(most, width)

    def forward(self, x: Tensor, *, first: int = 0) -> Tensor:
        """Return the places with their vectors added; the first of them is place number `first`."""
        if self.kind == "rotary":
            return x
        end = first + x.shape[1]
        if self.kind == "sinusoidal":
            return x + self.scale * sinusoids(x.shape[1], self.width, first=first, device=x.device).to(x.dtype)
        if end > len(self.vectors):
            raise too_long(end, len(self.vectors))
        return x + self.vectors[first:end]


def too_long(length: int, most: int) -> InvalidInput:
    """Return the error for a sequence with more places than were learned."""
    return InvalidInput(
        f"a sequence of {length:,} steps was given, but vectors of places were learned for {most:,}. Give shorter "
        "sequences, or parts of this one; or train with positions='sinusoidal' or 'rotary', which have no end."
    )
