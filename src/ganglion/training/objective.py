"""What an algorithm wants: a name, the parameters it moves, and the loss that it lowers on a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from torch import Tensor, nn

Batch = Mapping[str, Tensor]
Loss = Callable[[Any, Batch], Tensor]


class ClosedForm(Protocol):
    """A loss that knows its gradient without autograd.

    The objective's parameters are views of `vector` until `release`; a call returns the loss of a batch and leaves its
    gradient in `gradient`, of which `gradients` are views in the order of the parameters.
    """

    vector: Tensor
    gradient: Tensor
    gradients: list[Tensor]

    def __call__(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, a scalar."""
        ...

    def release(self) -> None:
        """Give each parameter its own memory back."""
        ...


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
    closed_form : callable, optional
        `closed_form()` → the same loss as a `ClosedForm`. One process uses it in place of `loss` and autograd, with
        optimisers to which a vector is as good as a matrix.
    """

    def __init__(
        self,
        name: str,
        parameters: Iterable[nn.Parameter],
        loss: Loss,
        *,
        closed_form: Callable[[], ClosedForm] | None = None,
    ) -> None:
        self.name, self.closed_form = name, closed_form
        self.parameters: list[Tensor] = [parameter for parameter in parameters if parameter.requires_grad]
        self.loss = loss
