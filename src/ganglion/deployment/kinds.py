"""What each task answers: one entry says which outputs its graph has, how they come of a network, and who else says so.

    task             outputs, by role (see `signature`)
    classification   label, probabilities or scores
    regression       prediction, and deviation of normal targets
    segmentation     label and probabilities of every pixel
    tagging          label and probabilities of every step
    detection        boxes, confidence and label of the objects of a picture
    forecasting      prediction and quantiles of the steps to come
    reconstruction   label (-1 an outlier, 1 none), score, codes
    generation       codes, of what codes data besides making them

A task with no entry here has no answer that one pass through a network is: `capability` says what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from ganglion.deployment.said import ragged
from ganglion.deployment.signature import Shape, Signature
from ganglion.estimators.targets import NumberTarget
from ganglion.networks.network import Network

Inputs = Mapping[str, Tensor]
Made = tuple[str, str, Shape]  # role, dtype, shape
Arrays = dict[str, np.ndarray]
OUTLIER, USUAL = -1, 1
FAR = 1e9  # apart, in pixels, are two boxes of different classes
_DTYPES = {"str": "string", "int": "int64", "uint8": "uint8", "float": "float64", "bool": "bool"}
_NUMPY = {np.bool_: "bool", np.uint8: "uint8", np.int64: "int", np.float64: "float"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What models of one task answer.

    Attributes
    ----------
    modalities : frozenset of str
        Of the data whose models can leave.
    outputs : model → list of (role, dtype, shape)
    classes : model → (list, str)
        What labels are, in the order of their places, and their kind, as a signature has them.
    said : (network, prepared inputs, signature) → dict of str to Tensor
        The outputs by role, in the graph; labels as places among the classes.
    own : (model, X) → dict of str to ndarray
        The same, as the original says it. What differs in length from sample to sample is an array of arrays.
    tied : (own answers, tolerance) → ndarray
        Which labels are closer to another one than rounding may be.
    unit : (model, role) → float or ndarray
        What differences of a role are measured in, where its values are not larger than that.
    missing : model → str or None
        Why this one cannot leave though others of its task can.
    aligned : (own answers, said answers) → said answers
        These in the order of those, where it is not told by the answers themselves.
    """

    modalities: frozenset[str]
    outputs: Callable[[Any], list[Made]]
    said: Callable[[Any, Inputs, Signature], dict[str, Tensor]]
    own: Callable[[Any, Any], Arrays]
    classes: Callable[[Any], tuple[list[Any], str]] = lambda model: ([], "")
    tied: Callable[[Arrays, float], np.ndarray] = lambda own, tolerance: np.zeros(own["label"].shape, dtype=bool)
    unit: Callable[[Any, str], Any] = lambda model, role: 1.0
    missing: Callable[[Any], str | None] = lambda model: None
    aligned: Callable[[Arrays, Arrays], Arrays] = lambda own, said: said


def answer_of(network: Any, scores: Tensor) -> Tensor:
    """Return what a network answers, from its scores."""
    return network.output(scores, network.series) if hasattr(network, "series") else network.output(scores)


# classes of rows


def _stored_classes(model: Any) -> tuple[list[Any], str]:
    stored = model.target_.to_json()
    return stored["classes"], stored["dtype"]


def _class_outputs(model: Any) -> list[Made]:
    target = model.target_
    label: Made = ("label", _DTYPES[_stored_classes(model)[1]], ("N",))
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
    return _margin(scores, 1) < room


def _margin(scores: np.ndarray, axis: int) -> np.ndarray:
    """Return by how much the best class is ahead of the next one."""
    n = scores.shape[axis]
    best = np.partition(scores.astype(np.float64), n - 2, axis=axis)
    return best.take(n - 1, axis) - best.take(n - 2, axis)


# numbers of rows


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


# classes of pixels and steps


def _plain_classes(model: Any) -> tuple[list[Any], str]:
    return model.classes_.tolist(), _NUMPY.get(model.classes_.dtype.type, "str")


def _label_type(model: Any) -> str:
    return _DTYPES[_plain_classes(model)[1]]


