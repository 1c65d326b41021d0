"""Losses by name, each a pure function of scores and targets that returns one number a sample.

    classification   cross_entropy, focal            scores are logits
    regression       mse, mae, huber, quantile        scores in units of the target's deviation
                     poisson, gaussian_nll            log rates · means and log variances
    segmentation     cross_entropy, focal             scores are logits of every pixel, (n, K, H, W)
                     dice, dice_cross_entropy

`labels` is (n,) int64 for one class out of many, (n, H, W) int64 for one of every pixel, or (n, L) float in [0, 1] for
L yes-or-no labels (a binary target is one such label).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ganglion.errors import InvalidParameter
from ganglion.options import call_by_name, call_text, in_range

PerSampleLoss = Callable[[Tensor, Tensor], Tensor]  # (scores, target) → (n_samples,)


def cross_entropy(logits: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Return -log p(label) of each sample, (n,); for yes-or-no labels the sum over them, for pixels their mean.

    Label smoothing (Szegedy et al. 2016, arXiv:1512.00567, section 7) moves that share of the probability to all
    classes alike.
    """
    if labels.dtype == torch.int64:
        return _mean_of_pixels(F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing))
    target = labels * (1 - label_smoothing) + label_smoothing / 2 if label_smoothing else labels
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)


def focal(logits: Tensor, labels: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Return -(1 - p)^gamma log p of each sample, (n,): easy samples count less. Lin 2017, arXiv:1708.02002, eq. 4."""
    if labels.dtype == torch.int64:
        log_p = logits.log_softmax(1).gather(1, labels[:, None]).squeeze(1)
        return _mean_of_pixels(-(_chance_of_error(log_p) ** gamma) * log_p)
    nll = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return (_chance_of_error(-nll) ** gamma * nll).sum(1)


def soft_dice(logits: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - 2 Σ p g / (Σ p + Σ g) of each picture, (n,), the mean over the classes that it has.

    Drozdzal et al. 2016, arXiv:1608.04117, eq. 2, for each class: Σ runs over the pixels, p is the probability of the
    class, g is 1 where the pixel is of it and 0 elsewhere. (Milletari et al. 2016, arXiv:1606.04797, square p and g in
    the denominator.) A class that the picture has not would need a constant in the denominator: it is left to the
    others, whose p it lowers.
    """
    shares = logits.softmax(1).flatten(2)
    truth = torch.zeros_like(shares).scatter_(1, labels.flatten(1)[:, None], 1.0)
    sizes = truth.sum(2)
    overlap = 2 * (shares * truth).sum(2) / (shares.sum(2) + sizes).clamp(min=1.0)
    present = sizes > 0
    return 1 - (overlap * present).sum(1) / present.sum(1)


def _mean_of_pixels(losses: Tensor) -> Tensor:
    """Return the losses of samples, (n,), from theirs or from those of their pixels."""
    return losses.flatten(1).mean(1) if losses.dim() > 1 else losses


def _chance_of_error(log_p: Tensor) -> Tensor:
    """Return 1 - p, never quite 0: the slope of 0 to a power below 1 is infinite."""
    return (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)


def pinball(scores: Tensor, target: Tensor, *, q: float = 0.5) -> Tensor:
    """Return max(q e, (q - 1) e) with e = target - score, (n,). Koenker & Bassett 1978. Lowest at the quantile q."""
    error = target - scores
    return torch.maximum(q * error, (q - 1) * error).mean(1)


def poisson_nll(log_rate: Tensor, target: Tensor) -> Tensor:
    """Return rate - target · log rate, (n,): Poisson's negative log likelihood but for a constant."""
    return (log_rate.exp() - target * log_rate).mean(1)


def gaussian_nll(scores: Tensor, target: Tensor) -> Tensor:
    """Return ½ (log v + (target - m)² / v + log 2π), (n,), where scores (n, 2 t) hold m, then log v.

    Nix & Weigend 1994. The log variance is kept above -14, so that a perfect fit cannot run away to infinity.
    """
    mean, log_variance = scores.chunk(2, dim=1)
    log_variance = log_variance.clamp(min=-14.0)
    return 0.5 * (log_variance + (target - mean).square() / log_variance.exp() + math.log(2 * math.pi)).mean(1)


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """`cross_entropy(label_smoothing=0.0)`: minus the logarithm of the probability of the right class."""

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        in_range("cross_entropy", "label_smoothing", self.label_smoothing, at_least=0, below=1)

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a sample."""
        return cross_entropy(scores, target, label_smoothing=self.label_smoothing)

    def mean(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return the mean over the samples, for one class out of many by one kernel instead of two."""
        if target.dtype == torch.int64:
            return F.cross_entropy(scores, target, label_smoothing=self.label_smoothing)
        return self(scores, target).mean()

    def mean_and_slope(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the mean and its gradient by the scores, (p - 1[label]) / n; None for smoothed labels."""
        if self.label_smoothing:
            return None
        if target.dtype != torch.int64:
            return self(scores, target).mean(), scores.sigmoid().sub_(target).div_(len(target))
        log_p = scores.log_softmax(1)
        loss = F.nll_loss(log_p, target)
        slope = log_p.exp_().scatter_(1, target[:, None], -1.0, reduce="add")
        return loss, slope.div_(len(target))

    def __str__(self) -> str:
        return call_text("cross_entropy", self)


@dataclass(frozen=True, slots=True)
class Focal:
    """`focal(gamma=2.0)`: cross-entropy in which samples that are right already count less (Lin et al. 2017)."""

    gamma: float = 2.0

    def __post_init__(self) -> None:
        in_range("focal", "gamma", self.gamma, at_least=0)

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a sample."""
        return focal(scores, target, gamma=self.gamma)

    def __str__(self) -> str:
        return call_text("focal", self)


@dataclass(frozen=True, slots=True)
class Dice:
    """`dice`: how far the areas of a class, said and true, are from lying on each other (`soft_dice`)."""

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a picture."""
        return soft_dice(scores, target)

    def __str__(self) -> str:
        return "dice"


@dataclass(frozen=True, slots=True)
class DiceCrossEntropy:
    """`dice_cross_entropy(dice=1.0)`: cross-entropy, which is right for every pixel, and so much of `dice`.

    The sum is that of Isensee et al. 2021, nnU-Net, Nature Methods 18, 203-211: small classes count through the second.
    """

    dice: float = 1.0

    def __post_init__(self) -> None:
        in_range("dice_cross_entropy", "dice", self.dice, at_least=0)

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a picture."""
        return cross_entropy(scores, target) + self.dice * soft_dice(scores, target)

    def __str__(self) -> str:
        return call_text("dice_cross_entropy", self)


@dataclass(frozen=True, slots=True)
class SquaredError:
    """`mse`: the mean of squared errors; its best answer is the mean."""

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a sample."""
        return (scores - target).square().mean(1)

    def mean_and_slope(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and its gradient by the scores, 2 (score - target) / n."""
        error = scores - target
        return error.square().mean(), error.mul_(2 / error.numel())

    def __str__(self) -> str:
        return "mse"


@dataclass(frozen=True, slots=True)
class AbsoluteError:
    """`mae`: the mean of absolute errors; its best answer is the median."""

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a sample."""
        return (scores - target).abs().mean(1)

    def __str__(self) -> str:
        return "mae"


@dataclass(frozen=True, slots=True)
class Huber:
    """`huber(delta=1.0)`: squared up to `delta` standard deviations of the target, linear beyond (Huber 1964)."""

    delta: float = 1.0

    def __post_init__(self) -> None:
        in_range("huber", "delta", self.delta, above=0)

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a sample."""
        return F.huber_loss(scores, target, reduction="none", delta=self.delta).mean(1)

    def __str__(self) -> str:
        return call_text("huber", self)


@dataclass(frozen=True, slots=True)
class Quantile:
    """`quantile(q=0.5)`: the network answers with this quantile of the target."""

    q: float = 0.5

    def __post_init__(self) -> None:
        in_range("quantile", "q", self.q, above=0, below=1)

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a sample."""
        return pinball(scores, target, q=self.q)

    def __str__(self) -> str:
        return call_text("quantile", self)


@dataclass(frozen=True, slots=True)
class Poisson:
    """`poisson`: for counts; the network learns the logarithm of the rate."""

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a sample."""
        return poisson_nll(scores, target)

    def __str__(self) -> str:
        return "poisson"


@dataclass(frozen=True, slots=True)
class GaussianNLL:
    """`gaussian_nll`: the network learns a mean and a deviation for every sample."""

    def __call__(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return one loss a sample."""
        return gaussian_nll(scores, target)

    def __str__(self) -> str:
        return "gaussian_nll"


CLASSIFICATION: dict[str, type] = {"cross_entropy": CrossEntropy, "focal": Focal}
REGRESSION: dict[str, type] = {
    "gaussian_nll": GaussianNLL,
    "huber": Huber,
    "mae": AbsoluteError,
    "mse": SquaredError,
    "poisson": Poisson,
    "quantile": Quantile,
}

SEGMENTATION: dict[str, type] = {
    "cross_entropy": CrossEntropy,
    "dice": Dice,
    "dice_cross_entropy": DiceCrossEntropy,
    "focal": Focal,
}
_BY_TASK = {"classification": CLASSIFICATION, "regression": REGRESSION, "segmentation": SEGMENTATION}


def loss_by_name(given: Any, task: Literal["classification", "regression", "segmentation"]) -> PerSampleLoss:
    """Return the loss that a text such as "focal(gamma=1)" names; a function is returned with its answers checked."""
    known = _BY_TASK[task]
    if isinstance(given, tuple(known.values())):
        return cast(PerSampleLoss, given)
    if callable(given) and not isinstance(given, type):
        return _checked(given)
    return call_by_name("loss", given, known)


def _checked(loss: Callable[..., Any]) -> PerSampleLoss:
    """Return a user's function that refuses, at its first batch, to answer with what cannot be averaged."""

    def checked(scores: Tensor, target: Tensor) -> Tensor:
        losses = loss(scores, target)
        if isinstance(losses, Tensor) and losses.shape in ((len(scores),), ()):
            return losses
        found = f"shape {tuple(losses.shape)}" if isinstance(losses, Tensor) else f"a {type(losses).__name__}"
        raise InvalidParameter(
            f"loss={getattr(loss, '__name__', loss)}: the function returned {found} for scores of shape "
            f"{tuple(scores.shape)} and a target of shape {tuple(target.shape)}. Return a tensor with one loss a "
            f"sample, ({len(scores)},), or their mean."
        )

    return checked


def check_classification_loss(given: Any) -> None:
    """Raise InvalidParameter unless `given` names a loss for classes, or is a function."""
    loss_by_name(given, "classification")


def check_regression_loss(given: Any) -> None:
    """Raise InvalidParameter unless `given` names a loss for numbers, or is a function."""
    loss_by_name(given, "regression")


def check_segmentation_loss(given: Any) -> None:
    """Raise InvalidParameter unless `given` names a loss for the classes of pixels, or is a function."""
    loss_by_name(given, "segmentation")
