"""Recurrent layers as the operators that ONNX has for them, of any number of steps.

Traced step by step, a layer would be unrolled to the number of steps that it was traced with, without a word. The
gates of PyTorch and of ONNX stand in different orders:

    lstm    i f g o  →  i o f g
    gru     r z n    →  z r n          the bias of n inside the reset: `linear_before_reset`
    elman   h
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

_GATES = {nn.LSTM: ("LSTM", (0, 3, 1, 2)), nn.GRU: ("GRU", (1, 0, 2)), nn.RNN: ("RNN", (0,))}


class Cells(nn.Module):
    """One layer of cells in one direction, (n, T, D_in) → (n, T, D), as `nn.RNNBase` with `batch_first` has it."""

    weight: Tensor
    recurrence: Tensor
    bias: Tensor

    def __init__(self, cells: nn.RNNBase) -> None:
        super().__init__()
        self.operator, order = _GATES[type(cells)]
        self.width = cells.hidden_size
        parts = [parameter.detach().split(self.width) for parameter in cells.parameters()]
        weight, recurrence, *bias = (torch.cat([gates[i] for i in order]) for gates in parts)
        self.register_buffer("weight", weight[None])
        self.register_buffer("recurrence", recurrence[None])
        self.register_buffer("bias", torch.cat(bias)[None])

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """Return the units at every step from nothing on, and nothing for the last state, which no caller reads."""
        steps = x.transpose(0, 1)
        said = torch.onnx.ops.symbolic(
            self.operator,
            (steps, self.weight, self.recurrence, self.bias),
            attrs={"hidden_size": self.width, **({"linear_before_reset": 1} if self.operator == "GRU" else {})},
            dtype=x.dtype,
            shape=(steps.shape[0], 1, steps.shape[1], self.width),
        )
        return said[:, 0].transpose(0, 1), None


class SummedVectors(nn.Module):
    """The sum of the vectors of several ids, (n, k) → (n, D), which ONNX would have as a loop over the n."""

    def __init__(self, bag: nn.EmbeddingBag) -> None:
        super().__init__()
        self.weight, self.nothing = bag.weight, bag.padding_idx

    def forward(self, ids: Tensor) -> Tensor:
        """Return the sums; the id of nothing adds none."""
        vectors = nn.functional.embedding(ids, self.weight)
        return (vectors if self.nothing is None else vectors * (ids != self.nothing)[..., None]).sum(-2)


def with_operators(network: nn.Module) -> nn.Module:
    """Replace, in place, every layer of a network that has operators of its own in ONNX, and return the network."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.EmbeddingBag):
                setattr(parent, name, SummedVectors(child))
            if isinstance(child, nn.RNNBase):
                setattr(parent, name, Cells(cast(nn.RNNBase, child)))
    return network
