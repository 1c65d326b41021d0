"""Moving averages of weights: the formula, and that they are part of a network's state."""

import pytest
import torch
from torch import nn

from ganglion.networks.moving_average import MovingAverage


def test_the_formula_by_hand():
    module = nn.Linear(1, 1, bias=False).double()
    average, expected = MovingAverage(module, decay=0.5), module.weight.item()
    for t in range(1, 30):
        with torch.no_grad():
            module.weight.fill_(float(t))
        average.follow(module)
        d = min(0.5, (1 + t) / (10 + t))
        expected = d * expected + (1 - d) * t
    assert average.module.weight.item() == pytest.approx(expected)


def test_without_decay_it_is_the_module():
    module = nn.Linear(2, 3)
    average = MovingAverage(module, decay=0.0)
    with torch.no_grad():
        module.weight.add_(1.0)
    average.follow(module)
    assert torch.equal(average.module.weight, module.weight)


def test_other_buffers_are_taken_as_they_are():
    module = nn.BatchNorm1d(2)
    average = MovingAverage(module, decay=0.999)
    module(torch.randn(16, 2) + 3)
    average.follow(module)
    assert torch.equal(average.module.running_mean, module.running_mean)
    assert average.module.num_batches_tracked == 1


def test_it_is_never_trained():
    average = MovingAverage(nn.Sequential(nn.Linear(1, 1), nn.Dropout()), decay=0.9).train()
    assert not average.training
    assert not average.module[1].training
    assert not any(parameter.requires_grad for parameter in average.parameters())


def test_its_state_goes_on():
    module = nn.Linear(2, 2)
    one, other = (MovingAverage(module, decay=0.9) for _ in range(2))
    one.follow(module)
    other.load_state_dict(one.state_dict())
    with torch.no_grad():
        module.weight.mul_(3)
    for average in (one, other):
        average.follow(module)
    assert other.n_steps == 2
    assert torch.equal(one.module.weight, other.module.weight)
