"""Losses are those of torch, of scipy's distributions, or of their formulas."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import gammaln
from sklearn.metrics import log_loss, mean_pinball_loss, mean_poisson_deviance

from ganglion.errors import InvalidParameter, UnknownParameter
from ganglion.training.losses import (
    CLASSIFICATION,
    REGRESSION,
    SEGMENTATION,
    CrossEntropy,
    Focal,
    Huber,
    Quantile,
    SquaredError,
    cross_entropy,
    focal,
    gaussian_nll,
    loss_by_name,
    pinball,
    poisson_nll,
    soft_dice,
)
from ganglion.training.supervised import WeightedLoss

RNG = np.random.default_rng(0)
LOGITS = torch.from_numpy(RNG.normal(size=(9, 4)) * 3)
CLASSES = torch.from_numpy(RNG.integers(0, 4, 9))
LABELS = torch.from_numpy(RNG.integers(0, 2, (9, 4)).astype(float))
SCORES, TARGET = torch.from_numpy(RNG.normal(size=(9, 2))), torch.from_numpy(RNG.normal(size=(9, 2)))
COUNTS = torch.from_numpy(RNG.poisson(3.0, size=(9, 2)).astype(float))
PIXELS = torch.from_numpy(RNG.normal(size=(3, 4, 5, 2)))
MASKS = torch.from_numpy(RNG.integers(0, [[[3]], [[4]], [[2]]], (3, 5, 2)))


def close(found, expected) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


# classification


def test_cross_entropy_is_scikit_learns_log_loss():
    shares = LOGITS.softmax(1).numpy()
    assert cross_entropy(LOGITS, CLASSES).mean() == pytest.approx(log_loss(CLASSES, shares, labels=range(4)))
    by_hand = -np.log(shares[np.arange(9), CLASSES])
    close(cross_entropy(LOGITS, CLASSES), by_hand)


def test_cross_entropy_of_labels_is_the_sum_over_them():
    p = LOGITS.sigmoid().numpy()
    close(cross_entropy(LOGITS, LABELS), -np.where(LABELS == 1, np.log(p), np.log(1 - p)).sum(1))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_label_smoothing_is_torchs(smoothing):
    expected = F.cross_entropy(LOGITS, CLASSES, reduction="none", label_smoothing=smoothing)
    close(cross_entropy(LOGITS, CLASSES, label_smoothing=smoothing), expected)
    by_hand = (1 - smoothing) * F.nll_loss(LOGITS.log_softmax(1), CLASSES, reduction="none")
    close(expected, by_hand - smoothing * LOGITS.log_softmax(1).mean(1))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_two_classes_are_smoothed_alike_with_one_score_and_with_two(smoothing):
    one = LOGITS[:, :1]
    two = torch.cat([torch.zeros_like(one), one], 1)
    labels = LABELS[:, :1]
    close(
        cross_entropy(one, labels, label_smoothing=smoothing),
        cross_entropy(two, labels[:, 0].long(), label_smoothing=smoothing),
    )


@pytest.mark.parametrize("target", [CLASSES, LABELS], ids=["classes", "labels"])
def test_focal_without_gamma_is_cross_entropy(target):
    close(focal(LOGITS, target, gamma=0.0), cross_entropy(LOGITS, target))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_focal_by_hand(gamma):
    p = LOGITS.softmax(1).numpy()[np.arange(9), CLASSES]
    close(focal(LOGITS, CLASSES, gamma=gamma), -((1 - p) ** gamma) * np.log(p))
    p = np.where(LABELS == 1, LOGITS.sigmoid(), 1 - LOGITS.sigmoid().numpy())
    close(focal(LOGITS, LABELS, gamma=gamma), (-((1 - p) ** gamma) * np.log(p)).sum(1))


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [30.0, 200.0, 1e4])
def test_losses_of_certain_scores_are_finite_and_so_are_their_gradients(gamma, dtype, size):
    certain = torch.tensor([[size, -size], [-size, size]], dtype=dtype, requires_grad=True)
    for target in (torch.tensor([0, 0]), torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=dtype)):
        for loss in (focal(certain, target, gamma=gamma), cross_entropy(certain, target)):
            assert loss.isfinite().all()
            assert loss[0] <= 1e-6
            assert loss[1] > size
            (gradient,) = torch.autograd.grad(loss.sum(), certain)
            assert gradient.isfinite().all()


# regression


def test_mean_errors_are_torchs():
    for name, theirs in (("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss)):
        loss = loss_by_name(name, "regression")
        assert loss(SCORES, TARGET).shape == (9,)
        close(loss(SCORES, TARGET), theirs(SCORES, TARGET, reduction="none").mean(1))


@pytest.mark.parametrize("delta", [0.1, 1.0, 10.0])
def test_huber_by_hand(delta):
    error = (SCORES - TARGET).abs().numpy()
    by_hand = np.where(error <= delta, error**2 / 2, delta * (error - delta / 2))
    close(Huber(delta)(SCORES, TARGET), by_hand.mean(1))


@pytest.mark.parametrize("q", [0.05, 0.5, 0.9])
def test_pinball_is_scikit_learns(q):
    assert pinball(SCORES, TARGET, q=q).mean() == pytest.approx(mean_pinball_loss(TARGET, SCORES, alpha=q))


@given(
    y=arrays("float64", st.integers(1, 25), elements=st.floats(-100, 100)),
    q=st.sampled_from([0.1, 0.25, 0.5, 0.9]),
)
def test_pinball_is_lowest_at_the_quantile(y, q):
    at = np.quantile(y, q, method="inverted_cdf")
    grid = np.unique(np.concatenate([y, y + 0.5, y - 0.5, [at]]))
    target = torch.from_numpy(y)[:, None]
    losses = [float(pinball(torch.full_like(target, value), target, q=q).mean()) for value in grid]
    assert losses[int(np.flatnonzero(grid == at)[0])] <= min(losses) + 1e-9


def test_poisson_is_the_likelihood_but_for_a_constant():
    rate = SCORES.exp().numpy()
    logpmf = scipy.stats.poisson(rate).logpmf(COUNTS.numpy())
    close(poisson_nll(SCORES, COUNTS), -(logpmf + gammaln(COUNTS.numpy() + 1)).mean(1))
    deviance = mean_poisson_deviance(COUNTS[:, 0], rate[:, 0])
    best = torch.from_numpy(np.maximum(COUNTS.numpy()[:, :1], 1e-300)).log()
    gap = poisson_nll(SCORES[:, :1], COUNTS[:, :1]) - poisson_nll(best, COUNTS[:, :1])
    assert float(2 * gap.mean()) == pytest.approx(deviance)


def test_gaussian_nll_is_scipys():
    log_variance = torch.from_numpy(RNG.normal(size=(9, 2)))
    expected = -scipy.stats.norm(SCORES.numpy(), np.exp(log_variance.numpy() / 2)).logpdf(TARGET.numpy()).mean(1)
    close(gaussian_nll(torch.cat([SCORES, log_variance], 1), TARGET), expected)


def test_gaussian_nll_of_a_perfect_fit_does_not_run_away():
    certain = torch.tensor([[1.0, -1000.0]], requires_grad=True)
    loss = gaussian_nll(certain, torch.tensor([[1.0]]))
    assert loss.item() == pytest.approx((math.log(2 * math.pi) - 14) / 2)
    assert torch.autograd.grad(loss.sum(), certain)[0].isfinite().all()


# masks


def dice_by_hand(logits, labels):
    """Return the loss of each picture, pixel by pixel and class by class."""
    shares, found = logits.softmax(1).numpy(), []
    for p, y in zip(shares, labels.numpy(), strict=True):
        overlaps = []
        for k in range(len(p)):
            both = said = true = 0.0
            for row, column in np.ndindex(y.shape):
                both += p[k, row, column] * (y[row, column] == k)
                said += p[k, row, column]
                true += y[row, column] == k
            if true:
                overlaps.append(2 * both / (said + true))
        found.append(1 - np.mean(overlaps))
    return np.array(found)


def test_dice_by_hand():
    close(soft_dice(PIXELS, MASKS), dice_by_hand(PIXELS, MASKS))
    assert 3 not in MASKS[0]  # a class that a picture has not


@pytest.mark.parametrize(("truth", "said", "loss"), [(0, 0, 0), (0, 1, 1), (1, 1, 0)])
def test_dice_of_one_class_alone(truth, said, loss):
    scores = torch.zeros(1, 2, 3, 4).double()
    scores[:, said] = 100.0
    close(soft_dice(scores, torch.full((1, 3, 4), truth)), [loss])


def test_dice_in_closed_form():
    masks = torch.tensor([[[0, 0, 0, 1]]])
    close(soft_dice(torch.zeros(1, 2, 1, 4).double(), masks), [1 - (2 * 1.5 / (2 + 3) + 2 * 0.5 / (2 + 1)) / 2])
    shifted = torch.tensor([[[1, 0, 0, 0]]])  # of 4 pixels 2 are right of the class 0, none of the class 1
    scores = 200.0 * F.one_hot(shifted, 2).movedim(-1, 1).double()
    close(soft_dice(scores, masks), [1 - (2 * 2 / 6 + 0) / 2])


def test_pixels_count_alike_in_cross_entropy_and_focal():
    flat, labels = PIXELS.movedim(1, -1).reshape(3, -1, 4), MASKS.reshape(3, -1)
    for loss in (cross_entropy, focal):
        close(loss(PIXELS, MASKS), torch.stack([loss(*each).mean() for each in zip(flat, labels, strict=True)]))


def test_dice_and_cross_entropy_are_added():
    expected = cross_entropy(PIXELS, MASKS) + 0.3 * soft_dice(PIXELS, MASKS)
    close(loss_by_name("dice_cross_entropy(dice=0.3)", "segmentation")(PIXELS, MASKS), expected)


@pytest.mark.parametrize("name", [*SEGMENTATION, "cross_entropy(label_smoothing=0.2)", "focal(gamma=0.7)"])
def test_gradient_of_segmentation(name):
    loss = loss_by_name(name, "segmentation")
    assert loss(PIXELS, MASKS).shape == (3,)
    assert torch.autograd.gradcheck(lambda scores: loss(scores, MASKS), PIXELS.clone().requires_grad_())


@pytest.mark.parametrize("name", SEGMENTATION)
def test_a_mean_over_pictures_is_the_mean_of_their_losses(name):
    loss = loss_by_name(name, "segmentation")
    close(WeightedLoss(loss).of(PIXELS, {"target": MASKS}), loss(PIXELS, MASKS).mean())


# all of them


@pytest.mark.parametrize("name", [*CLASSIFICATION, "cross_entropy(label_smoothing=0.2)", "focal(gamma=0.7)"])
@pytest.mark.parametrize("target", [CLASSES, LABELS], ids=["classes", "labels"])
def test_gradient_of_classification(name, target):
    loss = loss_by_name(name, "classification")
    assert loss(LOGITS, target).shape == (9,)
    assert torch.autograd.gradcheck(lambda scores: loss(scores, target), LOGITS.clone().requires_grad_())


@pytest.mark.parametrize("name", REGRESSION)
def test_gradient_of_regression(name):
    loss, target = loss_by_name(name, "regression"), COUNTS if name == "poisson" else TARGET
    scores = torch.cat([SCORES, SCORES.flip(0)], 1) if name == "gaussian_nll" else SCORES
    assert loss(scores, target).shape == (9,)
    assert torch.autograd.gradcheck(lambda scores: loss(scores, target), scores.clone().requires_grad_())


def test_names_with_settings_and_back():
    assert loss_by_name("focal(gamma=1)", "classification") == Focal(1)
    assert loss_by_name("quantile(0.9)", "regression") == Quantile(0.9)
    assert loss_by_name(CrossEntropy(0.1), "classification") == CrossEntropy(0.1)
    tables = {"classification": CLASSIFICATION, "regression": REGRESSION, "segmentation": SEGMENTATION}
    for task, known in tables.items():
        assert [str(loss_by_name(name, task)) for name in known] == list(known)
    assert str(loss_by_name("huber(delta=0.5)", "regression")) == "huber(delta=0.5)"


@pytest.mark.parametrize(
    ("text", "task", "error", "words"),
    [
        ("mse", "classification", InvalidParameter, r"no loss is called 'mse'.* Known: cross_entropy, focal"),
        ("cross_entropy", "regression", InvalidParameter, "Known: gaussian_nll, huber, mae, mse, poisson, quantile"),
        ("hubber", "regression", InvalidParameter, r"Did you mean 'huber'\?"),
        ("quantile(q=1)", "regression", InvalidParameter, "above 0 and below 1"),
        ("huber(delta=0)", "regression", InvalidParameter, "above 0"),
        ("focal(gama=1)", "classification", UnknownParameter, r"Did you mean 'gamma'\?"),
        ("focal(gamma=-1)", "classification", InvalidParameter, "at least 0"),
        ("cross_entropy(1.0)", "classification", InvalidParameter, "below 1"),
        (7, "regression", InvalidParameter, "give a name"),
        (Huber, "regression", InvalidParameter, "give a name"),
    ],
)
def test_wrong_names_say_what_is_right(text, task, error, words):
    with pytest.raises(error, match=words):
        loss_by_name(text, task)


def test_a_function_is_taken_and_its_answer_checked():
    loss = loss_by_name(lambda scores, target: (scores - target).abs().sum(1), "regression")
    close(loss(SCORES, TARGET), (SCORES - TARGET).abs().sum(1))
    assert loss_by_name(F.mse_loss, "regression")(SCORES, TARGET).shape == ()

    def wrong(scores, target):
        return scores - target

    with pytest.raises(
        InvalidParameter, match=r"loss=wrong: the function returned shape \(9, 2\).*one loss a sample, \(9,\)"
    ):
        loss_by_name(wrong, "regression")(SCORES, TARGET)
    with pytest.raises(InvalidParameter, match="returned a float"):
        loss_by_name(lambda scores, target: 1.0, "regression")(SCORES, TARGET)


@pytest.mark.parametrize(
    ("loss", "target"), [(CrossEntropy(), CLASSES), (CrossEntropy(), LABELS), (SquaredError(), LOGITS)], ids=str
)
def test_slopes_in_closed_form_are_those_of_autograd(loss, target):
    scores = torch.randn(9, 4, dtype=torch.float64, requires_grad=True)
    expected = loss(scores, target).mean()
    found, slope = loss.mean_and_slope(scores.detach(), target)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-14, atol=0)
    torch.testing.assert_close(slope, torch.autograd.grad(expected, scores)[0], rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("weight", [None, torch.linspace(0.5, 1.5, 5).double()])
@pytest.mark.parametrize("name", ["cross_entropy", "cross_entropy(label_smoothing=0.1)", "focal"])
def test_the_slope_of_any_loss(name, weight):
    loss = WeightedLoss(loss_by_name(name, "classification"))
    scores = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    batch = {"target": torch.tensor([3, 0, 1, 1, 2])} | ({} if weight is None else {"weight": weight})
    expected = loss.of(scores, batch)
    found, slope = loss.and_slope(scores.detach(), batch)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-14, atol=0)
    torch.testing.assert_close(slope, torch.autograd.grad(expected, scores)[0], rtol=1e-12, atol=1e-16)
