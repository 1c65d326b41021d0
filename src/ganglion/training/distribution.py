"""Training on several processes or machines at once, on PyTorch's own engine.

Started by `torchrun`, every worker runs the same `fit` on the same data; each takes its share of every batch, and
gradients are averaged (DDP: Li et al. 2020, arXiv:2006.15704). The result is that of one process with the same global
batch, but for rounding.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ganglion.training.objective import Batch, Objective


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers that train together.

    Attributes
    ----------
    rank : int
        Which of them this process is; 0 writes and speaks for all.
    n : int
        How many there are; 1 for an ordinary process.
    """

    rank: int = 0
    n: int = 1

    @property
    def speaks(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    @property
    def local_rank(self) -> int:
        """Which of the workers on this machine this process is: the number of its GPU."""
        return int(os.environ.get("LOCAL_RANK", self.rank))

    def share(self, batch: Batch) -> tuple[Batch, float]:
        """Return this worker's rows of a global batch, and what its mean loss must be multiplied with.

        The mean over workers of the scaled mean losses is the mean over the global batch, whatever its size. A worker
        that has no row of a small last batch takes one and counts it 0.
        """
        size = len(next(iter(batch.values())))
        rows = slice(self.rank, None, self.n) if size > self.rank else slice(0, 1)
        n_own = len(range(size)[rows]) if size > self.rank else 0
        return {name: tensor[rows] for name, tensor in batch.items()}, n_own * self.n / size

    def same(self, value: int) -> int:
        """Return the number that the first worker has, on all of them."""
        if self.n == 1:
            return value
        box = torch.tensor([value])
        dist.broadcast(box, src=0)
        return int(box)

    def total(self, values: Sequence[Tensor]) -> list[Tensor]:
        """Return the sums over all workers of some scalars."""
        if self.n == 1:
            return list(values)
        summed = torch.stack([value.double() for value in values])
        dist.all_reduce(summed)
        return list(summed)

    def most(self, value: int) -> int:
        """Return the largest of the workers' numbers: one of them may have been asked to stop."""
        if self.n == 1:
            return value
        box = torch.tensor([value])
        dist.all_reduce(box, op=dist.ReduceOp.MAX)
        return int(box)

    def random_states(self) -> list[Tensor]:
        """Return the state of torch's random numbers of every worker, in order of rank."""
        own = torch.get_rng_state()
        if self.n == 1:
            return [own]
        states = [torch.empty_like(own) for _ in range(self.n)]
        dist.all_gather(states, own)
        return states


def workers() -> Workers:
    """Return the workers that `torchrun` started with this process, joining them on the first call."""
    n = int(os.environ.get("WORLD_SIZE", "1"))
    if n <= 1 or "MASTER_ADDR" not in os.environ:
        return Workers()
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        atexit.register(_leave)
    return Workers(dist.get_rank(), dist.get_world_size())


def _leave() -> None:
    if dist.is_initialized():
        dist.barrier()  # who leaves first would break the connection of those who still talk
        gc.collect()  # what holds on to the group must go before it, or its threads end the process
        dist.destroy_process_group()


class ParallelLoss(nn.Module):
    """An objective's loss as a module, so that PyTorch's engine can wrap it and average its gradients."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network, self.loss = network, objective.loss

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of a batch, a scalar."""
        return self.loss(self.network, batch)


def parallel(network: nn.Module, objective: Objective) -> Any:
    """Return an objective's loss with gradients that are averaged over the workers by DDP."""
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(ParallelLoss(network, objective))
