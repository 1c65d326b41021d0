"""How the next token is drawn from the scores of all: temperature, the k likeliest, the nucleus.

    p = softmax(s / temperature),   kept: the k largest, and of them the fewest that hold top_p of the chance

The nucleus is Holtzman et al. 2020, arXiv:1904.09751; the token that reaches top_p is kept.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def chances(
    scores: Tensor, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """Return the chance of each token to be drawn.

    Parameters
    ----------
    scores : Tensor of shape (n, n_tokens), float
        -inf where a token must not be drawn.
    temperature : float
        Below 1 likely tokens become likelier; 0 always takes the likeliest.
    top_k : int, optional
        Only so many tokens can be drawn.
    top_p : float in (0, 1], optional
        Only the likeliest tokens that hold this much of the chance together can be drawn.

    Returns
    -------
    Tensor of shape (n, n_tokens), float64
        Rows sum to 1.
    """
    scores = scores.double()
    if temperature == 0:
        scores, top_k, temperature = scores, 1, 1.0
    scores = (scores - scores.amax(1, keepdim=True)) / temperature  # never overflows, however cold
    order = scores.argsort(dim=1, descending=True, stable=True)
    sorted_p = scores.gather(1, order).softmax(1)
    kept = torch.ones_like(sorted_p, dtype=torch.bool)
    if top_k is not None:
        kept[:, top_k:] = False
        sorted_p = sorted_p.masked_fill(~kept, 0.0)
        sorted_p = sorted_p / sorted_p.sum(1, keepdim=True)
    if top_p is not None:
        kept &= sorted_p.cumsum(1) - sorted_p < top_p  # what came before does not reach it yet
        kept[:, 0] = True
    dropped = torch.zeros_like(kept).scatter_(1, order, ~kept)
    return scores.masked_fill(dropped, -math.inf).softmax(1)


def draw(scores: Tensor, generator: torch.Generator, **law: float | int | None) -> Tensor:
    """Return a token for each row of scores, (n,) int64, drawn by `chances`."""
    return torch.multinomial(chances(scores, **law), 1, generator=generator)[:, 0]  # type: ignore[arg-type]
