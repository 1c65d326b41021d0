"""Ragged columns and batches against slow, obvious Python."""

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.dataset import Batches, Ragged


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
