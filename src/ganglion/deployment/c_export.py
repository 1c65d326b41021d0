"""`export(model, "model.c")`: one C99 file and its header, for where there is no operating system to speak of."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import torch

from ganglion.deployment.c_check import Compiled
from ganglion.deployment.c_file import files_of
from ganglion.deployment.c_test import self_test
from ganglion.deployment.capability import check_exportable
from ganglion.deployment.describing import signature_of
from ganglion.deployment.examples import examples, plain
from ganglion.deployment.exported import Exported
from ganglion.deployment.parity import Parity, compare
from ganglion.deployment.signature import Signature
from ganglion.errors import ExportRefused
from ganglion.estimators.base import Estimator
from ganglion.storage import write_text

MODALITIES = ("table", "image")
WHOLE_DIFFERENCE, WHOLE_AGREEMENT = 0.1, 0.97  # what whole numbers of 8 bits may cost


def export_c(
    model: Estimator,
    path: str | os.PathLike[str],
    rows: Any = None,
    *,
    quantized: bool = False,
    check: bool = True,
) -> Exported:
    """Write a multi-layer perceptron or a small convolutional network as a C99 file and a header beside it.

    Parameters
    ----------
    model : Estimator
    path : path-like
        Ends with `.c`; its name is what all public names in the file begin with.
    rows : X, optional
        Further rows to compare answers on. With `quantized`, rows as the model will see them matter.
    quantized : bool
        Whether weights, and the inputs of each layer, are whole numbers of 8 bits: a quarter of the size. Answers then
        differ; refused is what differs by more than 0.1 on the average row, or says another label in over 3 % of them.
    check : bool
        Whether to compile what was written, and compare its answers; it needs a C compiler. Without, the self-test
        inside is all there is.

    Raises
    ------
    ExportRefused
        If a layer has no C code, there is no compiler, or answers would differ. No file is written.
    """
    check_exportable(model)
    if model.modality_ not in MODALITIES:
        raise ExportRefused(
            f"models of {model.modality_} data have no C code: those of tables and images have. Export to .onnx."
        )
    signature, name = signature_of(model).brought, _identifier(Path(path).stem)
    double = False
    parity = _parity(model, signature, name, rows, double=False, quantized=quantized, check=check)
    if not _good(parity, quantized=quantized) and not quantized and model.network_.dtype == torch.float64:
        double = True
        parity = _parity(model, signature, name, rows, double=True, quantized=False, check=check)
    if not _good(parity, quantized=quantized):
        raise ExportRefused(
            f"{type(model).__name__} was not exported: its C code would give other answers, by up to "
            f"{parity.difference:.2g} on {parity.where}, with {parity.agreement:.1%} of the labels or numbers equal. "
            + ("Leave quantized out." if quantized else "Export to .onnx.")
        )
    test = self_test(model, signature, name, parity)
    final = files_of(model, signature, name, double=double, quantized=quantized, test=test)
    write_text(Path(path).with_suffix(".h"), final.header)
    write_text(path, final.source)
    return Exported(os.fspath(path), "c, int8" if quantized else "c", len(final.source), parity)


def _parity(
    model: Estimator, signature: Signature, name: str, rows: Any, *, double: bool, quantized: bool, check: bool
) -> Parity:
    written = files_of(model, signature, name, double=double, quantized=quantized, test="")
    if not check:
        return Parity(0, 0.0, "no row", 1.0, 0)
    batches = list(examples(model, signature))
    if quantized:  # whole numbers are worth what the largest of a row makes them: extremes have no others beside them
        batches = [each for each in batches if "ordinary" in each[0] or "noisy" in each[0]]
    if rows is not None:
        batches.append(("the rows given", rows, plain(signature, rows)))
    with tempfile.TemporaryDirectory(prefix="ganglion-c-") as folder:
        return compare(model, Compiled(written, signature, Path(folder)), batches)


def _good(parity: Parity, *, quantized: bool) -> bool:
    if not quantized:
        return parity.holds
    return parity.mean <= WHOLE_DIFFERENCE and (parity.agreement >= WHOLE_AGREEMENT or not parity.labels)


def _identifier(stem: str) -> str:
    """Return a file's name as one that C allows."""
    plain_name = re.sub(r"\W", "_", stem, flags=re.ASCII) or "model"
    return f"model_{plain_name}" if plain_name[0].isdigit() else plain_name
