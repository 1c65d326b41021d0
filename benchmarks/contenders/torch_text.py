"""What the torch-based contenders on text share: a batch as the usual loop draws it, and how they predict."""

import torch
from torch import Tensor, nn


def batch(job, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return windows from anywhere in the text, and what follows each of their characters, stacked one by one."""
    starts = torch.randint(len(tokens) - job.length, (job.batch_size,))
    X = torch.stack([tokens[start : start + job.length] for start in starts])
    y = torch.stack([tokens[start + 1 : start + 1 + job.length] for start in starts])
    return X, y


def gathered_batch(job, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same in one gather, for the limits."""
    starts = torch.randint(len(tokens) - job.length, (job.batch_size, 1))
    drawn = tokens[starts + torch.arange(job.length + 1)]
    return drawn[:, :-1], drawn[:, 1:]


def loss_of(scores: Tensor, y: Tensor) -> Tensor:
    """Return the cross-entropy of scores (n, length, symbols)."""
    return nn.functional.cross_entropy(scores.flatten(0, 1), y.flatten())


def scores_of(network: nn.Module):
    """Return a function from windows to scores, a hundred windows at a time."""

    def scores(rows):
        with torch.inference_mode():
            parts = torch.from_numpy(rows).split(100)
            return torch.cat([network.eval()(part) for part in parts]).float().numpy()

    return scores
