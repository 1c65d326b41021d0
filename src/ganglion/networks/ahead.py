"""From what a network knows of a window to numbers for each step ahead."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganglion.networks.mlp import linear
from ganglion.networks.recurrent import Recurrent
from ganglion.networks.series import Shape


class Ahead(nn.Module):
    """What is known of a window, (b, D), and of the steps ahead, (b, k, H) → (b, t, H, n).

    Without columns that are known ahead one linear layer; with them a layer for each step besides, of the window, of
    what is known of that step, and of which step it is.
    """

    def __init__(self, n_in: int, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.direct = linear(n_in, shape.targets * shape.horizon * shape.n_out, "identity")
        if shape.ahead:
            self.window, self.step = linear(n_in, n_in, "relu"), linear(shape.ahead, n_in, "relu", bias=False)
            self.place = nn.Parameter(torch.zeros(shape.horizon, n_in))
            self.join = linear(n_in, shape.targets * shape.n_out, "relu")

    def forward(self, state: Tensor, known: Tensor) -> Tensor:
        """Return what is told of each step."""
        t, horizon, n = self.shape.targets, self.shape.horizon, self.shape.n_out
        direct = self.direct(state).view(state.shape[0], t, horizon, n)
        if not self.shape.ahead:
            return direct
        hidden = (self.window(state)[:, None] + self.step(known.transpose(1, 2)) + self.place).relu()
        return direct + self.join(hidden).view(state.shape[0], horizon, t, n).transpose(1, 2)


class RecurrentForecast(nn.Module):
    """Recurrent layers read the steps, and what they know at the end tells all that come: (b, c, L) → (b, t, H, n)."""

    def __init__(self, cells: Recurrent, shape: Shape) -> None:
        super().__init__()
        self.cells, self.ahead = cells, Ahead(cells.n_out, shape)

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        """Return what is told of each step."""
        steps = self.cells.go_on(x.transpose(1, 2).contiguous(), [None] * len(self.cells.layers))
        return self.ahead(steps[:, -1], known)
