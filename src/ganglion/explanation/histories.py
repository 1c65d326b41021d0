"""Histories of series as players: stretches of the steps that a forecaster reads, and what is known ahead.

What is left out has the mean of its column over the window in its place. Explained is the mean of all steps ahead, and
under the names "…, step 1", "…, step 2", … each step by itself.

Letters: n windows, c columns, L steps that are read, H ahead, t targets.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from ganglion.errors import InvalidParameter
from ganglion.explanation.asking import Array, checked
from ganglion.explanation.cut import Cut
from ganglion.explanation.players import Players

STRETCHES = 24  # of all columns together


def output_names(model: Any) -> tuple[str, ...]:
    """Return the names of a forecaster's outputs: the mean over the horizon of each target, then its steps."""
    targets, H = model.target_.names, model.horizon
    steps = [f"{name}, step {i + 1}" for name in targets for i in range(H)]
    return (*(f"{name}, mean of {H} steps" for name in targets), *steps)


def forecasts(model: Any, prepared: Tensor) -> Tensor:
    """Return these outputs behind prepared windows, (n, c, L + H) → (n, t + t H)."""
    ahead = model.forecast_behind(prepared)
    return torch.cat([ahead.mean(2), ahead.flatten(1)], 1)


def cut_histories(model: Any, X: Any, background: Any, parts: Any) -> list[Players]:
    """Return the window that each series of X ends with, cut into parts.

    Raises
    ------
    InvalidParameter
        If there is a background: what is left out has the window's own mean.
    """
    if background is not None:
        raise InvalidParameter(
            "background: what is left out of a history has the mean of its window; there is no background. Leave it "
            "away."
        )
    if parts is not None and (type(parts) is not int or parts < 1):
        raise InvalidParameter(
            f"parts={parts!r}: give how many parts each history is cut into, a whole number above 0."
        )

    def asking(mixed: Tensor) -> Array:
        with torch.inference_mode(), model.multiplying():
            return checked(model, forecasts(model, model.network_.prepare({"window": mixed})["window"]).numpy())

    found: list[Players] = []
    for window in model.last_windows(X):
        part, names = _parts(model.encoder_, window, STRETCHES if parts is None else parts)
        mean = window[:, : model.encoder_.window].nanmean(dim=1, keepdim=True).nan_to_num()
        found.append(
            Cut(
                asking,
                window,
                mean.expand_as(window)[None],
                part,
                names,
                modality="series",
                replaced="the mean of each column over the steps that are read",
            )
        )
    return found


def _parts(encoder: Any, window: Tensor, most: int) -> tuple[Tensor, list[str]]:
    """Return which part each number of a window belongs to, (c, L + H), -1 for none, and the parts' names."""
    L, n_told = encoder.window, encoder.count("target", "past")
    fixed = range(n_told + encoder.count("known"), n_told + encoder.count("known", "static"))  # the same at every step
    moving = [j for j in range(len(window)) if j not in fixed]
    size = -(-L // max(1, min(most // max(1, len(moving)), L)))
    stretch = (torch.arange(L) + -L % size) // size  # the last ones are whole
    ends = [0, *torch.bincount(stretch).cumsum(0).tolist()]
    part, names = torch.full(window.shape, -1), list[str]()
    of = [f"{name}, " if len(moving) > 1 else "" for name in encoder.names]
    for j in moving:
        part[j, :L] = stretch + len(names)
        names += [f"{of[j]}{_back(L - a, L - b + 1)}" for a, b in pairwise(ends)]
        if j >= n_told and window.shape[1] > L:
            part[j, L:] = len(names)
            names.append(f"{of[j]}ahead")
    return part, names


def _back(far: int, near: int) -> str:
    return f"{far}–{near} steps back" if far > near else f"{near} step{'s' if near > 1 else ''} back"


def first_outputs(model: Any) -> list[str]:
    """Return the outputs that are explained where none is named: the mean of each target, at most 16."""
    return list(output_names(model)[: min(16, len(model.target_.names))])
