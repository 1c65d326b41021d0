"""Shares of a batch, and a process that is alone; two real workers are `benchmarks/claims/two_workers.py`."""

from __future__ import annotations

import pytest
import torch

from ganglion.training.distribution import Workers


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("n", [1, 2, 4])
def test_scaled_means_of_the_shares_are_the_mean_of_the_batch(size, n):
    batch = {"x": torch.arange(size, dtype=torch.float64) ** 2}
    means = []
    for rank in range(n):
        own, scale = Workers(rank, n).share(batch)
        means.append(own["x"].mean() * scale)
    assert torch.stack(means).mean().item() == pytest.approx(batch["x"].mean().item())


def test_an_ordinary_process_is_alone():
    alone = Workers()
    assert alone.speaks
    assert alone.same(7) == 7
    assert alone.most(3) == 3
