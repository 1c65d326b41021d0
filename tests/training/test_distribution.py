"""Shares of a batch, a process that is alone, how workers find each other; real ones are in `test_workers.py`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.distributed as dist

from ganglion.training.distribution import Workers, _of_this_attempt, together


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
    assert alone.same_row({"validation_loss": 0.1}) == {"validation_loss": 0.1}
    assert alone.mean(torch.tensor(2.0, requires_grad=True)).requires_grad is False
    with pytest.raises(ZeroDivisionError), together():
        raise ZeroDivisionError


def meet(store, n):
    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(lambda rank: _of_this_attempt(store, rank, n), range(n)))


@pytest.mark.parametrize("n", [2, 4])
def test_a_restarted_attempt_sees_nothing_of_the_one_before(n):
    store = dist.HashStore()
    store.set("ganglion/knock/1", "one that was killed while it waited")
    first = meet(store, n)
    for rank, its in enumerate(first):
        its.set(f"address/{rank}", "of the dead")
    again = meet(store, n)
    assert not again[0].check(["address/1"])
    for rank, its in enumerate(again):
        its.set(f"address/{rank}", f"of {rank}")
    assert [again[0].get(f"address/{rank}") for rank in range(n)] == [f"of {rank}".encode() for rank in range(n)]
    assert first[0].get("address/1") == b"of the dead"
