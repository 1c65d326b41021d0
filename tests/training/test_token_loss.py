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


@pytest.mark.parametrize(("piece", "step"), [(1, 1), (40, 1), (200, 3), (10**6, 64)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_it_is_the_cross_entropy_of_the_library(monkeypatch, piece, step, smoothing):
    monkeypatch.setattr(token_loss, "PIECE", piece)
    monkeypatch.setattr(token_loss, "STEP", step)
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
    scores, labels, _ = tokens(torch.bfloat16)
    losses = token_cross_entropy(scores, labels)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, cross_entropy(scores.float(), labels, reduction="none"))


def test_no_token_has_no_loss():
    scores = torch.zeros(0, 5, requires_grad=True)
    losses = token_cross_entropy(scores, torch.zeros(0, dtype=torch.int64))
    assert losses.shape == (0,)
    assert torch.autograd.grad(losses.sum(), scores)[0].shape == (0, 5)


def given(dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    known, vectors = (torch.randn(n, 6, generator=generator).to(dtype).requires_grad_() for n in (23, 17))
    return (
        known,
        vectors,
        torch.randint(0, 17, (23,), generator=generator),
        torch.rand(23, generator=generator).double(),
    )


@pytest.mark.parametrize(("piece", "step"), [(1, 1), (40, 1), (200, 3), (10**6, 64)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_without_scores_is_that_with_them(monkeypatch, piece, step, smoothing):
    monkeypatch.setattr(token_loss, "PIECE", piece)
    monkeypatch.setattr(token_loss, "STEP", step)
    known, vectors, labels, weight = given()
    ours = token_loss.token_loss(known, vectors, labels, weight, label_smoothing=smoothing)
    losses = cross_entropy(known @ vectors.T, labels, reduction="none", label_smoothing=smoothing)
    torch.testing.assert_close(ours, (losses * weight).sum())
    slopes = [torch.autograd.grad(3 * loss, (known, vectors)) for loss in (ours, (losses * weight).sum())]
    torch.testing.assert_close(*slopes)


def test_the_loss_without_scores_in_bfloat16():
    known, vectors, labels, weight = given(torch.float32)
    exact = token_loss.token_loss(known, vectors, labels, weight)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = token_loss.token_loss(known, vectors, labels, weight)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=1e-2, atol=0)
    for one, other in zip(*(torch.autograd.grad(loss, (known, vectors)) for loss in (rounded, exact)), strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.02 * other.norm()


def test_without_gradients():
    known, vectors, labels, weight = given()
    with torch.no_grad():
        loss = token_loss.token_loss(known, vectors, labels, weight)
    torch.testing.assert_close(loss, token_loss.token_loss(known, vectors, labels, weight).detach())
