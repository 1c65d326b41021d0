"""`ganglion export`, and `ganglion predict` with what it wrote: the latter without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from ganglion.cli.screen import out as screen
from ganglion.cli.screen import print_json, shown_warnings

if TYPE_CHECKING:
    from ganglion.deployment.onnx_model import OnnxModel


def export_model(model: Path, to: Path, *, rows: Path | None, asked: dict[str, bool], as_json: bool) -> None:
    """Export a saved model to a file."""
    from ganglion.cli.commands import features_of
    from ganglion.deployment.export import export
    from ganglion.estimators.artifact import load

    with shown_warnings():
        estimator = load(model)
        given = None if rows is None else features_of(rows, estimator)
        exported = export(estimator, to, rows=given, **{name: True for name, flag in asked.items() if flag})
    print_json(exported.to_dict()) if as_json else screen.print(escape(str(exported)), soft_wrap=True)


def predict_with_onnx(model: Path, data: Path, *, out: Path | None, probabilities: bool, as_json: bool) -> None:
    """Predict every row of a data file with an exported model."""
    from ganglion.cli.commands import check_masks_file, write_arrays, written_rows
    from ganglion.deployment.onnx_model import OnnxModel
    from ganglion.deployment.pictures import in_files
    from ganglion.deployment.said import as_columns

    with shown_warnings():
        exported = OnnxModel.load(model)
        if exported.signature.task == "segmentation":
            to = check_masks_file(out)
            write_arrays(_masks(exported, rows_of(data, exported), probabilities=probabilities), to)
            return
        X = rows_of(data, exported)
        said = exported.answer(X)
        if "boxes" in said:
            said["boxes"] = in_files(exported.signature, X, said["boxes"])
    columns = as_columns(exported.signature, said, probabilities=probabilities)
    written_rows(columns, out, as_json=as_json)


def rows_of(data: Path, model: OnnxModel) -> Any:
    """Return the rows of a data file as an exported model takes them: CSV, npy or npz, read without torch."""
    from ganglion.deployment.table_file import read_rows

    return read_rows(data, model.signature)


def _masks(model: OnnxModel, X: Any, *, probabilities: bool) -> dict[str, Any]:
    """Return the class of every pixel, and where wanted the classes' probabilities, as arrays."""
    said = model.answer(X)
    shares = {"probabilities": said["probabilities"]} if probabilities else {}
    return {"prediction": said["label"], "classes": model.signature.labels, **shares}
