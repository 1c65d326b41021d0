"""What is kept, found again, made anew, and removed."""

import os
import time

import numpy as np
import pytest

from ganglion.data import image_cache
from ganglion.data.image_cache import cache_folder, kept, n_bytes_kept
from ganglion.data.spool import is_on_disk
from ganglion.errors import DataWarning

ROWS = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path / "here"))
    return tmp_path / "here" / "images"


def build(calls, rows=ROWS):
    def work(write):
        calls.append(1)
        write(rows[:2])
        write(rows[2:])
        return {"names": ["a", "ü"]}

    return work


@pytest.mark.parametrize("megabytes", ["1000", "0.0001"])
def test_what_was_built_is_found(folder, monkeypatch, megabytes):
    monkeypatch.setenv("GANGLION_MEMORY", megabytes)
    calls = []
    for _ in range(3):
        rows, notes = kept("key", build(calls))
        np.testing.assert_array_equal(rows.numpy(), ROWS)
        assert notes == {"names": ["a", "ü"]}
        assert is_on_disk(rows) == (megabytes == "0.0001")
    assert len(calls) == 1
    assert [path.name for path in folder.iterdir()] == ["key"]
    assert n_bytes_kept() == (folder / "key").stat().st_size


@pytest.mark.parametrize("place", [0, 30, 4096, 4100, -1])
def test_a_changed_byte_is_seen(folder, place):
    calls = []
    kept("key", build(calls))
    content = bytearray((folder / "key").read_bytes())
    content[place] ^= 1
    (folder / "key").write_bytes(content)
    rows, notes = kept("key", build(calls))
    np.testing.assert_array_equal(rows.numpy(), ROWS)
    assert notes == {"names": ["a", "ü"]}
    assert len(calls) == 2


@pytest.mark.parametrize("size", [0, 10, 4096, 4120, -1])
def test_a_cut_file_is_made_again(folder, size):
    calls = []
    kept("key", build(calls))
    content = (folder / "key").read_bytes()
    (folder / "key").write_bytes(content[:size])
    kept("key", build(calls))
    assert len(calls) == 2
    assert (folder / "key").read_bytes() == content


def test_a_failure_leaves_nothing(folder):
    def fail(write):
        write(ROWS)
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        kept("key", fail)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        with pytest.warns(DataWarning, match="cannot be kept.*GANGLION_CACHE"):
            rows, _ = kept("key", build([]))
        np.testing.assert_array_equal(rows.numpy(), ROWS)


def test_what_was_used_longest_ago_is_removed(folder, monkeypatch):
    kept("one", build([]))
    monkeypatch.setattr(image_cache, "MOST_BYTES", 2 * (folder / "one").stat().st_size + 8)
    kept("two", build([]))
    (folder / ".stopped").write_bytes(b"half")
    (folder / ".writing").write_bytes(b"half")
    for name, age in (("one", 50), ("two", 90), (".stopped", 100_000)):
        os.utime(folder / name, (time.time() - age,) * 2)
    kept("one", build([]))  # used again
    kept("three", build([]))
    assert sorted(path.name for path in folder.iterdir()) == [".writing", "one", "three"]


def test_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.delenv("GANGLION_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "ganglion" / "images"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/ann")
    assert str(cache_folder()) == "/home/ann/.cache/ganglion/images"
