"""An optimiser's state as a checkpoint holds it: whole tensors, one a parameter, however this process keeps them.

One process may keep it packed in a vector (`ClosedForm`), one of several workers has a part of it (`sharding`); what
any of them wrote, another number of workers can go on from.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganglion.training.objective import ClosedForm
from ganglion.training.optimizers import State
from ganglion.training.sharding import cut, is_sharded, whole


class Layout:
    """How the state of one objective's optimiser stands here, and in a checkpoint.

    Parameters
    ----------
    parameters : sequence of Tensor or DTensor
        What the objective moves.
    closed : ClosedForm or None
        What has packed them into a vector, if anything.
    started : State
        The optimiser's state before the first step.
    """

    def __init__(self, parameters: Sequence[Tensor], closed: ClosedForm | None, started: State) -> None:
        self.parameters, self.closed = parameters, closed
        self.sharded = any(map(is_sharded, parameters))
        # a list that begins empty is not one of parameters: it remembers whole steps, flat
        self._first = {name: several[0] for name, several in started.items() if several}

    def whole(self, state: State) -> State:
        """Return the state for a checkpoint; every worker must ask for it, and the first one gets it."""
        if self.closed is not None:
            return {name: self._unpacked(name, several, self.closed) for name, several in state.items()}
        if self.sharded:
            return {name: list(map(whole, several, self.parameters)) for name, several in state.items()}
        return state

    def own(self, state: State) -> State:
        """Return the state of a checkpoint as it stands here."""
        if self.closed is not None:
            return {name: self._packed(name, several, self.closed) for name, several in state.items()}
        if self.sharded:
            return {name: list(map(cut, several, self.parameters)) for name, several in state.items()}
        return {name: self._laid_out(several) if name in self._first else several for name, several in state.items()}

    def _laid_out(self, several: list[Tensor]) -> list[Tensor]:
        """Return a state with the strides of the parameters: a file has none, and the fused kernels need them."""
        if [each.shape for each in several] != [parameter.shape for parameter in self.parameters]:
            return several  # a count of steps
        return [torch.empty_like(p).copy_(each) for p, each in zip(self.parameters, several, strict=True)]

    def _unpacked(self, name: str, several: list[Tensor], closed: ClosedForm) -> list[Tensor]:
        if name not in self._first:
            return [torch.cat([view.flatten() for view in _views(vector, closed)]) for vector in several]
        packed = several[0]
        return _views(packed, closed) if packed.dim() else [packed] * len(self.parameters)  # or a count of steps

    def _packed(self, name: str, several: list[Tensor], closed: ClosedForm) -> list[Tensor]:
        if name not in self._first:
            sizes = [parameter.numel() for parameter in self.parameters]
            return [_vector(flat.split(sizes), closed) for flat in several]
        return [_vector(several, closed)] if self._first[name].dim() else several[:1]


def _vector(parts: Sequence[Tensor], closed: ClosedForm) -> Tensor:
    """Return a vector with one part a parameter."""
    vector = torch.zeros_like(closed.vector)
    for view, tensor in zip(_views(vector, closed), parts, strict=True):
        view.copy_(tensor.view_as(view))
    return vector


def _views(vector: Tensor, closed: ClosedForm) -> list[Tensor]:
    """Return the part of a vector that belongs to each parameter; between them may be gaps."""
    start = closed.gradient.storage_offset()
    return [vector.as_strided(view.shape, view.stride(), view.storage_offset() - start) for view in closed.gradients]
