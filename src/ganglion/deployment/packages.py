"""The packages that only exporting and serving need, imported when first asked for."""

from __future__ import annotations

import importlib
from typing import Any

from ganglion.errors import missing_extra


def onnx_package(name: str, purpose: str) -> Any:
    """Return the package `name` (onnx, onnxscript, onnxruntime); raises MissingExtra, with what installs it.

    Parameters
    ----------
    name : str
        May be a part of a package: "onnx.helper".
    purpose : str
        What needs it, for the message: "exporting a model".
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise missing_extra(name.split(".")[0], "export", purpose) from error
