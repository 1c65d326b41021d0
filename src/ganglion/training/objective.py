"""What an algorithm wants: a name, the parameters it moves, and the loss that it lowers on a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn

Batch = Mapping[str, Tensor]
Loss = Callable[[Any, Batch], Tensor]


class Objective:
    """A loss and the parameters that lower it.

    Supervised learning has one; a GAN has two, critic and generator; an RBM's loss is the free-energy gap between
    data and its Gibbs chain.

    Parameters
    ----------
    name : str
        Stands in `history_` beside the loss.
    parameters : iterable of Parameter
        The parameters that this objective moves; others are left alone.
    loss : callable
        `loss(network, batch)` → a scalar, the mean over the batch.
    """

    def __init__(self, name: str, parameters: Iterable[nn.Parameter], loss: Loss) -> None:
        self.name = name
        self.parameters: list[Tensor] = [parameter for parameter in parameters if parameter.requires_grad]
        self.loss = loss
