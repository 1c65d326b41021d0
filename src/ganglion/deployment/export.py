"""`export(model, path)`: a model leaves Ganglion, in the form that its file's name asks for."""

from __future__ import annotations

import importlib
import inspect
import os
from pathlib import Path
from typing import Any

from ganglion.deployment.exported import Exported
from ganglion.errors import InvalidParameter, suggestion

# what the name ends with, and the function that writes it: (model, path, rows, **options) → Exported
FORMATS = {
    ".c": ("ganglion.deployment.c_export", "export_c"),
    ".html": ("ganglion.deployment.page_export", "export_page"),
    ".onnx": ("ganglion.deployment.onnx_export", "export_onnx"),
    "container": ("ganglion.deployment.recipes", "export_container"),  # a folder of this name
    "triton": ("ganglion.deployment.recipes", "export_triton"),
}


def export(model: Any, path: str | os.PathLike[str], rows: Any = None, **options: Any) -> Exported:
    """Write a fitted model in a form that needs no Ganglion: raw input in, answer out.

    Before the file appears, its answers are compared with the model's own, on rows made from what the model knows of
    its training data (several batch sizes and lengths, missing and unknown values, extremes) and on `rows`.

    Parameters
    ----------
    model : Estimator
        Fitted.
    path : path-like
        How it ends says what is written: `.onnx` is a graph for onnxruntime, with the preprocessing inside, of all that
        answers by one pass through a network (labels, numbers, masks, boxes, labels of steps, forecasts, outliers,
        codes), and of transcripts; `.html` one page that answers offline in a browser; `.c` one C99 file and a header,
        of a multi-layer perceptron or small convolutional network.
    rows : X, optional
        Further rows to compare answers on, as the model's `predict` takes them.
    **options
        Of the format: for `.onnx` `strings=True` for a graph that takes texts and cuts them itself, in place of ids of
        tokens; for `.c` `quantized=True` for whole numbers of 8 bits, `check=False` where no compiler is.

    Returns
    -------
    Exported
        The file, its size, and how its answers compare.

    Raises
    ------
    ExportRefused
        If the model cannot leave in this form (the message says why), or would answer differently. No file is written.
    InvalidParameter
        If no format has this ending.
    MissingExtra
        If a package of the extra "export" is missing.
    SaveFailed
        If the file cannot be written.

    Examples
    --------
    >>> import ganglion as gg
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = gg.MLPClassifier(hidden=(8,), epochs=5, random_state=0).fit(X, y)
    >>> exported = gg.export(model, "/tmp/iris.onnx")
    >>> exported.parity.holds
    True
    """
    ending = Path(path).suffix.lower() or Path(path).name.lower()
    if ending not in FORMATS:
        raise InvalidParameter(
            f"no format ends with {ending!r} ({os.fspath(path)!r}). Give a name that ends with one of: "
            f"{', '.join(sorted(FORMATS))}."
        )
    home, name = FORMATS[ending]
    function = getattr(importlib.import_module(home), name)
    known = list(inspect.signature(function).parameters)[3:]
    for option in options:
        if option not in known:
            have = f"Its options: {', '.join(known)}." if known else "It has no options."
            raise InvalidParameter(f"the format {ending} has no option {option!r}.{suggestion(option, known)} {have}")
    return function(model, path, rows, **options)
