"""The backend of exported models: onnxruntime, several times as fast as PyTorch where a request has few rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganglion.data.summary import Summary, summary_from_json
from ganglion.deployment.onnx_model import OnnxModel
from ganglion.deployment.serving.columns import Columns
from ganglion.deployment.serving.interface import Input, Interface
from ganglion.deployment.signature import ROWS, Signature
from ganglion.errors import InvalidModel

_KINDS = {
    "numeric": "numeric",
    "boolean": "boolean",
    "date": "date",
    "categorical": "categorical",
    "numbers": "numeric",
}


class OnnxBackend:
    """Answers by an exported model.

    Parameters
    ----------
    model : OnnxModel
    original : backend, optional
        That of the estimator that was exported, where it is at hand: it explains, and knows the columns.
    """

    engine = "onnxruntime"
    platform = "onnxruntime_onnx"
    is_quick = True

    def __init__(self, model: OnnxModel, original: Any = None) -> None:
        self.model, self._original = model, original
        known = original is not None
        self.summary: Summary | None = original.summary if known else summary_from_json(model.summary)
        self.interface: Interface = (
            original.interface if known else interface_of_signature(model.signature, self.summary)
        )
        self.note = ""
        self._roles = [(each.name, each.role) for each in model.signature.outputs]

    @property
    def original(self) -> Any:
        """The backend of the estimator, where it is at hand; else this one."""
        return self._original or self

    def answer(self, columns: Columns) -> dict[str, np.ndarray]:
        """Return "prediction", and of classifiers "probabilities", one each row."""
        if self.interface.modality == "table":
            said = self.model.run_checked({name: _fed(values) for name, values in columns.items()})
            said = {role: said[name] for name, role in self._roles}
        else:
            said = self.model.answer(self._given(columns))
        answer = {"prediction": said["label"] if "label" in said else said["prediction"]}
        return answer | {"probabilities": said["probabilities"]} if "probabilities" in said else answer

    def _given(self, columns: Columns) -> Any:
        if self.interface.modality == "audio":
            (each,) = self.interface.inputs
            return [(each.rate, samples) for samples in columns[each.name]]
        if self.interface.modality != "image":
            return columns
        (pixels,) = columns.values()
        return {self.model.signature.inputs[0].name: np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))}


def _fed(values: np.ndarray) -> np.ndarray:
    """Return a checked column as the graph takes it: (n, 1), and no text where one is missing."""
    if values.dtype == object and None in (listed := values.tolist()):
        values = np.array(["" if value is None else value for value in listed], dtype=object)
    return values if values.ndim == 2 else values[:, None]


def interface_of_signature(signature: Signature, summary: Summary | None = None) -> Interface:
    """Return what an exported model takes, from its signature.

    Raises
    ------
    InvalidModel
        If it is of sequences, which no request holds yet, or answers with more than a label or a few numbers.
    """
    if signature.task not in ROWS:
        raise InvalidModel(
            f"{signature.estimator} does {signature.task}, which is not served yet: models that are served do "
            f"{' or '.join(ROWS)}. Ask the file from Python (gg.OnnxModel), or with `ganglion predict`."
        )
    if signature.modality not in ("table", "image", "text", "audio"):
        raise InvalidModel(f"models of {signature.modality} data are not served yet. Use the file from Python.")
    middle = summary.middles if summary else {}
    return Interface(
        estimator=signature.estimator,
        task=signature.task,
        modality=signature.modality,
        inputs=_inputs(signature, middle),
        classes=signature.classes,
        targets=_n_targets(signature),
        target=signature.target,
    )


def _inputs(signature: Signature, middle: Mapping[str, float]) -> tuple[Input, ...]:
    if signature.modality == "text":
        return tuple(Input(name, "text") for name in signature.columns or ("text",))
    if signature.modality == "audio":
        return (Input("audio", "audio", rate=signature.inputs[0].rate),)
    if signature.modality == "image":
        _, height, width, channels = signature.inputs[0].shape
        return (Input("image", "image", (int(channels), int(height), int(width))),)
    return tuple(
        Input(
            each.name,
            _KINDS[each.kind],  # type: ignore[arg-type]
            (int(each.shape[1]),) if each.kind == "numbers" else (),
            each.categories,
            typical=middle.get(each.name),
        )
        for each in signature.inputs
    )


def _n_targets(signature: Signature) -> int:
    if signature.multilabel:
        return len(signature.classes)
    prediction = signature.output("prediction")
    return int(prediction.shape[1]) if prediction is not None and len(prediction.shape) > 1 else 1
