"""Last layers: from the scores that a loss is measured on to the answer that a user wants."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Softmax(nn.Module):
    """Scores (n_samples, n_classes) → probabilities that sum to 1."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the probability of each class, (n_samples, n_classes)."""
        return scores.softmax(dim=1)


class StepSoftmax(nn.Module):
    """Scores of every step, (n_samples, n_steps, n_classes) → probabilities that sum to 1 at each step."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the probability of each class at every step."""
        return scores.softmax(dim=2)


class Sigmoid(nn.Module):
    """Scores (n_samples, n_labels) → the probability of each label by itself."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the probability of each label, (n_samples, n_labels)."""
        return scores.sigmoid()


class Bernoulli(nn.Module):
    """One score a sample, (n_samples, 1) → probabilities of the two classes, (n_samples, 2)."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the probabilities of the first and of the second class."""
        return torch.cat([(-scores).sigmoid(), scores.sigmoid()], dim=1)


class Rescale(nn.Module):
    """Scores in units of the training target's deviation, (n_samples, n_targets) → the target's own units."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, n_targets: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_targets, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(n_targets, dtype=torch.float64))

    def adapt(self, mean: Tensor, deviation: Tensor) -> None:
        """Fit to the mean and deviation of the training targets, (n_targets,) each."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def forward(self, scores: Tensor) -> Tensor:
        """Return predictions in the target's own units."""
        return scores * self.deviation + self.mean


class Exponential(nn.Module):
    """Logarithms of rates → rates, (n_samples, n_targets)."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the rates."""
        return scores.exp()


class RescaleNormal(Rescale):
    """Scores of a normal distribution, (n_samples, 2 n_targets): means beside log variances → means, deviations."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return (n_samples, 2 n_targets): the means, then the standard deviations, in the target's own units."""
        mean, log_variance = scores.chunk(2, dim=1)
        return torch.cat([super().forward(mean), (log_variance / 2).exp() * self.deviation], dim=1)
