"""Series end to end: windows by index are what slices are, time-ordered parts, and gaps filled by the past alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganglion.data.grid import Grid
from ganglion.data.series import Panel, by_columns, filled, starts_of, windows_at
from ganglion.data.series_windows import SeriesWindows

LENGTHS = st.lists(st.integers(0, 12), min_size=1, max_size=5)


def offsets_of(lengths):
    return torch.tensor([0, *lengths]).cumsum(0)


def panel_of(lengths, n_columns=2):
    n = sum(lengths)
    values = torch.arange(n * n_columns, dtype=torch.float32).view(n, n_columns)
    ids = tuple(map(str, range(len(lengths))))
    names = tuple(f"x{i}" for i in range(n_columns))
    return Panel(values, None, offsets_of(lengths), np.arange(n, dtype=float), np.arange(n), ids, names, Grid())


@given(lengths=LENGTHS, length=st.integers(1, 6), stride=st.integers(1, 4), data=st.data())
def test_starts_are_those_of_a_loop(lengths, length, stride, data):
    first = data.draw(st.lists(st.integers(0, 14), min_size=len(lengths), max_size=len(lengths)))
    offsets = offsets_of(lengths)
    loop = [
        begin + i
        for begin, n, least in zip(offsets.tolist(), lengths, first, strict=False)
        for i in range(least, n - length + 1, stride)
    ]
    assert starts_of(offsets, length, first=torch.tensor(first), stride=stride).tolist() == loop


def test_windows_are_slices_and_nothing_is_copied():
    values = by_columns(torch.randn(50, 3))
    views = windows_at(values, 8)
    assert views.shape == (43, 3, 8)
    assert views.untyped_storage().data_ptr() == values.untyped_storage().data_ptr()
    for start in (0, 7, 42):
        assert torch.equal(views[start], values[start : start + 8].T)


@given(lengths=LENGTHS, share=st.sampled_from([0.25, 0.5, 0.9, 3]))
def test_a_split_is_in_time_and_whole(lengths, share):
    panel = panel_of(lengths)
    before, after = panel.split(share)
    for i in range(len(panel)):
        whole, one, other = (each.take([i]).values for each in (panel, before, after))
        assert torch.equal(torch.cat([one, other]), whole)
    assert len(before.times) == len(before.rows) == before.n_steps


def test_series_are_taken_in_any_order():
    panel = panel_of([3, 2, 4])
    taken = panel.take([2, 0])
    assert (taken.ids, taken.lengths.tolist()) == (("2", "0"), [4, 3])
    assert torch.equal(taken.values, torch.cat([panel.values[5:], panel.values[:3]]))
    assert panel.series_of(torch.tensor([0, 2, 3, 4, 5, 8])).tolist() == [0, 0, 1, 1, 2, 2]


@given(
    values=arrays(np.float64, (12, 2), elements=st.sampled_from([np.nan, 1.0, 2.0, 3.0])),
    cut=st.integers(0, 12),
)
def test_filling_repeats_the_last_value_of_the_same_series(values, cut):
    by_hand = values.copy()
    for begin, end in ((0, cut), (cut, 12)):
        for i in range(begin + 1, end):
            by_hand[i] = np.where(np.isnan(by_hand[i]), by_hand[i - 1], by_hand[i])
    got = filled(torch.from_numpy(values), torch.tensor([0, cut, 12]))
    np.testing.assert_array_equal(got.numpy(), by_hand)


def source(**settings):
    values = torch.arange(60.0).view(30, 2)
    starts = starts_of(torch.tensor([0, 12, 30]), 5)
    generator = torch.Generator().manual_seed(0)
    return SeriesWindows({"window": by_columns(values)}, starts, 5, 4, generator, **settings), values, starts


def test_a_pass_gives_every_window_once():
    windows, values, starts = source()
    seen = [row.clone() for batch in windows for row in batch["window"]]
    begins = sorted(int(row[0, 0]) // 2 for row in seen)
    assert begins == starts.tolist()
    assert all(torch.equal(row, values[int(row[0, 0]) // 2 :][:5].T) for row in seen)


@pytest.mark.parametrize("taken", range(1, 6))
def test_a_loaded_source_goes_on_where_the_other_was(taken):
    def some(windows, n):
        return [batch["window"].clone() for batch, _ in zip(windows, range(n), strict=False)]

    one, other = source()[0], source()[0]
    iterator = iter(one)
    for _ in range(taken):
        next(iterator)
    other.load_state_dict(one.state_dict())
    rest = [batch["window"].clone() for batch in iterator]
    assert all(map(torch.equal, rest, some(other, 99)))
    assert len(rest) == len(one) - taken


def test_steps_end_the_last_epoch():
    windows, _, _ = source(epoch=3, steps=7)
    assert [sum(1 for _ in windows) for _ in range(4)] == [3, 3, 1, 0]
