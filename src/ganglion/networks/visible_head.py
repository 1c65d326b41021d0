"""From the raw numbers of a generator to data as the critic sees them.

    number      v = raw
    pixel       v = tanh(raw), between -1 and 1
    category    p = softmax((raw + g) / τ),  g = -log(-log u),  v = the largest of p as 0 and 1

whose gradient is that of p (straight through): Jang, Gu & Poole 2017, arXiv:1611.01144, eq. 1-2 and section 2.2. With g
the largest of raw + g is category k with the chance softmax(raw)_k (Gumbel 1954), so that samples are as varied as the
generator says, and the critic sees no shares between 0 and 1, which data never have.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TEMPERATURE = 0.5  # τ
SMALLEST = 1e-20


class VisibleHead(nn.Module):
    """Raw numbers to data in visible space, (n, d) → (n, d).

    Parameters
    ----------
    blocks : sequence of (str, int)
        What the numbers are, in order: "number", "pixel" or "category", and how many of them.
    temperature : float > 0
        τ: small ones make gradients exact and noisy.
    """

    def __init__(self, blocks: Sequence[tuple[str, int]], temperature: float = TEMPERATURE) -> None:
        super().__init__()
        self.blocks, self.temperature = list(blocks), temperature
        self.kinds = {kind for kind, _ in self.blocks}

    def forward(self, raw: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return data; what is random in them comes from `generator`, or from torch's own."""
        if self.kinds == {"number"}:
            return raw
        if self.kinds == {"pixel"}:
            return raw.tanh()
        parts = zip(self.blocks, raw.split([width for _, width in self.blocks], dim=1), strict=True)
        return torch.cat([self._of(kind, part, generator) for (kind, _), part in parts], dim=1)

    def _of(self, kind: str, raw: Tensor, generator: torch.Generator | None) -> Tensor:
        if kind == "category":
            return chosen(raw, self.temperature, generator)
        return raw.tanh() if kind == "pixel" else raw


def chosen(raw: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
    """Return one category a row as 0 and 1, (n, k), drawn with the chances softmax(raw)."""
    exponential = -torch.rand(raw.shape, generator=generator, device=raw.device, dtype=raw.dtype).clamp_(SMALLEST).log()
    soft = ((raw - exponential.clamp_(SMALLEST).log()) / temperature).softmax(dim=1)
    hard = F.one_hot(soft.detach().argmax(dim=1), raw.shape[1]).to(raw.dtype)
    return hard + soft - soft.detach()
