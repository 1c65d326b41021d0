"""How varied samples are: known shares of known modes."""

import pytest
import torch

from ganglion.training.variety import diversity, nearest, rows_hit

G = torch.Generator().manual_seed(0)
MODES = 100 * torch.randn(20, 5, generator=G)


def draw(n, modes=20):
    return MODES[torch.randint(modes, (n,), generator=G)] + torch.randn(n, 5, generator=G)


def test_the_nearest_row_by_hand():
    a, b = torch.randn(30, 4, generator=G), torch.randn(9, 4, generator=G)
    assert torch.equal(nearest(a, b), torch.cdist(a, b).argmin(1))
    assert rows_hit(b, b) == 9


def test_samples_of_the_data_are_as_varied_as_the_data():
    assert diversity(draw(1000), draw(1000)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("modes", [1, 5, 10])
def test_missing_modes_are_missed(modes):
    assert diversity(draw(1000, modes), draw(1000)) == pytest.approx(modes / 20, abs=0.12)


def test_one_sample_over_and_over_is_no_variety():
    assert diversity(draw(1).expand(500, 5), draw(1000)) < 0.01


def test_it_needs_no_scale():
    samples, rows = draw(500, 7), draw(500)
    assert diversity(samples * 1e-3, rows * 1e-3) == diversity(samples, rows)
