"""`ganglion export`, and `ganglion predict` with what it wrote: the latter without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.markup import escape

from ganglion.cli.screen import out as screen
from ganglion.cli.screen import print_json, shown_warnings

if TYPE_CHECKING:
    from ganglion.deployment.onnx_model import OnnxModel


def export_model(model: Path, to: Path, *, rows: Path | None, quantized: bool, as_json: bool) -> None:
    """Export a saved model to a file."""
    from ganglion.cli.commands import features_of
    from ganglion.deployment.export import export
    from ganglion.estimators.artifact import load

    with shown_warnings():
        estimator = load(model)
        given = None if rows is None else features_of(rows, estimator)
        exported = export(estimator, to, rows=given, **({"quantized": True} if quantized else {}))
    print_json(exported.to_dict()) if as_json else screen.print(escape(str(exported)), soft_wrap=True)


def predict_with_onnx(model: Path, data: Path, *, out: Path | None, probabilities: bool, as_json: bool) -> None:
    """Predict every row of a data file with an exported model."""
    from ganglion.cli.commands import written_rows
    from ganglion.deployment.onnx_model import OnnxModel

    with shown_warnings():
        exported = OnnxModel.load(model)
        columns = _answers(exported, rows_of(data, exported), probabilities=probabilities)
    written_rows(columns, out, as_json=as_json)


def rows_of(data: Path, model: OnnxModel) -> Any:
    """Return the rows of a data file as an exported model takes them: CSV, npy or npz, read without torch."""
    from ganglion.deployment.table_file import read_rows

    return read_rows(data, model.signature)


def _answers(model: OnnxModel, X: Any, *, probabilities: bool) -> dict[str, np.ndarray]:
    """Return one column for each thing that is said, under the names that `ganglion predict` has."""
    said = model.answer(X)
    predicted = said["label" if model.signature.classes else "prediction"]
    columns = (
        {"prediction": predicted}
        if predicted.ndim == 1
        else {f"prediction_{i}": column for i, column in enumerate(predicted.T)}
    )
    if probabilities and "probabilities" in said:
        labels = model.signature.classes
        columns |= {f"p_{label}": share for label, share in zip(labels, said["probabilities"].T, strict=True)}
    return columns
