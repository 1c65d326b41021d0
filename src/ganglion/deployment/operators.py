"""torch's exporter without its dearest habit: it reads the sources of some five hundred operators at every call.

Each is read once a process here. What is kept is a function of the operator alone, so that nobody else who exports in
this process can tell. Where onnxscript has no such function any more, all stays as it is.
"""

from __future__ import annotations

import functools

from ganglion.deployment.packages import onnx_package


@functools.cache
def read_operators_once() -> None:
    """Let every operator of the exporter keep what its source says: 0.7 of 2 CPU-seconds of a small model's export."""
    values = onnx_package("onnxscript._internal.values", "exporting a model")
    operator = getattr(values, "TracedOnnxFunction", None)
    reading = getattr(operator, "function_ir", None)
    if operator is not None and isinstance(reading, property) and reading.fget is not None:
        operator.function_ir = property(functools.cache(reading.fget), doc=reading.__doc__)
