"""The loss of choosing one token out of a large vocabulary, without a table of all scores.

    s     = h E'                                                   h what is known, E the vectors of all tokens
    loss  = log Σ_v exp s_v - (1 - ε) s_y - ε mean_v s_v           cross-entropy with labels smoothed by ε
    slope = softmax(s) - (1 - ε) [v = y] - ε / V                   by s

Szegedy et al. 2016, arXiv:1512.00567, section 7. Tokens are walked over in pieces whose scores stay in the cache; a
piece's slope is had together with its loss, so that no score is computed twice, or kept. For 2,000 tokens of 8,000 the
library's kernels, whose tables go through memory, take more than twice as long, and as tables of ever other sizes leave
holes in the memory that a long training keeps.

Letters: N tokens, V of the vocabulary, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

PIECE = 2**20  # scores that are looked at together
STEP = 64  # tokens; pieces have a multiple of it


def token_cross_entropy(scores: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Return -log p(label) of each token, (N,), in float32 or float64.

    Parameters
    ----------
    scores : Tensor of shape (N, V)
        Logits, also in bfloat16.
    labels : Tensor of shape (N,), int64 in [0, V)
    label_smoothing : float in [0, 1)
        Share of the chance that all tokens share alike.
    """
    pieces = [_losses(scores[rows], labels[rows], label_smoothing)[1] for rows in _pieces(*scores.shape)]
    return torch.cat(pieces) if pieces else scores.sum(1)


def token_loss(
    known: Tensor, vectors: Tensor, labels: Tensor, weight: Tensor, *, label_smoothing: float = 0.0
) -> Tensor:
    """Return Σ weight · -log p(label) over all tokens, a scalar; its gradients by `known` and `vectors` are exact.

    Parameters
    ----------
    known : Tensor of shape (N, D)
        What each token is to be told from.
    vectors : Tensor of shape (V, D)
        The output layer: scores are `known @ vectors.T`.
    labels : Tensor of shape (N,), int64 in [0, V)
    weight : Tensor of shape (N,)
        How much each token counts.
    label_smoothing : float in [0, 1)
        Share of the chance that all tokens share alike.
    """
    if torch.is_autocast_enabled(known.device.type):
        dtype = torch.get_autocast_dtype(known.device.type)
        known, vectors = known.to(dtype), vectors.to(dtype)
    return _TokenLoss.apply(known, vectors, labels, weight, label_smoothing)


class _TokenLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, known: Tensor, vectors: Tensor, labels: Tensor, weight: Tensor, smoothing: float) -> Tensor:
        weight = weight.to(torch.promote_types(known.dtype, torch.float32))
        total = weight.new_zeros(())
        # few lengths of pieces: oneDNN compiles and keeps code for every shape that is multiplied
        missing = -len(known) % STEP
        known, labels, weight = (
            pad(each, (0, 0) * (each.dim() - 1) + (0, missing)) for each in (known, labels, weight)
        )
        by_known, by_vectors = torch.empty_like(known), torch.zeros_like(vectors, dtype=weight.dtype)
        for rows in _pieces(len(known), len(vectors)):
            scores, losses, sizes = _losses(known[rows] @ vectors.T, labels[rows], smoothing)
            total += losses @ weight[rows]
            if not any(ctx.needs_input_grad):
                continue
            slope = scores.sub_(sizes[:, None]).exp_()
            if smoothing:
                slope -= smoothing / len(vectors)
            slope.scatter_add_(1, labels[rows, None], slope.new_full((len(slope), 1), smoothing - 1))
            slope = slope.mul_(weight[rows, None]).to(known.dtype)
            by_known[rows] = slope @ vectors
            by_vectors += slope.T @ known[rows]
        ctx.save_for_backward(by_known[: len(by_known) - missing], by_vectors.to(vectors.dtype))
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        by_known, by_vectors = ctx.saved_tensors
        return by_known * gradients[0], by_vectors * gradients[0], None, None, None


def _losses(scores: Tensor, labels: Tensor, smoothing: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores of tokens, (n, V), in float32 or float64, their losses, (n,), and log Σ exp of each, (n,)."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    sizes = scores.logsumexp(1)
    said = scores.gather(1, labels[:, None])[:, 0]
    return scores, sizes - (said.lerp(scores.mean(1), smoothing) if smoothing else said), sizes


def _pieces(n: int, n_tokens: int) -> Iterator[slice]:
    step = max(1, PIECE // n_tokens // STEP) * STEP
    return (slice(i, i + step) for i in range(0, n, step))
