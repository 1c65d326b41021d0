"""Rows of tensors on disk, in any order, equal `index_select` of the same tensor in memory."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.gather import blocks, gather, take
from ganglion.data.spool import is_on_disk, on_disk, store

N = 300
TENSORS = {
    "x": torch.randn(N, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)),
    "i": torch.arange(N),
    "image": torch.arange(N * 4, dtype=torch.uint8).reshape(N, 1, 2, 2),
}
ROWS = st.lists(st.integers(0, N - 1), max_size=60)


@pytest.fixture(scope="module", autouse=True)
def small_memory():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANGLION_MEMORY", "0.003")  # 8 rows of x are a piece, what is beyond 393 bytes is large
        patch.setattr("ganglion.data.gather.HOLE_BYTES", 100)
        yield


@pytest.fixture(scope="module")
def stored(small_memory):
    tensors = on_disk({name: (tuple(t.shape), t.dtype) for name, t in TENSORS.items() if name != "i"})
    for name, tensor in tensors.items():
        store(tensor, 0, TENSORS[name])
    return {"x": tensors["x"], "i": TENSORS["i"], "image": tensors["image"]}


def assert_rows(found, rows):
    assert list(found) == list(TENSORS)
    for name, tensor in found.items():
        assert torch.equal(tensor, TENSORS[name][rows])


@given(rows=ROWS)
def test_gather(stored, rows):
    index = torch.tensor(rows, dtype=torch.int64)
    found = gather(stored, index)
    assert_rows(found, index)
    assert not any(map(is_on_disk, found.values()))


@given(rows=ROWS, rising=st.booleans())
def test_take(stored, rows, rising):
    index = torch.tensor(sorted(rows) if rising else rows, dtype=torch.int64)
    found = take(stored, index)
    assert_rows(found, index)
    large = len(rows) * (24 + 4) > 0.003 * 2**20 / 8
    assert (is_on_disk(found["x"]), is_on_disk(found["i"])) == (large, False)


@given(order=st.permutations(range(N)), inner=st.sets(st.integers(1, N - 1), max_size=9))
def test_blocks(stored, order, inner):
    index, cuts = torch.tensor(order), [0, *sorted(inner), N]
    room = on_disk({name: (tuple(TENSORS[name].shape), TENSORS[name].dtype) for name in ("x", "image")})
    on_file = {name: stored[name] for name in room}
    for (content, places), (begin, end) in zip(blocks(on_file, index, cuts, room), pairwise(cuts), strict=True):
        for name, tensor in content.items():
            assert not is_on_disk(tensor)
            assert torch.equal(tensor[places], TENSORS[name][index[begin:end]])
