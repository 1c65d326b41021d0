"""Attention: the equation, and what follows from it."""

import math

import pytest
import torch

from ganglion.networks import attention
from ganglion.networks.attention import (
    CrossAttention,
    Encoder,
    EncoderBlock,
    Kept,
    Patches,
    SelfAttention,
    attend,
    attention_weights,
    causal,
    only,
)


def heads(n=2, h=3, places=5, d=4):
    return torch.randn(3, n, h, places, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_attention_is_the_sum_of_the_equation():
    q, k, v = heads()
    got = attend(q, k, v)
    for n in range(2):
        for h in range(3):
            for t in range(5):
                fits = torch.tensor([math.exp(float(q[n, h, t] @ k[n, h, s]) / 2) for s in range(5)])
                expected = sum(fits[s] / fits.sum() * v[n, h, s] for s in range(5))
                torch.testing.assert_close(got[n, h, t], expected.double(), rtol=1e-6, atol=1e-7)


def test_short_and_long_sequences_are_attended_alike(monkeypatch):
    q, k, v = heads()
    short = attend(q, k, v)
    monkeypatch.setattr(attention, "SHORT", 1)
    torch.testing.assert_close(attend(q, k, v), short)


def test_gradient():
    q, k, v = (each.requires_grad_() for each in heads(1, 1, 3, 2).unbind())
    assert torch.autograd.gradcheck(attend, (q, k, v))


def test_without_places_the_order_of_a_sequence_does_not_matter():
    torch.manual_seed(0)
    block, x = EncoderBlock(12, 3, hidden=24).double(), torch.randn(2, 7, 12, dtype=torch.float64)
    order = torch.randperm(7)
    torch.testing.assert_close(block(x)[:, order], block(x[:, order]))


def test_weights_are_those_that_the_layers_use():
    torch.manual_seed(0)
    layer, x = SelfAttention(8, 2), torch.randn(3, 5, 8)
    q, k, v = layer._heads(x)
    torch.testing.assert_close(layer.weights(x), attention_weights(q, k))
    torch.testing.assert_close(layer.join((layer.weights(x) @ v).transpose(1, 2).flatten(2)), layer(x))
    weights = Encoder(8, 3, 2, hidden=16).weights(x)
    assert [each.shape for each in weights] == [(3, 2, 5, 5)] * 3
    torch.testing.assert_close(weights[2].sum(-1), torch.ones(3, 2, 5))


@pytest.mark.parametrize("short", [256, 1])
def test_what_is_hidden_changes_nothing(monkeypatch, short):
    monkeypatch.setattr(attention, "SHORT", short)
    torch.manual_seed(0)
    encoder, x = Encoder(8, 2, 2, hidden=16).double(), torch.randn(2, 7, 8, dtype=torch.float64)
    there = torch.arange(7) < torch.tensor([[4], [7]])
    seen = encoder(x, only(there))
    torch.testing.assert_close(seen[0, :4], encoder(x[:1, :4])[0])
    torch.testing.assert_close(seen[1], encoder(x[1:])[0])
    assert all((each[0, :, :, 4:] == 0).all() for each in encoder.weights(x, only(there)))


@pytest.mark.parametrize("short", [256, 1])
def test_with_a_causal_bias_nothing_depends_on_what_comes_later(monkeypatch, short):
    monkeypatch.setattr(attention, "SHORT", short)
    torch.manual_seed(0)
    encoder, x = Encoder(8, 2, 2, hidden=16).double(), torch.randn(1, 6, 8, dtype=torch.float64)
    whole = encoder(x, causal(6))
    for t in range(1, 7):
        torch.testing.assert_close(encoder(x[:, :t], causal(t)), whole[:, :t])


def test_reading_on_from_what_was_kept_equals_reading_everything():
    torch.manual_seed(0)
    encoder, x = Encoder(8, 3, 2, hidden=16).double(), torch.randn(3, 6, 8, dtype=torch.float64)
    whole, kept = encoder(x, causal(6)), [Kept() for _ in range(3)]
    first = encoder(x[:, :2], causal(2), kept)
    rest = [encoder(x[:, t : t + 1], None, kept) for t in (2, 3)]
    torch.testing.assert_close(torch.cat([first, *rest], 1), whole[:, :4])
    torch.testing.assert_close(encoder(x[:, 4:], causal(2, 4), kept), whole[:, 4:])
    assert len(kept[0]) == 6


def test_kept_samples_are_taken_anew():
    torch.manual_seed(0)
    encoder, x = Encoder(8, 2, 2, hidden=16).double(), torch.randn(3, 4, 8, dtype=torch.float64)
    kept, rows = [Kept() for _ in range(2)], torch.tensor([2, 2, 0])
    encoder(x[:, :3], causal(3), kept)
    for each in kept:
        each.take(rows)
    torch.testing.assert_close(encoder(x[rows, 3:], None, kept), encoder(x[rows], causal(4))[:, 3:])


def test_a_sequence_asks_another():
    torch.manual_seed(0)
    layer, x, source = CrossAttention(8, 2), torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    read, bias = layer.read(source), only(torch.arange(5) < torch.tensor([[2], [5]]))
    weights = layer.weights(x, read, bias)
    assert weights.shape == (2, 2, 3, 5)
    assert (weights[0, :, :, 2:] == 0).all()
    torch.testing.assert_close(layer(x, read, bias), layer.join((weights @ read[1]).transpose(1, 2).flatten(2)))
    torch.testing.assert_close(layer(x, read, bias)[:1], layer(x[:1], layer.read(source[:1, :2])))


def test_patches_are_cut_row_by_row_and_continued_at_the_edge():
    patches = Patches((1, 3, 5), 2, 4)
    patches.embed.weight.data, patches.places.data = torch.eye(4), torch.zeros(1, 7, 4)
    picture = torch.arange(15.0).view(1, 1, 3, 5)
    cut = patches(picture)[0]
    assert cut.shape == (7, 4)
    assert cut[0].tolist() == [0, 0, 0, 0]  # the token
    assert cut[1].tolist() == [0, 1, 5, 6]
    assert cut[3].tolist() == [4, 4, 9, 9]
    assert cut[6].tolist() == [14, 14, 14, 14]
