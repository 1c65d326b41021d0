"""Restricted Boltzmann machines beside brute force, the textbook's statistics, and known laws."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.networks.contrastive import Contrast, ContrastiveDivergence
from ganglion.networks.energy import BoltzmannMachine, free_energy_gap
from ganglion.networks.partition import (
    MOST_ENUMERATED,
    annealed_log_partition,
    betas,
    exact_log_partition,
    is_enumerable,
    log_mean_exp,
)
from ganglion.networks.visible_units import VisibleUnits, draw_bernoulli

BLOCKS = {
    "bernoulli": [("bernoulli", 6)],
    "gaussian": [("gaussian", 5)],
    "mixed": [("gaussian", 2), ("softmax", 3), ("softmax", 2), ("bernoulli", 2)],
}


def machine_of(blocks, n_hidden=4, n_chains=0, *, spread=0.5, seed=0):
    torch.manual_seed(seed)
    machine = BoltzmannMachine(VisibleUnits(blocks), n_hidden, n_chains=n_chains).double()
    with torch.no_grad():
        for parameter in machine.parameters():
            parameter.normal_(0, spread)
        machine.base.normal_(0, spread)
    return machine


def rows_of(machine, n):
    return machine.units.draw(torch.zeros(n, machine.units.n_units, dtype=torch.float64))


def states(n):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)), dtype=torch.float64)


def energy(machine, v, h):
    w, b, c = machine.parameters()
    return -(v @ b) - h @ c - h @ w @ v


def test_free_energy_is_minus_the_log_of_the_sum_over_hidden_states():
    machine = machine_of([("bernoulli", 5)], 4)
    for v in states(5)[::3]:
        by_hand = -torch.stack([-energy(machine, v, h) for h in states(4)]).logsumexp(0)
        assert math.isclose(machine.free_energy(v[None]).item(), by_hand.item(), rel_tol=1e-12)


@pytest.mark.parametrize("contrast", [Contrast(), Contrast(steps=3), Contrast(persistent=True, steps=2)])
@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_gradient_of_the_gap_is_the_textbooks_difference(blocks, contrast):
    machine = machine_of(blocks, n_chains=7)
    v, dreamt = rows_of(machine, 9), rows_of(machine, 7)
    found = torch.autograd.grad(free_energy_gap(machine, v, dreamt), list(machine.parameters()))
    p, q = machine(v), machine(dreamt)
    statistics = [p.T @ v / 9 - q.T @ dreamt / 7, v.mean(0) - dreamt.mean(0), p.mean(0) - q.mean(0)]
    for own, textbook in zip(found, statistics, strict=True):
        torch.testing.assert_close(-own, textbook, rtol=0, atol=1e-12)


CONTRASTS = {
    "cd": Contrast(),
    "cd3": Contrast(steps=3),
    "pcd": Contrast(persistent=True),
    "pcd3": Contrast(persistent=True, steps=3),
    "mean field": Contrast(sampled=False, steps=2),
    "sparse": Contrast(target=0.1, cost=3.0),
    "sparse pcd": Contrast(persistent=True, target=0.1, cost=3.0),
}


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("contrast", CONTRASTS.values(), ids=CONTRASTS)
@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_closed_form_is_autograds(blocks, contrast, weighted):
    machine, other = (machine_of(blocks, n_chains=7) for _ in range(2))
    batch = {"v": rows_of(machine, 9)}
    if weighted:
        batch["weight"] = torch.linspace(0.5, 1.5, 9, dtype=torch.float64)
    closed = ContrastiveDivergence(machine, lambda batch: batch["v"], contrast)
    for _ in range(2):  # twice, so that chains go on
        torch.manual_seed(1)
        with torch.no_grad():
            loss = closed(batch)
        torch.manual_seed(1)
        theirs = contrast.loss(other, batch["v"], batch.get("weight"))
        gradients = torch.autograd.grad(theirs, list(other.parameters()))
        torch.testing.assert_close(loss, theirs.detach(), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(closed.gradients, list(gradients), rtol=0, atol=1e-12)
        torch.testing.assert_close(machine.chain, other.chain)
    closed.release()
    assert machine.weight.storage_offset() == 0
    assert machine.weight.untyped_storage().size() == 8 * machine.weight.numel()


def test_mean_field_of_a_weight_of_two_is_that_of_a_second_copy():
    machine, v = machine_of([("bernoulli", 6)]), rows_of(machine_of([("bernoulli", 6)]), 4)
    contrast = Contrast(sampled=False)
    weighted = contrast.loss(machine, v, torch.tensor([2.0, 1, 1, 1], dtype=torch.float64) * 4 / 5)
    twice = contrast.loss(machine, torch.cat([v[:1], v]))
    torch.testing.assert_close(weighted, twice, rtol=1e-12, atol=0)


def test_machine_of_others_parameters_moves_them():
    torch.manual_seed(0)
    layer, visible = torch.nn.Linear(6, 4), torch.nn.Parameter(torch.zeros(6))
    machine = BoltzmannMachine.of(VisibleUnits([("bernoulli", 6)]), layer.weight, visible, layer.bias)
    assert machine.weight is layer.weight
    x = torch.rand(3, 6)
    torch.testing.assert_close(machine(x), layer(x).sigmoid())


def test_float32_gradient_is_autograds_to_a_millionth():
    machine, other = (machine_of([("bernoulli", 40)], 30, spread=0.1).float() for _ in range(2))
    v = rows_of(machine, 50).float()
    closed = ContrastiveDivergence(machine, lambda batch: batch["v"], Contrast())
    torch.manual_seed(1)
    with torch.no_grad():
        closed({"v": v})
    torch.manual_seed(1)
    gradients = torch.autograd.grad(Contrast().loss(other, v), list(other.parameters()))
    torch.testing.assert_close(closed.gradients, list(gradients), rtol=0, atol=1e-6)


def test_gibbs_steps_leave_the_machines_own_law_alone():
    machine = machine_of([("bernoulli", 3)], 2, spread=1.0)
    seen = states(3)
    law = (-machine.free_energy(seen)).softmax(0)
    torch.manual_seed(0)
    start = seen[torch.multinomial(law, 40_000, replacement=True)]
    with torch.no_grad():
        ended = machine.gibbs(start, 2) @ torch.tensor([4.0, 2.0, 1.0], dtype=torch.float64)
    shares = torch.bincount(ended.long(), minlength=8) / 40_000
    torch.testing.assert_close(shares, law.float().detach(), atol=0.012, rtol=0)


@pytest.mark.parametrize("blocks", [[("softmax", 4)], [("bernoulli", 3)], [("gaussian", 2)]], ids=str)
def test_draws_have_the_mean_of_their_law(blocks):
    torch.manual_seed(0)
    units = VisibleUnits(blocks)
    a = torch.tensor([0.3, -1.0, 2.0, 0.1][: units.n_units])
    torch.testing.assert_close(units.draw(a.expand(20_000, -1)).mean(0), units.mean(a[None])[0], atol=0.02, rtol=0)


def test_softmax_units_have_one_state_each():
    torch.manual_seed(0)
    drawn = VisibleUnits([("softmax", 3), ("softmax", 2)]).draw(torch.randn(50, 5))
    assert (drawn[:, :3].sum(1) == 1).all()
    assert (drawn[:, 3:].sum(1) == 1).all()


@pytest.mark.parametrize("chance", [0.0, 1e-4, 0.5, 1.0])
def test_coins_fall_as_often_as_they_should(chance):
    torch.manual_seed(0)
    a = torch.full((1000, 1001), math.inf * (2 * chance - 1) if chance in (0, 1) else math.log(chance / (1 - chance)))
    share = draw_bernoulli(a).mean(dtype=torch.float64).item()
    assert share == chance if chance in (0, 1) else abs(share - chance) < 4 * math.sqrt(chance / a.numel()) + 1 / 131072


def test_chances_are_tossed_where_units_are_on_or_off():
    torch.manual_seed(0)
    v = torch.rand(4000, 3)
    kept = v.clone()
    tossed = VisibleUnits([("gaussian", 1), ("bernoulli", 2)]).tossed(v)
    torch.testing.assert_close(v, kept)
    torch.testing.assert_close(tossed[:, 0], v[:, 0])
    assert set(tossed[:, 1:].unique().tolist()) == {0.0, 1.0}
    assert torch.corrcoef(torch.stack([tossed[:, 1], v[:, 1]]))[0, 1] > 0.5
    torch.testing.assert_close(tossed[:, 1:].mean(0), v[:, 1:].mean(0), atol=0.03, rtol=0)


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.sampled_from(["bernoulli", "softmax", "gaussian"]))
def test_mean_is_the_slope_of_the_log_normaliser(level, kind):
    units = VisibleUnits([(kind, 3)])
    a = (level + torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)).requires_grad_()
    (slope,) = torch.autograd.grad(units.log_normaliser(a).sum(), a)
    torch.testing.assert_close(slope, units.mean(a.detach()), rtol=1e-9, atol=1e-12)


# the partition function


def test_exact_partition_is_the_sum_over_all_states():
    machine = machine_of([("bernoulli", 4)], 3, spread=1.0)
    by_hand = torch.stack([-energy(machine, v, h) for v in states(4) for h in states(3)]).logsumexp(0).item()
    assert math.isclose(exact_log_partition(machine), by_hand, rel_tol=1e-12)


def test_exact_partition_from_either_side():
    few, many = machine_of([("bernoulli", 12)], 11), machine_of([("bernoulli", 11)], 12)
    with torch.no_grad():
        many.weight.copy_(few.weight.T)
        many.visible_bias.copy_(few.hidden_bias)
        many.hidden_bias.copy_(few.visible_bias)
    assert math.isclose(exact_log_partition(few), exact_log_partition(many), rel_tol=1e-12)


def test_exact_partition_of_many_hidden_units_is_over_the_visible_ones():
    machine = machine_of([("bernoulli", 5)], MOST_ENUMERATED + 1)
    seen = states(5)
    assert is_enumerable(machine)
    assert math.isclose(exact_log_partition(machine), (-machine.free_energy(seen)).logsumexp(0).item(), rel_tol=1e-12)
    assert not is_enumerable(machine_of([("gaussian", 5)], MOST_ENUMERATED + 1))


def test_exact_partition_of_gaussian_units_is_the_integral():
    machine = machine_of([("gaussian", 1)], 3, spread=1.0)
    grid = torch.linspace(-30, 30, 60_001, dtype=torch.float64)
    with torch.no_grad():
        integral = torch.trapezoid((-machine.free_energy(grid[:, None])).exp(), grid).log().item()
    assert math.isclose(exact_log_partition(machine), integral, rel_tol=1e-9)


@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_annealing_finds_the_exact_partition(blocks):
    machine = machine_of(blocks, 6)
    torch.manual_seed(3)
    found = annealed_log_partition(machine, runs=200, steps=300)
    assert found.low < found.value < found.high
    assert found.high - found.low < 0.2
    assert abs(found.value - exact_log_partition(machine)) < 0.1


def test_annealing_of_the_base_rate_model_itself_is_exact():
    machine = machine_of([("bernoulli", 6)], 4)
    with torch.no_grad():
        machine.weight.zero_()
        machine.hidden_bias.zero_()
        machine.visible_bias.copy_(machine.base)
    found = annealed_log_partition(machine, runs=3, steps=10)
    np.testing.assert_allclose(found, exact_log_partition(machine), rtol=1e-12)


def test_temperatures_are_the_papers():
    all_betas = np.array(betas(14_500))
    assert len(all_betas) == 14_501
    assert all_betas[0] == 0
    assert all_betas[-1] == 1
    assert (np.diff(all_betas) > 0).all()
    assert (all_betas < 0.5).sum() == 500
    assert (all_betas < 0.9).sum() == 4500


def test_log_mean_exp_stands_large_weights():
    found = log_mean_exp(np.array([1000.0, 1000.0, 1000.0]), shift=1.0)
    np.testing.assert_allclose(found, 1001.0)


def test_machine_begins_as_the_base_rate_model():
    machine = machine_of([("bernoulli", 2), ("softmax", 2), ("gaussian", 1)])
    mean = torch.tensor([0.25, 0.0, 0.3, 0.7, 2.0], dtype=torch.float64)
    machine.start_from(mean)
    began = machine.units.mean(machine.visible_bias[None])[0]
    torch.testing.assert_close(began[[0, 2, 3, 4]], mean[[0, 2, 3, 4]])
    assert machine.visible_bias.isfinite().all()  # also of a unit that was never on
