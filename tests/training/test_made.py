"""Samples beside the data: known shares of known modes, noise, copies."""

import pytest
import torch

from ganglion.training.made import beside, collapse_alarm, groups, is_strange, strange_alarm

G = torch.Generator().manual_seed(0)
MODES = 20 * torch.randn(10, 5, generator=G)


def draw(n, modes=10, spread=1.0):
    return MODES[torch.randint(modes, (n,), generator=G)] + spread * torch.randn(n, 5, generator=G)


def test_samples_of_the_data_are_as_they_should_be():
    made = beside(draw(500), draw(1000))
    assert made.strange == pytest.approx(0.05, abs=0.05)
    assert made.far == pytest.approx(1.0, abs=0.1)
    assert made.shared > 0.85
    assert made.spread == pytest.approx(1.0, abs=0.2)
    assert made.found == made.n_groups
    assert not is_strange(made)
    assert collapse_alarm(made, "") == []


@pytest.mark.parametrize("modes", [1, 2, 5, 8])
def test_the_share_of_the_modes_that_are_there(modes):
    made = beside(draw(500, modes), draw(1000))
    assert made.shared == pytest.approx(modes / 10, abs=0.1)
    assert not is_strange(made)


def test_few_modes_are_a_collapse_with_its_numbers():
    ((name, evidence, remedy),) = collapse_alarm(beside(draw(500, 2), draw(1000)), "Try this.")
    assert (name, remedy) == ("mode collapse", "Try this.")
    assert evidence.startswith("what is made is of few kinds: of 16 groups that the data fall into it reaches ")


def test_one_sample_of_each_mode_over_and_over_is_a_collapse():
    made = beside(draw(500, spread=0.01), draw(1000))
    assert made.spread < 0.01
    ((_, evidence, _),) = collapse_alarm(made, "")
    assert evidence.startswith("what is made is all alike: within a kind of data it varies")


def test_noise_is_unlike_the_data_by_as_much_as_it_lies_apart():
    made = beside(20 * torch.randn(500, 5, generator=G), draw(1000))
    assert is_strange(made)
    assert strange_alarm(made, "")[1].startswith(f"{made.strange:.0%} of what is made lies farther")


def test_it_needs_no_scale():
    samples, rows = draw(300, 7), draw(500)
    small, large = beside(1e-3 * samples, 1e-3 * rows), beside(1e3 * samples, 1e3 * rows)
    assert small.far == pytest.approx(large.far, rel=1e-6)
    assert (small.strange, small.shared, small.found) == (large.strange, large.shared, large.found)


def test_groups_of_modes_far_apart_are_the_modes():
    centers = groups(draw(1000).double())
    assert torch.cdist(MODES.double(), centers).amin(1).max() < 2.0  # some modes are two groups


def test_rows_that_are_all_the_same_are_one_group():
    made = beside(torch.zeros(50, 3), torch.zeros(40, 3))
    assert made.n_groups == 1
    assert not is_strange(made)
