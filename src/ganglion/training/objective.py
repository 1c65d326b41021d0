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
    every : int >= 1
        It takes a step on each so many-th batch, from the first on; a critic may take several to a generator's one.
    rate : float > 0
        Times the learning rate of the run (Heusel et al. 2017, arXiv:1706.08500: two time scales).
    after : callable, optional
        Called after each of its steps, without gradients: a moving average of weights goes on, say.
    """

    def __init__(
        self,
        name: str,
        parameters: Iterable[nn.Parameter],
        loss: Loss,
        *,
        closed_form: Callable[[], ClosedForm] | None = None,
        every: int = 1,
        rate: float = 1.0,
        after: Callable[[], None] | None = None,
    ) -> None:
        if every < 1 or rate <= 0:
            raise ValueError(f"Objective({name!r}, every={every}, rate={rate}): every is 1 or more, rate above 0.")
        self.name, self.closed_form = name, closed_form
        self.every, self.rate, self.after = every, rate, after
        self.parameters: list[Tensor] = [parameter for parameter in parameters if parameter.requires_grad]
        self.loss = loss
