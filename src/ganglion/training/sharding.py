"""Networks that do not fit one device: every worker holds a part of the weights, the gradients and the moments.

FSDP2 (`torch.distributed.fsdp.fully_shard`; Zhao et al. 2023, arXiv:2304.11277): each parameter is cut along its first
axis, gathered for the block that is being computed, and forgotten again; gradients are averaged and cut alike. What is
cut is a DTensor here; optimisers that move each weight by its own gradient alone work on this worker's part of it.

A worker still builds the network, and gets it back, whole in the memory of its machine: it is the device's memory that
is saved.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ganglion.errors import InvalidParameter
from ganglion.training.optimizers import LBFGS, Muon, Optimizer

N = TypeVar("N", bound=nn.Module)
UNITS = 8  # so many blocks at least, where layers are small enough: one of them is whole at a time


def check_shardable(network: nn.Module, optimizer: Optimizer) -> None:
    """Raise InvalidParameter unless the network can be cut into parts, and the optimiser can work on them."""
    if isinstance(optimizer, Muon | LBFGS):
        raise InvalidParameter(
            f"optimizer={str(optimizer)!r} needs whole matrices or the whole gradient at once, and a sharded network "
            "has no worker that holds them. Choose adamw, adam, sgd, rmsprop, adagrad or gradient_descent, or "
            "sharded=False if the network fits one device."
        )
    shared = len(list(network.named_parameters(remove_duplicate=False))) > len(list(network.parameters()))
    if shared or getattr(network, "tied", False):
        raise InvalidParameter(
            "two layers of this network share a parameter, which cannot be cut into parts for both. Give sharded=False."
        )


def shard(network: N, device: str) -> N:
    """Cut a network into parts, one a worker, in place; each worker must call this with the same weights.

    Returns
    -------
    Module
        The same network without weights, for `whole_network`.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    empty = {id(p): nn.Parameter(torch.empty_like(p, device="meta"), p.requires_grad) for p in network.parameters()}
    skeleton = copy.deepcopy(network, empty)
    for parameter in network.parameters():  # FSDP cuts along the order of axes, and knows one only
        parameter.data = parameter.data.contiguous()
    mesh = init_device_mesh(torch.device(device).type, (dist.get_world_size(),))
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    for unit in (*_units(network, n_parameters // UNITS), network):  # each is moved to the device when it is cut
        fully_shard(unit, mesh=mesh, reshard_after_forward=True)
    register_fsdp_forward_method(network, "scores")
    return skeleton


def whole_network(network: nn.Module, skeleton: N) -> N:
    """Return the skeleton with the weights of all parts, in the machine's memory, ready to answer."""
    state = state_of(network)
    weights = {name: whole(part(tensor), tensor, everywhere=True).detach() for name, tensor in state.items()}
    skeleton.load_state_dict(weights, assign=True)
    return skeleton.cpu().eval()


def _units(module: nn.Module, most: int) -> Iterator[nn.Module]:
    """Give the blocks that are gathered one after the other: the largest of at most so many numbers, or single layers.

    What stands beside blocks, in a module that is larger than that, is gathered with the whole network.
    """
    for child in module.children():
        size = sum(parameter.numel() for parameter in child.parameters())
        if size > most and any(True for part in child.children() for _ in part.parameters()):
            yield from _units(child, most)
        elif size:
            yield child


# What follows works on plain tensors: PyTorch remembers operations on DTensors, and with them the group of workers,
# which could then not be left (see `distribution.leave`).


def is_sharded(tensor: Any) -> bool:
    """Return whether a tensor is cut into parts (a DTensor, without importing that)."""
    return hasattr(tensor, "full_tensor")


def part(tensor: Any) -> Tensor:
    """Return this worker's part of a tensor, or the tensor itself if it is not cut."""
    return tensor.to_local() if is_sharded(tensor) else tensor


def whole(own: Tensor, like: Any, *, everywhere: bool = False) -> Tensor:
    """Put together what is cut as `like` is, in the machine's memory; every worker must ask for it.

    Parameters
    ----------
    own : Tensor
        This worker's part; returned as it is if `like` is not cut, or has parts of another shape.
    like : Tensor or DTensor
    everywhere : bool
        Whether every worker gets the whole, or the first alone; the others then get their part back.
    """
    if not is_sharded(like) or own.shape != like.to_local().shape:
        return own
    padded = own.new_zeros((_rows(like), *like.shape[1:]))
    padded[: len(own)] = own
    parts = None
    if everywhere or dist.get_rank() == 0:
        parts = [torch.empty_like(padded) for _ in range(dist.get_world_size())]
    if everywhere:
        dist.all_gather(parts, padded)
    else:
        dist.gather(padded, parts)
    return own if parts is None else torch.cat([each.cpu() for each in parts])[: len(like)]


def cut(tensor: Tensor, like: Any) -> Tensor:
    """Return this worker's part of a whole tensor, cut as `like` is; one of another shape is left whole."""
    if not is_sharded(like) or tensor.shape != like.shape:
        return tensor
    start = _rows(like) * dist.get_rank()
    return tensor[start : start + _rows(like)].clone().to(like.device)


def _rows(like: Any) -> int:
    return -(-like.shape[0] // dist.get_world_size())


def state_of(network: nn.Module) -> dict[str, Any]:
    """Return parameters and buffers by name, as they stand in the network."""
    return network.state_dict(keep_vars=True)


@torch.no_grad()
def load_parts(network: nn.Module, parts: Mapping[str, Tensor]) -> None:
    """Put this worker's parts of all parameters and buffers into the network."""
    for name, tensor in state_of(network).items():
        if part(tensor).shape != parts[name].shape:
            raise ValueError(f"{name} has shape {tuple(parts[name].shape)}, not {tuple(part(tensor).shape)}")
        part(tensor).copy_(parts[name])
