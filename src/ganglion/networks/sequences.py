"""First layers for sequences, and what they hand on: steps side by side, and how many of them count.

Letters: n samples, T steps of the longest of them, D numbers in a step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganglion.networks.inputs import FARTHEST, TableInput


class Steps(NamedTuple):
    """Sequences of different lengths: of sample i the first `lengths[i]` steps count, the rest is filling."""

    x: Tensor  # (n, T, D)
    lengths: Tensor  # (n,) int64

    @property
    def there(self) -> Tensor:
        """Where a step counts, (n, T) bool."""
        return torch.arange(self.x.shape[1], device=self.x.device) < self.lengths[:, None]

    @property
    def full(self) -> bool:
        """Whether all samples are equally long, so that nothing is filling."""
        # a graph that is exported is of any lengths: it takes the way that is right for all
        return not torch.compiler.is_exporting() and bool((self.lengths == self.x.shape[1]).all())


class TokenInput(nn.Module):
    """Ids of tokens become vectors, which are learned.

    Parameters
    ----------
    vocabulary : int
        Number of ids; id 0 is filling.
    width : int
        Numbers of each vector, D.
    scale : float
        Deviation of the vectors at first.
    """

    def __init__(self, vocabulary: int, width: int, *, scale: float = 1.0) -> None:
        super().__init__()
        self.dtype, self.n_out = torch.float32, width
        self.vectors = nn.Embedding(vocabulary, width)
        if self.vectors.weight.device.type != "meta":
            with torch.no_grad():
                self.vectors.weight.normal_(0.0, scale)
                self.vectors.weight[0] = 0.0

    def adapt(self, inputs: Mapping[str, Any], weight: Tensor | None = None) -> None:
        """Do nothing: ids need no scaling."""

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {"tokens": (n, T), "tokens_length": (n,)} as they are."""
        return {name: inputs[name] for name in ("tokens", "tokens_length")}

    def forward(self, prepared: Mapping[str, Tensor]) -> Steps:
        """Return the vectors of the tokens, (n, T, D)."""
        return Steps(self.vectors(prepared["tokens"]), prepared["tokens_length"])


class SequenceInput(nn.Module):
    """Steps of numbers are scaled to zero mean and unit variance, each number of a step by itself.

    Missing numbers become the mean, 0.

    Parameters
    ----------
    width : int
        Numbers of a step, D.
    """

    center: Tensor
    factor: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dtype, self.n_out = torch.float32, width
        self.register_buffer("center", torch.zeros(width, dtype=torch.float64))
        self.register_buffer("factor", torch.ones(width, dtype=torch.float64))

    @torch.no_grad()
    def adapt(self, inputs: Mapping[str, Any], weight: Tensor | None = None) -> None:
        """Fit mean and deviation to all steps of training sequences, each counting by the weight of its sequence."""
        column = inputs["sequence"]
        steps = column.values.double()
        shares = torch.ones(len(column)) if weight is None else weight
        shares = torch.repeat_interleave(shares.double(), column.lengths)[:, None] * ~steps.isnan()
        steps, total = steps.nan_to_num(), shares.sum(0).clamp(min=torch.finfo(torch.float64).tiny)
        mean = (steps * shares).sum(0) / total
        deviation = ((steps - mean).square() * shares).sum(0).div(total).sqrt()
        self.center.copy_(mean)
        # rounding leaves a constant number a deviation of about 1e-16 of its size: it must not be blown up
        self.factor.copy_(torch.where(deviation <= 1e-12 * steps.abs().amax(0), 0.0, 1.0 / deviation))

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {"sequence": scaled steps (n, T, D), "sequence_length": (n,)}."""
        raw, lengths = inputs["sequence"], inputs["sequence_length"]
        scaled = (raw - self.center.to(raw.dtype)).mul_(self.factor.to(raw.dtype))
        return {
            "sequence": scaled.nan_to_num_().clamp_(-FARTHEST, FARTHEST).to(self.dtype),
            "sequence_length": lengths,
        }

    def forward(self, prepared: Mapping[str, Tensor]) -> Steps:
        """Return the scaled steps."""
        return Steps(prepared["sequence"], prepared["sequence_length"])


class SignalInput(TableInput):
    """A row of a table as a signal: each of its numbers is a step. What it becomes first is as of `TableInput`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.n_steps, self.n_out = self.n_out, 1

    def forward(self, prepared: Mapping[str, Tensor]) -> Steps:  # type: ignore[override]
        """Return one number a step, (n, T, 1)."""
        row = super().forward(prepared)
        return Steps(row[:, :, None], row.new_full((row.shape[0],), row.shape[1], dtype=torch.int64))


def last_of(steps: Steps) -> Tensor:
    """Return the last step of each sample that counts, (n, D)."""
    return steps.x[torch.arange(steps.x.shape[0], device=steps.x.device), steps.lengths - 1]


def mean_of(steps: Steps) -> Tensor:
    """Return the mean of the steps that count, (n, D)."""
    if steps.full:
        return steps.x.mean(1)
    there = steps.there[:, :, None].to(steps.x.dtype)
    return (steps.x * there).sum(1) / steps.lengths[:, None].to(steps.x.dtype)


def most_of(steps: Steps) -> Tensor:
    """Return the largest value of each number over the steps that count, (n, D)."""
    if steps.full:
        return steps.x.amax(1)
    return steps.x.masked_fill(~steps.there[:, :, None], -math.inf).amax(1)
