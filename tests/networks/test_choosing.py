"""Temperature, the k likeliest and the nucleus: the laws by which tokens are drawn."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganglion.networks.choosing import chances, draw

SCORES = torch.tensor([[0.1, 0.2, 0.4, 0.3]]).log()
rows = arrays("float64", (2, 6), elements=st.floats(-30, 30))


@given(rows, st.floats(0, 5), st.one_of(st.none(), st.integers(1, 8)), st.one_of(st.none(), st.floats(0.01, 1)))
def test_chances_sum_to_one_and_keep_the_order(scores, temperature, top_k, top_p):
    scores = torch.from_numpy(scores)
    p = chances(scores, temperature=temperature, top_k=top_k, top_p=top_p)
    torch.testing.assert_close(p.sum(1), torch.ones(2, dtype=torch.float64))
    if top_k:
        assert ((p > 0).sum(1) <= top_k).all()
    assert (p.amax(1) == p.gather(1, scores.argmax(1, keepdim=True))[:, 0]).all()  # the likeliest stays the likeliest


def test_temperature_divides_the_scores():
    expected = torch.tensor([[0.1, 0.2, 0.4, 0.3]], dtype=torch.float64) ** 2
    torch.testing.assert_close(chances(SCORES, temperature=0.5), expected / expected.sum(), rtol=1e-6, atol=0)


def test_temperature_of_zero_and_one_token_are_the_likeliest():
    assert chances(SCORES, temperature=0).tolist() == chances(SCORES, top_k=1).tolist() == [[0, 0, 1, 0]]


@pytest.mark.parametrize(("top_p", "kept"), [(0.3, {2}), (0.41, {2, 3}), (0.69, {2, 3}), (0.75, {1, 2, 3}), (1, None)])
def test_nucleus_is_the_smallest_that_holds_enough(top_p, kept):
    p = chances(SCORES, top_p=top_p)[0]
    assert set(p.nonzero().flatten().tolist()) == (kept or {0, 1, 2, 3})


def test_nucleus_is_taken_of_the_k_likeliest():
    # of the two likeliest, 0.4 and 0.3, the first has 0.57 of what is left
    assert chances(SCORES, top_k=2, top_p=0.5).tolist() == [[0, 0, 1, 0]]
    assert chances(SCORES, top_k=2, top_p=0.6)[0].gt(0).tolist() == [False, False, True, True]


def test_equal_scores_leave_exactly_k():
    assert int((chances(torch.zeros(1, 5), top_k=2) > 0).sum()) == 2


def test_what_must_not_be_drawn_is_not():
    scores = torch.tensor([[0.0, -math.inf, 0.0]]).repeat(1000, 1)
    drawn = draw(scores, torch.Generator().manual_seed(0))
    assert set(drawn.tolist()) == {0, 2}


def test_draws_follow_the_chances():
    drawn = draw(SCORES.repeat(20_000, 1), torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=4) / 20_000
    torch.testing.assert_close(shares, torch.tensor([0.1, 0.2, 0.4, 0.3]), atol=0.015, rtol=0)
