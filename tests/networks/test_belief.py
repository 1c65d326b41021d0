"""Deep belief nets: the passes up and down, what the top machine knows of labels, layers shared with a perceptron."""

import pytest
import torch
from torch import nn

from ganglion.networks.belief import BeliefNet, PretrainedNetwork
from ganglion.networks.contrastive import Contrast, ContrastiveDivergence
from ganglion.networks.mlp import MLP

ROWS = 7


def net_of(hidden=(5, 4, 3), *, n_classes=0, blocks=(("bernoulli", 6),), spread=1.0):
    torch.manual_seed(0)
    net = BeliefNet(blocks, hidden, n_classes=n_classes).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, spread)
    return net


def rows():
    return torch.rand(ROWS, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_up_is_machine_after_machine():
    net = net_of()
    by_hand = rows()
    for level in range(3):
        by_hand = net.machine(level)(by_hand)
    torch.testing.assert_close(net(rows()), by_hand)
    assert net(rows()).shape == (ROWS, 3)


def test_odds_of_labels_are_those_of_the_joint_law():
    net = net_of((3,), n_classes=2)
    top, v = net.machine(0), rows()[:1].round()
    joint = []
    for label in ([1.0, 0.0], [0.0, 1.0]):
        seen = torch.cat([v, torch.tensor([label], dtype=torch.float64)], 1)
        states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)
        w, b, c = top.parameters()
        joint.append((seen @ b + states @ c + states @ w @ seen[0]).logsumexp(0))
    torch.testing.assert_close(net.log_odds(v).softmax(1)[0], torch.stack(joint).softmax(0))


def test_transform_with_labels_averages_over_what_it_thinks_they_are():
    net = net_of((5, 4), n_classes=3)
    chances, seen = net.log_odds(rows()).softmax(1), net.below(rows(), 1)
    by_hand = sum(
        chances[:, k : k + 1] * net.machine(1)(torch.cat([seen, nn.functional.one_hot(torch.full((ROWS,), k), 3)], 1))
        for k in range(3)
    )
    torch.testing.assert_close(net(rows()), by_hand)


@pytest.mark.parametrize("hidden", [(4,), (5, 4), (5, 4, 3)])
@pytest.mark.parametrize("blocks", [(("bernoulli", 6),), (("gaussian", 2), ("softmax", 4))])
def test_dreams_are_visible_units(hidden, blocks):
    net = net_of(hidden, n_classes=3, blocks=blocks)
    with torch.no_grad():
        dreamt = net.recall(ROWS, 5, torch.zeros(ROWS, dtype=torch.int64))
    assert dreamt.shape == (ROWS, 6)
    if blocks[0][0] == "bernoulli":
        assert dreamt.min() >= 0
        assert dreamt.max() <= 1
    else:
        torch.testing.assert_close(dreamt[:, 2:].sum(1), torch.ones(ROWS, dtype=torch.float64))


def test_a_label_that_is_held_on_decides_what_is_dreamt():
    net = net_of((4,), n_classes=2, spread=0.0)
    with torch.no_grad():  # one hidden unit stands for the second label and turns every pixel on
        net.machine(0).weight[0, :6], net.machine(0).weight[0, 7] = 4.0, 40.0
        net.machine(0).hidden_bias[0], net.machine(0).visible_bias[:6] = -30.0, -2.0
        codes = torch.tensor([0] * 50 + [1] * 50)
        dreamt = net.recall(100, 20, codes)
    assert dreamt[:50].mean() < 0.25
    assert dreamt[50:].mean() > 0.75


def test_layers_of_a_perceptron_are_machines_that_move_it():
    torch.manual_seed(0)
    network = PretrainedNetwork(
        nn.Identity(), MLP(6, 2, (5, 4), activation="sigmoid"), nn.Softmax(1), [("gaussian", 6)]
    )
    v = rows().float()
    torch.testing.assert_close(network.below(v, 2), network.machine(1)(network.machine(0)(v)))
    before = network.body(v)
    closed = ContrastiveDivergence(network.machine(0), lambda batch: batch["v"], Contrast())
    with torch.no_grad():
        closed({"v": v})
        closed.vector.sub_(closed.gradient)
    closed.release()
    assert not torch.equal(network.body(v), before)
    assert not torch.equal(network.visible_biases[0], torch.zeros(6))
    assert set(network.state_dict()) == {
        *(f"body.{i}.layers.0.{name}" for i in range(2) for name in ("weight", "bias")),
        *("body.2.weight", "body.2.bias", "visible_biases.0", "visible_biases.1"),
    }
