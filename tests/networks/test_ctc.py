"""CTC against sums over every path, written out."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.networks.ctc import best_path, collapsed, ctc_losses, either, prefix_beam_search, steps_needed


def text_of(path):
    """Return B(π): repeats joined, then blanks dropped."""
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)


def every_text(scores):
    """Return p(l|x) of every text, the sum over all paths, in float64."""
    y = scores.double().softmax(1).numpy()
    found = {}
    for path in itertools.product(range(y.shape[1]), repeat=len(y)):
        text = text_of(path)
        found[text] = found.get(text, 0.0) + math.prod(y[t, symbol] for t, symbol in enumerate(path))
    return found


def scores_of(seed, n_steps, n_symbols, sharpness=2.0):
    return torch.randn(n_steps, n_symbols, generator=torch.Generator().manual_seed(seed)) * sharpness


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), text=st.lists(st.integers(1, 2), min_size=1, max_size=3))
def test_loss_is_minus_the_log_of_the_sum_over_all_paths(seed, text):
    scores = scores_of(seed, 6, 3)
    loss = ctc_losses(scores[None], torch.tensor([6]), torch.tensor([[*text, 0, 0]]))
    assert float(loss[0]) == pytest.approx(-math.log(every_text(scores)[tuple(text)]), rel=1e-5)


def test_loss_does_not_depend_on_filling():
    scores = scores_of(1, 6, 3)
    longer = torch.cat([scores[:5], torch.full((3, 3), 9.0)])
    one = ctc_losses(scores[None, :5], torch.tensor([5]), torch.tensor([[1, 2]]))
    other = ctc_losses(longer[None], torch.tensor([5]), torch.tensor([[1, 2, 0, 0]]))
    torch.testing.assert_close(one, other)


def test_gradient():
    scores = scores_of(2, 5, 3).double().requires_grad_()

    def loss(given_scores):
        log_y = given_scores[None].log_softmax(2).transpose(0, 1)
        return torch.nn.functional.ctc_loss(log_y, torch.tensor([[1, 1]]), torch.tensor([5]), torch.tensor([2]))

    assert torch.autograd.gradcheck(loss, scores)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n_steps=st.integers(1, 5))
def test_prefix_beam_of_all_prefixes_is_exact(seed, n_steps):
    scores = scores_of(seed, n_steps, 3)
    texts, log_p = prefix_beam_search(scores[None], torch.tensor([n_steps]), 3**n_steps)
    chances = every_text(scores)
    best = max(chances, key=lambda text: chances[text])
    assert tuple(symbol for symbol in texts[0].tolist() if symbol) == best
    assert float(log_p[0]) == pytest.approx(math.log(chances[best]), rel=1e-4, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_narrow_beam_never_claims_more_than_is_true_and_finds_nothing_twice(seed):
    scores = scores_of(seed, 5, 3)
    texts, log_p = prefix_beam_search(scores[None], torch.tensor([5]), 3)
    said = tuple(symbol for symbol in texts[0].tolist() if symbol)
    assert float(log_p[0]) <= math.log(every_text(scores)[said]) + 1e-4


def test_the_beam_adds_up_paths_where_the_best_path_fails():
    # Graves et al. 2006, figure 2: the likeliest path is all blanks, the likeliest text is "a"
    y = torch.tensor([[0.6, 0.4], [0.6, 0.4]]).log()
    assert best_path(y[None], torch.tensor([2])).tolist() == [[0]]
    texts, log_p = prefix_beam_search(y[None], torch.tensor([2]), 4)
    assert texts[0].tolist()[:1] == [1]
    assert math.exp(float(log_p[0])) == pytest.approx(0.64)


def test_recordings_of_a_batch_are_decoded_each_by_itself():
    several = [scores_of(seed, n, 4) for seed, n in ((0, 6), (1, 3), (2, 1))]
    batch = torch.full((3, 6, 4), 5.0)
    for i, each in enumerate(several):
        batch[i, : len(each)] = each
    lengths = torch.tensor([6, 3, 1])
    texts, log_p = prefix_beam_search(batch, lengths, 8)
    for i, each in enumerate(several):
        alone, log_p_alone = prefix_beam_search(each[None], torch.tensor([len(each)]), 8)
        assert [s for s in texts[i].tolist() if s] == [s for s in alone[0].tolist() if s]
        torch.testing.assert_close(log_p[i], log_p_alone[0])


def test_collapsed_joins_repeats_and_drops_blanks():
    path = torch.tensor([[1, 1, 0, 1, 2, 2], [0, 0, 3, 3, 0, 9], [0, 0, 0, 0, 0, 0]])
    assert collapsed(path, torch.tensor([6, 5, 6])).tolist() == [[1, 1, 2], [3, 0, 0], [0, 0, 0]]


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=6), min_size=1, max_size=5))
def test_steps_needed_counts_a_blank_between_equal_neighbours(texts):
    tokens = torch.tensor(list(itertools.chain.from_iterable(texts)), dtype=torch.int32)
    offsets = torch.tensor([0, *map(len, texts)]).cumsum(0)
    by_hand = [len(text) + sum(a == b for a, b in itertools.pairwise(text)) for text in texts]
    assert steps_needed(tokens, offsets).tolist() == by_hand


def test_a_text_that_needs_all_steps_has_one_path():
    scores = scores_of(5, 3, 3)
    y = scores.log_softmax(1)
    loss = ctc_losses(scores[None], torch.tensor([3]), torch.tensor([[1, 1]]))
    np.testing.assert_allclose(float(loss[0]), -float(y[0, 1] + y[1, 0] + y[2, 1]), rtol=1e-5)


def test_either_of_two_that_hardly_happen():
    a = torch.tensor([-math.inf, -math.inf, -200.0, -200.0, -1.0, 0.0, 3.0])
    b = torch.tensor([-math.inf, -1.0, -200.0, -201.0, -math.inf, -0.5, 3.5])
    torch.testing.assert_close(either(a, b), torch.logaddexp(a, b))
    torch.testing.assert_close(either(b, a), torch.logaddexp(a, b))
