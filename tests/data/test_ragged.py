"""Ragged columns: what one gather does equals slow Python, sample by sample."""

from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.batches import Batches
from ganglion.data.ragged import POOL, Ragged, bucketed, by_length, joined, length_of, lengths_of, side_by_side

LENGTHS = st.lists(st.integers(0, 7), min_size=1, max_size=8)


def column(lengths: list[int], width: int = 0, fill: float = 0) -> tuple[list[list], Ragged]:
    shape = (sum(lengths), width) if width else (sum(lengths),)
    values = torch.arange(1, 1 + int(np.prod(shape)), dtype=torch.float64).view(shape)
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return [each.tolist() for each in values.split(lengths)], Ragged(values, offsets, fill)


@given(data=st.data(), width=st.sampled_from([0, 2]), fill=st.sampled_from([0.0, -1.0]))
def test_padded_is_each_sample_with_filling_behind(data, width, fill):
    samples, ragged = column(data.draw(LENGTHS), width, fill)
    rows = data.draw(st.lists(st.integers(0, len(samples) - 1), max_size=6))
    values, lengths = ragged.padded(torch.tensor(rows, dtype=torch.int64))
    assert lengths.tolist() == [len(samples[i]) for i in rows]
    longest = max((len(samples[i]) for i in rows), default=0)
    nothing = [fill] * width if width else fill
    assert values.tolist() == [samples[i] + [nothing] * (longest - len(samples[i])) for i in rows]


@given(data=st.data(), width=st.sampled_from([0, 2]))
def test_take_is_indexing(data, width):
    samples, ragged = column(data.draw(LENGTHS), width, fill=-1)
    rows = data.draw(st.lists(st.integers(0, len(samples) - 1), max_size=6))
    taken = ragged.take(torch.tensor(rows, dtype=torch.int64))
    assert [each.tolist() for each in taken.split()] == [samples[i] for i in rows]
    assert len(taken) == len(rows)
    assert taken.fill == -1


@given(LENGTHS, st.integers(0, 9))
def test_cut_is_slicing(lengths, most):
    samples, ragged = column(lengths)
    cut = ragged.cut(most)
    assert [each.tolist() for each in cut.split()] == [each[:most] for each in samples]
    assert cut.longest == max(map(len, (each[:most] for each in samples)))


@given(LENGTHS)
def test_joined_is_the_inverse_of_split(lengths):
    _, ragged = column(lengths)
    again = joined(ragged.split(), fill=3)
    assert torch.equal(again.values, ragged.values)
    assert torch.equal(again.offsets, ragged.offsets)
    assert (again.fill, again.dtype) == (3, torch.float64)


def test_side_by_side_keeps_dense_columns_and_adds_lengths():
    _, ragged = column([2, 0, 3])
    dense = torch.tensor([10.0, 20.0, 30.0])
    batch = side_by_side({"words": ragged, "y": dense}, torch.tensor([2, 0]))
    assert batch["words"].tolist() == [[3, 4, 5], [1, 2, 0]]
    assert batch[length_of("words")].tolist() == [3, 2]
    assert batch["y"].tolist() == [30, 10]
    assert side_by_side({"y": dense})["y"] is dense


def test_lengths_of_several_columns_are_added():
    one, other = column([2, 0, 3])[1], column([1, 1, 4])[1]
    assert lengths_of({"a": one, "b": other, "y": torch.zeros(3)}).tolist() == [3, 1, 7]
    assert lengths_of({"y": torch.zeros(3)}) is None


@given(st.lists(st.integers(1, 30), min_size=1, max_size=50), st.integers(1, 8), st.integers(0, 99))
def test_bucketed_is_a_permutation_whose_batches_are_about_equally_long(lengths, batch_size, seed):
    order = torch.randperm(len(lengths), generator=torch.Generator().manual_seed(seed))
    sizes = torch.tensor(lengths)
    new = bucketed(order, sizes, batch_size, torch.Generator().manual_seed(seed))
    assert sorted(new.tolist()) == list(range(len(lengths)))
    # all are one pool: no length lies between the shortest and the longest of another batch
    assert len(lengths) <= POOL * batch_size or batch_size == 1
    parts = [sizes[part].tolist() for part in new.split(batch_size)]
    spans = sorted((min(part), max(part)) for part in parts)
    assert all(last <= first for (_, last), (first, _) in pairwise(spans))


def test_bucketed_saves_most_of_the_filling():
    lengths = torch.from_numpy(np.random.default_rng(0).integers(1, 100, 5000))
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(0))

    def cells(order):
        return sum(int(lengths[part].max()) * len(part) for part in order.split(32))

    bucket = bucketed(order, lengths, 32, torch.Generator().manual_seed(0))
    total = int(lengths.sum())
    assert cells(order) > 1.9 * total
    assert cells(bucket) < 1.05 * total
    assert not torch.equal(bucket.split(32)[0].sort().values, lengths.argsort()[:32].sort().values)  # not in order


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(1, 60))
def test_by_length_holds_each_sample_once_and_no_group_too_large(lengths, most):
    groups = by_length(torch.tensor(lengths), most)
    assert sorted(torch.cat(groups).tolist()) == list(range(len(lengths)))
    for group in groups:
        longest = max(lengths[i] for i in group)
        assert len(group) == 1 or longest * len(group) <= most
    tops = [max(lengths[i] for i in group) for group in groups]
    assert tops == sorted(tops, reverse=True)


def test_batches_of_ragged_columns_hold_every_sample_once():
    samples, ragged = column([3, 1, 4, 1, 5, 2, 6, 5, 3])
    batches = Batches({"words": ragged, "y": torch.arange(9)}, 4, torch.Generator().manual_seed(0))
    seen = {}
    for batch in batches:
        for row, length, y in zip(batch["words"], batch["words_length"], batch["y"].clone(), strict=True):
            seen[int(y)] = row[: int(length)].tolist()
            assert (row[int(length) :] == 0).all()
    assert seen == dict(enumerate(samples))
