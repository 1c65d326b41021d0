"""Character models: windows of a text, and the loss at foreseeing what comes next. Needs numpy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.contenders.harness import Job, contend

Scores = Callable[[np.ndarray], np.ndarray]


def contend_on_text(fit: Callable[[Job, np.ndarray], Scores], packages: Sequence[str]) -> None:
    """Time `fit(job, tokens)`, which returns a function from windows (n, length) to scores (n, length, symbols)."""

    def measure(scores: Scores, arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
        return {"loss": next_character_loss(np.asarray(scores(arrays["X_valid"])), arrays["y_valid"])}

    contend(fit, ["train"], measure, packages)


def windows(tokens: np.ndarray, n: int, length: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return n windows from anywhere in a text, (n, length), and the characters that follow each of theirs."""
    starts = rng.integers(len(tokens) - length, size=(n, 1))
    drawn = tokens[starts + np.arange(length + 1)]
    return drawn[:, :-1], drawn[:, 1:]


def next_character_loss(scores: np.ndarray, y: np.ndarray) -> float:
    """Return the mean of -log p of the characters y (n, length), in nats, with p the softmax of scores."""
    scores = scores - scores.max(-1, keepdims=True)
    of_truth = np.take_along_axis(scores, y[..., None], -1)[..., 0]
    return float((np.log(np.exp(scores).sum(-1, dtype=np.float64)) - of_truth).mean())
