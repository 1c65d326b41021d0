"""How much memory counts as there: the variable, the machine, the container."""

import os

import pytest

from ganglion.data import memory
from ganglion.errors import InvalidParameter


def test_the_variable_is_in_megabytes(monkeypatch):
    monkeypatch.setenv("GANGLION_MEMORY", "80")
    assert memory.memory_bytes() == 80 * 2**20
    assert not memory.is_large(10 * 2**20)
    assert memory.is_large(10 * 2**20 + 1)
    assert (memory.piece_bytes(), memory.block_bytes()) == (5 * 2**20, 10 * 2**20)


@pytest.mark.parametrize("given", ["much", "0", "-3", "nan", "inf"])
def test_a_variable_that_is_no_size(monkeypatch, given):
    monkeypatch.setenv("GANGLION_MEMORY", given)
    with pytest.raises(InvalidParameter, match=rf"GANGLION_MEMORY='{given}': give the megabytes"):
        memory.memory_bytes()


def test_the_lowest_limit_of_the_groups_counts(monkeypatch, tmp_path):
    monkeypatch.delenv("GANGLION_MEMORY", raising=False)
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    files = [tmp_path / name for name in ("absent", "max", "high", "low")]
    for file, content in zip(files[1:], ("max\n", f"{2**40}\n", f"{2**20}\n"), strict=True):
        file.write_text(content)
    for n, expected in ((3, min(physical, 2**40)), (4, 2**20)):
        monkeypatch.setattr(memory, "_limit_files", lambda n=n: files[:n])
        memory._of_machine.cache_clear()
        assert memory.memory_bytes() == expected
    memory._of_machine.cache_clear()


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/a/b", "/sys/fs/cgroup/a/memory.max"),
        ("4:cpu,memory:/a/b", "/sys/fs/cgroup/memory/a/memory.limit_in_bytes"),
    ],
)
def test_groups_above_are_looked_at_too(monkeypatch, line, file):
    monkeypatch.setattr("pathlib.Path.read_text", lambda path: f"7:pids:/other\n{line}\n")
    found = [str(path) for path in memory._limit_files()]
    assert len(found) == 3
    assert found[1] == file
