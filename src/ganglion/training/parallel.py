"""Every worker takes its rows of each batch, and the gradients are averaged by PyTorch's engine.

    loss = 1/W Σ_w s_w mean(losses of worker w's rows),   s_w = W (rows of w) / (rows of the batch)

DDP: Li et al. 2020, arXiv:2006.15704. Sharded networks (`sharding`) bring an engine of their own. Batch normalisation
takes its statistics over the rows of all workers, as one process does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganglion.training.distribution import Workers
from ganglion.training.objective import Batch, Objective
from ganglion.training.sharding import is_sharded


class Parallel:
    """The losses of objectives on this worker's share of each batch, whose gradients are the whole batch's.

    Parameters
    ----------
    network : Module
    objectives : sequence of Objective
    team : Workers
        More than one.
    """

    def __init__(self, network: nn.Module, objectives: Sequence[Objective], team: Workers) -> None:
        self.network, self.objectives, self.team = network, objectives, team
        self._engines: dict[int, Any] = {}
        self._trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._sharded = any(map(is_sharded, self._trained))
        self._norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
        self._counts = True
        torch.manual_seed(torch.initial_seed() + team.rank)  # dropout silences other units for other rows
        for norm in self._norms:
            norm.forward = partial(self._normalized, norm)  # type: ignore[method-assign]

    def loss(self, i: int, batch: Batch) -> Tensor:
        """Return the loss of objective i on this worker's rows, a scalar; going back through it, the workers meet."""
        rows, scale = self.team.share(batch)
        self._counts = scale > 0
        if len(self.objectives) > 1 and not self._sharded:
            self._train_only(self.objectives[i].parameters)
        if i not in self._engines:
            self._engines[i] = self._engine(self.objectives[i])
        return self._engines[i](rows) * scale

    def _engine(self, objective: Objective) -> Any:
        loss = _Loss(self.network, objective)
        if self._sharded:
            return loss
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(loss)

    def _train_only(self, parameters: Sequence[Tensor]) -> None:
        """Freeze all others: DDP waits for a gradient of every parameter that asks for one."""
        chosen = {id(parameter) for parameter in parameters}
        for parameter in self._trained:
            parameter.requires_grad_(id(parameter) in chosen)

    def close(self) -> None:
        """Let go of the engines, and leave the network as it was."""
        self._engines.clear()
        for norm in self._norms:
            del norm.forward
        for parameter in self._trained:
            parameter.requires_grad_(True).grad = None

    def _normalized(self, norm: Any, x: Tensor) -> Tensor:
        """Return x, (n_samples, n_units, …), normalised over the samples of all workers: Ioffe & Szegedy 2015."""
        axes = [axis for axis in range(x.dim()) if axis != 1]
        counted = float(self._counts)
        if not norm.training:
            return type(norm).forward(norm, x)
        wide = x.to(norm.running_mean.dtype)
        count = wide.new_tensor([counted * (x.numel() // x.shape[1])])
        total = _Total.apply(torch.cat([wide.sum(axes) * counted, count]))
        n, mean = total[-1].detach(), total[:-1] / total[-1].detach()
        if n < 2:
            return type(norm).forward(norm, x)  # it says why one sample cannot be normalised
        shape = [-1, *[1] * (x.dim() - 2)]
        centered = wide - mean.view(shape)
        variance = _Total.apply(centered.square().sum(axes) * counted) / n
        with torch.no_grad():
            norm.num_batches_tracked += 1
            momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean, momentum)
            norm.running_var.lerp_(variance * n / (n - 1), momentum)
        scaled = centered * torch.rsqrt(variance + norm.eps).view(shape)
        if norm.affine:
            scaled = scaled * norm.weight.view(shape) + norm.bias.view(shape)
        return scaled.to(x.dtype)


class _Loss(nn.Module):
    """An objective's loss as a module, so that an engine can wrap it."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network, self.loss = network, objective.loss

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        return self.loss(self.network, batch)


class _Total(torch.autograd.Function):
    """The sum over the workers; so is its gradient, since the loss of every worker depends on it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total
