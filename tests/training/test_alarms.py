"""What went wrong in a training, said once and kept in the history."""

import pytest
import torch
from torch import nn

from ganglion.errors import TrainingWarning
from ganglion.networks.mlp import MLP
from ganglion.training.diagnosis import dead_units, first_nonfinite, nonfinite_weights, raise_alarms
from ganglion.training.history import History


def test_dead_units_are_an_alarm_with_evidence_and_remedy():
    torch.manual_seed(0)
    network, x = MLP(3, 1, (8,)), torch.randn(100, 3)
    assert dead_units(network, lambda: network(x)) == []
    with torch.no_grad():
        network[0].layers[0].bias[:6] = -100.0
    ((name, evidence, remedy),) = dead_units(network, lambda: network(x))
    assert name == "dead units"
    assert evidence.startswith("75% of 0.layers.1 (ReLU) answer 0")
    assert "leaky_relu" in remedy


def test_alarms_are_raised_once_and_kept_in_the_file():
    history = History()
    with pytest.warns(TrainingWarning, match="mode collapse: all samples are one. Try more of them.") as caught:
        raise_alarms(history, [("mode collapse", "all samples are one.", "Try more of them.")])
    assert len(caught) == 1
    kept = [{"name": "mode collapse", "evidence": "all samples are one.", "remedy": "Try more of them."}]
    assert history.alarms == History.from_dict(history.to_dict()).alarms == kept
    with pytest.raises(KeyError):
        History.from_dict({**history.to_dict(), "alarms": [{"name": "half an alarm"}]})


def test_a_loss_without_room_for_its_number_names_where_the_largest_ones_came_from():
    torch.manual_seed(0)
    network, x = MLP(3, 1, (8,)), torch.randn(100, 3)
    with torch.no_grad():
        network[-1].weight.mul_(1e30)
    where = first_nonfinite(network, lambda: network(x).square().mean(), {})
    assert where.startswith("in the loss itself, from finite scores; the largest numbers, up to ")
    assert where.endswith("came from the layer '1 (Linear)'")
    assert nonfinite_weights(network) == ""
    with torch.no_grad():
        network[-1].weight[0, 0] = torch.nan
    assert nonfinite_weights(network) == "1.weight"
    assert first_nonfinite(network, lambda: None, {}) == "in the weights '1.weight', after the step before"


def test_a_loss_without_layers_names_the_largest_weights():
    machine = torch.nn.ParameterDict({"weight": torch.full((2,), 1e30), "bias": torch.ones(2)})
    assert first_nonfinite(machine, lambda: None, {}).endswith("up to 1e+30, are the weights 'weight'")


class Root(nn.Module):
    def forward(self, x):
        return x.sqrt()


def test_nan_is_found_where_it_first_appears():
    network = nn.Sequential(nn.Linear(2, 2), Root(), nn.Linear(2, 1))  # NaN from finite numbers, infinity nowhere
    x = -torch.ones(3, 2)
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[0].bias.zero_()
    where = first_nonfinite(network, lambda: network(x).sum(), {"x": x})
    assert where == "in the output of the layer '1 (Root)'"
