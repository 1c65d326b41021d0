"""Which part of a network begins to differ when it is exported, or cannot be exported at all: stage by stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.pictures import stacked
from ganglion.data.resizing import Resize, reading_to
from ganglion.deployment.core import Beginning, stages
from ganglion.deployment.forms import columns_of
from ganglion.deployment.graph import TRACING, network_of, traced
from ganglion.deployment.kind_places import multiple_of
from ganglion.deployment.packages import onnx_package
from ganglion.deployment.rows import feeds_of
from ganglion.deployment.signature import Signature
from ganglion.estimators.base import Estimator


def first_that_fails(model: Estimator, signature: Signature, dtype: torch.dtype) -> tuple[str, str]:
    """Return the first stage of a network that cannot be traced, and what torch says of it."""
    network = network_of(model, dtype)
    for n, (name, _) in enumerate(stages(network), start=1):
        try:
            traced(Beginning(network, model.encoder_, signature, n), signature.inputs)
        except TRACING as error:
            return name, str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    return "its label or answers", "the stages before it can be exported"


def first_that_differs(
    model: Estimator,
    signature: Signature,
    dtype: torch.dtype,
    batches: Iterable[tuple[str, Any, Any]],
    tolerance: float,
) -> str:
    """Return the first stage whose exported values differ from the original's by more than a tolerance.

    Differences are in units of the largest value that the original has there.
    """
    network, own = network_of(model, dtype), model.network_
    feeds = [
        _tensors(signature, feeds_of(signature, columns_of(signature, X)), multiple_of(network)) for _, _, X in batches
    ]
    for n, (name, _) in enumerate(stages(network), start=1):
        proto = traced(Beginning(network, model.encoder_, signature, n), signature.inputs)
        session = onnx_package("onnxruntime", "checking an export").InferenceSession(proto.SerializeToString())
        original = Beginning(own, model.encoder_, signature, n).eval()
        for given in feeds:
            with torch.inference_mode():
                wanted = [each.double().numpy() for each in original(*given)]
            named = {each.name: tensor.numpy() for each, tensor in zip(session.get_inputs(), given, strict=False)}
            said = session.run(None, named)
            if any(_apart(a, np.asarray(b, dtype=np.float64)) > tolerance for a, b in zip(wanted, said, strict=True)):
                return name
    return "the answers to single rows, where large numbers cancel, and in no part as a whole"


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return float("inf")
    return float(np.abs(a - b).max(initial=0.0) / max(1.0, np.abs(a).max(initial=0.0)))


def _tensors(signature: Signature, feeds: dict[str, np.ndarray], multiple: int) -> list[Tensor]:
    """Return the inputs of a graph as the core takes them: codes in place of texts, pictures resized or continued."""
    tensors = []
    for each in signature.inputs:
        values = feeds[each.name]
        if each.kind == "categorical":
            codes = {label: code for code, label in enumerate(each.categories, start=1)}
            values = np.array([[codes.get(label, 0)] for label in values[:, 0]], dtype=np.int64)
        if each.size:
            reading = reading_to((int(each.shape[3]), *each.size), cast(Resize, signature.resize))
            values = stacked(list(values), reading)[0].transpose(0, 2, 3, 1)
        elif "H" in each.shape:
            beyond = [multiple * max(2, -(-side // multiple)) - side for side in values.shape[1:3]]
            values = np.pad(values, ((0, 0), (0, beyond[0]), (0, beyond[1]), (0, 0)), mode="edge")
        tensors.append(torch.from_numpy(values))
    return tensors
