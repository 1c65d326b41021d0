"""Tensors on disk hold what was put there, and leave nothing behind."""

import os

import numpy as np
import pytest
import torch

from ganglion.data.columns import share_memory
from ganglion.data.spool import changed, is_on_disk, load, on_disk, pieces, scratch_folder, split_columns, store, walk
from ganglion.errors import SaveFailed

X = torch.arange(3000.0).reshape(1000, 3)


@pytest.fixture(autouse=True)
def small_memory(monkeypatch):
    monkeypatch.setenv("GANGLION_MEMORY", "0.01")  # pieces of 655 bytes


@pytest.fixture
def stored():
    tensor = on_disk({"x": ((1000, 3), torch.float32)})["x"]
    store(tensor, 0, X)
    return tensor


@pytest.fixture(params=["r", "r+"])
def mapped(request, tmp_path):
    np.save(tmp_path / "x.npy", X.numpy())
    return share_memory(np.load(tmp_path / "x.npy", mmap_mode=request.param))


def test_what_is_stored_is_read_in_every_way(stored):
    store(stored, 998, torch.tensor([[-1, -2, -3]]))
    expected = X.clone()
    expected[998] = torch.tensor([-1.0, -2.0, -3.0])
    assert is_on_disk(stored)
    assert torch.equal(stored, expected)  # through the mapping
    assert torch.equal(load(stored), expected)
    assert torch.equal(load(stored, slice(7, 999)), expected[7:999])
    assert torch.equal(load(stored[:, 1], slice(7, 999)), expected[7:999, 1])
    assert len(load(stored, slice(1000, 1001))) == 0


def test_columns_of_several_types_lie_side_by_side():
    columns = on_disk({"a": ((5,), torch.int64), "b": ((2, 3), torch.float32), "c": ((7,), torch.uint8)})
    assert all(not column.any() for column in columns.values())
    for i, column in enumerate(columns.values(), start=1):
        store(column, 0, torch.full(column.shape, i))
    assert [column.unique().tolist() for column in columns.values()] == [[1], [2], [3]]


def test_load_is_a_copy_and_of_memory_a_view(stored):
    assert not is_on_disk(load(stored))
    assert not is_on_disk(X)
    assert load(X, slice(3, 5)).data_ptr() == X[3:].data_ptr()


def test_pieces_are_bounded_and_complete(stored):
    parts = list(pieces(stored))
    assert torch.equal(torch.cat([part for _, part in parts]), X)
    assert max(len(part) for _, part in parts) * 3 * 8 <= 0.01 * 2**20 / 16
    assert [rows.start for rows, _ in parts] == list(range(0, 1000, len(parts[0][1])))


def test_walk_gives_the_same_rows_of_all(stored):
    other = torch.arange(1000)
    seen = [(rows, parts["x"].clone(), parts["i"].clone()) for rows, parts in walk({"x": stored, "i": other})]
    assert torch.equal(torch.cat([x for _, x, _ in seen]), X)
    assert torch.equal(torch.cat([i for _, _, i in seen]), other)


def test_a_large_memory_map_is_on_disk_and_a_small_one_is_not(mapped, monkeypatch, tmp_path):
    assert is_on_disk(mapped)
    assert is_on_disk(mapped[5:9])
    assert torch.equal(load(mapped), X)
    assert not is_on_disk(load(mapped))
    np.save(tmp_path / "small.npy", X[:9].numpy())
    assert not is_on_disk(share_memory(np.load(tmp_path / "small.npy", mmap_mode="r")))


def test_a_private_memory_map_keeps_its_changes(tmp_path):
    np.save(tmp_path / "x.npy", X.numpy())
    array = np.load(tmp_path / "x.npy", mmap_mode="c")
    array[:] = 1.0
    tensor = share_memory(array)
    assert not is_on_disk(tensor)
    assert torch.equal(load(tensor), torch.ones(1000, 3))


def test_changed_equals_the_change_of_the_whole(stored):
    def double(part):
        return part[:, :2].double() * 2

    assert is_on_disk(changed(stored, double))
    assert torch.equal(changed(stored, double), double(X))
    assert not is_on_disk(changed(X, double))


def test_columns_are_split(stored):
    columns = split_columns(stored)
    assert all(is_on_disk(column) and column.is_contiguous() for column in columns)
    assert torch.equal(torch.stack(columns, 1), X)
    assert torch.equal(torch.stack(split_columns(X), 1), X)


def test_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert scratch_folder() == str(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    columns = on_disk({"a": ((5,), torch.int64), "b": ((2, 3), torch.float32)})
    assert list(tmp_path.iterdir()) == []  # the file has no name even while it is used
    b = columns.pop("b")
    del columns
    store(b, 1, torch.ones(1, 3))
    assert b.sum() == 3
    del b
    assert len(os.listdir("/proc/self/fd")) == before


def test_no_room_is_said_before_anything_is_written():
    with pytest.raises(SaveFailed, match=r"need 1,073,741,824 MB of temporary disk space, but .* MB free .*TMPDIR"):
        on_disk({"x": ((2**50,), torch.uint8)})
