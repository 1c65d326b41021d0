"""Losses of forecasts: scores of each window, target and step against what came, all in standardised units.

    mse, mae, huber    of the score                                            Huber 1964, with δ = 1
    quantiles          mean over the levels of max(q e, (q - 1) e)             Koenker & Bassett 1978
    gaussian           ½ (log v + (y - m)² / v + log 2π)                       Nix & Weigend 1994

Letters: b windows, t targets, H steps ahead, n scores for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

ForecastLoss = Literal["quantiles", "gaussian", "mse", "mae", "huber"]
EachLoss = Callable[[Tensor, Tensor], Tensor]
LEAST_LOG_VARIANCE = -14.0  # so that a perfect fit cannot run away to infinity
_OF_POINTS: dict[str, Callable[..., Tensor]] = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}


def forecast_loss(
    kind: ForecastLoss, scores: Tensor, target: Tensor, levels: Sequence[float] = (), counts: Tensor | None = None
) -> Tensor:
    """Return the mean loss of a batch, a scalar.

    Parameters
    ----------
    kind : {"quantiles", "gaussian", "mse", "mae", "huber"}
    scores : Tensor of shape (b, t, H, n)
        n is the number of levels, 2 for gaussian (mean, logarithm of the variance), else 1.
    target : Tensor of shape (b, t, H)
    levels : sequence of float
        Of the quantiles.
    counts : Tensor of shape (b, t, H), optional
        How much each number counts; 0 for one that was missing.
    """
    scores = scores.float() if scores.dtype == torch.bfloat16 else scores
    if counts is None and kind in _OF_POINTS:
        return _OF_POINTS[kind](scores.squeeze(3), target)
    each = _each(kind, scores, target, levels)
    return each.mean() if counts is None else (each * counts).mean()


def _each(kind: str, scores: Tensor, target: Tensor, levels: Sequence[float]) -> Tensor:
    """Return the loss of every number, (b, t, H)."""
    if kind == "quantiles":
        error = target[..., None] - scores
        q = scores.new_tensor(levels)
        return torch.maximum(q * error, (q - 1) * error).mean(3)
    if kind == "gaussian":
        mean, log_variance = scores[..., 0], scores[..., 1].clamp(min=LEAST_LOG_VARIANCE)
        return 0.5 * (log_variance + (target - mean).square() * (-log_variance).exp() + math.log(2 * math.pi))
    return _OF_POINTS[kind](scores.squeeze(3), target, reduction="none")


def forecast_loss_and_slope(
    kind: ForecastLoss, scores: Tensor, target: Tensor, levels: Sequence[float] = (), counts: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the loss of `forecast_loss`, and its gradient by the scores, (b, t, H, n); not of gaussian."""
    error = scores - target[..., None]
    if kind == "quantiles":
        q = scores.new_tensor(levels)
        slope = (error > 0).to(error.dtype) - q
        each = error * slope
    elif kind == "mse":
        each, slope = error.square(), 2 * error
    elif kind == "mae":
        each, slope = error.abs(), error.sign()
    else:
        slope = error.clamp(-1, 1)
        each = slope * (error - slope / 2)
    if counts is not None:
        each, slope = each * counts[..., None], slope * counts[..., None]
    return each.mean(), slope / slope.numel()
