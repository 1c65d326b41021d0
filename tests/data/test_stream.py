"""Windows of a stream: every token once a pass, the same ones after a resume, and spans in which each is answered."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.ragged import joined
from ganglion.data.stream import Windows, as_stream, spans, weights_of_stream, windows_of

END = 3


def source(n=103, length=8, batch_size=4, **settings):
    columns = {"tokens": torch.arange(n, dtype=torch.int32)}
    return Windows(columns, length, batch_size, torch.Generator().manual_seed(0), **settings)


def epoch(windows):
    return [batch["tokens"].clone() for batch in windows]


@given(n=st.integers(3, 200), length=st.integers(1, 50))
def test_a_pass_shows_every_token_and_hardly_any_twice(n, length):
    length = min(length, n - 1)
    shown = torch.cat(epoch(source(n, length))).flatten()
    assert set(shown.tolist()) == set(range(n - 1))  # the last one is an answer only
    assert len(shown) == windows_of(n, length) * length < n + 3 * length


def test_the_answer_is_the_token_that_follows():
    for batch in source():
        assert torch.equal(batch["target"], batch["tokens"] + 1)
        assert batch["tokens_length"].tolist() == [8] * len(batch["tokens"])


def test_weights_are_those_of_the_answers():
    columns = {"tokens": torch.arange(50), "weight": torch.arange(50).float()}
    for batch in Windows(columns, 5, 3, torch.Generator().manual_seed(0)):
        assert torch.equal(batch["weight"], batch["target"].float())


def test_passes_differ_and_a_seed_repeats_them():
    one, other = source(), source()
    first = epoch(one)
    assert all(map(torch.equal, first, epoch(other)))
    assert not all(map(torch.equal, first, epoch(one)))


def test_epochs_cut_the_stream_of_passes_anew():
    whole, parts = source(), source(epoch=3, steps=8)
    twice = epoch(whole) + epoch(whole)
    cut = [epoch(parts) for _ in range(4)]
    assert [len(each) for each in cut] == [3, 3, 2, 0]
    assert all(map(torch.equal, [batch for part in cut for batch in part], twice[:8]))


@pytest.mark.parametrize("taken", range(9))
def test_a_loaded_source_goes_on_where_the_other_was(taken):
    whole, stopped = source(epoch=4), source(epoch=4)
    expected = [batch for _ in range(3) for batch in epoch(whole)][taken:]
    for _ in range(taken // 4):
        epoch(stopped)
    walk = iter(stopped)
    for _ in range(taken % 4):
        next(walk)
    resumed = source(epoch=4)
    resumed.generator.manual_seed(7)
    resumed.load_state_dict(stopped.state_dict())
    rest = [batch for _ in range(3) for batch in epoch(resumed)]
    assert all(map(torch.equal, rest, expected))


def test_documents_have_an_end_before_between_and_behind_them():
    documents = joined([torch.tensor([7, 8]), torch.tensor([9]), torch.tensor([5, 6, 7])])
    assert as_stream(documents, END).tolist() == [3, 7, 8, 3, 9, 3, 5, 6, 7, 3]
    weights = weights_of_stream(documents, torch.tensor([1.0, 2.0, 3.0]))
    assert weights.tolist() == [1, 1, 1, 1, 2, 2, 3, 3, 3, 3]


@given(lengths=st.lists(st.integers(2, 40), min_size=1, max_size=6), size=st.integers(2, 12), share=st.floats(0, 0.9))
def test_spans_answer_every_token_once(lengths, size, share):
    overlap = int(share * size)
    texts = joined([torch.arange(length) for length in lengths])
    cuts = spans(texts, size, overlap)
    answered = np.zeros(len(texts.values), dtype=int)
    for begin, length, known in zip(cuts.begin, cuts.length, cuts.known, strict=True):
        assert 0 < length <= size
        answered[begin + 1 + known : begin + 1 + length] += 1
    expected = np.ones_like(answered)
    expected[texts.offsets[:-1].numpy()] = 0  # nothing comes before the first one
    assert (answered == expected).all()
