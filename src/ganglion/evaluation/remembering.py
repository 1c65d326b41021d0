"""How far back a network of sequences looks: what it says, differentiated by each step that it read.

    g_k = mean over sequences of || d s / d x_{T-k} ||          s its surest score, x_{T-k} the step k before the last

Where g falls by the same factor at each step, gradients vanish: what was read long ago cannot be learned from
(Hochreiter 1991; Bengio, Simard & Frasconi 1994, "Learning long-term dependencies with gradient descent is difficult").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganglion.data.convert import as_dataset
from ganglion.data.ragged import side_by_side
from ganglion.data.sequences import holds_sequences, sequences_to_dataset
from ganglion.data.tokens import holds_tokens, tokens_to_dataset
from ganglion.drawing.lines import Series, line_chart
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.facts import innermost
from ganglion.evaluation.predictions import Array

MOST_SEQUENCES = 256
SMALLEST = 1e-30  # below, float32 holds nothing that could be drawn


def plot_gradients(models: Any, X: Any) -> Chart:
    """Draw how much what networks say depends on each step that they read.

    Parameters
    ----------
    models : estimator, or mapping of str to estimator
        Fitted networks of texts or sequences, such as `RNNRegressor`, by the names that the chart shows. One that reads
        from both ends (`bidirectional`) looks far back from either end.
    X : list of texts, sequences, or Dataset
        The first 256 are read.

    Returns
    -------
    Chart
        For each model the norm of the gradient of its score by the steps, the last one at the left, the mean over the
        sequences that have so many; on a logarithmic axis where it spans three decades.

    Raises
    ------
    InvalidInput
        If a model is not fitted, or reads no sequences.
    """
    named = models if isinstance(models, Mapping) else {type(innermost(models)).__name__: models}
    if not named:
        raise InvalidInput("there is no model to draw. Give one, or a dictionary of models by name.")
    lines = []
    for name, model in named.items():
        norms = gradient_norms(model, X)
        lines.append(Series(str(name), list(range(len(norms))), np.maximum(norms, SMALLEST).tolist()))
    return line_chart(
        lines,
        title="How far back gradients reach",
        x_label="steps before the last one",
        y_label="norm of the gradient",
        log_if_wide=True,
    )


def gradient_norms(model: Any, X: Any) -> Array:
    """Return how much what a network says depends on each step that it read.

    Parameters
    ----------
    model : estimator
        A fitted network of texts or sequences.
    X : list of texts, sequences, or Dataset
        The first 256 are read.

    Returns
    -------
    ndarray of shape (longest,)
        The norm of the gradient of the surest score by the last step, the one before, and so on.

    Raises
    ------
    InvalidInput
        If the model is not fitted, or reads no sequences.
    """
    inner = innermost(model)
    network = getattr(inner, "network_", None)
    if network is None:
        raise InvalidInput(f"{type(inner).__name__} is not fitted yet. Call fit(X, y) first.")
    inputs = inner.encoder_.encode(_some(X))
    read: list[Any] = []

    def keep(module: Any, given: Any, steps: Any) -> Any:
        if not hasattr(steps, "lengths"):
            return None
        read.append(type(steps)(steps.x.detach().requires_grad_(), steps.lengths))
        return read[-1]

    hook = network.input.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            scores = network.raw_scores(side_by_side(inputs))
            if not read:
                raise InvalidInput(
                    f"{type(inner).__name__} reads no sequences, so there are no steps. Give a network of sequences, "
                    "such as RNNRegressor."
                )
            surest = scores.flatten(1).max(1).values if scores.dim() == 2 else _last(scores, read[0].lengths)
            (slope,) = torch.autograd.grad(surest.sum(), read[0].x)
    finally:
        hook.remove()
    return _from_the_end(slope.double().norm(dim=2), read[0].lengths).numpy()


def _some(X: Any) -> Any:
    read = tokens_to_dataset if holds_tokens(X) else sequences_to_dataset if holds_sequences(X) else as_dataset
    data = read(X)
    return data.drop(data.target).take(np.arange(min(MOST_SEQUENCES, len(data))))


def _last(scores: Tensor, lengths: Tensor) -> Tensor:
    """Return the surest score of the last step of each sample, of scores at every step, (n, T, n_classes)."""
    return scores[torch.arange(len(scores)), lengths - 1].max(1).values


def _from_the_end(norms: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean norm k steps before the last one, over the sequences that are so long, from norms (n, T)."""
    longest = norms.shape[1]
    places = lengths[:, None] - 1 - torch.arange(longest)
    there = places >= 0
    norms = norms.gather(1, places.clamp(min=0)) * there
    return norms.sum(0) / there.sum(0)