def _mask_outputs(model: Any) -> list[Made]:
    height, width = ("H", "W") if multiple_of(model.network_) else model.encoder_.shape[1:]
    return [
        ("label", _label_type(model), ("N", height, width)),
        ("probabilities", "float32", ("N", len(model.classes_), height, width)),
    ]


def _mask_said(network: Network, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    scores = network.scores(prepared)
    return {"label": scores.argmax(1), "probabilities": answer_of(network, scores)}


def _asked_twice(model: Any, X: Any) -> Arrays:
    return {"label": model.predict(X), "probabilities": model.predict_proba(X)}


def _tag_outputs(model: Any) -> list[Made]:
    return [("label", _label_type(model), ("N", "T")), ("probabilities", "float32", ("N", "T", len(model.classes_)))]


def _tag_said(network: Network, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    scores = network.scores(prepared)
    return {"label": scores.argmax(2), "probabilities": answer_of(network, scores)}


def _tag_own(model: Any, X: Any) -> Arrays:
    labels = [np.array(each, dtype=model.classes_.dtype) for each in model.predict(X)]
    return {"label": ragged(labels), "probabilities": ragged(model.predict_proba(X))}


def multiple_of(network: Any) -> int:
    """Return what the sides of pictures are made a multiple of, twice or more, by a network that reads any; else 0."""
    return getattr(network.body, "multiple", 0)


# objects in pictures


def _box_outputs(model: Any) -> list[Made]:
    most = model.max_detections
    return [
        ("boxes", "float32", ("N", most, 4)),
        ("confidence", "float32", ("N", most)),
        ("label", _label_type(model), ("N", most)),
    ]


def _box_said(network: Network, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    """Return the surest boxes that no surer one of their class covers, as `Detector.predict` has them.

    What `kept_by_nms` walks through until nothing changes is an operator of ONNX; both are the greedy walk.
    """
    told, (height, width) = signature.settings, signature.inputs[0].shape[1:3]
    most = int(told["max_detections"])
    rows = answer_of(network, network.scores(prepared)).float()
    rows = torch.nn.functional.pad(rows, (0, 0, 0, max(0, most - rows.shape[1])))
    edges = rows.new_tensor([width, height, width, height])
    boxes, score, code = torch.minimum(rows[..., :4].clamp(min=0), edges), rows[..., 4], rows[..., 5].long()
    of_class = torch.nn.functional.one_hot(code, len(signature.classes)).to(score.dtype) * score[..., None]
    limits = (told["nms_iou"], told["score_threshold"])
    chosen = torch.onnx.ops.symbolic(
        "NonMaxSuppression",
        (boxes, of_class.transpose(1, 2), torch.tensor([rows.shape[1]]), *(rows.new_tensor([each]) for each in limits)),
        dtype=torch.int64,
        shape=(rows.shape[0], 3),  # as many as are chosen; nothing that follows looks at it
    )
    places = chosen[:, 0] * rows.shape[1] + chosen[:, 2]
    kept = torch.zeros_like(score).flatten().scatter(0, places, 1.0).view(score.shape)
    kept = kept * (boxes[..., 2:] > boxes[..., :2]).all(-1)
    best, order = (score * kept).topk(most)
    corners = boxes.gather(1, order[..., None].expand(-1, -1, 4))
    return {"boxes": corners * (best > 0)[..., None], "confidence": best, "label": code.gather(1, order)}


def _box_own(model: Any, X: Any) -> Arrays:
    found = model.predict(X)
    parts = {"boxes": "boxes", "confidence": "scores", "label": "labels"}
    return {role: ragged([getattr(each, name) for each in found]) for role, name in parts.items()}


def _box_aligned(own: Arrays, said: Arrays) -> Arrays:
    """Return what was said with the boxes of each picture in the order of the original: equally sure ones have none."""
    orders = []
    for i, (a, b) in enumerate(zip(own["boxes"], said["boxes"], strict=True)):
        if len(a) != len(b) or not len(a):
            orders.append(np.arange(len(b)))
            continue
        apart = np.abs(a[:, None].astype(np.float64) - b).sum(2)
        apart += np.abs(own["confidence"][i][:, None].astype(np.float64) - said["confidence"][i])
        other = own["label"][i][:, None] != said["label"][i]
        orders.append(np.where(other, apart + FAR, apart).argmin(1))
    return {role: ragged([row[o] for row, o in zip(each, orders, strict=True)]) for role, each in said.items()}


# steps to come


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


# codes of data, and what is unusual


def _codes(network: Any, prepared: Inputs) -> Tensor:
    return network.coded(network.input(prepared)) if hasattr(network, "coded") else network.scores(prepared)


def _code_outputs(model: Any) -> list[Made]:
    return [("codes", "float32", ("N", len(model.get_feature_names_out())))]


def _code_own(model: Any, X: Any) -> Arrays:
    return {"codes": model.transform(X)}


def _labels_needed(model: Any) -> str | None:
    if not hasattr(model, "transform"):
        return (
            "it makes new data, drawn from random numbers step by step, and answers nothing. Call sample() of the "
            "model file from Python and ship what it makes, or train a VAE or Autoencoder, whose codes leave"
        )
    if getattr(model, "conditional", False):
        return "its codes depend on labels beside the data. Train it without conditional=True"
    return None


def _usual_outputs(model: Any) -> list[Made]:
    return [("label", "int64", ("N",)), ("score", "float64", ("N",)), *_code_outputs(model)]


def _usual_said(network: Any, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    v_nd = network.input(prepared)
    z_nl = network.coded(v_nd)
    score = -network.errors(v_nd, network.decoded(z_nl)).double() - network.offset
    return {"label": (score >= 0).long(), "score": score, "codes": z_nl}


def _usual_own(model: Any, X: Any) -> Arrays:
    return {"label": model.predict(X), "score": model.decision_function(X), "codes": model.transform(X)}


KINDS: dict[str, Kind] = {
    "classification": Kind(
        frozenset({"table", "image", "text", "sequence", "audio"}),
        _class_outputs,
        _class_said,
        _class_own,
        classes=_stored_classes,
        tied=_class_tied,
    ),
    "regression": Kind(
        frozenset({"table", "image", "text", "sequence", "audio"}),
        _number_outputs,
        _number_said,
        _number_own,
        unit=_number_unit,
    ),
    "segmentation": Kind(
        frozenset({"image"}),
        _mask_outputs,
        _mask_said,
        _asked_twice,
        classes=_plain_classes,
        tied=lambda own, tolerance: _margin(own["probabilities"], 1) < 2 * tolerance,
    ),
    "detection": Kind(
        frozenset({"image"}),
        _box_outputs,
        _box_said,
        _box_own,
        classes=_plain_classes,
        unit=lambda model, role: float(max(model.encoder_.shape[1:])) if role == "boxes" else 1.0,
        aligned=_box_aligned,
    ),
    "tagging": Kind(
        frozenset({"text", "sequence"}),
        _tag_outputs,
        _tag_said,
        _tag_own,
        classes=_plain_classes,
        tied=lambda own, tolerance: _margin(own["probabilities"], 1) < 2 * tolerance,
    ),
    "forecasting": Kind(
        frozenset({"series"}),
        _ahead_outputs,
        _ahead_said,
        _ahead_own,
        unit=_ahead_unit,
        missing=_not_numbers,
    ),
    "reconstruction": Kind(
        frozenset({"table", "image"}),
        _usual_outputs,
        _usual_said,
        _usual_own,
        classes=lambda model: ([OUTLIER, USUAL], "int"),
        tied=lambda own, tolerance: np.abs(own["score"]) < tolerance,
    ),
    "generation": Kind(
        frozenset({"table", "image"}),
        _code_outputs,
        lambda network, prepared, signature: {"codes": _codes(network, prepared)},
        _code_own,
        missing=_labels_needed,
    ),
}


def kind_of(model: Any) -> Kind:
    """Return what a model answers; a KeyError where its task has no entry."""
    return KINDS[model.tags.task]
