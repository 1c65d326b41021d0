"""Forecasts that are linear in what was seen: trend and season, each by a matrix.

    x_T = moving average of x over k steps, its ends continued       x_S = x - x_T
    y = W_S x_S + W_T x_T + b                                       Zeng et al. 2023, arXiv:2205.13504, DLinear

Every column has the same W, or each its own (`individual`). What is known ahead counts at every step alike, A k: it is
taken from what was seen, and given to what comes. Letters as in `networks.series`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganglion.networks.series import Shape


class Decomposition(nn.Module):
    """DLinear: columns (b, c, L), and those known ahead (b, k, H) → (b, t, H, n).

    Parameters
    ----------
    shape : Shape
    kernel : int
        Steps of the moving average.
    individual : bool
        Whether each target has matrices of its own.

    Notes
    -----
    The moving average is a matrix M, so that y = x (W_S + Mᵀ (W_T - W_S)) + b: the matrices are put together, not the
    windows taken apart, of which there are more.
    """

    def __init__(self, shape: Shape, *, kernel: int = 25, individual: bool = False) -> None:
        super().__init__()
        self.shape, n_out = shape, shape.horizon * shape.n_out
        self.kernel = kernel
        self._average: Tensor | None = None  # made when it is first needed
        several = (shape.targets,) if individual else ()
        start = torch.full((*several, shape.length, n_out), 1 / shape.length)  # a forecast begins as the window's mean
        self.season, self.trend = nn.Parameter(start), nn.Parameter(start.clone())
        self.bias = nn.Parameter(torch.zeros(*several, n_out))
        self.ahead = nn.Parameter(torch.zeros(shape.targets, shape.ahead)) if shape.ahead else None
        self.past = nn.Parameter(torch.zeros(shape.past, shape.length, n_out)) if shape.past else None
        self.join = nn.Parameter(torch.ones(shape.targets, shape.past)) if shape.past else None

    def weight(self) -> Tensor:
        """Return the matrix that season and trend come to, (L, H n), or (t, L, H n)."""
        return self.season + self.average().t() @ (self.trend - self.season)

    def average(self) -> Tensor:
        """Return the moving average as a matrix, (L, L)."""
        like = self.season
        if self._average is None or (self._average.dtype, self._average.device) != (like.dtype, like.device):
            with torch.inference_mode(False):
                self._average = moving_average(self.shape.length, self.kernel).to(like)
        return self._average

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        """Return forecasts of the targets."""
        t, past = self.shape.targets, self.shape.past
        seen = x[:, :t] if self.ahead is None else x[:, :t] - self.ahead @ x[:, t + past :]
        if self.season.dim() == 2:
            y = torch.nn.functional.linear(seen, self.weight().t(), self.bias)
        else:
            y = torch.einsum("btl,tlh->bth", seen, self.weight()) + self.bias
        if self.past is not None and self.join is not None:
            told = torch.einsum("bpl,plh->bph", x[:, t : t + past], self.past)
            y = y + self.join @ told
        y = y.unflatten(2, (self.shape.horizon, self.shape.n_out))
        return y if self.ahead is None else y + (self.ahead @ known)[..., None]


def moving_average(length: int, kernel: int) -> Tensor:
    """Return the matrix M, (L, L): M x is the mean of x over `kernel` steps around each, the ends continued."""
    steps, around = torch.arange(length), torch.arange(kernel) - (kernel - 1) // 2
    places = (steps[:, None] + around).clamp(0, length - 1)
    share = torch.full((length, kernel), 1 / kernel)
    return torch.zeros(length, length).scatter_add_(1, places, share)
