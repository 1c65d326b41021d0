"""Which models can leave, in which form, and why others cannot: asked of tags and data, never of a class's name."""

from __future__ import annotations

from typing import Any

from ganglion.errors import ExportRefused, InvalidInput
from ganglion.estimators.base import Estimator

TASKS = {"classification", "regression"}
MODALITIES = {"table", "image", "text", "sequence", "audio"}
_REASONS = {
    "segmentation": "masks of every pixel leave in a later version",
    "detection": "boxes are chosen from a network's maps by a search that no graph holds yet",
    "tagging": "a label for every word leaves in a later version",
    "translation": "a text is written token by token, by a search that no graph holds",
    "speech_recognition": "a text is read off by a search that no graph holds",
    "language_modelling": "a text is written token by token, each drawn from what was read before",
    "music_modelling": "chords are drawn one after the other from what was read before",
    "forecasting": "windows are cut from a table of series, and put on their grid, before the network sees them",
    "anomaly_detection": "windows are cut from a table of series, and put on their grid, before the network sees them",
    "generation": "it makes new data, drawn step by step, and answers nothing",
    "reconstruction": "it codes data, and answers no question of a row",
}
_MOST_BYTES = 2**31 - 2**24  # what one protocol buffer may hold, less room for the graph


def why_not(model: Any) -> str | None:
    """Return why a fitted model cannot be exported to ONNX, or None if it can.

    Parameters
    ----------
    model : Estimator
        Fitted.
    """
    if not isinstance(model, Estimator):
        return (
            f"a {type(model).__name__} is no single network: what stands around it, or which of several answers, has "
            "no form outside Python. Export the estimators inside it"
        )
    task = model.tags.task
    if task not in TASKS:
        return f"{_REASONS.get(task, f'the task {task} has no form outside Python')}. Use the model file from Python"
    if model.modality_ not in MODALITIES:
        return f"models of {model.modality_} data do not leave yet. Use the model file from Python"
    if getattr(model, "precision", "auto") == "bfloat16":
        return (
            "its answers are rounded to the three digits of bfloat16, which an export is not. Call "
            "set_params(precision='float32') first; the weights stay as they are"
        )
    if 4 * sum(parameter.numel() for parameter in model.network_.parameters()) > _MOST_BYTES:
        return "its weights are larger than the 2 GB that one ONNX file may hold"
    return None


def check_exportable(model: Any) -> None:
    """Raise ExportRefused, with the reason, unless a model can be exported; InvalidInput if it is none."""
    if not hasattr(model, "predict") and not hasattr(model, "tags"):
        raise InvalidInput(
            f"export is given a fitted estimator, but a {type(model).__name__} came. Load a file with ganglion.load."
        )
    if isinstance(model, Estimator):
        model._check_fitted()
    reason = why_not(model)
    if reason is not None:
        raise ExportRefused(f"{type(model).__name__} cannot be exported: {reason}.")
