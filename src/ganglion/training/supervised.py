"""What supervised learning lowers: the mean loss of a batch, each sample counting by its weight."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganglion.training.losses import PerSampleLoss
from ganglion.training.objective import Batch

_SPECIAL = {"weight", "other_target"}  # columns that make a loss more than the plain mean


class WeightedLoss:
    """The mean loss of a batch, each sample counting by its weight (1 on average over the training data)."""

    def __init__(self, per_sample: PerSampleLoss) -> None:
        self.per_sample = per_sample
        # a loss may know faster ways to its mean, and to its gradient
        self.mean = getattr(per_sample, "mean", None)
        self.mean_and_slope = getattr(per_sample, "mean_and_slope", None)

    def __call__(self, network: Any, batch: Batch) -> Tensor:
        """Return the loss of a network on a batch of prepared inputs, a scalar."""
        return self.of(network.scores(batch), batch)

    def of(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the loss of scores, (n_samples, n_scores), a scalar."""
        if self.mean is not None and not _SPECIAL & batch.keys():
            return self.mean(scores, batch["target"])
        losses = self.per_sample(scores, batch["target"])
        if "other_target" in batch:  # mixed samples: each target counts by its share
            share = batch["share"].to(losses.dtype)
            share = share.mean() if losses.dim() == 0 else share
            losses = share * losses + (1 - share) * self.per_sample(scores, batch["other_target"])
        if losses.dim() == 0:  # a user's own function that reduces by itself
            return losses
        return (losses * batch["weight"]).mean() if "weight" in batch else losses.mean()

    def and_slope(self, scores: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss of scores and its gradient by them, (n_samples, n_scores)."""
        if self.mean_and_slope is not None and not _SPECIAL & batch.keys():
            known = self.mean_and_slope(scores, batch["target"])
            if known is not None:
                return known
        with torch.enable_grad():
            scores = scores.detach().requires_grad_()
            loss = self.of(scores, batch)
        return loss.detach(), torch.autograd.grad(loss, scores)[0]
