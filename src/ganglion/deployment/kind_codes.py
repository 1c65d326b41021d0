"""Codes of data, and what is unusual among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from ganglion.deployment.kind import Arrays, Inputs, Kind, Made
from ganglion.deployment.signature import Signature

OUTLIER, USUAL = -1, 1


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


OUTLIERS = Kind(
    frozenset({"table", "image"}),
    _usual_outputs,
    _usual_said,
    _usual_own,
    classes=lambda model: ([OUTLIER, USUAL], "int"),
    tied=lambda own, tolerance: np.abs(own["score"]) < tolerance,
)
CODES = Kind(
    frozenset({"table", "image"}),
    _code_outputs,
    lambda network, prepared, signature: {"codes": _codes(network, prepared)},
    _code_own,
    missing=_labels_needed,
)
