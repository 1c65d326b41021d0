"""Which models can leave, in which form, and why others cannot: asked of tags and data, never of a class's name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ganglion.deployment.kinds import KINDS
from ganglion.deployment.signature import ROWS
from ganglion.errors import ExportRefused, InvalidInput
from ganglion.estimators.base import Estimator

_REASONS = {
    "translation": "a text is written token by token, by a search that no graph holds",
    "language_modelling": "a text is written token by token, each drawn from what was read before",
    "music_modelling": "chords are drawn one after the other from what was read before",
    "anomaly_detection": "windows are cut from a table of series, and errors of a step put together of several",
}
_INSTEAD = {
    "anomaly_detection": "Ask the model file: ganglion predict MODEL DATA. Or train an Autoencoder on windows, arrays "
    "(n, steps, numbers): it leaves as an outlier detector",
}
_ASK = "Ask the model file, from Python or by: ganglion predict MODEL DATA"
_WRITE = "Ask the model file, from Python or by: ganglion sample MODEL"
_WRITING = ("language_modelling", "music_modelling")
_MOST_BYTES = 2**31 - 2**24  # what one protocol buffer may hold, less room for the graph


def why_not(model: Any, tasks: Collection[str] = ROWS) -> str | None:
    """Return why a fitted model cannot be exported to ONNX, or None if it can.

    Parameters
    ----------
    model : Estimator
        Fitted.
    tasks : collection of str
        Those whose answers the form at hand can show: labels and numbers of rows, or all of `KINDS`.
    """
    if not isinstance(model, Estimator):
        return (
            f"a {type(model).__name__} is no single network: what stands around it, or which of several answers, has "
            "no form outside Python. Export the estimators inside it"
        )
    task, kind = model.tags.task, KINDS.get(model.tags.task)
    if kind is None:
        return reason_of_task(task)
    if task not in tasks:
        return f"this form has no place for such answers: its task is {task}. Export to .onnx, or: {_ASK}"
    missing = kind.missing(model)
    if missing is not None:
        return missing
    if model.modality_ not in kind.modalities:
        return f"models of {model.modality_} data do not leave yet. {_ASK}"
    if getattr(model, "precision", "auto") == "bfloat16":
        return (
            "its answers are rounded to the three digits of bfloat16, which an export is not. Call "
            "set_params(precision='float32') first; the weights stay as they are"
        )
    if 4 * sum(parameter.numel() for parameter in model.network_.parameters()) > _MOST_BYTES:
        return "its weights are larger than the 2 GB that one ONNX file may hold"
    return None


def reason_of_task(task: str) -> str:
    """Return why models of a task without an entry in `KINDS` stay, and what to do instead."""
    instead = _INSTEAD.get(task, _WRITE if task in _WRITING else _ASK)
    return f"{_REASONS.get(task, f'the task {task} has no form outside Python')}. {instead}"


def check_exportable(model: Any, tasks: Collection[str] = ROWS) -> None:
    """Raise ExportRefused, with the reason, unless a model can be exported; InvalidInput if it is none."""
    if not hasattr(model, "predict") and not hasattr(model, "tags"):
        raise InvalidInput(
            f"export is given a fitted estimator, but a {type(model).__name__} came. Load a file with ganglion.load."
        )
    if isinstance(model, Estimator):
        model._check_fitted()
    reason = why_not(model, tasks)
    if reason is not None:
        raise ExportRefused(f"{type(model).__name__} cannot be exported: {reason}.")
