"""Rows that are answered with a label, or with a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from ganglion.deployment.kind import DTYPES, Arrays, Inputs, Kind, Made, answer_of, margin
from ganglion.deployment.signature import Shape, Signature
from ganglion.estimators.targets import NumberTarget
from ganglion.networks.network import Network


def _stored_classes(model: Any) -> tuple[list[Any], str]:
    stored = model.target_.to_json()
    return stored["classes"], stored["dtype"]


def _class_outputs(model: Any) -> list[Made]:
    target = model.target_
    label: Made = ("label", DTYPES[_stored_classes(model)[1]], ("N",))
    if target.multilabel:
        label = ("label", "int64", ("N", len(target.classes)))
    if hasattr(model, "predict_proba"):
        return [label, ("probabilities", "float32", ("N", len(target.classes)))]
    return [label, ("scores", "float32", ("N", target.n_scores))]


def _class_said(network: Network, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    scores = network.scores(prepared)
    return {
        "label": _places(signature, scores),
        "probabilities": answer_of(network, scores),
        "scores": scores,
    }


def _places(signature: Signature, scores: Tensor) -> Tensor:
    if signature.multilabel:
        return (scores > 0).long()
    return (scores[:, 0] > 0).long() if len(signature.classes) == 2 else scores.argmax(1)


def _class_own(model: Any, X: Any) -> Arrays:
    if hasattr(model, "predict_proba"):
        return {"label": model.predict(X), "probabilities": model.predict_proba(X)}
    scores = model.decision_function(X)
    return {"label": model.predict(X), "scores": scores[:, None] if scores.ndim == 1 else scores}


def _class_tied(own: Arrays, tolerance: float) -> np.ndarray:
    if "scores" in own:
        scores = own["scores"].astype(np.float64)
        room: Any = tolerance * np.maximum(1.0, np.abs(scores).max(1))
    else:
        scores, room = own["probabilities"].astype(np.float64), 2 * tolerance
    if own["label"].ndim == 2:
        return np.abs(scores - 0.5) < room
    if scores.shape[1] == 1:
        return np.abs(scores[:, 0]) < room
    return margin(scores, 1) < room


def _number_outputs(model: Any) -> list[Made]:
    target = model.target_
    if not isinstance(target, NumberTarget):
        raise TypeError(f"no outputs are known of {type(target).__name__}")
    shape: Shape = ("N",) if target.flat else ("N", target.n_targets)
    dtype = "float32" if target.positive else "float64"
    return [(role, dtype, shape) for role in (("prediction", "deviation") if target.normal else ("prediction",))]


def _number_said(network: Network, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    answers = answer_of(network, network.scores(prepared))
    shape = next(each.shape for each in signature.outputs if each.role == "prediction")
    n = 1 if len(shape) == 1 else int(shape[1])
    parts = {"prediction": answers[:, :n], "deviation": answers[:, n : 2 * n]}
    return {role: part[:, 0] if len(shape) == 1 else part for role, part in parts.items() if signature.output(role)}


def _number_own(model: Any, X: Any) -> Arrays:
    deviation = {"deviation": model.predict_deviation(X)} if model.target_.normal else {}
    return {"prediction": model.predict(X), **deviation}


def _number_unit(model: Any, role: str) -> Any:
    return float(model.target_.deviation[0]) if model.target_.flat else model.target_.deviation


CLASSES = Kind(
    frozenset({"table", "image", "text", "sequence", "audio"}),
    _class_outputs,
    _class_said,
    _class_own,
    classes=_stored_classes,
    tied=_class_tied,
)
NUMBERS = Kind(
    frozenset({"table", "image", "text", "sequence", "audio"}),
    _number_outputs,
    _number_said,
    _number_own,
    unit=_number_unit,
)
