"""Which blocks of a network are gathered one after the other, and what cannot be cut."""

import pytest
import torch
from torch import nn

from ganglion.errors import InvalidParameter
from ganglion.training.optimizers import LBFGS, SGD, Adam, AdamW, Muon
from ganglion.training.sharding import _units, check_shardable, cut, is_sharded, load_parts, part, state_of, whole


def block():
    return nn.Sequential(nn.Linear(4, 4, bias=False), nn.LayerNorm(4), nn.ReLU())  # 16 + 8 numbers


def test_large_blocks_are_taken_apart_and_small_ones_are_not():
    network = nn.Sequential(nn.ModuleList([block() for _ in range(6)]), nn.Linear(4, 2, bias=False), nn.ReLU())
    blocks, last, _ = network
    assert list(_units(network, 24)) == [*blocks, last]
    assert list(_units(network, 150)) == [blocks, last]
    first = blocks[0]
    assert list(_units(nn.Sequential(first), 10)) == [first[0], first[1]]  # a single layer is never taken apart


def test_every_parameter_is_in_one_unit_or_beside_them():
    network = nn.Sequential(block(), nn.Sequential(block(), block()))
    of_units = [p for unit in _units(network, 30) for p in unit.parameters()]
    assert [id(p) for p in of_units] == [id(p) for p in network.parameters()]


@pytest.mark.parametrize("optimizer", [Muon(), LBFGS()])
def test_optimizers_that_need_the_whole_are_refused(optimizer):
    with pytest.raises(InvalidParameter, match="Choose adamw, adam, sgd"):
        check_shardable(block(), optimizer)


def test_a_shared_parameter_is_refused():
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    for optimizer in (SGD(), Adam(), AdamW()):
        check_shardable(network, optimizer)
    network[1].weight = network[0].weight
    with pytest.raises(InvalidParameter, match="share a parameter"):
        check_shardable(network, SGD())


def test_what_is_not_cut_is_left_alone():
    network = block()
    tensor = network[0].weight
    assert not is_sharded(tensor)
    assert part(tensor) is whole(tensor, tensor) is cut(tensor, tensor) is tensor
    other = {name: torch.zeros_like(tensor) for name, tensor in state_of(network).items()}
    load_parts(network, other)
    assert not any(parameter.any() for parameter in network.parameters())
    with pytest.raises(ValueError, match=r"0.weight has shape \(2,\), not \(4, 4\)"):
        load_parts(network, other | {"0.weight": torch.zeros(2)})
