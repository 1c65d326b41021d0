"""`export(model, "model.onnx")`: a graph with its preprocessing inside, compared with the original beforehand."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection
from itertools import chain
from typing import Any

import torch

from ganglion.deployment.capability import check_exportable
from ganglion.deployment.core import Core
from ganglion.deployment.describing import signature_of
from ganglion.deployment.differing import first_that_differs, first_that_fails
from ganglion.deployment.examples import examples, plain
from ganglion.deployment.exported import Exported
from ganglion.deployment.graph import PURPOSE, TRACING, graph_of, network_of
from ganglion.deployment.kinds import KINDS
from ganglion.deployment.onnx_model import CARD, SIGNATURE, SUMMARY, VERSION, OnnxModel
from ganglion.deployment.packages import onnx_package
from ganglion.deployment.parity import Parity, compare
from ganglion.deployment.signature import ROWS, Signature
from ganglion.deployment.text_graph import check_texts, with_texts
from ganglion.errors import ExportRefused, InvalidModel
from ganglion.estimators.artifact import describe
from ganglion.estimators.base import Estimator
from ganglion.estimators.card import model_card
from ganglion.storage import atomic_write
from ganglion.version import __version__


def export_onnx(model: Estimator, path: str | os.PathLike[str], rows: Any = None, strings: bool = False) -> Exported:
    """Write a fitted model as an ONNX file; see `export`.

    Parameters
    ----------
    model : Estimator
    path : path-like
    rows : X, optional
        Further rows to compare answers on, as the model's `predict` takes them.
    strings : bool
        Whether the graph takes texts and cuts them itself, in place of ids of tokens.
    """
    raw, parity = onnx_bytes(model, rows, tasks=KINDS, strings=strings)
    with atomic_write(path) as file:
        file.write(raw)
    return Exported(str(path), "onnx", len(raw), parity)


def onnx_bytes(
    model: Estimator, rows: Any = None, *, tasks: Collection[str] = ROWS, strings: bool = False
) -> tuple[bytes, Parity]:
    """Return a fitted model as the content of an ONNX file, and how its answers compare with the model's own.

    Parameters
    ----------
    model : Estimator
    rows : X, optional
        Further rows to compare answers on.
    tasks : collection of str
        Those whose answers are wanted.
    strings : bool
        Whether the graph takes texts and cuts them itself.

    Raises
    ------
    ExportRefused
        If the model cannot leave, or the graph would give other answers: the part where they differ is named.
    MissingExtra
        If onnx, onnxscript or onnxruntime is not installed.
    """
    check_exportable(model, tasks)
    onnx_package("onnxruntime", PURPOSE)
    signature = signature_of(model)
    if strings:
        check_texts(signature)
    # float32 as everyone runs it; what is too close for that, and was trained in float64, stays so
    raw = _written(model, signature, torch.float32, strings)
    parity = _compared(model, OnnxModel(raw), rows)
    if not parity.holds and model.network_.dtype == torch.float64:
        exact = _written(model, signature, torch.float64, strings)
        with contextlib.suppress(InvalidModel):  # convolutions and recurrent layers have no float64 in onnxruntime
            raw, parity = exact, _compared(model, OnnxModel(exact), rows)
    if not parity.holds:
        raise _different(model, signature, parity)
    if not parity.said:
        raise ExportRefused(
            f"{type(model).__name__} was not exported: it finds nothing in the pictures made for the comparison, so "
            "nothing could be compared. Give some with objects in them: export(model, path, rows=pictures)."
        )
    return raw, parity


def _written(model: Estimator, signature: Signature, dtype: torch.dtype, strings: bool) -> bytes:
    """Return the content of the file: the graph, and what there is to say of it."""
    try:
        proto, signature = graph_of(Core(network_of(model, dtype), model.encoder_, signature))
    except TRACING as error:
        part, why = first_that_fails(model, signature, dtype)
        raise ExportRefused(
            f"{type(model).__name__} cannot be exported: {part} has no form in ONNX ({why}). Use the model file from "
            "Python, or another option for that part."
        ) from error
    if strings:
        signature = with_texts(proto, signature)
    manifest = describe(model)
    texts = {SIGNATURE: signature.to_json(), CARD: model_card(manifest), VERSION: __version__}
    if manifest.get("summary"):
        texts[SUMMARY] = json.dumps(manifest["summary"])
    onnx_package("onnx.helper", PURPOSE).set_model_props(proto, texts)
    proto.producer_name, proto.producer_version = "ganglion", __version__
    proto.doc_string = texts[CARD].split("\n", 1)[0].removeprefix("# ")
    proto.graph.name = signature.estimator
    return proto.SerializeToString()


def _compared(model: Estimator, exported: OnnxModel, rows: Any) -> Parity:
    signature = exported.signature
    further = () if rows is None else (("the rows given", rows, plain(signature, rows)),)
    return compare(model, exported, chain(examples(model, signature), further))


def _different(model: Estimator, signature: Signature, parity: Parity) -> ExportRefused:
    part = first_that_differs(model, signature, torch.float32, examples(model, signature), parity.tolerance)
    labels = f", and {parity.wrong} {'labels' if parity.labels else 'numbers'} are others" if parity.wrong else ""
    return ExportRefused(
        f"{type(model).__name__} was not exported: its graph would give other answers, by up to "
        f"{parity.difference:.2g} on {parity.where}{labels}; allowed is {parity.tolerance:g}. They begin to differ in "
        f"{part}. No file was written: use the model file from Python, or another option for that part."
    )
