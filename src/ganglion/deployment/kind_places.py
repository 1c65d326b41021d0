"""Pixels and steps: a label for each place of a picture, a text or a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from ganglion.deployment.kind import Arrays, Inputs, Kind, Made, answer_of, label_type, margin, plain_classes
from ganglion.deployment.said import ragged
from ganglion.deployment.signature import Signature
from ganglion.networks.network import Network


def _mask_outputs(model: Any) -> list[Made]:
    height, width = ("H", "W") if multiple_of(model.network_) else model.encoder_.shape[1:]
    return [
        ("label", label_type(model), ("N", height, width)),
        ("probabilities", "float32", ("N", len(model.classes_), height, width)),
    ]


def _mask_said(network: Network, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    scores = network.scores(prepared)
    return {"label": scores.argmax(1), "probabilities": answer_of(network, scores)}


def _asked_twice(model: Any, X: Any) -> Arrays:
    return {"label": model.predict(X), "probabilities": model.predict_proba(X)}


def _tag_outputs(model: Any) -> list[Made]:
    return [("label", label_type(model), ("N", "T")), ("probabilities", "float32", ("N", "T", len(model.classes_)))]


def _tag_said(network: Network, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    scores = network.scores(prepared)
    return {"label": scores.argmax(2), "probabilities": answer_of(network, scores)}


def _tag_own(model: Any, X: Any) -> Arrays:
    labels = [np.array(each, dtype=model.classes_.dtype) for each in model.predict(X)]
    return {"label": ragged(labels), "probabilities": ragged(model.predict_proba(X))}


def multiple_of(network: Any) -> int:
    """Return what the sides of pictures are made a multiple of, twice or more, by a network that reads any; else 0."""
    return getattr(network.body, "multiple", 0)


MASKS = Kind(
    frozenset({"image"}),
    _mask_outputs,
    _mask_said,
    _asked_twice,
    classes=plain_classes,
    tied=lambda own, tolerance: margin(own["probabilities"], 1) < 2 * tolerance,
)
TAGS = Kind(
    frozenset({"text", "sequence"}),
    _tag_outputs,
    _tag_said,
    _tag_own,
    classes=plain_classes,
    tied=lambda own, tolerance: margin(own["probabilities"], 1) < 2 * tolerance,
)
