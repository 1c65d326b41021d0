"""Attention: the equation, and what follows from it."""

import math

import torch

from ganglion.networks import attention
from ganglion.networks.attention import Encoder, EncoderBlock, Patches, SelfAttention, attend, attention_weights


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
