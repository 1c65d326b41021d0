"""The loss over a vocabulary: against the library's, forwards and backwards, in pieces and whole."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from ganglion.training import token_loss
from ganglion.training.token_loss import token_cross_entropy


def tokens(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    scores = (torch.randn(23, 17, generator=generator, dtype=torch.float64) * 5).to(dtype).requires_grad_()
    return scores, torch.randint(0, 17, (23,), generator=generator), torch.rand(23, generator=generator)


@pytest.mark.parametrize("piece", [1, 40, 10**6])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_it_is_the_cross_entropy_of_the_library(monkeypatch, piece, smoothing):
    monkeypatch.setattr(token_loss, "PIECE", piece)
    scores, labels, weight = tokens()
    ours = token_cross_entropy(scores, labels, label_smoothing=smoothing)
    theirs = cross_entropy(scores, labels, reduction="none", label_smoothing=smoothing)
    torch.testing.assert_close(ours, theirs)
    slopes = [torch.autograd.grad((losses * weight).sum(), scores)[0] for losses in (ours, theirs)]
    torch.testing.assert_close(*slopes)


def test_gradient():
    scores, labels, _ = tokens()
    assert torch.autograd.gradcheck(lambda s: token_cross_entropy(s, labels, label_smoothing=0.1), (scores,))


def test_scores_in_bfloat16_have_a_loss_in_float32():
    scores, labels, weight = tokens(torch.bfloat16)
    losses = token_cross_entropy(scores, labels)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, cross_entropy(scores.float(), labels, reduction="none"))
    (slope,) = torch.autograd.grad((losses * weight).sum(), scores)
    wide = scores.detach().float().requires_grad_()
    (other,) = torch.autograd.grad((cross_entropy(wide, labels, reduction="none") * weight).sum(), wide)
    assert slope.dtype == torch.bfloat16
    torch.testing.assert_close(slope.float(), other, rtol=1e-2, atol=1e-4)


def test_no_token_has_no_loss():
    scores = torch.zeros(0, 5, requires_grad=True)
    losses = token_cross_entropy(scores, torch.zeros(0, dtype=torch.int64))
    assert losses.shape == (0,)
    assert torch.autograd.grad(losses.sum(), scores)[0].shape == (0, 5)
