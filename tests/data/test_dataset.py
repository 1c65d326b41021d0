"""Ragged columns and batches against slow, obvious Python."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.batches import Batches
from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.data.spool import on_disk, store
from ganglion.errors import InvalidParameter


def ragged(samples):
    offsets = np.cumsum([0, *map(len, samples)])
    return Ragged(torch.tensor([v for s in samples for v in s], dtype=torch.uint8), torch.from_numpy(offsets))


def as_lists(column):
    cuts = column.offsets.tolist()
    return [column.values[a:b].tolist() for a, b in pairwise(cuts)]


@given(st.lists(st.lists(st.integers(0, 255), max_size=5), min_size=1, max_size=9), st.data())
def test_take_equals_a_loop(samples, data):
    rows = data.draw(st.lists(st.integers(0, len(samples) - 1), max_size=12))
    taken = ragged(samples).take(torch.tensor(rows, dtype=torch.int64))
    assert as_lists(taken) == [samples[row] for row in rows]


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 5))
def test_an_epoch_covers_each_sample_once(n, batch_size, seed):
    batches = Batches({"i": torch.arange(n)}, batch_size, torch.Generator().manual_seed(seed))
    seen = [row for batch in batches for row in batch["i"].tolist()]
    assert sorted(seen) == list(range(n))
    assert len(list(batches)) == len(batches)


def stored(tensor):
    column = on_disk({"": (tuple(tensor.shape), tensor.dtype)})[""]
    store(column, 0, tensor)
    return column


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setenv("GANGLION_MEMORY", "0.01")  # blocks of 1,310 bytes


@pytest.mark.parametrize("batch_size", [1, 7, 10, 33])  # 201 and 101 rows: a rest of 5, 1 and 3 samples
@pytest.mark.parametrize("part", [None, torch.arange(1, 202, 2)])
def test_batches_from_disk_are_those_from_memory(small_memory, batch_size, part):
    x, i = torch.randn(203 if part is not None else 201, 4), torch.arange(203 if part is not None else 201)
    sources = [
        Batches({"x": column, "i": i}, batch_size, torch.Generator().manual_seed(3), rows=part)
        for column in (x, stored(x))
    ]
    for _ in range(2):
        pairs = [[{k: v.clone() for k, v in batch.items()} for batch in source] for source in sources]
        assert len(pairs[0]) == len(pairs[1]) == len(sources[1])
        for here, there in zip(*pairs, strict=True):
            assert torch.equal(here["i"], there["i"])
            assert torch.equal(here["x"], there["x"])
            assert torch.equal(x[there["i"]], there["x"])
    assert torch.equal(sources[0].example()["x"], sources[1].example()["x"])


@pytest.mark.parametrize("position", [0, 1, 5, 10])
def test_batches_from_disk_go_on_in_the_middle_of_an_epoch(small_memory, position):
    x = torch.randn(95, 4)
    first = Batches({"x": x}, 10, torch.Generator().manual_seed(3))
    whole = [batch["x"].clone() for batch in first]
    state = {"generator": torch.Generator().manual_seed(3).get_state(), "position": torch.tensor(position)}
    resumed = Batches({"x": stored(x)}, 10, torch.Generator())
    resumed.load_state_dict(state)
    rest = [batch["x"].clone() for batch in resumed]
    assert len(rest) == 10 - position
    assert all(torch.equal(a, b) for a, b in zip(rest, whole[position:], strict=True))
    assert all(torch.equal(a["x"], b["x"]) for a, b in zip(resumed, first, strict=True))  # the next epoch


def test_a_batch_too_large_for_memory_is_refused(small_memory):
    with pytest.raises(
        InvalidParameter, match=r"the 90 samples of a step are too large for memory.*smaller batch_size"
    ):
        Batches({"x": stored(torch.randn(95, 4))}, 90, torch.Generator())


def test_a_part_of_columns_on_disk(small_memory):
    x, code = torch.randn(100, 3, dtype=torch.float64), torch.arange(100) % 3 - 1
    fields = [Field("x", "numeric", (3,)), Field("c", "categorical", categories=("a", "b"))]
    data = Dataset(fields, {"x": stored(x), "c": stored(code)}, target="c")
    rows = torch.randperm(100)[:70]
    taken = data.take(rows)
    assert taken.is_on_disk
    assert torch.equal(taken.columns["x"], x[rows])
    assert taken.X_y()[1].tolist() == [(None, "a", "b")[i] for i in (rows % 3).tolist()]
    assert not data.take(rows[:5]).is_on_disk
    parts = [(rows, part.columns["x"].clone()) for rows, part in data.pieces()]
    assert len(parts) == 5
    assert torch.equal(torch.cat([part for _, part in parts]), x)
    assert data.n_bytes == 100 * (24 + 8)
