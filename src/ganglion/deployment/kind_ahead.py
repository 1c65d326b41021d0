"""Steps to come: a forecast, with quantiles where the model tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from ganglion.deployment.kind import Arrays, Inputs, Kind, Made, answer_of
from ganglion.deployment.signature import Shape, Signature


def _ahead_outputs(model: Any) -> list[Made]:
    target = model.target_
    several = (len(target.names),) if len(target.names) > 1 else ()
    shape: Shape = ("N", target.horizon, *several)
    quantiles: list[Made] = [("quantiles", "float64", (*shape, len(target.levels)))] if target.levels else []
    return [("prediction", "float64", shape), *quantiles]


def _ahead_said(network: Any, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    answer = answer_of(network, network.scores(prepared)).transpose(1, 2)  # (n, H, t, scores)
    if answer.shape[2] == 1:
        answer = answer[:, :, 0]
    if not signature.levels:
        return {"prediction": answer[..., 0]}
    if network.body.spread:  # mean and deviation
        places = answer.new_tensor(ndtri(np.array(signature.levels)).tolist())
        return {"prediction": answer[..., 0], "quantiles": answer[..., :1] + answer[..., 1:] * places}
    return {"prediction": answer[..., signature.levels.index(0.5)], "quantiles": answer}


def _ahead_own(model: Any, X: Any) -> Arrays:
    windows = whole_windows(X) if isinstance(X, Mapping) and "history" in X else model.last_windows(X)
    answer = model.answers_to({"window": windows}).transpose(1, 2).numpy()
    target = model.target_
    if len(target.names) == 1:
        answer = answer[:, :, 0]
    if target.told == "points":
        return {"prediction": answer[..., 0]}
    if target.told == "normals":
        return {
            "prediction": answer[..., 0],
            "quantiles": answer[..., :1] + answer[..., 1:] * ndtri(np.array(target.levels)),
        }
    return {"prediction": answer[..., target.levels.index(0.5)], "quantiles": answer}


def whole_windows(columns: Mapping[str, Any]) -> Tensor:
    """Return windows, (n, columns, steps), of what was and what is known of what comes."""
    history = torch.as_tensor(columns["history"]).transpose(1, 2)
    if "ahead" not in columns:
        return history
    known = torch.as_tensor(columns["ahead"]).transpose(1, 2)
    unknown = torch.full_like(history[:, :1, :1], torch.nan)
    unknown = unknown.expand(-1, history.shape[1] - known.shape[1], known.shape[2])
    return torch.cat([history, torch.cat([unknown, known], 1)], 2)


def _ahead_unit(model: Any, role: str) -> Any:
    units = np.array(model.target_.deviations)
    units = units[0] if len(units) == 1 else units
    return units[..., None] if role == "quantiles" and units.ndim else units


def _not_numbers(model: Any) -> str | None:
    encoder = model.encoder_
    if encoder.calendar:
        return (
            "places in the day, the week and the year are told from times, which no graph reads. Train it without "
            "calendar=True, or with such places as columns of numbers, in `known`"
        )
    labels = [column.name for column in encoder.columns if column.categories is not None]
    if labels:
        return (
            f"the labels of {labels[0]!r} become numbers before the network. Give numbers in their place, or leave "
            "that column out"
        )
    return None


FORECASTS = Kind(
    frozenset({"series"}),
    _ahead_outputs,
    _ahead_said,
    _ahead_own,
    unit=_ahead_unit,
    missing=_not_numbers,
)
